//! Being asked to stop: once politely, twice at once.

use stateset_train::StopSignal;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::say;

/// Exit code of a program that was interrupted, as shells give it.
const INTERRUPTED: i32 = 130;

/// Ctrl-C and requests to terminate, heard from when this is made: before that one ends the program.
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// `None`, with a warning, where they cannot be heard.
    pub(crate) fn hear() -> Option<StopSignals> {
        let heard = || {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(StopSignals { interrupt, terminate: signal(SignalKind::terminate())? })
        };
        let warn = |error: std::io::Error| {
            tracing::warn!(%error, "signals cannot be heard: being asked to stop cuts off what is under way");
        };
        heard().map_err(warn).ok()
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// From now on the first signal lets the step under way end well; the second ends the program.
pub(crate) fn stop_on_signal(stop: StopSignal) {
    let Some(mut signals) = StopSignals::hear() else { return };
    tokio::spawn(async move {
        signals.next().await;
        say("stopping: the step under way is finished and saved first; once more to stop at once");
        stop.stop();
        signals.next().await;
        std::process::exit(INTERRUPTED);
    });
}
