//! Where a call of a program goes on with what was said, and where it tells another history.

use stateset_core::{Message, Role};

/// What a call says after what was said before.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// These messages follow.
    Follows(Vec<Message>),
    /// Another history: the conversation as a whole.
    Rewritten(Vec<Message>),
}

/// Compares the messages of a call with `said`, the conversation so far, whose last message is the
/// model's own. The model's messages are kept as they were, with thoughts that programs do not repeat.
pub(super) fn next(said: &[Message], called: Vec<Message>) -> Next {
    let goes_on = called.len() > said.len() && said.iter().zip(&called).all(|(a, b)| is_same(a, b));
    if goes_on {
        return Next::Follows(called[said.len()..].to_vec());
    }
    Next::Rewritten(called)
}

/// True where both say the same to a model.
fn is_same(ours: &Message, theirs: &Message) -> bool {
    let calls = |message: &Message| -> Vec<(String, serde_json::Value)> {
        let calls = message.tool_calls.iter();
        calls.map(|call| (call.name.clone(), call.arguments.clone())).collect()
    };
    let name = |message: &Message| message.name.clone().filter(|_| message.role != Role::Assistant);
    ours.role == theirs.role
        && ours.content == theirs.content
        && ours.images == theirs.images
        && calls(ours) == calls(theirs)
        && name(ours) == name(theirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_follow_or_tell_another_history() {
        let answer = Message { reasoning: Some("hm".into()), ..Message::assistant("yes?") };
        let said = vec![Message::user("hi"), answer];
        let call = |texts: &[(&str, &str)]| -> Vec<Message> {
            let message =
                |(role, text): &(&str, &str)| Message::new(Role::from_name(role).unwrap(), *text);
            texts.iter().map(message).collect()
        };
        let follows = call(&[("user", "hi"), ("assistant", "yes?"), ("user", "no")]);
        assert_eq!(next(&said, follows), Next::Follows(vec![Message::user("no")]));
        for other in [
            call(&[("user", "hi"), ("assistant", "yes ?"), ("user", "no")]),
            call(&[("user", "hi"), ("assistant", "yes?")]),
            call(&[("user", "bye")]),
            call(&[("system", "be brief"), ("user", "hi"), ("assistant", "yes?")]),
        ] {
            assert_eq!(next(&said, other.clone()), Next::Rewritten(other));
        }
    }
}
