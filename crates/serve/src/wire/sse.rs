//! Answers as server-sent events.
//!
//! The choice a reader would question: the status is decided by the first thing that is heard, so a
//! request that cannot be answered is refused with a status as if it had not asked for a stream. Should
//! nothing be heard for [`FIRST_WAIT`], the stream begins, so that what stands between us and the client
//! does not give up.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures::stream::{self, Stream, StreamExt};
use serde::Serialize;

use super::choices::Heard;
use crate::answer::AnswerEvent;
use crate::api_error::ApiError;

/// How long a refusal may take to become the status of the response.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// How often a silent stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Writes what is heard of answers in the events of one API.
pub(crate) trait EventWriter: Send + 'static {
    /// Before anything is heard.
    fn begin(&mut self) -> Vec<Event>;
    /// Something is heard of an answer.
    fn heard(&mut self, choice: usize, event: AnswerEvent) -> Vec<Event>;
    /// All answers have ended.
    fn end(&mut self) -> Vec<Event>;
    /// One failed; nothing follows.
    fn failed(&mut self, error: &ApiError) -> Vec<Event>;
}

/// What a silent stream sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// A comment, which every client ignores.
    Comment,
    /// The event `ping` of Anthropic's API.
    Ping,
}

/// The response that streams these answers.
///
/// # Errors
/// [`ApiError`] of a request that cannot be answered.
pub(crate) async fn stream_events(
    mut heard: Heard,
    writer: impl EventWriter,
    keeping: Keeping,
) -> Result<Response, ApiError> {
    let first = tokio::time::timeout(FIRST_WAIT, heard.next()).await.ok().flatten();
    if let Some((_, Err(error))) = first {
        return Err(error);
    }
    let events = written(stream::iter(first).chain(heard).boxed(), writer);
    let keep_alive = match keeping {
        Keeping::Comment => KeepAlive::new().text("keep-alive"),
        Keeping::Ping => KeepAlive::new().event(named("ping", &Ping { kind: "ping" })),
    };
    let mut response = Sse::new(events).keep_alive(keep_alive.interval(KEEP_ALIVE)).into_response();
    let unbuffered = axum::http::HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", unbuffered);
    Ok(response)
}

/// An event without a name.
pub(crate) fn unnamed(data: &impl Serialize) -> Event {
    with_data(Event::default(), data)
}

/// An event with a name.
pub(crate) fn named(name: &str, data: &impl Serialize) -> Event {
    with_data(Event::default().event(name), data)
}

#[derive(Serialize)]
struct Ping {
    #[serde(rename = "type")]
    kind: &'static str,
}

fn with_data(event: Event, data: &impl Serialize) -> Event {
    // Our own types always become JSON; should one not, the client sees what happened.
    match serde_json::to_string(data) {
        Ok(text) => event.data(text),
        Err(error) => {
            tracing::error!(%error, "an event could not be written");
            event.data("{\"error\": {\"message\": \"an event could not be written\"}}")
        }
    }
}

enum At {
    Begin,
    Middle,
    Over,
}

fn written<W: EventWriter>(
    heard: Heard,
    writer: W,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let steps =
        stream::unfold((heard, writer, At::Begin), |(mut heard, mut writer, at)| async move {
            let (events, at) = match at {
                At::Begin => (writer.begin(), At::Middle),
                At::Middle => match heard.next().await {
                    Some((choice, Ok(event))) => (writer.heard(choice, event), At::Middle),
                    Some((_, Err(error))) => (writer.failed(&error), At::Over),
                    None => (writer.end(), At::Over),
                },
                At::Over => return None,
            };
            Some((events, (heard, writer, at)))
        });
    steps.flat_map(|events| stream::iter(events.into_iter().map(Ok)))
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;

    use super::*;
    use crate::answer::Begun;

    struct Counter;

    impl EventWriter for Counter {
        fn begin(&mut self) -> Vec<Event> {
            vec![unnamed(&"begin")]
        }

        fn heard(&mut self, choice: usize, _: AnswerEvent) -> Vec<Event> {
            vec![unnamed(&choice)]
        }

        fn end(&mut self) -> Vec<Event> {
            vec![unnamed(&"end")]
        }

        fn failed(&mut self, error: &ApiError) -> Vec<Event> {
            vec![unnamed(&error.code)]
        }
    }

    fn begun() -> AnswerEvent {
        AnswerEvent::Begun(Begun {
            prompt_tokens: Vec::new(),
            n_prompt: 0,
            version: stateset_core::PolicyVersion(0),
        })
    }

    async fn text_of(events: Vec<Result<AnswerEvent, ApiError>>) -> Result<String, ApiError> {
        let heard = stream::iter(events.into_iter().map(|event| (0, event))).boxed();
        let response = stream_events(heard, Counter, Keeping::Comment).await?;
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn what_comes_first_decides_the_status() {
        let full = || ApiError::invalid("messages", "too long");
        assert_eq!(text_of(vec![Err(full())]).await, Err(full()));
        let text = text_of(vec![Ok(begun()), Err(full()), Ok(begun())]).await.unwrap();
        assert_eq!(text, "data: \"begin\"\n\ndata: 0\n\ndata: \"invalid_value\"\n\n");
        let text = text_of(vec![Ok(begun())]).await.unwrap();
        assert_eq!(text, "data: \"begin\"\n\ndata: 0\n\ndata: \"end\"\n\n");
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_answers() {
        let (mut says, heard) = mpsc::channel(4);
        says.try_send((0, Ok(begun()))).unwrap();
        let response = stream_events(heard.boxed(), Counter, Keeping::Ping).await.unwrap();
        assert!(!says.is_closed());
        drop(response);
        assert!(says.is_closed());
    }
}
