//! Being asked to stop: once politely, twice at once.

use stateset_train::StopSignal;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::output::say;

/// Exit code of a program that was interrupted, as shells give it.
const INTERRUPTED: i32 = 130;

/// Waits for Ctrl-C or a request to terminate. The first lets the step under way end well; the second
/// ends the program.
pub(crate) async fn stop_on_signal(stop: StopSignal) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::warn!("signals cannot be heard, so stopping loses the step under way");
        return;
    };
    either(&mut interrupt, &mut terminate).await;
    say("stopping: the step under way is finished and saved first; once more to stop at once");
    stop.stop();
    either(&mut interrupt, &mut terminate).await;
    std::process::exit(INTERRUPTED);
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}
