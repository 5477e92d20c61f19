//! A reward of one's own, alone and in company: the agent should say the customer's words back once.
//!
//! `cargo run --release --example custom_reward`
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::collections::BTreeSet;
use std::sync::Arc;

use stateset_agents::prelude::*;

/// Share of the long words of the user's first message that the agent's first answer picks up.
struct Listening;

#[async_trait]
impl Reward for Listening {
    fn name(&self) -> &str {
        "listening"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        let words = |text: &str| -> BTreeSet<String> {
            let all = text.split(|c: char| !c.is_alphabetic());
            all.filter(|word| word.len() > 4).map(str::to_lowercase).collect()
        };
        let asked = trajectory.user_texts().next().map(words).unwrap_or_default();
        let Some(answer) = trajectory.assistant_texts().next() else {
            return RewardResult::single(Score::unscorable("the agent said nothing"));
        };
        if asked.is_empty() {
            return RewardResult::single(Score::unscorable("the user said nothing of weight"));
        }
        let heard = words(answer).intersection(&asked).count();
        RewardResult::single(Score::of(heard as f64 / asked.len() as f64))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = ChatAgent::load("builtin:tiny").await?;
    let listening =
        WeightedReward { name: "listening".into(), weight: 0.5, reward: Arc::new(Listening) };
    let reward = CompositeReward::new([listening, ConcisenessReward::weighted(0.5)])?;
    let set = conversation_config("customer_service")?;
    let scenarios: Vec<Scenario> =
        set.scenarios(stateset_env::customer::Split::Train).into_iter().take(16).collect();
    let folder = std::env::args().nth(1).unwrap_or_else(|| "outputs/custom_reward".to_owned());
    let trained =
        train(&agent, set.environment(), &scenarios, reward).steps(2).output(&folder).await?;
    for (name, value) in &trained.summary.components_after {
        println!("{name}: {:?} -> {value}", trained.summary.components_before.get(name));
    }
    Ok(())
}
