//! `/api/v1/stream/chat`: `POST /api/chat`, heard while it is drawn; GET takes the same fields in the query.
//!
//! The events are `metadata` first, `token` for each piece of text, and `done` with what `/api/chat`
//! answers, once it is kept; `error` in the place of the rest where something fails. A request that cannot
//! be answered is refused with a status, as if it had not asked for a stream. A client that goes away leaves
//! the conversation as it was.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures::future::BoxFuture;
use futures::stream::{self, Stream, StreamExt};
use serde_json::json;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::chat::ChatRequest;
use super::{OnceHeader, unusable, with_key};
use crate::App;
use crate::api_error::{ApiError, Dialect, OwnError};
use crate::body::OptionalJson;
use crate::conversations::{Caller, Said, Turn, say};
use crate::wire::named;

/// How long a refusal may take to become the status of the response.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// What is told of an answer.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is never made: only its description is used")]
struct ChatEvent {
    /// `metadata`, `token`, `done` or `error`.
    event: String,
    /// What it says, as JSON.
    data: String,
}

/// Answers a chat message in events, while the answer is drawn
#[utoipa::path(
    post,
    path = "/api/v1/stream/chat",
    tag = "conversations",
    params(OnceHeader),
    request_body = ChatRequest,
    responses(
        (status = 200, description = "The events", body = ChatEvent, content_type = "text/event-stream"),
        (status = 404, description = "No conversation, agent or model has this name", body = OwnError),
        (status = 409, description = "It is being answered, or the key was used", body = OwnError),
    )
)]
pub(super) async fn posted(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<ChatRequest>,
) -> Result<Response, ApiError> {
    streamed(app, caller, &headers, asked).await
}

/// The same, asked for in the query
#[utoipa::path(
    get,
    path = "/api/v1/stream/chat",
    tag = "conversations",
    params(OnceHeader, ChatRequest),
    responses(
        (status = 200, description = "The events", body = ChatEvent, content_type = "text/event-stream"),
        (status = 404, description = "No conversation, agent or model has this name", body = OwnError),
        (status = 409, description = "It is being answered, or the key was used", body = OwnError),
    )
)]
pub(super) async fn queried(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    asked: Result<Query<ChatRequest>, QueryRejection>,
) -> Result<Response, ApiError> {
    let refused = |error: QueryRejection| unusable("invalid_query", "query", error.body_text());
    let Query(asked) = asked.map_err(refused)?;
    streamed(app, caller, &headers, asked).await
}

async fn streamed(
    app: App,
    caller: Caller,
    headers: &HeaderMap,
    mut asked: ChatRequest,
) -> Result<Response, ApiError> {
    asked.idempotency_key = with_key(headers, asked.idempotency_key)?;
    let mut talk = Talk::begin(app, asked.turn(caller)?);
    let first = tokio::time::timeout(FIRST_WAIT, talk.next()).await.ok().flatten();
    if let Some(Heard::Failed(error)) = first {
        return Err(error);
    }
    let begin = stream::iter([named("metadata", &json!({"conversation_id": talk.conversation}))]);
    let first = stream::iter(first.map(event));
    let events = begin.chain(first).chain(rest(talk)).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new()).into_response();
    let unbuffered = HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", unbuffered);
    Ok(response)
}

fn rest(talk: Talk) -> impl Stream<Item = Event> + Send {
    stream::unfold(talk, |mut talk| async move {
        let heard = talk.next().await?;
        Some((event(heard), talk))
    })
}

fn event(heard: Heard) -> Event {
    match heard {
        Heard::Piece(text) => named("token", &json!({"text": text})),
        Heard::Said(said) => named("done", &said.body()),
        Heard::Failed(error) => named("error", &Dialect::Own.body(&error)),
    }
}

/// What is heard of a turn. The last two end it.
enum Heard {
    Piece(String),
    Said(Box<Said>),
    Failed(ApiError),
}

/// A turn under way. Dropped, it is given up.
struct Talk {
    conversation: Option<String>,
    saying: BoxFuture<'static, Result<Said, ApiError>>,
    pieces: mpsc::UnboundedReceiver<String>,
    has_spoken: bool,
    said: Option<Result<Said, ApiError>>,
    is_over: bool,
}

impl Talk {
    fn begin(app: App, turn: Turn) -> Talk {
        let (aloud, pieces) = mpsc::unbounded_channel();
        let conversation = turn.conversation.clone();
        let turn = Turn { aloud: Some(aloud), ..turn };
        let saying = Box::pin(async move { say(&app, turn).await });
        Talk { conversation, saying, pieces, has_spoken: false, said: None, is_over: false }
    }

    /// The next thing that is heard; `None` after the end. Giving up on it loses nothing.
    async fn next(&mut self) -> Option<Heard> {
        if self.is_over {
            return None;
        }
        if self.said.is_none() {
            tokio::select! {
                biased;
                Some(piece) = self.pieces.recv() => return Some(self.piece(piece)),
                said = &mut self.saying => self.said = Some(said),
            }
        }
        // The last pieces may have come with the end.
        if let Ok(piece) = self.pieces.try_recv() {
            return Some(self.piece(piece));
        }
        // An answer to a request that was sent before was drawn then.
        if let Some(Ok(Said { response: Some(whole), .. })) = &self.said
            && !self.has_spoken
        {
            let whole = whole.clone();
            return Some(self.piece(whole));
        }
        self.is_over = true;
        Some(match self.said.take()? {
            Ok(said) => Heard::Said(Box::new(said)),
            Err(error) => Heard::Failed(error),
        })
    }

    fn piece(&mut self, text: String) -> Heard {
        self.has_spoken = true;
        Heard::Piece(text)
    }
}
