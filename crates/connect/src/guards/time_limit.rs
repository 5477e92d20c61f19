//! A limit of the time that one attempt may take.
//!
//! A call that runs out of it is dropped, which cancels what it waits for.

use std::time::Duration;

use super::failure::{Failure, Stop};

/// What `call` gives, or that `who` took longer than `limit`.
///
/// # Errors
/// The call's own, or [`Stop::TimedOut`].
pub async fn within<T, E: Failure>(
    limit: Duration,
    who: &str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(E::stopped(who, Stop::TimedOut(limit))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{PolicyError, ToolError};

    #[tokio::test(start_paused = true)]
    async fn a_hanging_call_is_an_error_that_names_it() {
        let limit = Duration::from_millis(1500);
        let hangs = std::future::pending::<Result<(), PolicyError>>();
        let error = within(limit, "judge j at http://h", hangs).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "get an answer of judge j at http://h: there was no answer within 1.5 s"
        );
        assert!(error.is_passing() && error.is_fault());
        let hangs = std::future::pending::<Result<(), ToolError>>();
        let error = within(limit, "refund", hangs).await.unwrap_err();
        assert!(error.is_fault() && !error.is_passing(), "{error}");
        assert_eq!(within(limit, "w", async { Ok::<_, PolicyError>(7) }).await, Ok(7));
    }
}
