//! What environments do alike at the edges of a turn: refusing one after the end, and running out of
//! turns.

use std::fmt::Display;

use stateset_core::{Border, EnvironmentState, EpisodeStatus, RolloutError, Scenario};

/// Why a scenario cannot be played on; ends its own episode only.
pub(crate) fn failed(scenario: &Scenario, why: impl Display) -> RolloutError {
    RolloutError::new(Border::Environment, format!("scenario {:?}: {why}", scenario.id))
}

/// Refuses a turn after the end.
///
/// # Errors
/// [`RolloutError`] where the episode is over.
pub(crate) fn must_be_open(
    scenario: &Scenario,
    state: &EnvironmentState,
) -> Result<(), RolloutError> {
    match state.is_done() {
        true => Err(failed(scenario, "the episode is over already")),
        false => Ok(()),
    }
}

/// Ends an episode that has had its turns and no other end.
pub(crate) fn end_when_out_of_turns(state: &mut EnvironmentState, max_turns: usize) {
    if !state.is_done() && state.turn_count >= max_turns {
        state.status = EpisodeStatus::Timeout;
    }
}
