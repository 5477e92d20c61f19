//! Being asked to stop: once politely, twice at once.

use stateset_train::StopSignal;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::say;

/// Exit code of a program that was interrupted, as shells give it.
const INTERRUPTED: i32 = 130;

/// Waits for Ctrl-C or a request to terminate. The first lets the step under way end well; the second
/// ends the program.
pub(crate) async fn stop_on_signal(stop: StopSignal) {
    let Some((mut interrupt, mut terminate)) = stop_signals() else {
        tracing::warn!("signals cannot be heard, so stopping loses the step under way");
        return;
    };
    either(&mut interrupt, &mut terminate).await;
    say("stopping: the step under way is finished and saved first; once more to stop at once");
    stop.stop();
    either(&mut interrupt, &mut terminate).await;
    std::process::exit(INTERRUPTED);
}

/// Both signals that ask to stop; `None` where they cannot be heard.
pub(crate) fn stop_signals() -> Option<(Signal, Signal)> {
    let interrupt = signal(SignalKind::interrupt()).ok()?;
    Some((interrupt, signal(SignalKind::terminate()).ok()?))
}

/// Waits for one of two signals.
pub(crate) async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}
