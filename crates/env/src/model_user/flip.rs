//! The conversation as the user sees it: roles exchanged, and only what was said aloud.
//!
//! The agent's instructions, its tool calls, tool results and reasoning never reach the user's model:
//! a real user does not see them, and a model that does answers from them. Reasoning that a model wrote
//! into its visible text in `<think>` tags is cut out as well.

use stateset_core::{Message, Role};

/// The messages of `conversation` with user and agent exchanged; neighbours of the same side become
/// one, and what holds no text is left out.
pub fn flipped(conversation: &[Message]) -> Vec<Message> {
    let mut seen: Vec<Message> = Vec::new();
    for message in conversation {
        let role = match message.role {
            Role::User => Role::Assistant,
            Role::Assistant => Role::User,
            Role::System | Role::Tool => continue,
        };
        let text = aloud(&message.content);
        if text.is_empty() {
            continue;
        }
        match seen.last_mut().filter(|last| last.role == role) {
            Some(last) => {
                last.content.push('\n');
                last.content.push_str(&text);
            }
            None => seen.push(Message::new(role, text)),
        }
    }
    seen
}

/// `text` without what stands in `<think>` and `<tool_call>` tags; a tag that is not closed hides the rest.
fn aloud(text: &str) -> String {
    const HIDDEN: [(&str, &str); 2] = [("<think>", "</think>"), ("<tool_call>", "</tool_call>")];
    let mut text = text.to_owned();
    for (open, close) in HIDDEN {
        while let Some(start) = text.find(open) {
            let rest =
                text[start..].find(close).map(|end| text[start + end + close.len()..].to_owned());
            text.truncate(start);
            text.push_str(&rest.unwrap_or_default());
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use stateset_core::ToolCall;

    #[test]
    fn roles_are_exchanged_and_nothing_inner_is_seen() {
        let call =
            ToolCall { id: "1".into(), name: "lookup".into(), arguments: json!({"key": "SECRET"}) };
        let calling = Message {
            tool_calls: vec![call.clone()],
            reasoning: Some("SECRET plan".into()),
            ..Message::assistant("")
        };
        let speaking =
            Message { tool_calls: vec![call.clone()], ..Message::assistant("One moment.") };
        let seen = flipped(&[
            Message::system("SECRET rules"),
            Message::user("Where is it?"),
            calling,
            Message::tool_result(&call, "SECRET result"),
            speaking,
            Message::tool_result(&call, "SECRET result"),
            Message::assistant("<think>SECRET</think>It comes on Friday.<tool_call>SECRET"),
        ]);
        assert_eq!(
            seen,
            [Message::assistant("Where is it?"), Message::user("One moment.\nIt comes on Friday.")]
        );
    }

    proptest! {
        #[test]
        fn sides_take_turns(texts in prop::collection::vec((0_u8..4, "\\PC{0,20}(<think>)?(</think>)?"), 0..12)) {
            let message = |(role, text): &(u8, String)| match role {
                0 => Message::system(text.clone()),
                1 => Message::user(text.clone()),
                2 => Message::assistant(text.clone()),
                _ => Message::new(Role::Tool, text.clone()),
            };
            let conversation: Vec<Message> = texts.iter().map(message).collect();
            let seen = flipped(&conversation);
            prop_assert!(seen.windows(2).all(|pair| pair[0].role != pair[1].role));
            prop_assert!(seen.iter().all(|m| !m.content.is_empty() && !m.content.contains("<think>")));
        }
    }
}
