//! Reports of several problems, as people see them.

use stateset_train::config::Format;

use crate::common::{flags, report_of, with_file};

#[test]
fn problems_of_a_toml_file() {
    let text = "\
profile = \"agressive\"
seed = 1

[agent]
model_nme = \"gpt2\"
temperature = \"hot\"
planning_config = \"x\"

[training]
lerning_rate = 1e-5
num_episodes = 1.5
top_p = 0.9
clip_eps = -1
fp16 = true
bf16 = true
clip_ratio = 0.2

[optimiser]
lr = 1
";
    insta::assert_snapshot!(report_of(&with_file(Format::Toml, text)));
}

#[test]
fn problems_of_a_documented_configuration() {
    let text = "\
training:
  num_generations: 4
  batch_size: 6
  num_minibatches: 3
  temperature: 0.7
  top_p: 0.9
  top_k: 50
  repetition_penalty: 1.1
  early_stopping: true
  eval_steps: 0
  report_to: wandb
  lora_target_modules: [q_proj, 5]
evaluation: 10
reward:
  weights: {helpfulness: lots}
";
    insta::assert_snapshot!(report_of(&with_file(Format::Yaml, text)));
}

#[test]
fn problems_of_a_json_file_with_variables_and_flags() {
    let text = "{\n  \"training\": {\n    \"seed\": -1,\n    \"seed\": 2\n  },\n  \"algorithm\": \"gsbo\"\n}\n";
    let mut sources = with_file(Format::Json, text);
    sources.environment = vec![
        ("STATESET_TRAINING_LEARNING_RATE".to_owned(), "fast".to_owned()),
        ("STATESET_AGENT_TEMPRATURE".to_owned(), "1".to_owned()),
        ("STATESET_HOME".to_owned(), "/x".to_owned()),
    ];
    sources.flags = flags(&[
        ("--set training.threads=all", "training.threads", "all"),
        ("--set training.warmup=3", "training.warmup", "3"),
    ]);
    insta::assert_snapshot!(report_of(&sources));
}

#[test]
fn problems_of_files_that_are_none() {
    let broken = [
        (Format::Toml, "[training\nseed = 1\nlearning_rate = \n"),
        (Format::Yaml, "training:\n  seed: 1\n seed: 2\n"),
        (Format::Json, "{\"training\": {\"seed\": 1,}}"),
        (Format::Yaml, "just words\n"),
    ];
    let reports: Vec<String> =
        broken.iter().map(|(format, text)| report_of(&with_file(*format, text))).collect();
    insta::assert_snapshot!(reports.join("\n\n---\n\n"));
}
