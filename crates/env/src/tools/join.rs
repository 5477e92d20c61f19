//! Several futures at once, without a runtime.
//!
//! They are polled in order whenever any of them may go on. The choice a reader would question: tools
//! that never wait run strictly one after another that way, so what they change is changed in the order
//! of the calls.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// The results of all, in the order given.
pub(super) async fn join_all<T>(
    futures: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>,
) -> Vec<T>
where
    T: Send,
{
    let mut running: Vec<_> = futures.into_iter().map(Some).collect();
    let mut results: Vec<Option<T>> = running.iter().map(|_| None).collect();
    poll_fn(move |context| {
        for (future, result) in running.iter_mut().zip(&mut results) {
            if let Some(pending) = future
                && let Poll::Ready(done) = pending.as_mut().poll(context)
            {
                *result = Some(done);
                *future = None;
            }
        }
        if running.iter().any(Option::is_some) {
            return Poll::Pending;
        }
        Poll::Ready(results.iter_mut().filter_map(Option::take).collect())
    })
    .await
}
