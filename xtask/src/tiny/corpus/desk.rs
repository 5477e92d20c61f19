//! Plays an agent against the simulated customer.

use std::sync::LazyLock;

use stateset_core::{Message, Stream};
use stateset_env::customer::{
    Combination, CustomerSpec, CustomerState, Domain, Ending, Fault, Issue, Mood, Reply, Split,
    open, react,
};
use stateset_env::sets::draw_customer;

use super::agent_kind::{AgentKind, Move};
use super::grammar::{CURT_FAREWELLS, FAREWELLS, SORRY_FAREWELLS, draw, offers, weighted};
use super::turn::{MAX_TURN_WORDS, Situation, known_facts, n_words, words_of};

/// Most turns of the agent in one conversation, as in the built-in sets.
pub(super) const MAX_TURNS: usize = 8;
/// Desks by weight; the first one is what most users try first, and about half of the corpus.
const DOMAINS: [(Domain, u32); 3] =
    [(Domain::CustomerService, 60), (Domain::TechnicalSupport, 20), (Domain::Sales, 20)];
/// Share of customers who tell everything at once. The sets have none, but people do it.
const SHARE_TOLD_AT_ONCE: f64 = 0.03;
/// Chance of an apology to a customer who gives up, of an agent that apologises at all.
const APOLOGY_AT_END: f64 = 0.35;
/// Chance that an expert asks before it acts.
const OFFER_FIRST: f64 = 0.06;
/// How often a turn that was said before is put in other words.
const N_TRIES: usize = 5;

/// A conversation as it was played.
pub(super) struct Played {
    pub(super) spec: CustomerSpec,
    pub(super) state: CustomerState,
    /// What an episode holds: the opening, and turns of agent and customer.
    pub(super) turns: Vec<Message>,
    /// The customer's last words, and the agent's answer to them.
    pub(super) closing: Vec<Message>,
}

/// A customer for training, and no other.
pub(super) fn customer(stream: &mut Stream) -> CustomerSpec {
    let domain = weighted(&DOMAINS, stream).unwrap_or(Domain::CustomerService);
    let issues: Vec<Issue> = Issue::of_domain(domain).collect();
    let issue = stream.choose(&issues).copied().unwrap_or(Issue::Refund);
    let tells_all = stream.chance(SHARE_TOLD_AT_ONCE);
    let of_issue = TRAINING.iter().filter(|combination| combination.issue == issue);
    let of_issue: Vec<&Combination> = of_issue.collect();
    let mut combination = of_issue[stream.index(of_issue.len())].clone();
    if tells_all {
        combination.n_opening_facts = combination.fact_order.len();
    }
    draw_customer(&combination, Split::Train, stream)
}

static TRAINING: LazyLock<Vec<Combination>> = LazyLock::new(|| {
    let pairs =
        Issue::ALL.iter().flat_map(|issue| Mood::ALL.iter().map(move |mood| (*issue, *mood)));
    let all = pairs.flat_map(|(issue, mood)| Combination::of_issue_and_mood(issue, mood));
    all.filter(|combination| Split::of(combination) == Split::Train).collect()
});

/// The combinations that may be trained on.
#[cfg(test)]
pub(super) fn training_combinations() -> &'static [Combination] {
    &TRAINING
}

/// An agent for a desk conversation.
pub(super) fn agent(stream: &mut Stream) -> AgentKind {
    let kinds = AgentKind::ALL.map(|kind| (kind, kind.habits().weight));
    weighted(&kinds, stream).unwrap_or(AgentKind::Expert)
}

/// A whole conversation of `agent` with the customer `spec`.
pub(super) fn play(agent: AgentKind, spec: CustomerSpec, stream: &mut Stream) -> Played {
    play_turns(agent, spec, MAX_TURNS, stream)
}

/// The first `n_turns` turns of it at most; the customer's answer to the last one is left out.
pub(super) fn play_turns(
    agent: AgentKind,
    spec: CustomerSpec,
    n_turns: usize,
    stream: &mut Stream,
) -> Played {
    let (state, opening) = open(&spec, stream);
    let mut game = Game::new(agent, spec, state);
    let mut turns = vec![Message::user(opening)];
    let mut closing = Vec::new();
    for turn in 1..=n_turns {
        let text = game.speak(stream);
        turns.push(Message::assistant(text.clone()));
        let reply = game.hear(text, stream);
        if let Some(ending) = reply.ending {
            closing.push(Message::user(reply.text));
            closing.extend(game.farewell(ending, stream).map(Message::assistant));
            break;
        }
        if turn < n_turns {
            turns.push(Message::user(reply.text));
        }
    }
    Played { spec: game.spec, state: game.state, turns, closing }
}

