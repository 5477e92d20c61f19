//! Answers of the stub: canned sentences, for trying everything around a model.
//!
//! It has no tokens: words stand for them, in limits and on the bill. Several answers to one prompt are
//! different sentences. Sampling settings, bias and seed change nothing, and a form is refused, because a
//! canned sentence has none.

use stateset_core::{FinishReason, Message, PolicyVersion, Role};
use stateset_train::StubPolicy;

use super::answering::Says;
use super::stops::Stops;
use super::{Answer, AnswerEvent, AnswerRequest, Begun, Form, Piece, Prompt};
use crate::api_error::ApiError;

pub(super) fn answer(
    stub: &StubPolicy,
    request: &AnswerRequest,
    version: PolicyVersion,
    says: &Says,
) -> Result<Answer, ApiError> {
    refuse_form(&request.form)?;
    let n_prompt = words_of(&request.prompt);
    says.say(AnswerEvent::Begun(Begun { prompt_tokens: Vec::new(), n_prompt, version }));
    let reply = stub.reply(turn_of(&request.prompt) + usize::from(request.choice));
    let mut stops = Stops::new(request.sampling.stop.iter().cloned());
    let (mut content, mut n_drawn, mut finish) = (String::new(), 0, FinishReason::Stop);
    for word in reply.split_inclusive(' ') {
        if n_drawn == request.sampling.max_new_tokens {
            finish = FinishReason::Length;
            break;
        }
        n_drawn += 1;
        say_text(stops.push(word), &mut content, says);
        if stops.is_over() {
            break;
        }
    }
    let (rest, stopped_by) = stops.finish();
    say_text(rest, &mut content, says);
    Ok(Answer {
        message: Message::assistant(content),
        prompt_tokens: Vec::new(),
        tokens: Vec::new(),
        n_prompt,
        n_cached: None,
        n_drawn,
        finish,
        stopped_by,
        is_steered: false,
        version,
    })
}

fn say_text(text: String, content: &mut String, says: &Says) {
    if text.is_empty() {
        return;
    }
    content.push_str(&text);
    says.say(AnswerEvent::Piece(Piece { text, ..Piece::default() }));
}

/// A conversation's sentences come in turn.
fn turn_of(prompt: &Prompt) -> usize {
    match prompt {
        Prompt::Chat { messages, .. } => {
            messages.iter().filter(|message| message.role == Role::Assistant).count()
        }
        Prompt::Text(_) | Prompt::Tokens(_) => 0,
    }
}

fn words_of(prompt: &Prompt) -> usize {
    match prompt {
        Prompt::Chat { messages, .. } => {
            messages.iter().map(|message| message.content.split_whitespace().count()).sum()
        }
        Prompt::Text(text) => text.split_whitespace().count(),
        Prompt::Tokens(tokens) => tokens.len(),
    }
}

fn refuse_form(form: &Form) -> Result<(), ApiError> {
    let field = match form {
        Form::Free => return Ok(()),
        Form::Calls(_) => "tool_choice",
        _ => "response_format",
    };
    let message = "a stub's canned sentences have no form; load a model";
    Err(ApiError::invalid(field, message).coded("unsupported_form"))
}
