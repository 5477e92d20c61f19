//! What the default reward for simulated customers pays for. Pinned here:
//!
//! 1. A competent, polite agent solves every held-out scenario and earns 0.9 and more.
//! 2. No scripted cheat solves a tenth of them or earns 0.45; the fluent but aimless one earns about
//!    0.3, keyword stuffers well below.
//! 3. The same seed gives the same episode; another seed gives other words with the same meaning.
//! 4. Conversations of the competent agent take two to five turns.

mod policies;

use std::collections::BTreeSet;

use policies::{CHEATS, ORACLE, Policy, play, transcript};
use stateset_core::{RewardContext, Scenario, Trajectory, TrajectoryRecord};
use stateset_env::conversation::{ConversationEnvironment, TurnReward};
use stateset_env::customer::{CustomerReport, Split};
use stateset_env::rewards::parse_reward;
use stateset_env::sets::CONVERSATION_CONFIGS;

struct Outcome {
    set: &'static str,
    scenario: Scenario,
    trajectory: Trajectory,
    reward: f64,
    report: CustomerReport,
}

/// Plays every held-out scenario of every set once.
async fn outcomes(policy: &Policy) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for config in CONVERSATION_CONFIGS {
        let judge = parse_reward(config.name()).expect("a preset of this name");
        for (index, scenario) in config.scenarios(Split::HeldOut).into_iter().enumerate() {
            let trajectory = play(&config.environment(), &scenario, policy, index as u64).await;
            let context = RewardContext { scenario: &scenario };
            let reward = judge.score(&trajectory, context).await.total.value().expect("scorable");
            let report = CustomerReport::read(&trajectory).expect("a customer took part");
            outcomes.push(Outcome { set: config.name(), scenario, trajectory, reward, report });
        }
    }
    outcomes
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[tokio::test]
async fn a_competent_agent_earns_nearly_everything() {
    let outcomes = outcomes(&ORACLE).await;
    for outcome in &outcomes {
        let shown = format!("{}\n{}", outcome.scenario.id, transcript(&outcome.trajectory));
        assert!(outcome.report.goal_reached, "{shown}");
        assert!(outcome.reward > 0.8, "{} {shown}", outcome.reward);
        assert_eq!(outcome.report.patience, outcome.report.patience_left, "{shown}");
        let n_turns = outcome.trajectory.assistant_texts().count();
        assert!((2..=5).contains(&n_turns), "{n_turns} turns\n{shown}");
    }
    for config in CONVERSATION_CONFIGS {
        let of_set = outcomes.iter().filter(|outcome| outcome.set == config.name());
        let reward = mean(of_set.map(|outcome| outcome.reward));
        println!("oracle on {}: {reward:.3}", config.name());
        assert!(reward >= 0.9, "{}: {reward}", config.name());
    }
}

#[tokio::test]
async fn no_cheat_pays() {
    let mut failures = Vec::new();
    for policy in CHEATS {
        let outcomes = outcomes(policy).await;
        for config in CONVERSATION_CONFIGS {
            let of_set: Vec<&Outcome> =
                outcomes.iter().filter(|outcome| outcome.set == config.name()).collect();
            let reward = mean(of_set.iter().map(|outcome| outcome.reward));
            let goals = mean(of_set.iter().map(|o| f64::from(u8::from(o.report.goal_reached))));
            println!(
                "{:<28} {:<18} reward {reward:.3} goals {goals:.3}",
                policy.name,
                config.name()
            );
            if reward >= 0.45 || goals >= 0.1 {
                failures.push(format!(
                    "{} on {}: {reward:.3}, {goals:.3}",
                    policy.name,
                    config.name()
                ));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[tokio::test]
async fn aimless_talk_earns_about_a_third_and_stuffing_less() {
    let of = |name: &str| CHEATS.iter().find(|policy| policy.name == name).expect("it is listed");
    let reward_of =
        async |name| mean(outcomes(of(name)).await.iter().map(|outcome| outcome.reward));
    let aimless = reward_of("aimless polite").await;
    assert!((0.2..0.36).contains(&aimless), "{aimless}");
    for (name, most) in [
        ("stuffer of resolutions", 0.15),
        ("asker of all slots at once", 0.15),
        ("keyword list", 0.1),
        ("one word", 0.1),
        ("whole script", 0.3),
        ("empty", 0.01),
        ("dots", 0.01),
        ("parrot", 0.2),
    ] {
        let reward = reward_of(name).await;
        assert!(reward <= most, "{name}: {reward}");
    }
}

#[tokio::test]
async fn a_stored_episode_is_judged_the_same() {
    let config = CONVERSATION_CONFIGS[0];
    let judge = parse_reward(config.name()).expect("a preset of this name");
    for scenario in config.scenarios(Split::Validation) {
        let trajectory = play(&config.environment(), &scenario, &CHEATS[3], 1).await;
        let stored = serde_json::to_string(&TrajectoryRecord::from(&trajectory)).unwrap();
        let record: TrajectoryRecord = serde_json::from_str(&stored).unwrap();
        let read = Trajectory::try_from(record).unwrap();
        let context = RewardContext { scenario: &scenario };
        assert_eq!(judge.score(&read, context).await, judge.score(&trajectory, context).await);
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_episode() {
    let config = CONVERSATION_CONFIGS[0];
    let environment = config.environment();
    let mut texts = BTreeSet::new();
    let scenario = &config.scenarios(Split::HeldOut)[0];
    for seed in [1, 1, 2, 3, 4] {
        let trajectory = play(&environment, scenario, &ORACLE, seed).await;
        assert_eq!(trajectory, play(&environment, scenario, &ORACLE, seed).await);
        texts.insert(transcript(&trajectory));
    }
    assert_eq!(texts.len(), 4, "other seeds, other words");
    let first_words: BTreeSet<&str> = texts.iter().filter_map(|text| text.lines().next()).collect();
    assert_eq!(first_words.len(), 1, "all samples of a scenario begin alike");
}

#[tokio::test]
async fn progress_rewards_add_up_to_one_for_the_competent() {
    for config in CONVERSATION_CONFIGS {
        let environment = ConversationEnvironment {
            turn_reward: Some(TurnReward::Progress),
            ..config.environment()
        };
        for scenario in config.scenarios(Split::Validation) {
            let trajectory = play(&environment, &scenario, &ORACLE, 5).await;
            let total: f64 = trajectory.turns.iter().filter_map(|turn| turn.reward).sum();
            assert!((total - 1.0).abs() < 1e-9, "{total}\n{}", transcript(&trajectory));
            let trajectory = play(&environment, &scenario, &CHEATS[0], 5).await;
            let total: f64 = trajectory.turns.iter().filter_map(|turn| turn.reward).sum();
            assert!(total < 0.0, "{total}\n{}", transcript(&trajectory));
        }
    }
}