/// A conversation that goes on.
struct Game {
    agent: AgentKind,
    spec: CustomerSpec,
    state: CustomerState,
    said: Vec<String>,
    /// What the agent did last, and what the customer did not like about it.
    last_move: Option<Move>,
    faults: Vec<Fault>,
    /// Facts known before that.
    n_told_before: usize,
}

impl Game {
    fn new(agent: AgentKind, spec: CustomerSpec, state: CustomerState) -> Game {
        let n_told_before = state.told.len();
        let (said, faults) = (Vec::new(), Vec::new());
        Game { agent, spec, state, said, last_move: None, faults, n_told_before }
    }

    /// The agent's next turn. What was said before, or is too long, is put in other words; where
    /// the agent has no other, it says something pleasant.
    fn speak(&mut self, stream: &mut Stream) -> String {
        let what = self.choose(stream);
        let tries = [what; N_TRIES].into_iter().chain([Move::Please; N_TRIES]);
        let mut texts = tries.map(|what| words_of(&self.situation(), what, stream));
        let is_new = |text: &String| !text.is_empty() && !self.said.contains(text);
        let is_short = |text: &String| n_words(text) <= MAX_TURN_WORDS;
        let is_fit = |text: &String| is_short(text) && (is_new(text) || what == Move::Repeat);
        let text = texts.find(is_fit).unwrap_or_default();
        self.last_move = Some(what);
        text
    }

    fn hear(&mut self, text: String, stream: &mut Stream) -> Reply {
        self.n_told_before = self.state.told.len();
        let reply = react(&self.spec, &mut self.state, &text, stream);
        self.said.push(text);
        self.faults.clone_from(&reply.faults);
        reply
    }

    fn situation(&self) -> Situation<'_> {
        let told_now = &self.state.told[self.n_told_before..];
        Situation {
            spec: &self.spec,
            state: &self.state,
            habits: self.agent.habits(),
            faults: &self.faults,
            told_now: told_now.last().copied(),
            last_move: self.last_move,
            said: &self.said,
        }
    }

    /// What to do next.
    fn choose(&self, stream: &mut Stream) -> Move {
        let habits = self.agent.habits();
        let right = if self.faults.is_empty() { habits.right } else { habits.recovers };
        if stream.chance(right) {
            let asks_first = self.can(Move::Offer) && stream.chance(OFFER_FIRST);
            return if asks_first { Move::Offer } else { Move::Right };
        }
        let possible: Vec<(Move, u32)> =
            habits.slips.iter().copied().filter(|(what, _)| self.can(*what)).collect();
        weighted(&possible, stream).unwrap_or(Move::Right)
    }

    /// Whether a move makes sense now.
    fn can(&self, what: Move) -> bool {
        let has_told = self.spec.fact_order.iter().any(|slot| self.state.told.contains(slot));
        let knows_all = self.state.missing(&self.spec).is_empty();
        match what {
            Move::Offer => {
                let has_words = !offers(self.spec.issue.resolution()).is_empty();
                knows_all && has_words && self.last_move != Some(Move::Offer)
            }
            Move::AskAgain => has_told,
            Move::Repeat => !self.said.is_empty(),
            _ => true,
        }
    }

    /// The agent's answer to the customer's last words, if it gives one.
    fn farewell(&self, ending: Ending, stream: &mut Stream) -> Option<String> {
        let habits = self.agent.habits();
        let (templates, chance) = match ending {
            Ending::Solved if habits.is_kind == 0.0 => (CURT_FAREWELLS, habits.takes_leave),
            Ending::Solved => (FAREWELLS, habits.takes_leave),
            Ending::GaveUp => (SORRY_FAREWELLS, habits.is_kind * APOLOGY_AT_END),
            Ending::AgentLeft => return None,
        };
        let values = known_facts(&self.spec, &self.state);
        stream.chance(chance).then(|| draw(templates, &values, stream))
    }
}
