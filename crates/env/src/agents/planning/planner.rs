//! A plan from a goal, without a model.
//!
//! The goal is split where its sentences and lists are: at dots, semicolons, commas and line ends, and at "and",
//! "then" and "next". The choice a reader would question: what is over the limit goes into the last step instead of
//! being dropped, so that no part of the goal is lost.

use std::sync::LazyLock;

use regex::Regex;

use super::plan::{Plan, PlanStatus, PlanStep};
use crate::agents::context::shortened;

/// Longest goal in characters; what is beyond is not planned.
const MAX_GOAL_CHARS: usize = 1_000;

/// The plan for `goal`, of one to `max_steps` steps, of which the first is under way.
pub fn plan_from_goal(goal: &str, max_steps: usize) -> Plan {
    let goal = shortened(&goal.split_whitespace().collect::<Vec<_>>().join(" "), MAX_GOAL_CHARS);
    let mut parts: Vec<&str> = SPLIT
        .split(&goal)
        .map(|part| part.trim_matches(|c: char| c.is_whitespace() || c == '.'))
        .filter(|part| part.chars().any(char::is_alphanumeric))
        .collect();
    if parts.is_empty() {
        parts.push(&goal);
    }
    let n_single = max_steps.max(1) - 1;
    let rest = if parts.len() > n_single + 1 { parts.split_off(n_single) } else { Vec::new() };
    let texts = parts.into_iter().map(str::to_owned);
    let last = (!rest.is_empty()).then(|| rest.join("; "));
    let step = |(index, description)| PlanStep {
        description,
        status: PlanStatus::Pending,
        step_id: format!("step-{}", index + 1),
        notes: None,
    };
    let steps = texts.chain(last).enumerate().map(step).collect();
    let mut plan = Plan { goal, steps };
    plan.begin_next();
    plan
}

/// A dot or comma inside a number or an address ends nothing.
static SPLIT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)[.;,!?]+(?:\s+(?:and|then|next)\b)*(?:\s+|$)|\s+(?:(?:and|then|next)\s+)+")
        .expect("the pattern is valid")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(goal: &str, max_steps: usize) -> Vec<String> {
        plan_from_goal(goal, max_steps).steps.into_iter().map(|step| step.description).collect()
    }

    #[test]
    fn goals_are_split_where_their_parts_end() {
        let cases: &[(&str, &[&str])] = &[
            ("Refund the order", &["Refund the order"]),
            ("Find it, then refund it and say goodbye.", &["Find it", "refund it", "say goodbye"]),
            ("Ask; look up. Next explain", &["Ask", "look up", "explain"]),
            ("Pay 1,200.50 dollars, and then next close", &["Pay 1,200.50 dollars", "close"]),
            ("Understand the brand", &["Understand the brand"]),
            ("", &[""]),
            ("...", &["..."]),
            (
                "\u{41d}\u{430}\u{439}\u{442}\u{438}, \u{434}\u{430}",
                &["\u{41d}\u{430}\u{439}\u{442}\u{438}", "\u{434}\u{430}"],
            ),
        ];
        for (goal, expected) in cases {
            assert_eq!(steps(goal, 6), *expected, "{goal:?}");
        }
    }

    #[test]
    fn what_is_over_the_limit_is_in_the_last_step() {
        assert_eq!(steps("a, b, c, d", 2), ["a", "b; c; d"]);
        assert_eq!(steps("a, b", 2), ["a", "b"]);
        assert_eq!(steps("a, b", 1), ["a; b"]);
        assert_eq!(steps("a, b", 0), ["a; b"]);
    }
}
