//! The limits on messages, and answering a history that may be too long for the model.

use std::sync::Arc;

use stateset_core::{Message, Role, Sampling};
use tokio::sync::mpsc;

use crate::answer::{Answer, AnswerEvent, AnswerRequest, Answering, Prompt};
use crate::api_error::ApiError;
use crate::models::ServedModel;
use crate::services::unusable;

/// Most characters of one message.
pub(crate) const MAX_MESSAGE_CHARS: usize = 4000;

/// Most characters of instructions.
const MAX_SYSTEM_CHARS: usize = 10_000;

/// Most messages of one request.
const MAX_MESSAGES: usize = 128;

/// Times that a history is made shorter before it is given up.
const MAX_CUTS: usize = 12;

/// That messages of a request are within the limits.
pub(super) fn check_messages(messages: &[Message]) -> Result<(), ApiError> {
    if messages.len() > MAX_MESSAGES {
        let message = format!("there are {}; allowed are {MAX_MESSAGES}", messages.len());
        return Err(unusable("too_many_messages", "messages", message));
    }
    for (place, message) in messages.iter().enumerate() {
        let most = match message.role {
            Role::System => MAX_SYSTEM_CHARS,
            _ => MAX_MESSAGE_CHARS,
        };
        let n = message.content.chars().count();
        if n > most {
            let field = format!("messages[{place}].content");
            let text = format!("it has {n} characters; allowed are {most}");
            return Err(unusable("message_too_long", field, text));
        }
        if message.role == Role::System && place > 0 {
            let field = format!("messages[{place}].role");
            return Err(unusable("invalid_value", field, "instructions can only come first"));
        }
    }
    Ok(())
}

/// Who hears the text of an answer while it is drawn.
pub(crate) type Aloud = mpsc::UnboundedSender<String>;

/// Answers a conversation, without its oldest turns where the model cannot read all of it. Gives the
/// answer and the number of messages that were left out.
pub(super) async fn answer(
    model: &Arc<ServedModel>,
    system_prompt: Option<&str>,
    mut history: Vec<Message>,
    sampling: &Sampling,
    aloud: Option<&Aloud>,
) -> Result<(Answer, usize), ApiError> {
    if let Some(prompt) = system_prompt
        && history.first().is_none_or(|first| first.role != Role::System)
    {
        history.insert(0, Message::system(prompt));
    }
    let n_whole = history.len();
    for _ in 0..MAX_CUTS {
        let prompt = Prompt::Chat { messages: history.clone(), tools: Vec::new() };
        let request = AnswerRequest::new(prompt, sampling.clone());
        match whole(Answering::begin(Arc::clone(model), request), aloud).await {
            Err(error) if error.code == "context_length_exceeded" && cut(&mut history) => {}
            answered => return answered.map(|answer| (answer, n_whole - history.len())),
        }
    }
    let message = "even the end of the conversation is too long for the model";
    Err(unusable("context_length_exceeded", "messages", message))
}

async fn whole(mut answering: Answering, aloud: Option<&Aloud>) -> Result<Answer, ApiError> {
    let Some(aloud) = aloud else { return answering.whole().await };
    while let Some(event) = answering.next().await {
        match event? {
            AnswerEvent::Piece(piece) if !piece.text.is_empty() => {
                // Whoever listened may be gone; the answer is given up with the whole turn then.
                let _ = aloud.send(piece.text);
            }
            AnswerEvent::Done(answer) => return Ok(*answer),
            _ => {}
        }
    }
    Err(ApiError::internal("an answer ended without its end"))
}

/// Leaves out about a quarter of the messages that are neither instructions nor the last one, up to a
/// message of the user. False where nothing can be left out.
fn cut(history: &mut Vec<Message>) -> bool {
    let first = usize::from(history.first().is_some_and(|first| first.role == Role::System));
    let n_old = history.len().saturating_sub(first + 1);
    if n_old == 0 {
        return false;
    }
    let least = first + n_old.div_ceil(4);
    let is_user = |place: &usize| history[*place].role == Role::User;
    let begin = (least..history.len()).find(is_user).unwrap_or(history.len() - 1);
    history.drain(first..begin);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_turns_go_first_and_the_last_message_stays() {
        let mut history = vec![Message::system("s")];
        for turn in 0..4 {
            history.push(Message::user(format!("u{turn}")));
            history.push(Message::assistant(format!("a{turn}")));
        }
        history.push(Message::user("last"));
        let mut n_cuts = 0;
        while cut(&mut history) {
            n_cuts += 1;
            assert_eq!(history[0].role, Role::System);
            assert_eq!(history[1].role, Role::User);
            assert_eq!(history.last().unwrap().content, "last");
        }
        assert_eq!(history.len(), 2);
        assert!(n_cuts > 1);
    }

    #[test]
    fn limits_name_the_message() {
        let long = Message::user("x".repeat(MAX_MESSAGE_CHARS + 1));
        let error = check_messages(&[Message::user("a"), long]).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("messages[1].content"));
        let late = [Message::user("a"), Message::system("b")];
        assert_eq!(check_messages(&late).unwrap_err().field.as_deref(), Some("messages[1].role"));
        assert!(check_messages(&vec![Message::user("a"); MAX_MESSAGES + 1]).is_err());
    }
}
