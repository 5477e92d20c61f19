//! Which messages of a conversation are left.
//!
//! The choice a reader would question: where a cut falls follows from the conversation alone, message by message,
//! and not from what was cut before. So a turn can be taken without remembering anything, and a conversation
//! that is read back is cut where it was.

use stateset_core::Message;

use super::config::{CompressionConfig, CompressionStrategy};
use crate::agents::context::{TokenCounter, Window, summarise};

/// A conversation after its compression.
#[derive(Clone, Debug, PartialEq)]
pub struct Compressed {
    /// Messages that were cut off: so many from the start.
    pub n_cut: usize,
    /// What stands in their place; empty where nothing does.
    pub summary: String,
}

impl CompressionConfig {
    /// Messages that are cut off the front of `messages`.
    ///
    /// What is left takes `max_tokens` at most, less the room of a summary. Only the last unit (a message, or a
    /// call with its results) is kept even where it alone takes more.
    pub fn n_cut(&self, messages: &[Message], counter: &TokenCounter) -> usize {
        let sizes: Vec<usize> = messages.iter().map(|message| counter.message(message)).collect();
        let room = self.max_tokens - self.summary_tokens();
        let keep = self.kept_tokens() - self.summary_tokens();
        let window = |max_tokens| Window {
            max_messages: usize::MAX,
            max_tokens,
            keep_messages: usize::MAX,
            keep_tokens: keep,
        };
        match self.strategy {
            CompressionStrategy::Truncate | CompressionStrategy::Summary => {
                window(room).start(messages, &sizes)
            }
            CompressionStrategy::SlidingWindow => {
                let is_long = counter.conversation(messages) > self.max_tokens;
                if is_long { window(keep).next_start(messages, &sizes, 0) } else { 0 }
            }
        }
    }

    /// What is cut off, and the summary of it that the sentences themselves give.
    pub fn compress(&self, messages: &[Message], counter: &TokenCounter) -> Compressed {
        let n_cut = self.n_cut(messages, counter);
        let summary = summarise(&messages[..n_cut], self.summary_tokens(), 1.0, counter);
        Compressed { n_cut, summary }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter() -> TokenCounter {
        // A message takes what it holds, and the four tokens around it.
        TokenCounter::new(|text| text.split_whitespace().count())
    }

    fn conversation(n: usize) -> Vec<Message> {
        let pair = |n: usize| {
            [
                Message::user(format!("Where is parcel {n} now then")),
                Message::assistant("It is on its way today"),
            ]
        };
        (0..n).flat_map(pair).collect()
    }

    fn config(strategy: CompressionStrategy) -> CompressionConfig {
        CompressionConfig { strategy, ratio: 0.5, max_tokens: 100 }
    }

    #[test]
    fn short_conversations_are_left_alone() {
        for strategy in CompressionStrategy::ALL {
            let compressed = config(*strategy).compress(&conversation(4), &counter());
            assert_eq!(compressed, Compressed { n_cut: 0, summary: String::new() }, "{strategy}");
        }
    }

    #[test]
    fn a_truncated_conversation_may_grow_again() {
        let cuts: Vec<usize> = (1..=10)
            .map(|n| config(CompressionStrategy::Truncate).n_cut(&conversation(n), &counter()))
            .collect();
        assert_eq!(cuts, [0, 0, 0, 0, 0, 6, 6, 6, 12, 12]);
    }

    #[test]
    fn a_sliding_window_moves_with_every_turn() {
        let cuts: Vec<usize> = (4..=8)
            .map(|n| config(CompressionStrategy::SlidingWindow).n_cut(&conversation(n), &counter()))
            .collect();
        assert_eq!(cuts, [0, 0, 8, 10, 12]);
    }

    #[test]
    fn a_summary_stands_for_what_was_cut() {
        let config = config(CompressionStrategy::Summary);
        let compressed = config.compress(&conversation(6), &counter());
        assert!(compressed.n_cut > 0);
        assert!(compressed.summary.contains("Where is parcel"), "{}", compressed.summary);
        assert!(counter().text(&compressed.summary) <= config.summary_tokens());
    }
}
