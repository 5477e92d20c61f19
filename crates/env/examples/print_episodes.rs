//! Prints a few conversations of a scripted agent with simulated customers, to be read by a person.
//!
//! `cargo run -p stateset-env --example print_episodes -- [set] [policy] [count]`, for instance
//! `technical_support oracle 5`; `all` in place of a policy goes through the cheats, one each.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

#[path = "../tests/policies/mod.rs"]
mod policies;

use policies::{CHEATS, ORACLE, Policy, play, transcript};
use stateset_core::Trajectory;
use stateset_env::customer::{CustomerReport, Split};
use stateset_env::sets::conversation_config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |index: usize| arguments.get(index).map(String::as_str);
    let config = conversation_config(argument(0).unwrap_or("customer_service"))?;
    let policy = argument(1).unwrap_or("oracle");
    let count: usize = argument(2).unwrap_or("5").parse()?;
    let chosen: Vec<&Policy> = [&ORACLE]
        .into_iter()
        .chain(CHEATS)
        .filter(|known| known.name == policy || (policy == "all" && known.name != "oracle"))
        .collect();
    let scenarios = config.scenarios(Split::Train);
    for (index, scenario) in scenarios.iter().take(count).enumerate() {
        for policy in &chosen {
            let trajectory = play(&config.environment(), scenario, policy, index as u64).await;
            print(policy, &trajectory);
        }
    }
    Ok(())
}

fn print(policy: &Policy, trajectory: &Trajectory) {
    println!("--- {} ({})", trajectory.scenario_id, policy.name);
    println!("{}", transcript(trajectory));
    if let Some(report) = CustomerReport::read(trajectory) {
        println!(
            "  => goal {}, satisfaction {:.2}, patience {} of {}\n",
            report.goal_reached, report.satisfaction, report.patience_left, report.patience
        );
    }
}
