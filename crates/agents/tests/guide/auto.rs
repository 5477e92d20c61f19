//! A program that lets the profile be chosen.

use stateset_agents::prelude::*;

/// 1 for an answer with this word, else 0.
struct Says(&'static str);

#[async_trait]
impl Reward for Says {
    fn name(&self) -> &str {
        "says"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        let says = trajectory.assistant_texts().any(|text| text.contains(self.0));
        RewardResult::single(Score::of(f64::from(u8::from(says))))
    }
}

fn trained(
    auto: AutoTrainer,
    reward: Says,
    output: std::path::PathBuf,
) -> Result<Trained, TrainError> {
    let runtime = tokio::runtime::Runtime::new().expect("it starts");
    runtime.block_on(async move {
        let agent = ChatAgent::stub(["Hello, how can I help?"]);
        auto.train_on_prompts(&agent, ["Hi", "Good morning"], reward)
            .set("training.num_generations", 2)
            .set("training.prompts_per_step", 1)
            .steps(2)
            .progress(ProgressStyle::Quiet)
            .output(output)
            .await
    })
}

#[test]
fn the_choice_comes_back_with_its_reasons_and_the_run_is_told_of_it() {
    let temp = tempfile::tempdir().expect("a folder");
    let of = |auto, phrase: &'static str, name: &str| {
        trained(auto, Says(phrase), temp.path().join(name)).expect("it ends well")
    };
    let solved = of(AutoTrainer::default(), "help", "solved");
    let choice = solved.choice.expect("a choice");
    assert_eq!(choice.profile.name(), "aggressive");
    assert!(choice.reasons[0].contains("nearly solved"), "{:?}", choice.reasons);
    assert_eq!(choice.facts.n_episodes, 8);
    let config = |name: &str| {
        std::fs::read_to_string(temp.path().join(name).join("config.toml")).expect("a file")
    };
    assert!(config("solved").contains("profile = \"aggressive\""));

    let plain = AutoTrainer { auto_adjust: false, early_stopping: false, ..AutoTrainer::default() };
    let hard = of(plain, "zebra", "hard");
    assert_eq!(hard.choice.expect("a choice").profile.name(), "conservative");
    assert!(config("hard").contains("profile = \"conservative\""));
}
