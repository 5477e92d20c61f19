//! Single answers to prompts, with a reward in words.
//!
//! `cargo run --release --example train_on_prompts`
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::sync::Arc;

use stateset_agents::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = ChatAgent::load("builtin:tiny").await?;
    let prompts = [
        "My order has not arrived.",
        "I was charged twice.",
        "The lamp I bought is broken.",
        "I want to return my shoes.",
    ];
    let reward = CompositeReward::new([WeightedReward {
        name: "sorry".into(),
        weight: 1.0,
        reward: parse_reward("contains:sorry").map(|reward| reward as Arc<dyn Reward>)?,
    }])?;
    let folder = std::env::args().nth(1).unwrap_or_else(|| "outputs/train_on_prompts".to_owned());
    let trained = train_on_prompts(&agent, prompts, reward)
        .steps(5)
        .set("training.prompts_per_step", 4)
        .output(&folder)
        .await?;
    println!("{:?} -> {:?}", trained.summary.reward_before, trained.summary.reward_after);
    Ok(())
}
