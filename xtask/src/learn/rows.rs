//! The table: every method, with what its settings are over the preset.
//!
//! All online rows play the same customers: 8 of them a step, 8 times each. Settings that differ from
//! row to row are learning rates, because the size of a step differs between losses, and what is
//! said beside the row. All weights of the embedded model are trained.

use super::row::Row;

/// Steps of an online run.
const STEPS: usize = 14;

/// All rows, in the order of the page.
pub(super) fn rows() -> Vec<Row> {
    let mut all = groups();
    all.extend(sequences());
    all.extend(baselines());
    all.extend(critics());
    all
}

fn online(name: &'static str) -> Row {
    Row::online(name).set("training.max_steps", STEPS)
}

/// Groups are compared, and every token has a ratio of its own.
fn groups() -> Vec<Row> {
    vec![
        online("grpo").clips().fast(),
        online("dr_grpo").clips(),
        online("bnpo").clips(),
        online("dapo").clips(),
        online("cispo").set("training.num_minibatches", 4),
        online("sapo").set("training.num_minibatches", 4),
        online("gmpo").clips(),
    ]
}

/// Groups are compared, and a conversation has one ratio.
fn sequences() -> Vec<Row> {
    vec![
        online("gspo").clips().fast(),
        online("gspo_token").clips(),
        online("luspo").clips(),
        online("vespo").set("training.num_minibatches", 4),
        online("gepo").clips(),
    ]
}

/// A baseline takes the place of the group.
fn baselines() -> Vec<Row> {
    vec![
        online("rloo").clips(),
        online("reinforce").set("training.num_minibatches", 4),
        online("reinforce_pp").clips(),
    ]
}

/// A critic says what a conversation is worth so far.
fn critics() -> Vec<Row> {
    vec![
        online("ppo").clips().has_critic().fast(),
        online("vapo").clips().has_critic(),
        online("a2c"),
        online("trpo").within(300.0),
    ]
}
