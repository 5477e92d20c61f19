//! One turn: messages come in, the model answers, both are written.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateset_core::{FinishReason, Message, Role};

use super::caller::Caller;
use super::claim::Claim;
use super::history::{Aloud, answer, check_messages};
use crate::App;
use crate::agents::{SamplingWish, find};
use crate::api_error::ApiError;
use crate::services::unusable;
use crate::store::{ConversationRow, NewMessages, Once, asked_sha256};

/// What is said to a conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    /// Who says it.
    pub(crate) caller: Caller,
    /// The conversation; a new one where `None`.
    pub(crate) conversation: Option<String>,
    /// What is said, in order.
    pub(crate) messages: Vec<Message>,
    /// How the answer is to be drawn.
    pub(crate) wish: SamplingWish,
    /// Of a new conversation: the agent that answers.
    pub(crate) agent_id: Option<String>,
    /// Of a new conversation: the served model.
    pub(crate) model: Option<String>,
    /// Of a new conversation: whom it is with.
    pub(crate) user_id: Option<String>,
    /// Of a new conversation: what is kept with it.
    pub(crate) metadata: Value,
    /// Lets the request count once.
    pub(crate) idempotency_key: Option<String>,
    /// Who hears the answer while it is drawn.
    pub(crate) aloud: Option<Aloud>,
}

/// What came out of a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) conversation_id: String,
    /// The answer; `None` where nothing was asked.
    pub(crate) response: Option<String>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) model: String,
    pub(crate) prompt_tokens: usize,
    pub(crate) completion_tokens: usize,
    /// Messages of the conversation that the model did not read, for it is too long.
    pub(crate) messages_left_out: usize,
    /// Messages of the conversation now.
    pub(crate) n_messages: i64,
    pub(crate) processing_time_ms: f64,
}

/// Says something to a conversation, or begins one.
///
/// # Errors
/// [`ApiError`]; the conversation is as it was.
pub(crate) async fn say(app: &App, turn: Turn) -> Result<Said, ApiError> {
    check_messages(&turn.messages)?;
    turn.wish.check()?;
    if let Some(id) = &turn.conversation {
        turn.caller.find(app.services()?.store(), id).await?;
    }
    let once = turn.once();
    if let Some(said) = answered(app, once.as_ref()).await? {
        return Ok(said);
    }
    match &turn.conversation {
        Some(id) => {
            check_continues(&turn.messages)?;
            let claim = Claim::take(app.services()?.store(), id).await?;
            // The first request with this key may have ended just before the claim.
            match answered(app, once.as_ref()).await? {
                Some(said) => Ok(said),
                None => go_on(app, id, &turn, once, claim).await,
            }
        }
        None => begin(app, turn, once).await,
    }
}

/// That messages can go on with a conversation.
fn check_continues(messages: &[Message]) -> Result<(), ApiError> {
    match messages.first().map(|first| first.role) {
        None => Err(unusable("missing_field", "messages", "there is nothing to answer")),
        Some(Role::System) => {
            let message = "instructions can only be given when a conversation begins";
            Err(unusable("invalid_value", "messages[0].role", message))
        }
        Some(_) => Ok(()),
    }
}

async fn answered(app: &App, once: Option<&Once>) -> Result<Option<Said>, ApiError> {
    let Some(once) = once else { return Ok(None) };
    match app.services()?.store().answered(once).await? {
        Some(value) => serde_json::from_value(value).map(Some).map_err(ApiError::internal),
        None => Ok(None),
    }
}

async fn begin(app: &App, turn: Turn, once: Option<Once>) -> Result<Said, ApiError> {
    let (store, rules) = (app.services()?.store(), &app.config().conversations);
    let _place = rules.begin(store).await?;
    let now = store.now();
    let conversation = ConversationRow {
        id: store.new_id("conv"),
        agent_id: turn.agent_id.clone(),
        model: turn.model.clone(),
        sampling: turn.wish.to_value(),
        user_id: turn.user_id.clone(),
        owner: turn.caller.owner.clone(),
        metadata: turn.metadata.clone(),
        n_messages: 0,
        created_at: now,
        updated_at: now,
    };
    let (wish, aloud) = (SamplingWish::default(), turn.aloud.as_ref());
    let (said, messages) =
        reply(app, &conversation, Vec::new(), turn.messages, wish, aloud).await?;
    let new = NewMessages { messages, once: with_answer(once.as_ref(), &said)? };
    if store.add_conversation(&conversation, &new).await? {
        rules.note(now, &said, &new.messages).await;
        return Ok(said);
    }
    let first = answered(app, once.as_ref()).await?;
    first.ok_or_else(|| ApiError::internal("an idempotency key was used and is gone"))
}

