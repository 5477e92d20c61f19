//! Counts of a corpus: what is in it, how long it is, and how well its agents do.
//!
//! Every desk conversation is judged as an episode of the environment would be: the customer's report
//! is what the episode ends with, the reward is the preset of its desk, and the last words, which no
//! episode holds, are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use anyhow::{Context as _, Result};
use stateset_core::{
    ConversationTurn, EnvironmentState, EpisodeStatus, Message, Reward, RewardContext, Role,
    RunSeed, Trajectory,
};
use stateset_env::customer::{CustomerReport, Domain, Ending};
use stateset_env::rewards::parse_reward;
use stateset_env::sets::customer_scenario;

use super::agent_kind::AgentKind;
use super::conversation::{Drawn, Kind, draw};
use super::desk::Played;
use super::turn::n_words;

/// Counts of the first conversations of a seed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statistics {
    /// One row for each kind of conversation and agent.
    pub(crate) rows: BTreeMap<(Kind, AgentKind), Row>,
    /// Words, capitals aside; numbers are none.
    pub(crate) vocabulary: BTreeSet<String>,
}

/// Sums over some conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Row {
    /// Conversations.
    pub(crate) n: usize,
    /// Turns of the agent.
    pub(crate) n_agent_turns: usize,
    /// Words of all messages.
    pub(crate) n_words: usize,
    /// Conversations that were judged.
    pub(crate) n_judged: usize,
    /// Those of them whose customer got what they came for.
    pub(crate) n_goals: usize,
    /// Sum of the rewards of those that were judged.
    pub(crate) reward: f64,
}

impl Row {
    /// Both rows as one.
    pub(crate) fn plus(self, other: Row) -> Row {
        Row {
            n: self.n + other.n,
            n_agent_turns: self.n_agent_turns + other.n_agent_turns,
            n_words: self.n_words + other.n_words,
            n_judged: self.n_judged + other.n_judged,
            n_goals: self.n_goals + other.n_goals,
            reward: self.reward + other.reward,
        }
    }

    /// Mean number of turns of the agent.
    pub(crate) fn mean_turns(&self) -> f64 {
        self.n_agent_turns as f64 / self.n as f64
    }

    /// Share of the judged conversations that reached their goal; NaN where none was judged.
    pub(crate) fn goal_share(&self) -> f64 {
        self.n_goals as f64 / self.n_judged as f64
    }

    /// Mean reward of the judged conversations; NaN where none was judged.
    pub(crate) fn mean_reward(&self) -> f64 {
        self.reward / self.n_judged as f64
    }
}

impl Statistics {
    /// The sum of the rows that `belongs` picks.
    pub(crate) fn total(&self, belongs: impl Fn(Kind, AgentKind) -> bool) -> Row {
        let rows = self.rows.iter().filter(|((kind, agent), _)| belongs(*kind, *agent));
        rows.fold(Row::default(), |total, (_, row)| total.plus(*row))
    }
}

/// Plays and judges the first `n` conversations of `seed`.
///
/// # Errors
/// Where a conversation cannot be judged.
pub(crate) fn statistics(seed: RunSeed, n: usize) -> Result<Statistics> {
    let judge = Judge::new()?;
    let mut statistics = Statistics::default();
    for index in 0..n {
        let Drawn { conversation, played } = draw(seed, index);
        let row = statistics.rows.entry((conversation.kind, conversation.agent)).or_default();
        let messages = &conversation.messages;
        row.n += 1;
        row.n_agent_turns +=
            messages.iter().filter(|message| message.role == Role::Assistant).count();
        row.n_words += messages.iter().map(|message| n_words(&message.content)).sum::<usize>();
        if let Some(played) = played {
            let (goal_reached, reward) = judge.judge(&played)?;
            row.n_judged += 1;
            row.n_goals += usize::from(goal_reached);
            row.reward += reward;
        }
        statistics.vocabulary.extend(messages.iter().flat_map(vocabulary));
    }
    Ok(statistics)
}

/// The words of a message in lower case.
fn vocabulary(message: &Message) -> impl Iterator<Item = String> {
    let words = message.content.split(|c: char| !c.is_ascii_alphabetic());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The preset reward of each desk.
pub(super) struct Judge(BTreeMap<Domain, Arc<dyn Reward>>);

impl Judge {
    pub(super) fn new() -> Result<Judge> {
        let rewards = Domain::ALL.iter().map(|domain| Ok((*domain, parse_reward(domain.name())?)));
        rewards.collect::<Result<_>>().map(Judge)
    }

    /// Whether the customer got what they came for, and the reward.
    pub(super) fn judge(&self, played: &Played) -> Result<(bool, f64)> {
        let domain = played.spec.domain();
        let reward = self.0.get(&domain).context("failed to find the reward of the desk")?;
        let scenario = customer_scenario("corpus", &played.spec);
        let (report, trajectory) = episode(played);
        let result = finished(reward.score(&trajectory, RewardContext { scenario: &scenario }));
        let value = result.and_then(|result| result.total.value());
        Ok((report.goal_reached, value.context("failed to judge a conversation")?))
    }
}

/// The conversation as the environment would have left it.
fn episode(played: &Played) -> (CustomerReport, Trajectory) {
    let report = CustomerReport::of(&played.spec, &played.state);
    let mut state = EnvironmentState::new("corpus");
    state.turn_count = played.state.n_agent_turns;
    state.status = match played.state.ending {
        Some(Ending::Solved) => EpisodeStatus::Completed,
        Some(Ending::GaveUp | Ending::AgentLeft) => EpisodeStatus::Failed,
        None => EpisodeStatus::Timeout,
    };
    report.write(&mut state.metadata);
    let turns = played.turns.iter().cloned().map(ConversationTurn::new).collect();
    (report, Trajectory { turns, final_state: Some(state), ..Trajectory::default() })
}

/// What a future that never waits comes to: rewards that only read text are such.
fn finished<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18} {:<9} {:>7} {:>6} {:>9} {:>6} {:>7}",
            "kind", "agent", "n", "turns", "words", "goal", "reward"
        )?;
        for ((kind, agent), row) in &self.rows {
            write_row(f, kind.name(), agent.name(), row)?;
        }
        for domain in Domain::ALL {
            let kind = Kind::Desk(*domain);
            write_row(f, kind.name(), "all", &self.total(|other, _| other == kind))?;
        }
        for agent in AgentKind::ALL {
            let desk = self.total(|kind, other| matches!(kind, Kind::Desk(_)) && other == agent);
            write_row(f, "all desks", agent.name(), &desk)?;
        }
        write_row(f, "all", "all", &self.total(|_, _| true))?;
        writeln!(f, "{} different words", self.vocabulary.len())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, kind: &str, agent: &str, row: &Row) -> fmt::Result {
    let [n, n_words] = [row.n, row.n_words];
    write!(f, "{kind:<18} {agent:<9} {n:>7} {:>6.2} {n_words:>9}", row.mean_turns())?;
    if row.n_judged == 0 {
        return writeln!(f);
    }
    writeln!(f, " {:>6.3} {:>7.3}", row.goal_share(), row.mean_reward())
}
