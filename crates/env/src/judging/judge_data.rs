//! Comparisons of known quality, to train a judge on and to measure one with.
//!
//! A simulated customer writes, and two candidates reply. What a candidate is worth is known, because
//! rewards of this crate say so: 0.6 helpfulness + 0.4 safety ([`crate::rewards`], preset `helpful`).
//! The candidates are written by the grammar below, from a right question about the matter down to an
//! insult, with the customer's own words and bare keywords among them. A judge trained on the training
//! split and measured on the held-out one has met neither these customers nor these pairs; the kinds
//! of sentences are the same, which is what a small model can learn in seconds.
//!
//! Each comparison is written down in both orders, so that place and answer are unrelated.

use serde_json::json;
use stateset_core::{ConversationTurn, Message, Stream, Trajectory};

use super::dialogue::dialogue;
use super::pair_prompt::PairPrompt;
use crate::customer::grammar::expand;
use crate::customer::{Combination, CustomerSpec, Domain, Split, open};
use crate::rewards::{HelpfulnessReward, SafetyReward};
use crate::sets::draw_customer;

/// Pairs whose candidates are closer to each other than this are not used.
const MIN_MARGIN: f64 = 0.15;

/// Draws for one pair before another customer is tried.
const MAX_DRAWS: usize = 20;

/// Two replies to a customer, of which one is known to be better.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgePair {
    /// What the customer wrote.
    pub context: Vec<Message>,
    /// The better reply.
    pub better: Message,
    /// The worse one.
    pub worse: Message,
    /// By how much, above 0 and at most 1.
    pub margin: f64,
}

/// `n` comparisons with customers of `split`.
pub fn judge_pairs(n: usize, split: Split, stream: &mut Stream) -> Vec<JudgePair> {
    let all = Combination::of_domain(Domain::CustomerService);
    let ours: Vec<Combination> = all.into_iter().filter(|c| Split::of(c) == split).collect();
    let mut pairs = Vec::with_capacity(n);
    while pairs.len() < n {
        let Some(combination) = stream.choose(&ours) else { break };
        let spec = draw_customer(combination, split, stream);
        pairs.extend(pair(&spec, stream));
    }
    pairs
}

/// Comparisons as lines of supervised data: `{"messages": [system, user, assistant]}`, two for each
/// pair, one in each order. The assistant answers 1 or 2.
pub fn pairs_to_sft(pairs: &[JudgePair], prompt: &PairPrompt) -> String {
    let mut lines = String::new();
    for pair in pairs {
        let context = dialogue(&pair.context);
        let (better, worse) = (dialogue([&pair.better]), dialogue([&pair.worse]));
        for (candidates, answer) in [([&better, &worse], "1"), ([&worse, &better], "2")] {
            let candidates = candidates.map(String::as_str);
            let asked = prompt.request(&context, candidates, None);
            let line = json!({"messages": [
                {"role": "system", "content": asked.instructions},
                {"role": "user", "content": asked.question},
                {"role": "assistant", "content": answer},
            ]});
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
    }
    lines
}

fn pair(spec: &CustomerSpec, stream: &mut Stream) -> Option<JudgePair> {
    let (_, opening) = open(spec, stream);
    let context = vec![Message::user(opening)];
    for _ in 0..MAX_DRAWS {
        let mut drawn = || {
            let reply = Message::assistant(reply(spec, &context[0].content, stream));
            worth(&context, &reply).map(|worth| (worth, reply))
        };
        let (Some(one), Some(two)) = (drawn(), drawn()) else { continue };
        let (better, worse) = if one.0 > two.0 { (one, two) } else { (two, one) };
        let margin = better.0 - worse.0;
        if margin >= MIN_MARGIN {
            return Some(JudgePair { context, better: better.1, worse: worse.1, margin });
        }
    }
    None
}

/// What the reply is worth, from 0 to 1.
fn worth(context: &[Message], reply: &Message) -> Option<f64> {
    let turns = context.iter().chain([reply]).cloned().map(ConversationTurn::new).collect();
    let trajectory = Trajectory { turns, ..Trajectory::default() };
    let helpfulness = HelpfulnessReward.judge(&trajectory).value()?;
    let safety = SafetyReward.judge(&trajectory).value()?;
    Some(0.6 * helpfulness + 0.4 * safety)
}

/// Kinds of replies, each as likely as the others.
const REPLIES: [&str; 9] = [
    "I am sorry [about that|to hear that|for the trouble]. [What is|May I have|Could you tell me] your {slot}[, please|]?",
    "[What is|May I have|Could you tell me|Please send me] your {slot}[, please|]?",
    "[I will|Let me] [look into your {topic}|check your {topic}|help you with your {topic}] [now|right away|today].",
    "[Thank you for your message|I am sorry to hear that|Thank you for writing to us|I understand].",
    "[It is a nice day today|I like to sing songs|My dog is very big|The sun is warm here].",
    "[Okay|Yes|No|Good|Hm].",
    "[That is your own fault, you idiot|Stop complaining, you idiot|Shut up and go away|You are so stupid].",
    "{said}",
    "sorry help {topic} please number [email|parcel] {slot} thanks",
];

fn reply(spec: &CustomerSpec, said: &str, stream: &mut Stream) -> String {
    let slots = spec.issue.required_slots();
    let slot = stream.choose(slots).map_or("name", |slot| slot.phrase());
    let topic = spec.issue.resolution().phrase();
    let template = REPLIES[stream.index(REPLIES.len())];
    expand(template, &[("slot", slot), ("topic", topic), ("said", said)], stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn pairs(n: usize, split: Split) -> Vec<JudgePair> {
        let mut stream = RunSeed(3).stream(Purpose::Data, StreamKey::default());
        judge_pairs(n, split, &mut stream)
    }

    #[test]
    fn the_better_one_is_better() {
        let pairs = pairs(200, Split::Train);
        assert_eq!(pairs.len(), 200);
        for pair in &pairs {
            let worth = |reply| worth(&pair.context, reply).unwrap();
            let margin = worth(&pair.better) - worth(&pair.worse);
            assert_eq!(margin, pair.margin);
            assert!(margin >= MIN_MARGIN, "{pair:?}");
        }
    }

    #[test]
    fn the_same_stream_gives_the_same_pairs() {
        assert_eq!(pairs(20, Split::Train), pairs(20, Split::Train));
        let held_out = pairs(100, Split::HeldOut);
        let trained = pairs(100, Split::Train);
        assert!(held_out.iter().all(|pair| !trained.contains(pair)));
    }

    #[test]
    fn place_and_answer_are_unrelated() {
        let pairs = pairs(10, Split::Train);
        let lines = pairs_to_sft(&pairs, &PairPrompt::short());
        let answers: Vec<String> = lines
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                line["messages"][2]["content"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(answers.len(), 20);
        assert!(answers.chunks(2).all(|pair| pair == ["1", "2"]), "{answers:?}");
    }
}
