//! Does the agent speak the language of its trade, about the user's matter?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.6 | two different terms of the domain, at least one of which the user has not said; 0.3 for one |
//! | 0.2 | a content word that the user has used |
//! | 0.2 | moving on: a question, an act or an instruction (`words/action.txt`) |
//!
//! The domain is given with the reward, by name or as a list of terms; else the scenario's metadata name it
//! as `domain`; else it is the one most of whose terms stand in the scenario's topic and context and in what
//! the user says. Named domains are the sections of `words/domains.txt`. Each credit is earned once in a
//! conversation; see [`super::heuristic`].
//!
//! # Cannot be scored
//! A conversation without a turn of the agent, or one whose domain cannot be told.
//!
//! # Known ways to cheat
//! Terms in fluent nonsense earn their share. It says that the talk is of the right thing, not that it is
//! right.
//!
//! # Source
//! The documents choose a composite by the name of a domain and have no rule for its vocabulary; this one is
//! the project's own.

use std::sync::{Arc, LazyLock};

use serde_json::Value;
use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::customer_service::action;
use super::heuristic::{Credit, Heuristic, Over, credit, heuristic_reward};
use super::lexicon::Lexicon;
use crate::error::EnvError;
use crate::names::{listed, nearest};
use crate::text::{words, words_in_clauses};

/// Judges the use of a domain's vocabulary; see the rules above.
#[derive(Clone, Debug, Default)]
pub struct DomainSpecificReward {
    domain: Option<String>,
    terms: Option<Arc<Lexicon>>,
}

static DOMAINS: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(include_str!("words/domains.txt")));

/// The section of a reward's own terms.
const OWN: &str = "terms";

impl DomainSpecificReward {
    /// The vocabulary of the built-in domain `name`.
    ///
    /// # Errors
    /// [`EnvError::Reward`] with the domains there are.
    pub fn of_domain(name: &str) -> Result<DomainSpecificReward, EnvError> {
        let known: Vec<&str> = DomainSpecificReward::domains().collect();
        if known.contains(&name) {
            return Ok(DomainSpecificReward { domain: Some(name.to_owned()), terms: None });
        }
        let hint = nearest(name, &known).map(|near| format!("; did you mean {near:?}?"));
        let message = format!(
            "no domain is called {name:?}; domains are {}{}",
            listed(&known),
            hint.unwrap_or_default()
        );
        Err(EnvError::Reward { name: "domain".to_owned(), message })
    }

    /// A vocabulary of your own: words or phrases; a last star stands for any ending.
    ///
    /// # Errors
    /// [`EnvError::Reward`] for fewer than two terms, or a term without a letter or digit.
    pub fn of_terms<'a>(
        terms: impl IntoIterator<Item = &'a str>,
    ) -> Result<DomainSpecificReward, EnvError> {
        let terms: Vec<&str> = terms.into_iter().map(str::trim).collect();
        let refused = |message: String| EnvError::Reward { name: "domain".to_owned(), message };
        if let Some(term) = terms.iter().find(|term| words(term).is_empty()) {
            return Err(refused(format!("the term {term:?} has no letter or digit")));
        }
        let is_odd = |term: &&&str| {
            let begins = term.trim_end_matches('*');
            let ends_in_star = begins.len() < term.len();
            begins.contains('*') || (ends_in_star && begins.chars().count() < 3)
        };
        if let Some(term) = terms.iter().find(is_odd) {
            return Err(refused(format!(
                "the term {term:?} has a star that is not behind three letters at its end"
            )));
        }
        if terms.len() < 2 {
            return Err(refused("it needs two terms at least".to_owned()));
        }
        let terms = Arc::new(Lexicon::of(OWN, &terms));
        Ok(DomainSpecificReward { domain: None, terms: Some(terms) })
    }

    /// The names of the built-in domains.
    pub fn domains() -> impl Iterator<Item = &'static str> {
        DOMAINS.sections()
    }

    /// True where [`DomainSpecificReward::vocabulary`] is something.
    fn knows_vocabulary(&self, turns: &[AgentTurn<'_>], scenario: &Scenario) -> bool {
        self.terms.is_some() || self.name(scenario).is_some() || {
            let said = said(turns, scenario);
            DOMAINS.has_any(&said, &vec![false; said.len()])
        }
    }

    /// What the reward or the scenario says about the domain.
    fn name<'a>(&'a self, scenario: &'a Scenario) -> Option<&'a str> {
        let named = scenario.metadata.get("domain").and_then(Value::as_str);
        self.domain.as_deref().or(named.filter(|name| DOMAINS.has(name)))
    }

    /// The terms and the section to look in; `None` where the domain cannot be told.
    fn vocabulary<'a>(
        &'a self,
        turns: &[AgentTurn<'_>],
        scenario: &'a Scenario,
    ) -> Option<(&'a Lexicon, &'a str)> {
        if let Some(terms) = &self.terms {
            return Some((terms, OWN));
        }
        let name = self.name(scenario).or_else(|| likely_domain(turns, scenario));
        name.map(|name| (&*DOMAINS, name))
    }
}

