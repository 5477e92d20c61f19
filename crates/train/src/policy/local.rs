//! The policy that samples from the engine in this process.
//!
//! It appends the token difference that the chat template renders for the new messages, samples, and
//! hands back text and tokens. Assistant tokens are never encoded again.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{Completion, GenerateRequest, GivenTokens, Policy, PolicyError, SampledTokens};
use stateset_nn::{
    ChatFormat, DecodeStream, NnError, SampleRequest, StopCheck, TextError, Tokenizer,
};
use tokio::sync::mpsc;

use crate::TrainError;
use crate::engine::{Engine, Sampled, SampledToken};

/// Samples from the engine.
#[derive(Clone)]
pub struct LocalPolicy {
    engine: Engine,
    format: ChatFormat,
}

impl LocalPolicy {
    /// A policy over the weights that `engine` serves.
    pub fn new(engine: Engine, format: ChatFormat) -> LocalPolicy {
        LocalPolicy { engine, format }
    }

    /// The engine it samples from.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Tokenizer and template.
    pub fn format(&self) -> &ChatFormat {
        &self.format
    }

    /// As [`Policy::generate`], and says each piece of text as soon as it is certain.
    ///
    /// # Errors
    /// As [`Policy::generate`].
    pub async fn generate_streaming(
        &self,
        request: GenerateRequest,
        mut say: impl FnMut(&str) + Send,
    ) -> Result<Completion, PolicyError> {
        let (tokens, mut drawn) = mpsc::unbounded_channel::<SampledToken>();
        let end_ids = self.format.end_ids().to_vec();
        let speak = async {
            let mut stream = DecodeStream::new(true);
            let tokenizer = self.format.tokenizer();
            while let Some(token) = drawn.recv().await {
                if !end_ids.contains(&token.id)
                    && let Ok(Some(text)) = stream.push(tokenizer, token.id)
                {
                    say(&text);
                }
            }
            if let Ok(rest) = stream.finish(tokenizer)
                && !rest.is_empty()
            {
                say(&rest);
            }
        };
        let (completion, ()) = tokio::join!(self.answer(request, Some(tokens)), speak);
        completion
    }

    /// True where the prompt itself opens a thought with the tag `open`, so that the answer begins inside one.
    pub fn opens_thought(&self, request: &GenerateRequest, open: &str) -> bool {
        let Ok(prompt) = self.format.prompt(&request.messages, &request.tools) else {
            return false;
        };
        // A tag is a few tokens long, and white space may follow it.
        let tail = &prompt[prompt.len().saturating_sub(2 * open.len())..];
        let text = self.format.tokenizer().decode(tail, false).unwrap_or_default();
        text.trim_end().ends_with(open)
    }

    async fn answer(
        &self,
        request: GenerateRequest,
        tokens: Option<mpsc::UnboundedSender<SampledToken>>,
    ) -> Result<Completion, PolicyError> {
        let turn = request.messages.len().saturating_sub(1);
        let given = self
            .format
            .continuation(&request.messages, &request.tools, &request.trace)
            .map_err(|error| template_error(turn, &error))?;
        let prompt = match &given {
            GivenTokens::Continue(new) => {
                let read = request.trace.current().map_or(&[][..], |segment| segment.tokens());
                [read, new].concat()
            }
            GivenTokens::Restart { tokens, .. } => tokens.clone(),
        };
        let stop = request.sampling.stop.clone();
        let sampled = self.engine.sample(self.sample_request(request, prompt), tokens).await;
        let Sampled { tokens, logprobs, finish, version, .. } = sampled.map_err(engine_error)?;
        let message =
            self.format.reply(&tokens, &stop).map_err(|error| template_error(turn, &error))?;
        let sampled = Some(SampledTokens { given, tokens, logprobs, version });
        Ok(Completion { message, sampled, finish })
    }

    fn sample_request(&self, request: GenerateRequest, prompt: Vec<u32>) -> SampleRequest {
        let mut stops = self.format.stop_texts();
        stops.extend_from_slice(&request.sampling.stop);
        SampleRequest {
            end_tokens: self.format.end_ids().to_vec(),
            stop: stop_check(self.format.tokenizer(), stops),
            ..SampleRequest::new(prompt, &request.sampling, request.stream)
        }
    }
}

#[async_trait]
impl Policy for LocalPolicy {
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError> {
        self.answer(request, None).await
    }
}

/// Watches the text of drawn tokens for what ends it; nothing to watch, no check. Empty texts are passed
/// over.
pub fn stop_check(tokenizer: &Arc<Tokenizer>, stops: Vec<String>) -> Option<StopCheck> {
    let stops: Vec<String> = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
    if stops.is_empty() {
        return None;
    }
    let tokenizer = Arc::clone(tokenizer);
    let (mut stream, mut text) = (DecodeStream::new(false), String::new());
    Some(Box::new(move |token| {
        if let Ok(Some(piece)) = stream.push(&tokenizer, token) {
            text.push_str(&piece);
        }
        stops.iter().any(|stop| text.contains(stop.as_str()))
    }))
}

pub(crate) fn template_error(turn: usize, error: &TextError) -> PolicyError {
    PolicyError::Template { turn, message: error.to_string() }
}

/// What a policy says of an engine's failure.
pub fn engine_error(error: TrainError) -> PolicyError {
    match error {
        TrainError::Engine(NnError::TooLarge { found, limit, .. }) => {
            PolicyError::ContextFull { needed: found, limit }
        }
        other => PolicyError::Failed(other.to_string()),
    }
}
