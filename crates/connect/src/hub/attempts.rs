//! Repeating what may succeed a moment later.

use std::thread;
use std::time::Duration;

use super::settings::HubSettings;
use crate::ConnectError;

/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Repeats `request` after passing failures, as often as the settings say.
pub(super) fn retrying<T>(
    settings: &HubSettings,
    mut request: impl FnMut() -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    let mut n_failures = 0;
    loop {
        match request() {
            Err(e) if e.is_passing() && n_failures < settings.n_retries => {
                n_failures += 1;
                pause(settings, n_failures);
            }
            other => return other,
        }
    }
}

/// Waits before the next attempt; longer, the more have failed in a row.
pub(super) fn pause(settings: &HubSettings, n_failures: u32) {
    thread::sleep(pause_length(settings, n_failures));
}

fn pause_length(settings: &HubSettings, n_failures: u32) -> Duration {
    let factor = 1 << n_failures.saturating_sub(1).min(10);
    settings.retry_delay.saturating_mul(factor).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let settings = HubSettings::new("/c");
        let lengths = [1, 2, 3, 5, 6, 1000].map(|n| pause_length(&settings, n).as_secs());
        assert_eq!(lengths, [1, 2, 4, 16, 30, 30]);
    }
}
