//! Replays of other people's tasks. Pinned here:
//!
//! 1. With every expected call each retail task scores 1; the reasons of refused calls are listed.
//! 2. With a write left out that changed the database it scores 0, except where named.
//! 3. The to-do tasks score 1 except where named, with the reason; statements in natural language cannot be
//!    scored.
//! 4. The same holds when the calls are made through the environment, turn by turn.

mod replays;
#[path = "../../../tests/support/data.rs"]
mod support;

use replays::{Row, Table, survey};
use serde_json::json;
use stateset_core::Score;
use stateset_env::database::{ExpectedCall, ReplayPlan, load_tau_retail, load_tau2_mock, replay};
use support::test_data;

#[test]
fn retail_tasks_replay() {
    let Some(folder) = test_data("tau-retail") else { return };
    let domain = load_tau_retail(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(domain.tools().specs().len(), 16);
    let rows = survey(&domain);
    println!("{}", Table(&rows));
    let of = |split: &str| rows.iter().filter(|row| row.id.starts_with(split)).count();
    assert_eq!((of("train-"), of("dev-")), (500, 20));
    for row in &rows {
        assert_eq!(row.score.value(), Some(1.0), "{}: {:?}", row.id, row.score);
        assert!(row.idle.is_empty() && row.masked.is_empty(), "{}", row.id);
    }
    let refused: Vec<&str> =
        rows.iter().flat_map(|row| &row.refused).map(|(_, _, why)| why.as_str()).collect();
    assert_eq!(refused.len(), 20, "{refused:#?}");
    for why in refused {
        assert!(why.starts_with("the gift card's balance of"), "{why}");
    }
    let n_writes: usize = rows.iter().map(|row| row.n_writes).sum();
    assert_eq!(n_writes, 773);
}

#[test]
fn to_do_tasks_replay() {
    let Some(folder) = test_data("tau2-mock") else { return };
    let domain = load_tau2_mock(&folder).unwrap_or_else(|error| panic!("{error}"));
    let rows = survey(&domain);
    println!("{}", Table(&rows));
    assert_eq!(rows.len(), 10);
    for Row { id, score, masked, refused, .. } in &rows {
        assert!(masked.is_empty() && refused.is_empty(), "{id}");
        match id.as_str() {
            // Nothing but statements decides.
            "create_task_1_nl_eval" => assert!(matches!(score, Score::Unscorable { .. }), "{id}"),
            // It lists no calls; what it asserts needs one.
            "update_task_with_history_and_env_assertions"
            // The user has to act as well.
            | "update_task_with_user_tools" => assert_eq!(score.value(), Some(0.0), "{id}"),
            _ => assert_eq!(score.value(), Some(1.0), "{id}: {score:?}"),
        }
    }
    let with = |id: &str, call: ExpectedCall| {
        let plan = ReplayPlan { more_calls: vec![call], ..ReplayPlan::default() };
        replay(&domain, id, &plan).unwrap().report.score().value()
    };
    let done = json!({"task_id": "task_2", "status": "completed"});
    let update = ExpectedCall::new("update_task_status", done);
    assert_eq!(with("update_task_with_history_and_env_assertions", update), Some(1.0));
    let read = ExpectedCall::new("dismiss_notification", json!({"notification_id": "notif_1"}));
    let read = ExpectedCall { by_user: true, ..read };
    assert_eq!(with("update_task_with_user_tools", read), Some(1.0));
}

/// Every required output of the one task that has some must be said.
#[test]
fn communicated_information_is_required() {
    let Some(folder) = test_data("tau2-mock") else { return };
    let domain = load_tau2_mock(&folder).unwrap_or_else(|error| panic!("{error}"));
    let id = "update_task_with_initialization_data";
    assert_eq!(domain.task(id).unwrap().outputs.len(), 2);
    for index in 0..2 {
        let plan = ReplayPlan { without_output: Some(index), ..ReplayPlan::default() };
        assert_eq!(replay(&domain, id, &plan).unwrap().report.score().value(), Some(0.0));
    }
}
