//! What an agenda user remembers during one conversation: the agenda itself, and what came of it.
//! Plain data, so that an episode can be stored and continued elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::goal::Goal;
use super::spec::AgendaSpec;
use crate::customer::{Ending, Fault, Mood};

/// Something the user means to say. Numbers count the goal's constraints and requests from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// Tell a constraint.
    Tell(usize),
    /// Say that a constraint was got wrong, and tell it.
    Correct(usize),
    /// Settle for something else, because the value cannot be had.
    Settle(usize),
    /// Ask a request.
    Ask(usize),
    /// Say that what the agent repeated is right.
    Confirm,
    /// Have no wish about what was asked.
    DoNotMind,
    /// Want the thing done, all being told.
    Urge,
}

/// The memory of one agenda user in one conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgendaState {
    /// What is still to be said; the last comes first.
    pub agenda: Vec<Item>,
    /// How often each constraint was told.
    pub told: Vec<u32>,
    /// Constraints for which the user has settled for something else.
    pub settled: Vec<usize>,
    /// How often each request was asked.
    pub asked: Vec<u32>,
    /// What the agent answered to each request, shortened.
    pub answers: Vec<Option<String>>,
    /// Requests whose last answer was not the true one.
    pub wrong_answers: Vec<usize>,
    /// Whether the agent has said that it is done.
    pub is_booked: bool,
    /// How often the user has asked to have it done.
    pub n_urged: u32,
    /// How content the user is, from 0 to 1. Nobody sees it during the conversation.
    pub satisfaction: f64,
    /// Patience that is left.
    pub patience_left: u32,
    /// How often the agent did not help, by kind.
    pub faults: BTreeMap<Fault, u32>,
    /// Turns the agent has taken.
    pub n_agent_turns: usize,
    /// How it ended; `None` while it goes on.
    pub ending: Option<Ending>,
    /// What the user said last.
    pub last_said: String,
    /// The words of the agent's earlier turns, shortened.
    pub earlier_turns: Vec<String>,
}

impl AgendaState {
    /// The memory before the first word. The agenda holds constraints and then requests, topic by
    /// topic, as a stack.
    pub(super) fn new(spec: &AgendaSpec) -> AgendaState {
        let goal = &spec.goal;
        let mut agenda = Vec::new();
        for topic in goal.topics() {
            let told =
                (0..goal.constraints.len()).filter(|i| goal.constraints[*i].fact.topic == topic);
            agenda.extend(told.map(Item::Tell));
            let asked = (0..goal.requests.len()).filter(|j| goal.requests[*j].fact.topic == topic);
            agenda.extend(asked.map(Item::Ask));
        }
        agenda.reverse();
        AgendaState {
            agenda,
            told: vec![0; goal.constraints.len()],
            settled: Vec::new(),
            asked: vec![0; goal.requests.len()],
            answers: vec![None; goal.requests.len()],
            wrong_answers: Vec::new(),
            is_booked: false,
            n_urged: 0,
            satisfaction: first_satisfaction(spec.persona.mood),
            patience_left: spec.persona.patience,
            faults: BTreeMap::new(),
            n_agent_turns: 0,
            ending: None,
            last_said: String::new(),
            earlier_turns: Vec::new(),
        }
    }

    /// True where the lists have the lengths of `goal`, as those of another goal would not.
    pub(crate) fn fits(&self, goal: &Goal) -> bool {
        let item_fits = |item: &Item| match item {
            Item::Tell(i) | Item::Correct(i) | Item::Settle(i) => *i < goal.constraints.len(),
            Item::Ask(j) => *j < goal.requests.len(),
            Item::Confirm | Item::DoNotMind | Item::Urge => true,
        };
        self.told.len() == goal.constraints.len()
            && self.asked.len() == goal.requests.len()
            && self.answers.len() == goal.requests.len()
            && self.agenda.iter().all(item_fits)
            && self.settled.iter().all(|i| *i < goal.constraints.len())
    }

    /// Constraints that have not been told, in the order of the goal.
    pub fn untold(&self) -> impl Iterator<Item = usize> + '_ {
        self.told.iter().enumerate().filter(|(_, n)| **n == 0).map(|(i, _)| i)
    }

    /// Requests that have no answer, in the order of the goal.
    pub fn unanswered(&self) -> impl Iterator<Item = usize> + '_ {
        self.answers.iter().enumerate().filter(|(_, answer)| answer.is_none()).map(|(j, _)| j)
    }

    /// The value that the user wants now of a constraint.
    pub fn value<'a>(&self, goal: &'a Goal, index: usize) -> &'a str {
        let constraint = &goal.constraints[index];
        match &constraint.otherwise {
            Some(otherwise) if self.settled.contains(&index) => otherwise,
            _ => &constraint.value,
        }
    }

    /// What the user is talking about: the topic of the next item that has one, or the last topic.
    pub(super) fn topic<'a>(&self, goal: &'a Goal) -> &'a str {
        let of = |item: &Item| match item {
            Item::Tell(i) | Item::Correct(i) | Item::Settle(i) => {
                Some(goal.constraints[*i].fact.topic.as_str())
            }
            Item::Ask(j) => Some(goal.requests[*j].fact.topic.as_str()),
            Item::Confirm | Item::DoNotMind | Item::Urge => None,
        };
        let next = self.agenda.iter().rev().find_map(of);
        next.or_else(|| goal.topics().last().copied()).unwrap_or_default()
    }

    /// Puts `item` on top of the agenda, and takes it away from below.
    pub(super) fn push(&mut self, item: Item) {
        self.agenda.retain(|other| *other != item);
        self.agenda.push(item);
    }
}

fn first_satisfaction(mood: Mood) -> f64 {
    match mood {
        Mood::Cheerful => 0.7,
        Mood::Calm => 0.6,
        Mood::Worried => 0.5,
        Mood::Annoyed => 0.4,
        Mood::Angry => 0.3,
    }
}

#[cfg(test)]
mod tests {
    use super::super::goal::{Constraint, Fact, Request};
    use super::*;

    #[test]
    fn the_agenda_goes_topic_by_topic() {
        let goal = Goal {
            task: "plan a trip".into(),
            constraints: vec![
                Constraint::new("hotel", "area", "east"),
                Constraint::new("train", "day", "friday"),
                Constraint::new("hotel", "stars", "4"),
            ],
            requests: vec![
                Request { fact: Fact::new("train", "price"), answer: None },
                Request { fact: Fact::new("hotel", "phone"), answer: None },
            ],
            needs_booking: true,
        };
        let mut state = AgendaState::new(&AgendaSpec::new(goal.clone()));
        let order: Vec<Item> = state.agenda.iter().rev().copied().collect();
        use Item::{Ask, Tell};
        assert_eq!(order, [Tell(0), Tell(2), Ask(1), Tell(1), Ask(0)]);
        assert_eq!(state.topic(&goal), "hotel");
        state.push(Tell(1));
        assert_eq!((state.agenda.len(), state.topic(&goal)), (5, "train"));
        assert!(state.fits(&goal));
        state.agenda.push(Ask(7));
        assert!(!state.fits(&goal));
    }
}
