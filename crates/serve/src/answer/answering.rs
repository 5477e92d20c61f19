//! An answer under way.

use std::sync::Arc;

use stateset_core::{
    Completion, GenerateRequest, Policy, PolicyError, PolicyVersion, Purpose, RunSeed, StreamKey,
    TokenTrace,
};
use stateset_train::{LocalPolicy, StubPolicy};
use tokio::sync::mpsc;

use super::{Answer, AnswerEvent, AnswerRequest, Begun, DrawnToken, Piece, Prompt, Speaker};
use crate::api_error::ApiError;
use crate::models::{ServedModel, Voice};

/// An answer under way. Dropping it ends the sampling within one step of the engine.
pub struct Answering {
    events: mpsc::UnboundedReceiver<Result<AnswerEvent, ApiError>>,
}

impl Answering {
    /// Begins to answer. The answer keeps the weights it began with.
    pub fn begin(model: Arc<ServedModel>, request: AnswerRequest) -> Answering {
        let (says, events) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let answered = tokio::select! {
                answered = answer(&model, request, &says) => answered,
                () = says.closed() => return,
            };
            let _ = says.send(answered.map(|answer| AnswerEvent::Done(Box::new(answer))));
        });
        Answering { events }
    }

    /// The next event; `None` after the end or an error.
    ///
    /// # Errors
    /// [`ApiError`] where the request cannot be answered; nothing follows it.
    pub async fn next(&mut self) -> Option<Result<AnswerEvent, ApiError>> {
        self.events.recv().await
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// As [`Answering::next`].
    pub async fn whole(mut self) -> Result<Answer, ApiError> {
        while let Some(event) = self.next().await {
            if let AnswerEvent::Done(answer) = event? {
                return Ok(*answer);
            }
        }
        Err(ApiError::internal("an answer ended without its end"))
    }
}

type Says = mpsc::UnboundedSender<Result<AnswerEvent, ApiError>>;

async fn answer(
    model: &ServedModel,
    request: AnswerRequest,
    says: &Says,
) -> Result<Answer, ApiError> {
    match &model.voice {
        Voice::Local(policy) => answer_locally(policy, request, says).await,
        Voice::Stub(stub) => answer_canned(stub, request, says).await,
        Voice::Speaker(speaker) => answer_spoken(speaker.as_ref(), request, says).await,
    }
}

async fn answer_spoken(
    speaker: &dyn Speaker,
    request: AnswerRequest,
    says: &Says,
) -> Result<Answer, ApiError> {
    let completion = speaker.answer(request).await?;
    let begun = Begun { prompt_tokens: Vec::new(), n_prompt: 0, version: PolicyVersion(0) };
    let _ = says.send(Ok(AnswerEvent::Begun(begun)));
    let message = &completion.message;
    let (text, reasoning) =
        (message.content.clone(), message.reasoning.clone().unwrap_or_default());
    let _ = says.send(Ok(AnswerEvent::Piece(Piece { text, reasoning, ..Piece::default() })));
    for call in &message.tool_calls {
        let _ = says.send(Ok(AnswerEvent::Call(call.clone())));
    }
    Ok(whole(completion))
}

async fn answer_canned(
    stub: &StubPolicy,
    request: AnswerRequest,
    says: &Says,
) -> Result<Answer, ApiError> {
    let completion = stub.generate(generate_request(request)?).await.map_err(policy_error)?;
    let begun = Begun { prompt_tokens: Vec::new(), n_prompt: 0, version: PolicyVersion(0) };
    let _ = says.send(Ok(AnswerEvent::Begun(begun)));
    let text = completion.message.content.clone();
    let _ = says.send(Ok(AnswerEvent::Piece(Piece { text, ..Piece::default() })));
    Ok(whole(completion))
}

async fn answer_locally(
    policy: &LocalPolicy,
    request: AnswerRequest,
    says: &Says,
) -> Result<Answer, ApiError> {
    let begun = Begun { prompt_tokens: Vec::new(), n_prompt: 0, version: PolicyVersion(0) };
    let _ = says.send(Ok(AnswerEvent::Begun(begun)));
    let say = |text: &str| {
        let piece = Piece { text: text.to_owned(), ..Piece::default() };
        let _ = says.send(Ok(AnswerEvent::Piece(piece)));
    };
    let completion = policy.generate_streaming(generate_request(request)?, say).await;
    Ok(whole(completion.map_err(policy_error)?))
}

fn generate_request(request: AnswerRequest) -> Result<GenerateRequest, ApiError> {
    let Prompt::Chat { messages, tools } = request.prompt else {
        return Err(ApiError::invalid("prompt", "only conversations can be answered"));
    };
    let seed = RunSeed(request.seed.unwrap_or_default());
    let key = StreamKey { sample: request.choice, ..StreamKey::default() };
    Ok(GenerateRequest {
        messages,
        tools,
        trace: TokenTrace::new(),
        sampling: request.sampling,
        stream: seed.stream(Purpose::Sampling, key),
    })
}

fn whole(completion: Completion) -> Answer {
    let Completion { message, sampled, finish } = completion;
    let (tokens, version) = sampled.map_or((Vec::new(), PolicyVersion(0)), |sampled| {
        let drawn = sampled.tokens.iter().zip(&sampled.logprobs);
        let token = |(&id, &logprob): (&u32, &f32)| DrawnToken {
            id,
            logprob,
            bytes: Vec::new(),
            top: Vec::new(),
        };
        (drawn.map(token).collect(), sampled.version)
    });
    Answer {
        message,
        prompt_tokens: Vec::new(),
        n_prompt: 0,
        n_drawn: tokens.len(),
        tokens,
        finish,
        stopped_by: None,
        is_steered: false,
        version,
    }
}

/// What a client is told when a model cannot answer.
pub(crate) fn policy_error(error: PolicyError) -> ApiError {
    match &error {
        PolicyError::ContextFull { needed, limit } => {
            let message = format!(
                "the conversation needs {needed} tokens and the model reads {limit}; shorten it"
            );
            let mut error = ApiError::invalid("messages", message);
            error.code = "context_length_exceeded";
            error
        }
        PolicyError::Template { turn, message } => {
            ApiError::invalid(format!("messages[{turn}]"), message.clone())
        }
        _ => ApiError::internal(error),
    }
}
