//! A plan: a goal and steps towards it.

use serde::{Deserialize, Serialize};

use super::config::PlanningConfig;
use crate::names::named_enum;

named_enum! {
    /// How a step stands.
    pub enum PlanStatus {
        /// Not begun.
        Pending => "pending",
        /// Being worked on.
        InProgress => "in_progress",
        /// Done.
        Completed => "completed",
        /// Cannot go on for now.
        Blocked => "blocked",
        /// Not needed any more.
        Skipped => "skipped",
    }
}

impl PlanStatus {
    /// The mark before a step that is shown.
    pub fn mark(self) -> &'static str {
        match self {
            PlanStatus::Pending => "[ ]",
            PlanStatus::InProgress => "[>]",
            PlanStatus::Completed => "[x]",
            PlanStatus::Blocked => "[!]",
            PlanStatus::Skipped => "[-]",
        }
    }

    /// True where nothing is left to do.
    pub fn is_over(self) -> bool {
        matches!(self, PlanStatus::Completed | PlanStatus::Skipped)
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    /// What is to be done.
    pub description: String,
    /// How it stands.
    pub status: PlanStatus,
    /// Names the step inside its plan: `step-1` and so on.
    pub step_id: String,
    /// What was noted about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A goal with its steps, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What is to be reached.
    pub goal: String,
    /// The steps.
    pub steps: Vec<PlanStep>,
}

impl Plan {
    /// The step that is being worked on.
    pub fn current(&self) -> Option<&PlanStep> {
        self.steps.iter().find(|step| step.status == PlanStatus::InProgress)
    }

    /// True once every step is done or not needed.
    pub fn is_complete(&self) -> bool {
        self.steps.iter().all(|step| step.status.is_over())
    }

    /// Completes the current step and begins the next one that waits.
    pub fn advance(&mut self) {
        let current = self.steps.iter_mut().find(|step| step.status == PlanStatus::InProgress);
        if let Some(step) = current {
            step.status = PlanStatus::Completed;
        }
        self.begin_next();
    }

    /// Begins the first step that waits, unless one is under way.
    pub(super) fn begin_next(&mut self) {
        if self.current().is_none()
            && let Some(step) = self.steps.iter_mut().find(|s| s.status == PlanStatus::Pending)
        {
            step.status = PlanStatus::InProgress;
        }
    }

    /// The plan as a model reads it.
    pub fn to_text(&self, config: &PlanningConfig) -> String {
        let n_done = self.steps.iter().filter(|s| s.status == PlanStatus::Completed).count();
        let mut n_hidden = n_done.saturating_sub(config.keep_completed);
        let mut lines = vec![config.plan_prefix.clone(), format!("Goal: {}", self.goal)];
        if n_hidden > 0 {
            lines.push(format!("({n_hidden} earlier steps are done)"));
        }
        for (index, step) in self.steps.iter().enumerate() {
            if step.status == PlanStatus::Completed && n_hidden > 0 {
                n_hidden -= 1;
                continue;
            }
            let notes = step.notes.as_deref().map(|n| format!(" ({n})")).unwrap_or_default();
            let (mark, text) = (step.status.mark(), &step.description);
            lines.push(format!("{}. {mark} {text}{notes}", index + 1));
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::super::planner::plan_from_goal;
    use super::*;

    #[test]
    fn steps_are_taken_in_order_until_none_is_left() {
        let mut plan = plan_from_goal("Find the order, check its state, offer a refund", 6);
        assert_eq!(plan.current().unwrap().step_id, "step-1");
        plan.advance();
        plan.advance();
        assert_eq!(plan.current().unwrap().description, "offer a refund");
        plan.advance();
        assert!(plan.is_complete() && plan.current().is_none());
        plan.advance();
        assert!(plan.is_complete());
    }

    #[test]
    fn the_newest_completed_steps_are_shown() {
        let mut plan = plan_from_goal("one, two, three, four, five", 6);
        (0..3).for_each(|_| plan.advance());
        plan.steps[4].notes = Some("by Friday".into());
        let config = PlanningConfig::default();
        assert_eq!(
            plan.to_text(&config),
            "Long-term plan\nGoal: one, two, three, four, five\n(1 earlier steps are done)\n\
             2. [x] two\n3. [x] three\n4. [>] four\n5. [ ] five (by Friday)"
        );
    }
}
