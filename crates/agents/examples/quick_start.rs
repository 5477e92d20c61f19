//! Trains the embedded model for a few steps on two scenarios and asks it something.
//!
//! `cargo run --release --example quick_start`
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use stateset_agents::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 1. An agent.
    let agent = ChatAgent::load("builtin:tiny").await?;

    // 2. What is played: users who say their lines in order.
    let late = Scenario {
        id: "late".into(),
        topic: "refunds".into(),
        context: "The user wants a refund for a delayed order.".into(),
        user_responses: vec![
            "My order is late.".into(),
            "I would like a refund.".into(),
            "Thanks for your help.".into(),
        ],
        ..Scenario::default()
    };
    let broken = Scenario {
        id: "broken".into(),
        topic: "returns".into(),
        context: "The user received a broken lamp.".into(),
        user_responses: vec!["My lamp arrived broken.".into(), "Can you send a new one?".into()],
        ..Scenario::default()
    };
    let environment = ConversationEnvironment { max_turns: 4, ..Default::default() };

    // 3. What counts as good.
    let reward =
        CompositeReward::new([HelpfulnessReward::weighted(0.7), SafetyReward::weighted(0.3)])?;

    // 4. Training.
    let folder = std::env::args().nth(1).unwrap_or_else(|| "outputs/quick_start".to_owned());
    let trained = train(&agent, environment, &[late, broken], reward)
        .steps(3)
        .set("training.prompts_per_step", 2)
        .set("evaluation.num_episodes", 2)
        .output(&folder)
        .save_path(format!("{folder}/model"))
        .await?;
    println!("reward {:?} -> {:?}", trained.summary.reward_before, trained.summary.reward_after);
    println!("report {}", trained.folder.report().display());

    // 5. The trained agent.
    let question = Message::user("My order was delayed, what can you do?");
    println!("agent: {}", trained.agent.generate_response(&[question]).await?);
    Ok(())
}