/// What tells the domain: the scenario's topic and context, and everything the user says.
fn said(turns: &[AgentTurn<'_>], scenario: &Scenario) -> Vec<String> {
    let mut said = words(&scenario.topic);
    said.extend(words(&scenario.context));
    if let Some(turn) = turns.last() {
        said.extend_from_slice(&turn.user_words);
    }
    said
}

/// The domain most of whose terms are in topic, context and the user's words; of equals the first.
fn likely_domain(turns: &[AgentTurn<'_>], scenario: &Scenario) -> Option<&'static str> {
    let said = said(turns, scenario);
    let starts = vec![false; said.len()];
    let counts = DOMAINS.scan_words(&said, &starts).counts();
    let most = counts.iter().copied().max().filter(|n| *n > 0)?;
    DOMAINS.sections().zip(counts).find(|(_, n)| *n == most).map(|(name, _)| name)
}

impl Heuristic for DomainSpecificReward {
    const OVER: Over = Over::Once;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, scenario: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let Some((lexicon, section)) = self.vocabulary(turns, scenario) else { return Vec::new() };
        let terms = lexicon.scan(turn).distinct(section);
        let is_own = |term: &String| {
            let (first, _) = words_in_clauses(term);
            first.iter().any(|word| !turn.user_words.contains(word))
        };
        let worth = match terms.len() {
            0 => 0.0,
            1 => 0.3,
            _ if terms.iter().any(is_own) => 0.6,
            _ => 0.3,
        };
        let terms = (!terms.is_empty()).then(|| terms.join(", "));
        [
            credit("terms", worth, terms),
            credit("takes up", 0.2, turn.shared_word().map(str::to_owned)),
            credit("moves on", 0.2, action(turn)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn obstacle(&self, turns: &[AgentTurn<'_>], scenario: &Scenario) -> Option<String> {
        (!self.knows_vocabulary(turns, scenario)).then(|| {
            "neither the reward nor the scenario names a domain, and what is said fits none"
                .to_owned()
        })
    }
}

heuristic_reward!(DomainSpecificReward, "domain_specific");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;

    fn judged(reward: &DomainSpecificReward, lines: &[&str]) -> f64 {
        value(&reward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let any = DomainSpecificReward::default();
        let user = "How do I add two fractions?";
        let reply = "You can add fractions once they have the same denominator, so multiply first.";
        assert!((judged(&any, &[user, reply]) - 1.0).abs() < 1e-9);
        let education = DomainSpecificReward::of_domain("education").unwrap();
        assert!((judged(&education, &["How?", reply]) - 0.8).abs() < 1e-9);
        let own = DomainSpecificReward::of_terms(["Übergabe", "hand over the ke*"]).unwrap();
        let found = judged(&own, &["Where?", "The ÜBERGABE is here, please hand over the key."]);
        assert!((found - 0.8).abs() < 1e-9, "{found}");
        let mut scenario = Scenario::default();
        scenario.metadata.insert("domain".into(), json!("finance"));
        let finance =
            value(&any.judge(&chat(&["Hm?", "The interest on your loan goes down."]), &scenario));
        assert!((finance - 0.6).abs() < 1e-9, "{finance}");
    }

    #[test]
    fn does_not_earn() {
        let education = DomainSpecificReward::of_domain("education").unwrap();
        for reply in ["", "It rains here.", "verb noun tense verb noun tense verb noun"] {
            assert_eq!(judged(&education, &["How?", reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        let any = DomainSpecificReward::default();
        assert!(judged(&any, &["Hm?", "It rains here."]).is_nan());
        assert!(judged(&any, &["My router is broken."]).is_nan());
        let error = DomainSpecificReward::of_domain("finanse").unwrap_err().to_string();
        assert!(error.contains("did you mean \"finance\"?"), "{error}");
        assert!(DomainSpecificReward::of_terms(["one"]).is_err());
        for odd in ["?!", "hand* over", "a*"] {
            assert!(DomainSpecificReward::of_terms(["one", odd]).is_err(), "{odd}");
        }
    }

    #[test]
    fn tries_to_cheat() {
        let any = DomainSpecificReward::default();
        let user = "My router has no wifi and the network is slow.";
        assert_eq!(judged(&any, &[user, user]), 0.0);
        let list =
            judged(&any, &[user, "router modem wifi network internet browser cache app software"]);
        assert!(list < 0.05, "{list}");
        let echoed = judged(&any, &[user, "Your router and your wifi are there and that is it."]);
        assert!(echoed <= 0.5 + 1e-9, "{echoed}");
    }
}
