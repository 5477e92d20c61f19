//! Does the agent say certain words?
//!
//! # What earns
//! All turns of the agent together are searched, without regard to case.
//!
//! - [`Need::Any`]: 1 where one of the words is there.
//! - [`Need::All`]: 1 where all are there.
//! - [`Need::Share`]: the share of the words that are there.
//!
//! [`Matching::Word`] wants a word of its own (`dog` is not in `dogma`; a phrase counts as a word), and
//! not said over and over: more than five times and more than once in eight words is stuffing and
//! counts as not said. [`Matching::Substring`] takes it anywhere and as often as it likes.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! It asks for words and gets words: nothing keeps a policy from saying them without sense, only from
//! saying nothing else. It is meant for first experiments and for formats; combine it with other rewards
//! otherwise.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::agent_turns::{agent_turns, nothing_said};
use crate::error::EnvError;
use crate::names::named_enum;

named_enum! {
    /// How many of the words are needed.
    pub enum Need {
        /// One of them.
        Any => "any",
        /// All of them.
        All => "all",
        /// The more the better.
        Share => "share",
    }
}

named_enum! {
    /// Where in the text a word counts.
    pub enum Matching {
        /// As a word of its own.
        Word => "word",
        /// Anywhere.
        Substring => "substring",
    }
}

/// Times that a word may be said in a text of any length.
const MOST_TIMES: usize = 5;
/// Words of a longer text for each time more.
const WORDS_FOR_ONE: usize = 8;

/// Judges whether the agent says certain words; see the rules above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainsReward {
    words: Vec<String>,
    need: Need,
    matching: Matching,
}

impl ContainsReward {
    /// Looks for `words`.
    ///
    /// # Errors
    /// [`EnvError::Reward`] without words, or with an empty one.
    pub fn new<I, W>(words: I, need: Need, matching: Matching) -> Result<ContainsReward, EnvError>
    where
        I: IntoIterator<Item = W>,
        W: Into<String>,
    {
        let words: Vec<String> =
            words.into_iter().map(|word| word.into().trim().to_lowercase()).collect();
        if words.is_empty() || words.iter().any(String::is_empty) {
            return Err(EnvError::Reward {
                name: "contains".to_owned(),
                message: "it needs words to look for, and no empty one".to_owned(),
            });
        }
        Ok(ContainsReward { words, need, matching })
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        let turns = agent_turns(trajectory);
        if turns.is_empty() {
            return nothing_said();
        }
        let texts: Vec<String> = turns.iter().map(|turn| turn.text.to_lowercase()).collect();
        let found: Vec<&str> =
            self.words.iter().map(String::as_str).filter(|word| self.is_in(&texts, word)).collect();
        let share = found.len() as f64 / self.words.len() as f64;
        let value = match self.need {
            Need::Any => f64::from(u8::from(!found.is_empty())),
            Need::All => f64::from(u8::from(found.len() == self.words.len())),
            Need::Share => share,
        };
        Score::with_evidence(value, format!("found: {}", found.join(", ")))
    }

    fn is_in(&self, texts: &[String], word: &str) -> bool {
        match self.matching {
            Matching::Word => {
                let n_said: usize = texts.iter().map(|text| lower_words(text, word).count()).sum();
                let n_words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
                (1..=MOST_TIMES.max(n_words / WORDS_FOR_ONE)).contains(&n_said)
            }
            Matching::Substring => texts.iter().any(|text| text.contains(word)),
        }
    }
}

