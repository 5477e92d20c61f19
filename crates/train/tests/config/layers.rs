//! Layers, their origins, and keys that say the same in different words (points 1 and 2).

use stateset_algo::{GroupAdvantage, RewardScaling};
use stateset_train::config::{ConfigSources, Format, ModelOverlay, model_name};

use crate::common::{file, flags, method_of, origin, resolved, with_file};

/// Every layer sets the learning rate; layers are then taken away from the strongest on.
#[test]
fn layers_in_their_order() {
    let overlay = ModelOverlay {
        model: "builtin:tiny".to_owned(),
        toml: "[training]\nlearning_rate = 0.001\n[profile.aggressive.training]\n\
               learning_rate = 0.002\n"
            .to_owned(),
    };
    let path = "training.learning_rate";
    let mut sources = ConfigSources {
        overlay: Some(overlay),
        file: Some(file(
            Format::Toml,
            "profile = 'speed'\ntask = 'tutoring'\ntraining.learning_rate = 0.003\n",
        )),
        environment: vec![("STATESET_TRAINING_LEARNING_RATE".to_owned(), "0.004".to_owned())],
        flags: flags(&[("--lr", path, "0.005")]),
    };
    let mut seen = Vec::new();
    let mut see = |sources: &ConfigSources| {
        let resolved = resolved(sources);
        let rate = resolved.config.optimiser.learning_rate;
        seen.push(format!("{rate} {}", origin(&resolved, path)));
    };
    see(&sources);
    sources.flags.clear();
    see(&sources);
    sources.environment.clear();
    see(&sources);
    for text in ["profile = 'speed'\ntask = 'tutoring'\n", "profile = 'speed'\n", ""] {
        sources.file = Some(file(Format::Toml, text));
        see(&sources);
    }
    sources.overlay = None;
    see(&sources);
    assert_eq!(
        seen,
        [
            "0.005 flag --lr",
            "0.004 env STATESET_TRAINING_LEARNING_RATE",
            "0.003 file run.toml:3",
            "0.000005 task tutoring",
            "0.002 profile aggressive of builtin:tiny",
            "0.001 model builtin:tiny",
            "0.000005 default",
        ]
    );
}

#[test]
fn the_strongest_layer_names_the_presets() {
    let mut sources = with_file(Format::Yaml, "profile: conservative\nalgorithm: dr_grpo\n");
    assert_eq!(resolved(&sources).config.steps.group_size, 32);
    sources.flags =
        flags(&[("--profile", "profile", "speed"), ("--algorithm", "algorithm", "grpo")]);
    let resolved = resolved(&sources);
    assert_eq!(resolved.config.steps.group_size, 8);
    assert_eq!(resolved.config.presets.profile.as_deref(), Some("aggressive"));
    let group = GroupAdvantage { scaling: RewardScaling::Group, ..GroupAdvantage::default() };
    assert_eq!(method_of(&resolved.config).advantage, group.into());
}

#[test]
fn the_model_is_known_before_its_overlay() {
    let mut sources = with_file(Format::Json, r#"{"training": {"model_name": "gpt2"}}"#);
    assert_eq!(model_name(&sources), "gpt2");
    sources.flags = flags(&[("--model", "agent.model_name", "qwen")]);
    assert_eq!(model_name(&sources), "qwen");
    assert_eq!(model_name(&with_file(Format::Toml, "agent.model_name = 5")), "builtin:tiny");
    assert_eq!(model_name(&with_file(Format::Toml, "][")), "builtin:tiny");
}

#[test]
fn nothing_unsets_what_a_weaker_layer_set() {
    let overlay = "agent.system_prompt = 'Hi.'\ntraining.context_length = 2048\n";
    let overlay = ModelOverlay { model: "m".to_owned(), toml: overlay.to_owned() };
    let text = "agent: {system_prompt: null}\ntraining: {context_length: ''}\n";
    let sources = ConfigSources { overlay: Some(overlay), ..with_file(Format::Yaml, text) };
    let config = resolved(&sources).config;
    assert_eq!(config.agent.system_prompt, None);
    assert_eq!(config.rollout.context_tokens, None);
}

#[test]
fn lengths_are_whole_steps() {
    let steps = |text: &str| {
        let resolved = resolved(&with_file(Format::Toml, text));
        let steps = resolved.config.steps;
        (steps.n_steps, steps.n_episodes(), resolved.warnings.len())
    };
    assert_eq!(steps(""), (16, 1024, 0));
    assert_eq!(steps("training.num_episodes = 128"), (2, 128, 0));
    assert_eq!(steps("training.num_episodes = 129"), (3, 192, 1));
    assert_eq!(steps("training.max_steps = 7"), (7, 448, 0));
    assert_eq!(steps("task = 'tutoring'\ntraining.max_steps = 7"), (7, 448, 0));
    assert_eq!(steps("training = { max_steps = 3, num_episodes = 130 }"), (3, 192, 0));
}

#[test]
fn a_stronger_length_counts() {
    let mut sources = with_file(Format::Toml, "training.max_steps = 7");
    sources.flags = flags(&[("--episodes", "training.num_episodes", "640")]);
    let resolved = resolved(&sources);
    assert_eq!(resolved.config.steps.n_steps, 10);
    assert_eq!(origin(&resolved, "training.max_steps"), "flag --episodes");
    let n_optimiser_steps = resolved.config.optimiser.schedule.total_steps;
    assert_eq!((n_optimiser_steps, resolved.config.optimiser.schedule.warmup_steps), (10, 1));
}

#[test]
fn prompts_of_a_step_in_three_words() {
    let steps = |text: &str| resolved(&with_file(Format::Toml, text)).config.steps;
    assert_eq!(steps("").prompts_per_step, 4);
    assert_eq!(steps("profile = 'quality'").rollouts_per_step(), 8 * 32);
    assert_eq!(steps("training.batch_size = 32").prompts_per_step, 2);
    assert_eq!(steps("training.prompts_per_step = 5").prompts_per_step, 5);
    let two = "training = { prompts_per_step = 5, gradient_accumulation_steps = 2 }";
    assert_eq!(steps(two).prompts_per_step, 5);
    let parts = steps("training = { num_iterations = 3, num_minibatches = 4, max_steps = 2 }");
    assert_eq!((parts.optimiser_steps_per_step(), parts.n_optimiser_steps()), (12, 24));
}

#[test]
fn a_stronger_factor_replaces_prompts_per_step() {
    let overlay =
        ModelOverlay { model: "m".to_owned(), toml: "training.prompts_per_step = 16".to_owned() };
    let text = "training.gradient_accumulation_steps = 8";
    let sources = ConfigSources { overlay: Some(overlay), ..with_file(Format::Toml, text) };
    assert_eq!(resolved(&sources).config.steps.prompts_per_step, 8);
}
