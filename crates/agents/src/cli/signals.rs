//! Being asked to stop: once politely, twice at once.

use stateset_train::StopSignal;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::say;

/// Exit code of a program that was interrupted, as shells give it.
const INTERRUPTED: i32 = 130;

/// From now on the first signal lets the step under way end well; the second ends the program.
pub(crate) fn stop_on_signal(stop: StopSignal) {
    let text =
        "stopping: the step under way is finished and saved first; once more to stop at once";
    on_signals(text, move || stop.stop(), || std::process::exit(INTERRUPTED));
}

/// From now on the first Ctrl-C or request to terminate says `text` and calls `first`; the next calls `second`.
/// Before that, one ends the program.
pub(crate) fn on_signals(
    text: &'static str,
    first: impl FnOnce() + Send + 'static,
    second: impl FnOnce() + Send + 'static,
) {
    let mut signals = match StopSignals::hear() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::warn!(%error, "signals cannot be heard: being asked to stop cuts off what is under way");
            return;
        }
    };
    tokio::spawn(async move {
        signals.next().await;
        say(text);
        first();
        signals.next().await;
        second();
    });
}

/// Both signals that ask to stop, heard from when this is made.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn hear() -> std::io::Result<StopSignals> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(StopSignals { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
