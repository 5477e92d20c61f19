//! Pairs of replies with a known truth, for proofs and tests.
//!
//! A customer states a problem; a reply is put together from parts (a greeting, a word of regret, the
//! problem named, a step taken, a question, a brush-off) and is worth the sum of its parts' hidden
//! weights. Of two replies that differ in worth the better one is chosen, or with probability `noise`
//! the other, so that a perfect judge is right on 1 - noise of the labels. All of it is a function of
//! the seed.

use stateset_core::{Message, Purpose, RunSeed, Stream, StreamKey};

use super::data::PreferenceData;
use super::dialogue::{Chat, Dialogue};
use super::lines::{JudgedExample, PairExample};

/// What customers write about: a thing, and what is wrong with it.
const THINGS: [&str; 8] =
    ["order", "refund", "parcel", "invoice", "password", "account", "ticket", "booking"];
const PROBLEMS: [&str; 5] =
    ["is late", "is missing", "is wrong", "does not work", "was charged twice"];

/// Parts of a reply, with what each is worth.
const PARTS: [(&str, f64); 6] = [
    ("Hello!", 0.2),
    ("I am sorry about that.", 0.5),
    ("I have checked your {thing}.", 1.0),
    ("I will send you a new one today.", 1.2),
    ("Can you give me your order number?", 0.7),
    ("That is not my problem.", -2.0),
];

/// Makes pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SyntheticPairs {
    /// What everything follows from.
    pub seed: RunSeed,
    /// Probability that a label is the wrong way round, 0 to 0.5.
    pub noise: f64,
}

impl SyntheticPairs {
    /// The first `n` pairs.
    pub fn pairs(self, n: usize) -> PreferenceData {
        let pair = |index: u32| {
            let mut stream = self.stream(index);
            let (prompt, thing) = prompt(&mut stream);
            let (first, second) = replies(&mut stream, thing);
            let better_first = (first.1 > second.1) != stream.chance(self.noise);
            let (chosen, rejected) = if better_first { (first, second) } else { (second, first) };
            let dialogue = |(text, _): (String, f64)| Dialogue::Chat(chat(&prompt, &text));
            PairExample { margin: 0.0, chosen: dialogue(chosen), rejected: dialogue(rejected) }
        };
        PreferenceData::Pairs((0..n as u32).map(pair).collect())
    }

    /// The first `n` replies judged alone: good where worth more than 1.
    pub fn judged(self, n: usize) -> PreferenceData {
        let one = |index: u32| {
            let mut stream = self.stream(index);
            let (prompt, thing) = prompt(&mut stream);
            let ((text, worth), _) = replies(&mut stream, thing);
            let desirable = (worth > 1.0) != stream.chance(self.noise);
            JudgedExample { chat: chat(&prompt, &text), desirable }
        };
        PreferenceData::Judged((0..n as u32).map(one).collect())
    }

    fn stream(self, index: u32) -> Stream {
        let key = StreamKey { scenario: index, ..StreamKey::default() };
        self.seed.stream(Purpose::Data, key)
    }
}

fn prompt(stream: &mut Stream) -> (String, &'static str) {
    let thing = THINGS[stream.index(THINGS.len())];
    let problem = PROBLEMS[stream.index(PROBLEMS.len())];
    (format!("My {thing} {problem}."), thing)
}

/// Two replies of different worth.
fn replies(stream: &mut Stream, thing: &str) -> ((String, f64), (String, f64)) {
    let first = reply(stream, thing);
    loop {
        let second = reply(stream, thing);
        if second.1 != first.1 {
            return (first, second);
        }
    }
}

/// A reply of at least one part, and what it is worth.
fn reply(stream: &mut Stream, thing: &str) -> (String, f64) {
    let kept: Vec<(&str, f64)> = PARTS.into_iter().filter(|_| stream.chance(0.4)).collect();
    if kept.is_empty() {
        return reply(stream, thing);
    }
    let text: Vec<String> = kept.iter().map(|(text, _)| text.replace("{thing}", thing)).collect();
    (text.join(" "), kept.iter().map(|(_, worth)| worth).sum())
}

fn chat(prompt: &str, reply: &str) -> Chat {
    Chat::new(vec![Message::user(prompt)], vec![Message::assistant(reply)], Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(dialogue: &Dialogue) -> f64 {
        let Dialogue::Chat(chat) = dialogue else { panic!("a conversation was expected") };
        let text = &chat.answer()[0].content;
        let said = |part: &str| part.split('{').next().is_some_and(|start| text.contains(start));
        PARTS.iter().filter(|(part, _)| said(part)).map(|(_, worth)| worth).sum()
    }

    #[test]
    fn the_truth_is_what_the_labels_follow() {
        let share = |noise: f64| {
            let made = SyntheticPairs { seed: RunSeed(5), noise }.pairs(400);
            let PreferenceData::Pairs(pairs) = made else { panic!("pairs were expected") };
            let right = pairs.iter().filter(|p| worth(&p.chosen) > worth(&p.rejected)).count();
            right as f64 / pairs.len() as f64
        };
        assert_eq!(share(0.0), 1.0);
        assert!((share(0.2) - 0.8).abs() < 0.06);
    }

    #[test]
    fn more_pairs_begin_with_the_same() {
        let made = SyntheticPairs { seed: RunSeed(5), noise: 0.1 };
        let (PreferenceData::Pairs(few), PreferenceData::Pairs(many)) =
            (made.pairs(5), made.pairs(9))
        else {
            panic!("pairs were expected")
        };
        assert_eq!(few, many[..5]);
        assert_eq!(made.judged(3), made.judged(3));
    }
}
