//! Does the agent speak as somebody at work would?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.4 | no slang, no insult, no brushing off (`words/service.txt`, unprofessional) |
//! | 0.2 | courtesy: "please", "thank you", "could you" (courteous) |
//! | 0.2 | form: the text begins with a capital letter or number and ends in a full stop, question or exclamation mark |
//! | 0.2 | calm: no words in capitals in a row, no heaps of marks ("!!", "?!?") |
//!
//! Each unprofessional word takes 0.3. The mean over the agent's turns counts. Scripts without capital
//! letters lose nothing by that.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! A polite sentence without content earns all. It is a floor under other rewards.
//!
//! # Source
//! The documents' component of the same name takes the density of unprofessional words from half that of
//! professional ones, so that one "please" in three words is best; here courtesy counts once and form and
//! calm are looked at.

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::empathy::SERVICE;
use super::heuristic::{Credit, Heuristic, Over, credit, credit_if, heuristic_reward};

/// Judges how professional the agent's turns are; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProfessionalismReward;

const COST_OF_WORD: f64 = 0.3;

impl Heuristic for ProfessionalismReward {
    const OVER: Over = Over::Mean;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = SERVICE.scan(turn);
        let rude = hits.distinct("unprofessional");
        let cost = COST_OF_WORD * rude.len() as f64;
        let rude = (!rude.is_empty()).then(|| rude.join(", "));
        [
            credit_if("clean", 0.4, rude.is_none()),
            credit("unprofessional", -cost, rude),
            credit("courtesy", 0.2, hits.first("courteous")),
            credit_if("form", 0.2, is_well_formed(turn.text)),
            credit_if("calm", 0.2, is_calm(turn.text)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn is_well_formed(text: &str) -> bool {
    let text = text.trim();
    let begins = text.chars().find(|c| c.is_alphanumeric());
    let ends = text.trim_end_matches(['"', '\'', ')', '”', '’']).chars().next_back();
    begins.is_some_and(|c| !c.is_lowercase())
        && ends.is_some_and(|c| matches!(c, '.' | '!' | '?' | '…' | '。' | '？' | '！' | '।' | '؟'))
}

fn is_calm(text: &str) -> bool {
    let shouts = |word: &&str| {
        word.chars().filter(|c| c.is_alphabetic()).count() >= 4
            && !word.chars().any(char::is_lowercase)
            && word.chars().any(char::is_uppercase)
            && !word.chars().any(char::is_numeric)
    };
    let n_shouted = text.split_whitespace().filter(shouts).count();
    let mut marks = 0;
    let heaps = text.chars().any(|c| {
        marks = if matches!(c, '!' | '?') { marks + 1 } else { 0 };
        marks == 2
    });
    n_shouted < 2 && !heaps
}

heuristic_reward!(ProfessionalismReward, "professionalism");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    fn judged(lines: &[&str]) -> f64 {
        value(&ProfessionalismReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        for (reply, worth) in [
            ("Could you tell me the order number, please?", 1.0),
            ("It is on its way to you.", 0.8),
            ("it is on its way to you", 0.6),
            ("您好，请问您的订单号是多少？", 0.8),
        ] {
            let found = judged(&["Where is it?", reply]);
            assert!((found - worth).abs() < 1e-9, "{reply}: {found}");
        }
    }

    #[test]
    fn does_not_earn() {
        for (reply, most) in [
            ("", 0.0),
            ("WHY DO YOU ASK ME THAT??", 0.61),
            ("yeah whatever dude", 0.0),
            ("You are an idiot, so shut up!", 0.0),
            ("We don't care about it.", 0.11),
        ] {
            let found = judged(&["Where is it?", reply]);
            assert!(found <= most, "{reply}: {found}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["Hello?"]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        assert_eq!(
            judged(&["Hi.", "Please thank you sorry please thank you sorry welcome kindly."]),
            0.0
        );
        let once = judged(&["Hi.", "Thank you for asking."]);
        let often = judged(&["Hi.", "Thank you for asking.", "So?", "Thank you for asking."]);
        assert!(often < 0.6 * once);
    }
}