async fn go_on(
    app: &App,
    id: &str,
    turn: &Turn,
    once: Option<Once>,
    claim: Claim,
) -> Result<Said, ApiError> {
    let (store, rules) = (app.services()?.store(), &app.config().conversations);
    let replied = async {
        let conversation = store.conversation(id).await?;
        let conversation = conversation.ok_or_else(|| ApiError::not_found("conversation", id))?;
        rules.check_open(store, &conversation)?;
        let old = store.messages(id).await?.into_iter().map(|stored| stored.message).collect();
        let (new, aloud) = (turn.messages.clone(), turn.aloud.as_ref());
        reply(app, &conversation, old, new, turn.wish.clone(), aloud).await
    };
    let (said, messages) = match claim.during(replied).await {
        Ok(replied) => replied,
        Err(error) => {
            claim.release().await;
            return Err(error);
        }
    };
    let new = NewMessages { messages, once: with_answer(once.as_ref(), &said)? };
    claim.finish(&new).await?;
    rules.note(store.now(), &said, &new.messages).await;
    Ok(said)
}

/// Lets the model answer where the last of the new messages asks for it. Gives what is to be written.
async fn reply(
    app: &App,
    conversation: &ConversationRow,
    old: Vec<Message>,
    mut new: Vec<Message>,
    wish: SamplingWish,
    aloud: Option<&Aloud>,
) -> Result<(Said, Vec<Message>), ApiError> {
    let began = Instant::now();
    let agent = match &conversation.agent_id {
        Some(id) => Some(find(app, id).await.map_err(|error| error.at("agent_id"))?),
        None => None,
    };
    let named = conversation.model.as_deref();
    let model = app.models().find(named.or_else(|| agent.as_ref()?.model.as_deref()))?;
    let mut said = Said {
        conversation_id: conversation.id.clone(),
        response: None,
        finish_reason: None,
        model: model.name.clone(),
        prompt_tokens: 0,
        completion_tokens: 0,
        messages_left_out: 0,
        n_messages: 0,
        processing_time_ms: 0.0,
    };
    let asks = |last: &Message| matches!(last.role, Role::User | Role::Tool);
    if new.last().is_some_and(asks) {
        let of_agent = agent.as_ref().map(|agent| SamplingWish::kept(&agent.sampling));
        let wish = wish.over(SamplingWish::kept(&conversation.sampling));
        let sampling = wish.over(of_agent.unwrap_or_default()).apply(&model.sampling);
        let of_agent = agent.as_ref().and_then(|agent| agent.system_prompt.as_deref());
        let prompt = of_agent.or(model.system_prompt.as_deref());
        let history: Vec<Message> = old.iter().chain(&new).cloned().collect();
        let (answer, n_left_out) = answer(&model, prompt, history, &sampling, aloud).await?;
        said.response = Some(answer.message.content.clone());
        said.finish_reason = Some(finish_name(&answer.finish).to_owned());
        said.prompt_tokens = answer.prompt_tokens.len();
        said.completion_tokens = answer.tokens.len();
        said.messages_left_out = n_left_out;
        new.push(answer.message);
    }
    said.n_messages = (old.len() + new.len()) as i64;
    said.processing_time_ms = began.elapsed().as_secs_f64() * 1000.0;
    Ok((said, new))
}

fn with_answer(once: Option<&Once>, said: &Said) -> Result<Option<(Once, Value)>, ApiError> {
    let Some(once) = once else { return Ok(None) };
    let answer = serde_json::to_value(said).map_err(ApiError::internal)?;
    Ok(Some((once.clone(), answer)))
}

fn finish_name(finish: &FinishReason) -> &'static str {
    match finish {
        FinishReason::Length => "length",
        _ => "stop",
    }
}

impl Turn {
    fn once(&self) -> Option<Once> {
        let key = self.idempotency_key.clone()?;
        let said: Vec<Value> = self
            .messages
            .iter()
            .map(|message| serde_json::json!([message.role.as_str(), message.content]))
            .collect();
        let asked = serde_json::json!([
            said,
            self.wish.to_value(),
            self.agent_id,
            self.model,
            self.user_id,
            self.metadata
        ]);
        // Nobody is answered with what somebody else was.
        let scope = match &self.conversation {
            Some(id) => format!("conversation {id}"),
            None => format!("conversation new {}", self.caller.owner),
        };
        Some(Once { scope: scope.trim_end().to_owned(), key, asked_sha256: asked_sha256(&asked) })
    }
}
