//! The embedded model, requests for it, and hearing whole answers.

use std::sync::Arc;

use stateset_core::{Message, PolicyVersion, Sampling, ToolCall};
use stateset_serve::answer::{Answer, AnswerEvent, AnswerRequest, Answering, Begun, Piece, Prompt};
use stateset_serve::api_error::ApiError;
use stateset_serve::models::Voice;
use stateset_serve::{LoadOptions, ServedModel};
use stateset_train::{LocalPolicy, ModelSource};

/// The embedded model.
pub(crate) fn tiny(version: u64) -> ServedModel {
    let fetch = |name: &str| panic!("{name} was asked for");
    let source = ModelSource::open("builtin:tiny", &fetch).unwrap();
    let options = LoadOptions {
        threads: Some(1),
        slots: 8,
        context: 512,
        version: PolicyVersion(version),
        ..LoadOptions::default()
    };
    ServedModel::load("tiny", source, &options).unwrap()
}

pub(crate) fn policy(model: &ServedModel) -> &LocalPolicy {
    match &model.voice {
        Voice::Local(policy) => policy,
        Voice::Stub(_) | Voice::Speaker(_) => panic!("no engine"),
    }
}

/// A question in a conversation.
pub(crate) fn chat(max_new_tokens: usize) -> AnswerRequest {
    let messages = vec![Message::user("Where is my order 1234?")];
    let sampling = Sampling { max_new_tokens, ..Sampling::default() };
    let prompt = Prompt::Chat { messages, tools: Vec::new() };
    AnswerRequest { seed: Some(7), ..AnswerRequest::new(prompt, sampling) }
}

/// Everything that was heard.
pub(crate) struct Heard {
    pub(crate) begun: Begun,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) answer: Answer,
}

/// Hears an answer to its end, and checks that its parts are the whole.
pub(crate) async fn hear(
    model: &Arc<ServedModel>,
    request: AnswerRequest,
) -> Result<Heard, ApiError> {
    let mut answering = Answering::begin(Arc::clone(model), request);
    let (mut begun, mut pieces, mut calls) = (None, Vec::new(), Vec::new());
    loop {
        match answering.next().await.unwrap()? {
            AnswerEvent::Begun(first) => {
                assert!(begun.is_none() && pieces.is_empty() && calls.is_empty());
                begun = Some(first);
            }
            AnswerEvent::Piece(piece) => pieces.push(piece),
            AnswerEvent::Call(call) => calls.push(call),
            AnswerEvent::Done(answer) => {
                assert!(answering.next().await.is_none());
                let heard = Heard { begun: begun.unwrap(), pieces, calls, answer: *answer };
                heard.check();
                return Ok(heard);
            }
        }
    }
}

impl Heard {
    /// Pieces, calls and tokens put together are the answer.
    fn check(&self) {
        let Heard { begun, pieces, calls, answer } = self;
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let thought: String = pieces.iter().map(|piece| piece.reasoning.as_str()).collect();
        let tokens: Vec<_> = pieces.iter().flat_map(|piece| piece.tokens.clone()).collect();
        assert_eq!(text, answer.message.content);
        assert_eq!(thought, answer.message.reasoning.clone().unwrap_or_default());
        assert_eq!(tokens, answer.tokens);
        assert_eq!(*calls, answer.message.tool_calls);
        assert_eq!(begun.prompt_tokens, answer.prompt_tokens);
        assert_eq!((begun.n_prompt, begun.version), (answer.n_prompt, answer.version));
    }
}
