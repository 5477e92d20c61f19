//! A body that holds on to something until it has been sent, and streams that end when the server does.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

/// What a stream of events says when the server ends before it.
const STOPPING: &str = "event: error\ndata: {\"error\": {\"code\": \"server_stopping\", \"type\": \
    \"server_error\", \"message\": \"the server is stopping; send the request again\"}}\n\n";

type Closing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Keeps `held` until the answer's body has been sent or given up. Streams of events end, with an event
/// that says so, when `closing` does.
pub(super) fn hold<H: Send + 'static>(
    response: Response,
    held: H,
    closing: impl FnOnce() -> Closing,
) -> Response {
    let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_events = content_type.is_some_and(|kind| kind.starts_with(b"text/event-stream"));
    let closing = is_events.then(closing);
    response.map(|inner| Body::new(HeldBody { inner, held: Some(held), closing, is_over: false }))
}

struct HeldBody<H> {
    inner: Body,
    held: Option<H>,
    closing: Option<Closing>,
    is_over: bool,
}

// Nothing in it is pinned in place.
impl<H> Unpin for HeldBody<H> {}

impl<H> HttpBody for HeldBody<H> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        match frame {
            Poll::Ready(None) => {
                self.held = None;
                self.is_over = true;
                Poll::Ready(None)
            }
            Poll::Ready(frame) => Poll::Ready(frame),
            Poll::Pending => {
                let closing = self.closing.as_mut().map(|closing| closing.as_mut().poll(context));
                if !matches!(closing, Some(Poll::Ready(()))) {
                    return Poll::Pending;
                }
                self.is_over = true;
                self.inner = Body::empty();
                self.held = None;
                Poll::Ready(Some(Ok(http_body::Frame::data(Bytes::from_static(
                    STOPPING.as_bytes(),
                )))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}
