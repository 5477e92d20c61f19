//! Conversations as plain lines, for models whose folder has no chat template.
//!
//! `System: ..`, `User: ..`, `Assistant: ..`, and tool results as `Tool: ..`, ending in
//! `Assistant:`. The next role line ends an answer, and so does the tokenizer's end token. The
//! choice a reader would question: the format writes no end token after answers in a prompt (a base
//! model has never seen one there), but one that a model has sampled stays in its trace, and
//! supervised targets end with one, so that training teaches a model to stop. Tools are not
//! described: that is for the system message.

use stateset_core::{Message, Role};

/// Texts that end an answer.
pub(super) const STOPS: [&str; 4] = ["\nSystem:", "\nUser:", "\nAssistant:", "\nTool:"];

/// The line that begins with this role.
fn label(role: Role) -> &'static str {
    match role {
        Role::System => "System:",
        Role::User => "User:",
        Role::Assistant => "Assistant:",
        Role::Tool => "Tool:",
    }
}

/// The conversation, one line after the other.
pub(super) fn render(messages: &[Message], add_generation_prompt: bool) -> String {
    let mut text = String::new();
    for message in messages {
        text.push_str(label(message.role));
        if !message.content.is_empty() {
            text.push(' ');
            text.push_str(&message.content);
        }
        text.push('\n');
    }
    if add_generation_prompt {
        text.push_str(label(Role::Assistant));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_the_line_to_continue() {
        let talk = [
            Message::system("Be kind."),
            Message::user("Hi"),
            Message::assistant("Hello\nthere"),
            Message::new(Role::Tool, "4"),
        ];
        let lines = "System: Be kind.\nUser: Hi\nAssistant: Hello\nthere\nTool: 4\n";
        assert_eq!(render(&talk, false), lines);
        assert_eq!(render(&talk, true), format!("{lines}Assistant:"));
    }
}
