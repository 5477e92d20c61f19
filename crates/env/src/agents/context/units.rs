//! Where a history may be cut, and how far.
//!
//! A call of tools and its results are one unit: chat templates refuse a result without its call, and a model that
//! reads half of an exchange learns nonsense. A cut therefore falls only before a unit, and, where the next
//! user message is not the end, before that, because many templates want a conversation to begin with the user.
//! The choice a reader would question: a window that overflows is cut back further than it must be. Every cut
//! makes the model read anew, so a few deep cuts cost less than one at each turn.

use stateset_core::{Message, Role};

/// Indices at which units begin, ascending; 0 is one of them unless there is no message.
pub fn unit_starts(messages: &[Message]) -> Vec<usize> {
    // Instructions in the midst of a conversation go with what is before them, and are kept in any case.
    let goes_with_before = |message: &Message| matches!(message.role, Role::Tool | Role::System);
    let begins = |(index, message): &(usize, &Message)| *index == 0 || !goes_with_before(message);
    messages.iter().enumerate().filter(begins).map(|(index, _)| index).collect()
}

/// How much of a history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Most messages before it overflows.
    pub max_messages: usize,
    /// Most tokens before it overflows.
    pub max_tokens: usize,
    /// Messages that are left once it has overflowed; `max_messages` at most.
    pub keep_messages: usize,
    /// Tokens that are left once it has overflowed; `max_tokens` at most.
    pub keep_tokens: usize,
}

impl Window {
    /// First message that is kept of `messages`, whose sizes in tokens are `sizes`, where the cut was at `start` a
    /// message ago. Instructions among the messages count for nothing. The last unit is always kept, however
    /// large it is.
    pub fn next_start(&self, messages: &[Message], sizes: &[usize], start: usize) -> usize {
        let start = start.min(messages.len());
        if fits(&messages[start..], &sizes[start..], self.max_messages, self.max_tokens) {
            return start;
        }
        let keep_messages = self.keep_messages.min(self.max_messages);
        let keep_tokens = self.keep_tokens.min(self.max_tokens);
        let starts: Vec<usize> =
            unit_starts(messages).into_iter().filter(|index| *index >= start).collect();
        let is_within =
            |index: usize| fits(&messages[index..], &sizes[index..], keep_messages, keep_tokens);
        // What is left shrinks from one start to the next, so the first that fits is found by halves.
        let first = starts.partition_point(|index| !is_within(*index));
        let least = first.min(starts.len().saturating_sub(1));
        let of_user = starts[least..].iter().find(|index| messages[**index].role == Role::User);
        of_user.or(starts.get(least)).copied().unwrap_or(start)
    }

    /// First message that is kept after `messages` have come one by one. It does not depend on at which of
    /// them somebody asked.
    pub fn start(&self, messages: &[Message], sizes: &[usize]) -> usize {
        (1..=messages.len()).fold(0, |start, n| self.next_start(&messages[..n], &sizes[..n], start))
    }
}

/// First of the last `n` messages, or the unit after it begins; instructions count for nothing. The last unit is
/// always kept.
pub fn start_of_last(messages: &[Message], n: usize) -> usize {
    let sizes = vec![0; messages.len()];
    let starts = unit_starts(messages);
    let is_within = |index: &&usize| fits(&messages[**index..], &sizes, n, 0);
    starts.iter().find(is_within).or(starts.last()).copied().unwrap_or(0)
}

fn fits(messages: &[Message], sizes: &[usize], max_messages: usize, max_tokens: usize) -> bool {
    let counted = messages.iter().zip(sizes).filter(|(message, _)| message.role != Role::System);
    let (n, tokens) = counted.fold((0, 0), |(n, tokens), (_, size)| (n + 1, tokens + size));
    n <= max_messages && tokens <= max_tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `s`, `u`, `a` and `t` are the roles.
    fn conversation(roles: &str) -> Vec<Message> {
        let role = |c| match c {
            's' => Role::System,
            'u' => Role::User,
            'a' => Role::Assistant,
            _ => Role::Tool,
        };
        roles.chars().map(|c| Message::new(role(c), "x")).collect()
    }

    fn start(roles: &str, max: usize, keep: usize) -> usize {
        let messages = conversation(roles);
        let window = Window {
            max_messages: max,
            max_tokens: usize::MAX,
            keep_messages: keep,
            keep_tokens: usize::MAX,
        };
        window.start(&messages, &vec![1; messages.len()])
    }

    #[test]
    fn cuts_fall_between_units_and_before_users_where_they_can() {
        let cases = [
            ("uaua", 4, 2, 0),
            ("uauau", 4, 2, 4),
            ("uauau", 4, 3, 2),
            ("uattat", 4, 3, 4),
            ("uatttttt", 4, 2, 1),
            ("uaaaaaa", 4, 2, 3),
            ("uauauaua", 4, 3, 4),
            ("ssssssu", 2, 1, 0),
            ("", 2, 1, 0),
            ("ttt", 2, 1, 0),
        ];
        for (roles, max, keep, expected) in cases {
            assert_eq!(start(roles, max, keep), expected, "{roles} {max} {keep}");
        }
    }

    #[test]
    fn the_last_messages_are_counted_without_instructions() {
        let cases =
            [("uaua", 9, 0), ("uaua", 3, 1), ("uaua", 0, 3), ("uatta", 3, 4), ("usua", 2, 2)];
        for (roles, n, expected) in cases {
            assert_eq!(start_of_last(&conversation(roles), n), expected, "{roles} {n}");
        }
    }

    #[test]
    fn a_unit_that_is_too_large_stays_alone() {
        let messages = conversation("uau");
        let window = Window { max_messages: 9, max_tokens: 10, keep_messages: 9, keep_tokens: 5 };
        assert_eq!(window.start(&messages, &[1, 1, 100]), 2);
        assert_eq!(window.start(&messages, &[1, 1, 3]), 0);
    }
}
