//! What work costs: minutes for each call, message and mistake, and a wage for each minute.

use serde::{Deserialize, Serialize};

/// Money for a minute of work.
pub(super) const WAGE: f64 = 0.5;

/// Minutes that a message to the other side takes.
const MESSAGE: f64 = 1.0;
/// Minutes that a call takes which comes to nothing.
const MISTAKE: f64 = 2.0;

/// The work done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Effort {
    /// Minutes of work.
    pub(super) minutes: f64,
    /// Calls that came to something.
    pub(super) n_calls: u32,
    /// Calls that did not.
    pub(super) n_mistakes: u32,
    /// Messages.
    pub(super) n_messages: u32,
}

impl Effort {
    /// Counts a call that took `minutes`.
    pub(super) fn call(&mut self, minutes: f64) {
        self.n_calls = self.n_calls.saturating_add(1);
        self.minutes += minutes;
    }

    /// Counts a call that came to nothing.
    pub(super) fn mistake(&mut self) {
        self.n_mistakes = self.n_mistakes.saturating_add(1);
        self.minutes += MISTAKE;
    }

    /// Counts a message.
    pub(super) fn message(&mut self) {
        self.n_messages = self.n_messages.saturating_add(1);
        self.minutes += MESSAGE;
    }

    /// What the minutes cost.
    pub(super) fn wages(&self) -> f64 {
        WAGE * self.minutes
    }

    /// Minutes for each of `n` things that were dealt with; the worst there is where none was.
    pub(super) fn minutes_for_each(&self, n: usize, worst: f64) -> f64 {
        if n == 0 { worst.max(self.minutes) } else { self.minutes / n as f64 }
    }
}
