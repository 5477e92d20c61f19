//! The table: every method, with what its settings are over the preset.
//!
//! All online rows play the same customers: 8 of them a step, 8 times each. Settings that differ from
//! row to row are learning rates, because the size of a step differs between losses, and what is
//! said beside the row. All weights of the embedded model are trained.

use super::claims::Claim;
use super::rlaif::{N_MARKS, RUBRIC};
use super::row::{Row, Work};
use super::worlds::{SHOP_CALLS, SHOP_INSTRUCTIONS};

const STEPS: &str = "training.max_steps";
const MINIBATCHES: &str = "training.num_minibatches";

/// All rows, in the order of the page.
pub(super) fn rows() -> Vec<Row> {
    let mut all = groups();
    all.extend(sequences());
    all.extend(baselines());
    all.extend(critics());
    all.extend(preferences());
    all.extend(reward_models());
    all.push(feedback());
    all.extend(worlds());
    all
}

fn online(name: &'static str) -> Row {
    Row::online(name).set(STEPS, 8).rate(2e-4)
}

/// Groups are compared, and every token has a ratio of its own.
fn groups() -> Vec<Row> {
    vec![
        online("grpo").clips().fast(),
        online("dr_grpo").clips(),
        online("bnpo").clips(),
        online("dapo").clips(),
        // The cap of 5 that the preset has is for runs that stray further.
        online("cispo").clips().set("training.cispo_max", 1.28),
        online("sapo").set(MINIBATCHES, 4),
        online("gmpo").clips(),
    ]
}

/// Groups are compared, and a conversation has one ratio.
fn sequences() -> Vec<Row> {
    vec![
        online("gspo").clips().fast(),
        online("gspo_token").clips(),
        online("luspo").clips(),
        online("vespo").set(MINIBATCHES, 4),
        online("gepo").clips(),
    ]
}

/// A baseline takes the place of the group.
fn baselines() -> Vec<Row> {
    vec![
        online("rloo").clips(),
        online("reinforce").set(MINIBATCHES, 4),
        online("reinforce_pp").clips(),
    ]
}

/// A critic says what a conversation is worth so far. One with weights of its own learns faster than a
/// head on the policy.
fn critics() -> Vec<Row> {
    let own_critic = |row: Row| {
        row.set("training.critic", "separate").set("training.critic_learning_rate", 5e-4)
    };
    vec![
        own_critic(online("ppo"))
            .clips()
            .has_critic()
            .set(STEPS, 12)
            .set("training.num_iterations", 1)
            .fast(),
        // Returns to the end say less about a value than PPO's, so batches are gone through three times.
        own_critic(online("vapo"))
            .clips()
            .has_critic()
            .set("training.num_iterations", 3)
            .rate(8e-5)
            .set(STEPS, 12)
            .set("training.value_warmup_steps", 8)
            .set("training.critic_learning_rate", 8e-4),
        // Nothing is played twice, but a critic of its own needs more steps than one a batch.
        own_critic(online("a2c"))
            .set(MINIBATCHES, 2)
            .set(STEPS, 12)
            .set("training.critic_learning_rate", 1e-3),
        // A head on the policy gives little more than a mean, which is enough where lambda is 1.
        // With more damping than the preset's 0.1 the line search has less to take back.
        online("trpo")
            .within(300.0)
            .set(STEPS, 12)
            .set("training.gae_lambda", 1)
            .set("training.trpo_damping", 1)
            .set("training.critic_learning_rate", 3e-4)
            .set("training.critic_passes", 2),
    ]
}

/// Eight pairs, or answers judged alone, to a step.
fn preferences() -> Vec<Row> {
    let row = |name: &'static str| {
        let claims =
            vec![Claim::Gain(0.1), Claim::Apart, Claim::Rises("margin"), Claim::Seconds(15.0)];
        Row::of(name, Work::Preference, name, claims).set(STEPS, 60).rate(2e-4)
    };
    vec![
        row("dpo"),
        row("ipo"),
        row("kto"),
        // With the preset's 0.1 the likelihood of the chosen answer outweighs the odds.
        row("orpo").set("training.beta", 1).set(STEPS, 80).rate(3e-4),
        row("simpo"),
        row("cpo"),
    ]
}

fn reward_models() -> Vec<Row> {
    let synthetic = vec![Claim::AtLeast("accuracy", 0.75), Claim::Apart, Claim::Seconds(15.0)];
    let people = vec![Claim::Above("auroc", 0.65), Claim::Seconds(120.0)];
    vec![
        Row::of("reward_model", Work::RewardModel, "reward_model", synthetic)
            .set(STEPS, 60)
            .rate(2e-4),
        Row::of("reward_model_people", Work::Judgments, "reward_model", people)
            .set(STEPS, 100)
            .set("training.prompts_per_step", 16)
            .rate(2e-4),
    ]
}

/// The judge rates whole conversations, one by one.
fn feedback() -> Row {
    let claims = vec![
        Claim::AtLeast("judge_agreement", 0.75),
        Claim::Gain(0.1),
        Claim::Apart,
        Claim::Seconds(90.0),
    ];
    Row::of("rlaif", Work::Feedback, "rlaif", claims)
        .set(STEPS, 8)
        .rate(2e-4)
        .set(MINIBATCHES, 4)
        .set("reward.judge_kind", "score")
        .set("reward.judge_max_score", N_MARKS)
        .set("reward.judge_rubric", RUBRIC)
}

/// Other worlds than the embedded model's own, by GRPO: users with agendas, and tools over a database.
fn worlds() -> Vec<Row> {
    let row = |name: &'static str| {
        let claims = vec![Claim::Gain(0.1), Claim::Apart, Claim::Seconds(120.0)];
        Row::of(name, Work::World, "grpo", claims)
            .set("environment.scenario_set", name)
            .set(MINIBATCHES, 4)
    };
    vec![
        row("bookings").set(STEPS, 40).rate(3e-4),
        // Each of the 60 customers three times: few are alike. Half of the groups would be dead, and the trained
        // tokens take most of the time.
        row("shop")
            .set("evaluation.num_generations", 3)
            .set(STEPS, 13)
            .rate(2e-4)
            .set("training.use_dynamic_sampling", true)
            .set("training.dynamic_sampling_rounds", 1)
            .set("training.use_reference_model", false)
            .set("agent.tool_format", SHOP_CALLS.as_str())
            .set("agent.system_prompt", SHOP_INSTRUCTIONS)
            .set("training.max_prompt_length", 512)
            .set("training.context_length", 1024),
    ]
}
