//! Configurations as files and fingerprints (points 4 and 5).

use stateset_train::config::{ConfigSources, Format, ModelOverlay, differences};

use crate::common::{file, flags, resolved, with_file};

#[test]
fn the_fingerprint_sees_what_matters() {
    let of = |text: &str| resolved(&with_file(Format::Toml, text)).values;
    let base = of("");
    assert_eq!(base.fingerprint().len(), 64);
    for same in [
        "training.output_dir = 'elsewhere'",
        "training = { logging_steps = 1, threads = 3, gradient_checkpointing = true }",
        "profile = 'balanced'",
        "training.learning_rate = 0.000005",
        "training = { max_steps = 16, warmup_ratio = 0.1 }",
        "training = { batch_size = 64 }",
        "training.use_vllm = true",
        "metadata = { a = 1 }",
    ] {
        assert_eq!(of(same).fingerprint(), base.fingerprint(), "{same}");
        assert_eq!(differences(&of(same), &base), [], "{same}");
    }
    for other in [
        "training.learning_rate = 1e-4",
        "training.seed = 43",
        "training.num_generations = 8",
        "agent.system_prompt = 'x'",
        "reward.weights = { safety = 1.0 }",
        "environment.scenarios = [{ id = 'a' }]",
    ] {
        assert_ne!(of(other).fingerprint(), base.fingerprint(), "{other}");
        assert!(!differences(&of(other), &base).is_empty(), "{other}");
    }
}

#[test]
fn differences_name_both_values() {
    let of = |text: &str| resolved(&with_file(Format::Toml, text)).values;
    let left = of("training = { learning_rate = 1e-5, max_steps = 9 }");
    let found: Vec<String> = differences(&left, &of("agent.system_prompt = 'Hi.'"))
        .iter()
        .map(|d| format!("{}: {} and {}", d.path, d.left, d.right))
        .collect();
    assert_eq!(
        found,
        [
            "agent.system_prompt: nothing and \"Hi.\"",
            "training.learning_rate: 1e-5 and 5e-6",
            "training.max_steps: 9 and 16",
        ]
    );
}

#[test]
fn a_written_configuration_gives_the_same_again() {
    let overlay = "agent.system_prompt = 'Hi.'\n[training]\nprompts_per_step = 3\nlora_r = 4\n";
    let texts = [
        "",
        "profile: quality\ntask: sales\nalgorithm: gdpo\nmetadata: {a: [1, {b: x}], c: 1.5}\n",
        "agent: {system_prompt: null, stop: ['a\"b', 'c\nd']}\ntraining: {num_episodes: 100}\n",
        "environment:\n  scenarios: [{id: a, metadata: {b: null, c: 1e300}}]\n",
        "training: {batch_size: 48, advantage_normalization: false, warmup_steps: 1, use_vllm: true}\n",
        "training: {per_device_train_batch_size: 5, kl_coef: 0.1, clip_range_right: 0.3}\n",
        "algorithm: ppo\ntraining: {value_clip: null, num_epochs: 3, gepo_kl_gate: 0.1}\n",
        "training: {beta: 0.1, kl_placement: reward, baseline_type: group_median, gamma: 0.5}\n",
        "algorithm: dpo\ntraining: {pairs_file: a, num_generations: 3, max_steps: 9}\n",
        "algorithm: kto\ntraining: {pairs_file: a, dataset_path: a, num_epochs: 2, batch_size: 8}\n",
        "evaluation: {scenario_set: sales, split: held_out}\nreward: {weights: {b: 1, a: 2}}\n",
    ];
    for text in texts {
        for overlay in [None, Some(overlay)] {
            let overlay =
                overlay.map(|toml| ModelOverlay { model: "m".to_owned(), toml: toml.to_owned() });
            let sources = ConfigSources { overlay, ..with_file(Format::Yaml, text) };
            let first = resolved(&sources);
            let again = ConfigSources {
                file: Some(file(Format::Toml, &first.to_toml())),
                ..sources.clone()
            };
            let second = resolved(&again);
            assert_eq!(second.config, first.config, "{text}\n{}", first.to_toml());
            assert_eq!(second.values.fingerprint(), first.values.fingerprint(), "{text}");
            let without_overlay = ConfigSources { overlay: None, ..again };
            assert_eq!(resolved(&without_overlay).config, first.config, "{text}");
        }
    }
}

#[test]
fn a_resolved_configuration_tells_origins() {
    let mut sources = with_file(
        Format::Yaml,
        "task: customer_service\ntraining:\n  clip_eps: 0.1\n  run_name: ''\n  bf16: true\n",
    );
    sources.flags = flags(&[("--seed", "training.seed", "7")]);
    insta::with_settings!({ filters => vec![("[0-9a-f]{64}", "[64 digits]")] }, {
        insta::assert_snapshot!(resolved(&sources).to_toml());
    });
}
