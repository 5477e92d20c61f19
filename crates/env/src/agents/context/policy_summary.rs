//! A summary by a model.
//!
//! The policy gets the earlier summary and what has come since, as one user message, and answers greedily: the
//! same history gives the same summary. What it says is cut at the limit, so a model that talks on does not break
//! the budget.

use std::sync::Arc;

use stateset_core::{GenerateRequest, Message, Policy, PolicyError, Sampling, Stream, TokenTrace};

use super::tokens::TokenCounter;

const INSTRUCTIONS: &str = "Summarise the conversation for the assistant who goes on with it. Keep \
     names, numbers, dates, what the user wants, and what was agreed. Write a few short sentences and \
     nothing else.";

/// Asks a policy for summaries.
#[derive(Clone)]
pub struct PolicySummary {
    /// Who summarises.
    pub policy: Arc<dyn Policy>,
    /// What it is told; a default where empty.
    pub instructions: String,
}

impl PolicySummary {
    /// Summaries by `policy`, with the default instructions.
    pub fn new(policy: Arc<dyn Policy>) -> Self {
        PolicySummary { policy, instructions: INSTRUCTIONS.to_owned() }
    }

    /// The summary of `earlier` and of `messages` after it, of `max_tokens` at most.
    ///
    /// # Errors
    /// [`PolicyError`] where the policy does not answer.
    pub async fn summarise(
        &self,
        earlier: Option<&str>,
        messages: &[Message],
        max_tokens: usize,
        counter: &TokenCounter,
        stream: Stream,
    ) -> Result<String, PolicyError> {
        let completion = self
            .policy
            .generate(GenerateRequest {
                messages: vec![Message::user(question(&self.instructions, earlier, messages))],
                tools: Vec::new(),
                trace: TokenTrace::new(),
                sampling: Sampling {
                    greedy: true,
                    max_new_tokens: max_tokens.max(1),
                    ..Sampling::default()
                },
                stream,
            })
            .await?;
        Ok(within(completion.message.content.trim(), max_tokens, counter))
    }
}

fn question(instructions: &str, earlier: Option<&str>, messages: &[Message]) -> String {
    let mut text = String::from(instructions);
    if let Some(earlier) = earlier.filter(|earlier| !earlier.is_empty()) {
        text.push_str("\n\nBefore:\n");
        text.push_str(earlier);
    }
    text.push_str("\n\nConversation:");
    for message in messages {
        text.push_str(&format!("\n{}: {}", message.role, message.content));
        for call in &message.tool_calls {
            text.push_str(&format!(" [calls {} with {}]", call.name, call.arguments));
        }
    }
    text
}

/// The longest beginning of whole words within the limit.
fn within(text: &str, max_tokens: usize, counter: &TokenCounter) -> String {
    if counter.text(text) <= max_tokens {
        return text.to_owned();
    }
    let ends: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(index, _)| index).collect();
    let n = ends.partition_point(|end| counter.text(text[..*end].trim_end()) <= max_tokens);
    n.checked_sub(1).map_or(String::new(), |last| text[..ends[last]].trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_answers_are_cut_between_words() {
        let counter = TokenCounter::default();
        assert_eq!(within("aa bb cc dd", 3, &counter), "aa bb cc");
        assert_eq!(within("aa bb", 9, &counter), "aa bb");
        assert_eq!(within("aaaaaaaaaaaaaaa b", 2, &counter), "");
    }

    #[test]
    fn the_question_holds_what_was_before_and_what_was_called() {
        let text = question("Do.", Some("old"), &[Message::user("new")]);
        assert_eq!(text, "Do.\n\nBefore:\nold\n\nConversation:\nuser: new");
    }
}
