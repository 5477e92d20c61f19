//! Reward models, and the reward made of one.

use stateset_algo::BradleyTerry;
use stateset_core::{ConversationTurn, Message, Reward, RewardContext, Scenario, Trajectory};
use stateset_train::config::{ConfigSources, Flag, report, resolve};
use stateset_train::{
    Cast, NeuralReward, PreferenceGoal, PreferenceSettings, RewardScale, TrainedPreference,
};

use crate::support::{pairs, run, settings};

fn trained(folder: &std::path::Path) -> TrainedPreference {
    let mut settings = settings(PreferenceGoal::RewardModel(BradleyTerry::default()));
    settings.optimiser.learning_rate = 5e-4;
    let settings = PreferenceSettings { n_epochs: 2.0, ..settings };
    run(settings, pairs(96), folder).train().expect("trained")
}

fn conversation(reply: &str) -> Trajectory {
    let messages = [Message::user("My order is late."), Message::assistant(reply)];
    Trajectory { turns: messages.map(ConversationTurn::new).to_vec(), ..Trajectory::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_model_learns_and_then_judges() {
    let temp = tempfile::tempdir().unwrap();
    let place = temp.path().to_owned();
    let trained = tokio::task::spawn_blocking(move || trained(&place)).await.unwrap();
    let accuracy = trained.after.as_ref().unwrap().reward.unwrap();
    assert!(accuracy.estimate > 0.75, "{accuracy:?}");
    let checkpoint = trained.folder.final_checkpoint();
    assert!(checkpoint.join("value_head.safetensors").is_file());
    let scale = RewardScale::read(&checkpoint).unwrap();
    assert!(scale.deviation > 0.0 && scale.n_answers > 100);

    let root = trained.folder.root().to_owned();
    let opened = tokio::task::spawn_blocking(move || NeuralReward::open(&root, 1)).await.unwrap();
    let reward = opened.unwrap();
    let scenario = Scenario::new("s");
    let context = RewardContext { scenario: &scenario };
    let mut values = Vec::new();
    for reply in
        ["I am sorry about that. I will send you a new one today.", "That is not my problem."]
    {
        let result = reward.score(&conversation(reply), context).await;
        values.push(result.total.value().unwrap());
    }
    assert!(values[0] > values[1], "{values:?}");

    let mut followed = conversation("That is not my problem.");
    followed.turns.push(ConversationTurn::new(Message::user("Then goodbye.")));
    let result = reward.score(&followed, context).await;
    assert_eq!(result.total.value(), Some(values[1]), "what comes after the agent is not read");
    let silent = Trajectory::default();
    assert_eq!(reward.score(&silent, context).await.total.value(), None);
}

#[test]
fn a_folder_without_a_head_is_no_reward_model() {
    let temp = tempfile::tempdir().unwrap();
    let error = NeuralReward::open(temp.path(), 1).err().unwrap().to_string();
    assert!(error.contains("value_head.safetensors"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_names_a_reward_model_by_its_folder() {
    let cast = |spec: &str| {
        let flag = |path: &str, value: &str| Flag {
            flag: format!("--{path}"),
            path: path.to_owned(),
            value: value.to_owned(),
        };
        let flags = vec![flag("environment.prompts", r#"["Hello"]"#), flag("reward.spec", spec)];
        let sources = ConfigSources { flags, ..ConfigSources::default() };
        let resolved = resolve(&sources).unwrap_or_else(|problems| panic!("{}", report(&problems)));
        Cast::new(&resolved.config).map(|cast| cast.reward.name().to_owned())
    };
    let temp = tempfile::tempdir().unwrap();
    let nothing = format!("neural:{}", temp.path().display());
    let error = cast(&nothing).unwrap_err().to_string();
    assert!(error.contains("value_head.safetensors") && error.contains("neural:"), "{error}");
    assert_eq!(cast("safety").unwrap(), "safety");
}
