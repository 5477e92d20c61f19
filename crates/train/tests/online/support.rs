//! What tests of whole runs share.

use std::collections::BTreeMap;
use std::path::Path;

use stateset_train::config::{ConfigSources, Flag, report, resolve};
use stateset_train::{Callback, Flow, ModelSource, OnlineRun, StopSignal};

use crate::data::test_data;

/// Settings of a run of seconds: 3 steps of 2 prompts, 4 samples each.
const SHORT: [(&str, &str); 12] = [
    ("environment.prompts", r#"["Once upon a time", "There was a dog", "One day", "The cat"]"#),
    ("reward.spec", "contains:the"),
    ("training.max_steps", "3"),
    ("training.prompts_per_step", "2"),
    ("training.num_generations", "4"),
    ("training.max_prompt_length", "16"),
    ("training.max_completion_length", "12"),
    ("training.learning_rate", "1e-3"),
    ("training.use_lora", "false"),
    ("training.save_steps", "1"),
    ("training.max_tokens_per_microbatch", "64"),
    ("evaluation.num_episodes", "2"),
];

/// Other things to play than prompts.
const SOURCES: [&str; 3] =
    ["environment.domain", "environment.scenarios_file", "environment.scenario_set"];

/// Stops the run from outside once this step is over.
pub(crate) struct StopAfter(pub(crate) u32, pub(crate) StopSignal);

impl Callback for StopAfter {
    fn on_step_end(&mut self, step: u32, _: &BTreeMap<String, f64>) -> Flow {
        if step == self.0 {
            self.1.stop();
        }
        Flow::Continue
    }
}

/// A short run into `output`/run with `changes` laid over; `None` where the model is not at hand.
pub(crate) fn run(output: &Path, changes: &[(&str, &str)]) -> Option<OnlineRun> {
    run_of(&test_data("tinystories-656k")?, output, changes)
}

/// The same with the model in `model`.
pub(crate) fn run_of(model: &Path, output: &Path, changes: &[(&str, &str)]) -> Option<OnlineRun> {
    let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
    let model = ModelSource::open(model.to_str()?, &fetch).expect("the model opens");
    Some(OnlineRun::new(resolved(output, changes), Some(model)).expect("the run is sound"))
}

/// The same with canned answers.
pub(crate) fn stub_run(output: &Path, changes: &[(&str, &str)]) -> OnlineRun {
    OnlineRun::new(resolved(output, changes), None).expect("the run is sound")
}

/// Why the same with canned answers cannot be.
pub(crate) fn refused(output: &Path, changes: &[(&str, &str)]) -> String {
    let run = OnlineRun::new(resolved(output, changes), None);
    run.err().expect("the run is refused").to_string()
}

fn resolved(output: &Path, changes: &[(&str, &str)]) -> stateset_train::config::Resolved {
    let output = output.to_str().expect("a path in UTF-8");
    let place = [("training.output_dir", output), ("training.run_name", "run")];
    let flag = |(path, value): &(&str, &str)| Flag {
        flag: format!("--{path}"),
        path: (*path).to_owned(),
        value: (*value).to_owned(),
    };
    // What is played instead leaves no room for the prompts.
    let has_own = changes.iter().any(|(path, _)| SOURCES.contains(path));
    let short = SHORT.iter().filter(|(path, _)| !(has_own && *path == "environment.prompts"));
    let flags = short.chain(&place).chain(changes).map(flag).collect();
    let sources = ConfigSources { flags, ..ConfigSources::default() };
    resolve(&sources).unwrap_or_else(|problems| panic!("{}", report(&problems)))
}