#[async_trait]
impl Reward for ContainsReward {
    fn name(&self) -> &str {
        "contains"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

/// True where `word` stands in `text` with no letter or digit beside it, whatever the case.
pub(crate) fn holds_word(text: &str, word: &str) -> bool {
    holds_lower_word(&text.to_lowercase(), &word.trim().to_lowercase())
}

fn holds_lower_word(text: &str, word: &str) -> bool {
    !word.is_empty() && lower_words(text, word).next().is_some()
}

/// The places where `word`, in lower case, stands in a text in lower case.
fn lower_words(text: &str, word: &str) -> impl Iterator<Item = usize> {
    let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let places = text.match_indices(word).map(|(index, found)| (index, index + found.len()));
    let is_whole = move |&(start, end): &(usize, usize)| {
        let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
        !is_inside(before) && !is_inside(after)
    };
    places.filter(is_whole).map(|(start, _)| start)
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use proptest::prelude::*;

    fn judged(words: &[&str], need: Need, matching: Matching, lines: &[&str]) -> f64 {
        let reward = ContainsReward::new(words.iter().copied(), need, matching).unwrap();
        value(&reward.judge(&chat(lines)))
    }

    #[test]
    fn a_word_said_over_and_over_is_not_said() {
        let word = |text: &str| judged(&["dog"], Need::Any, Matching::Word, &["Hi", text]);
        assert_eq!(word("The dog saw a dog and the dog ran."), 1.0);
        assert_eq!(word("The dog saw a dog. Dog, dog, dog and dog ran."), 0.0);
        // Six in 48 words and more are talk of a dog.
        assert_eq!(word(&format!("dog dog dog dog dog dog {}", "and so on ".repeat(15))), 1.0);
        let text =
            judged(&["dog"], Need::Any, Matching::Substring, &["Hi", "dog dog dog dog dog dog"]);
        assert_eq!(text, 1.0);
    }

    #[test]
    fn earns() {
        let word =
            |words: &[&str], need, reply| judged(words, need, Matching::Word, &["Hi.", reply]);
        assert_eq!(word(&["dog"], Need::Any, "A Dog!"), 1.0);
        assert_eq!(word(&["dog", "cat"], Need::Any, "the cat sat"), 1.0);
        assert_eq!(word(&["dog", "cat"], Need::All, "cat and dog"), 1.0);
        assert_eq!(word(&["dog", "cat"], Need::Share, "the cat"), 0.5);
        assert_eq!(word(&["big dog"], Need::Any, "my (big dog) barks"), 1.0);
        assert_eq!(word(&["Ärger"], Need::Any, "Kein ärger."), 1.0);
        assert_eq!(judged(&["dog"], Need::Any, Matching::Substring, &["Hi.", "dogma"]), 1.0);
        assert_eq!(judged(&["a", "b"], Need::All, Matching::Word, &["", "a", "", "b"]), 1.0);
    }

    #[test]
    fn does_not_earn() {
        let word =
            |words: &[&str], need, reply| judged(words, need, Matching::Word, &["Hi.", reply]);
        assert_eq!(word(&["dog"], Need::Any, "dogma and hotdog"), 0.0);
        assert_eq!(word(&["dog", "cat"], Need::All, "the cat"), 0.0);
        assert_eq!(word(&["dog"], Need::Any, ""), 0.0);
        assert_eq!(judged(&["dog"], Need::Any, Matching::Word, &["A dog?", "Yes."]), 0.0);
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["dog"], Need::Any, Matching::Word, &["dog"]).is_nan());
        assert!(ContainsReward::new(Vec::<String>::new(), Need::Any, Matching::Word).is_err());
        assert!(ContainsReward::new(["dog", " "], Need::Any, Matching::Word).is_err());
    }

    #[test]
    fn tries_to_cheat() {
        let often = judged(&["dog", "cat"], Need::Share, Matching::Word, &["", "dog dog dog dog"]);
        assert_eq!(often, 0.5, "saying a word again earns nothing more");
    }

    proptest! {
        #[test]
        fn is_in_range_whatever_is_said(
            lines in prop::collection::vec("\\PC{0,60}", 0..5),
            words in prop::collection::vec("[a-zß]{1,5}", 1..4)
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let reward = ContainsReward::new(words, Need::Share, Matching::Word).unwrap();
            let score = reward.judge(&chat(&lines));
            prop_assert!(score.value().is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
    }
}
