//! The run's own environment, which a program may ask what its user says.

use std::sync::Arc;

use axum::http::StatusCode;
use serde::Serialize;
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, Message, MessageRecord, RolloutError,
    Scenario, Stream,
};
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::api_error::ApiError;
use crate::conversations::ConversationMessage;

/// The environment of one episode, as its program meets it.
pub(super) struct World {
    environment: Arc<dyn Environment>,
    scenario: Scenario,
    inside: Mutex<Inside>,
}

struct Inside {
    /// Random numbers for the next thing that happens; none while the model has not answered.
    stream: Option<Stream>,
    /// The model's last answer, which the next step is about.
    answer: Option<ConversationTurn>,
    state: Option<EnvironmentState>,
    /// What the user said last.
    said: Vec<Message>,
}

/// What the user says.
#[derive(Serialize, ToSchema)]
pub(super) struct UserTurn {
    /// The messages to add to the conversation.
    #[schema(value_type = Vec<ConversationMessage>)]
    messages: Vec<MessageRecord>,
    /// Nothing is to be answered any more.
    done: bool,
}

impl World {
    /// An episode of `scenario` that opens with the random numbers `stream`.
    pub(super) fn new(
        environment: Arc<dyn Environment>,
        scenario: Scenario,
        stream: Stream,
    ) -> World {
        let inside = Inside { stream: Some(stream), answer: None, state: None, said: Vec::new() };
        World { environment, scenario, inside: Mutex::new(inside) }
    }

    /// The model answered; the user may speak next, with the random numbers `stream`.
    pub(super) async fn answered(&self, turn: &ConversationTurn, stream: Stream) {
        let mut inside = self.inside.lock().await;
        inside.answer = Some(turn.clone());
        inside.stream = Some(stream);
    }

    /// What the user says: the opening at first, then an answer to the model's last turn.
    ///
    /// # Errors
    /// [`ApiError`] 409 where it is not the user's turn, 500 where the environment fails.
    pub(super) async fn speak(&self) -> Result<UserTurn, ApiError> {
        let mut inside = self.inside.lock().await;
        let early = || {
            let message = "it is the model's turn: call it before the user is asked again";
            ApiError::new(StatusCode::CONFLICT, "not_the_users_turn", message)
        };
        if inside.state.as_ref().is_some_and(EnvironmentState::is_done) {
            return Ok(UserTurn { messages: Vec::new(), done: true });
        }
        let stream = inside.stream.take().ok_or_else(early)?;
        inside.said = match (inside.state.take(), inside.answer.take()) {
            (None, _) => {
                let opening = self.environment.reset(&self.scenario, stream).await;
                let opening = opening.map_err(|error| failed(&error))?;
                inside.state = Some(opening.state);
                opening.messages
            }
            (Some(state), None) => {
                inside.state = Some(state);
                return Err(early());
            }
            (Some(mut state), Some(turn)) => {
                let step = self.environment.step(&self.scenario, &mut state, &turn, stream).await;
                inside.state = Some(state);
                step.map_err(|error| failed(&error))?.messages
            }
        };
        let done = inside.state.as_ref().is_some_and(EnvironmentState::is_done);
        let messages = inside.said.iter().map(MessageRecord::from).collect();
        Ok(UserTurn { messages, done })
    }

    /// The state in the end, and the last words of the user; `None` where the world was never asked.
    pub(super) async fn end(&self) -> Option<(EnvironmentState, Vec<Message>)> {
        let mut inside = self.inside.lock().await;
        let state = inside.state.take()?;
        self.environment.close(&state.episode_id);
        Some((state, std::mem::take(&mut inside.said)))
    }
}

fn failed(error: &RolloutError) -> ApiError {
    ApiError::internal(error)
}
