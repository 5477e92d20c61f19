//! What is evaluated, how, and when.

use stateset_core::{RunSeed, Sampling};

use super::super::reader::Reader;
use super::agent::at_temperature;
use super::environment::{EnvironmentSettings, ScenarioSource, Split, one_of};
use super::rollout::RolloutSettings;

/// Evaluations.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationSettings {
    /// Steps between evaluations; `None` where there are none during the run.
    pub every_n_steps: Option<u64>,
    /// Evaluate before the first step.
    pub before_training: bool,
    /// Evaluate after the last step.
    pub after_training: bool,
    /// What is played.
    pub scenarios: EvaluationScenarios,
    /// Scenarios of one evaluation, the first of the set; all where `None`.
    pub n_scenarios: Option<usize>,
    /// Samples of each scenario, 1 or more.
    pub samples_per_scenario: usize,
    /// Most turns of the agent; see [`EnvironmentSettings::max_turns`] where `None`.
    pub max_turns: Option<usize>,
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// Every evaluation starts its randomness from this.
    pub seed: RunSeed,
    /// Conversations that are played at the same time.
    pub concurrency: usize,
}

/// What evaluations play.
#[derive(Clone, Debug, PartialEq)]
pub enum EvaluationScenarios {
    /// Scenarios of their own.
    Own(ScenarioSource),
    /// A share of the training scenarios, 0 to 0.9, kept from training; all, for both, where that
    /// share has none.
    HeldBack {
        /// The share.
        share: f64,
    },
}

const SET: &str = "evaluation.scenario_set";
const SOURCES: [&str; 3] = [SET, "evaluation.scenarios_file", "evaluation.prompts_file"];
const EVERY: &str = "training.eval_steps";

impl EvaluationSettings {
    pub(in super::super) fn resolve(
        reader: &mut Reader,
        environment: &EnvironmentSettings,
        rollout: &RolloutSettings,
        n_steps: u64,
    ) -> EvaluationSettings {
        let every_n_steps = Some(reader.count(EVERY)).filter(|&n| n > 0);
        if every_n_steps.is_some_and(|every| every > n_steps) && reader.is_own(EVERY) {
            let message = format!("the run has {n_steps} steps, so none is evaluated on its way");
            reader.warn(&[EVERY], message);
        }
        let max_turns = reader.optional_size("evaluation.max_turns").or(environment.max_turns);
        let seed = reader.optional_count("evaluation.seed");
        let concurrency = reader.optional_size("evaluation.concurrency");
        EvaluationSettings {
            every_n_steps,
            before_training: reader.bool("training.eval_before"),
            after_training: reader.bool("training.run_post_eval"),
            scenarios: scenarios(reader, environment),
            n_scenarios: Some(reader.size("evaluation.num_episodes")).filter(|&n| n > 0),
            samples_per_scenario: reader.size("evaluation.num_generations"),
            max_turns,
            sampling: sampling(reader, rollout),
            seed: RunSeed(seed.unwrap_or_else(|| reader.count("training.seed"))),
            concurrency: concurrency.unwrap_or(rollout.concurrency),
        }
    }
}

fn scenarios(reader: &mut Reader, environment: &EnvironmentSettings) -> EvaluationScenarios {
    let split = Split::read(reader, "evaluation.split");
    let share = reader.number("evaluation.split_size");
    let own = match one_of(reader, &SOURCES) {
        Some(SET) => Some(ScenarioSource::BuiltIn { name: reader.text(SET).to_owned(), split }),
        Some("evaluation.scenarios_file") => {
            Some(ScenarioSource::File(reader.path("evaluation.scenarios_file")))
        }
        Some(path) => Some(ScenarioSource::PromptsFile(reader.path(path))),
        None => match &environment.scenarios {
            ScenarioSource::BuiltIn { name, .. } => {
                Some(ScenarioSource::BuiltIn { name: name.clone(), split })
            }
            _ => None,
        },
    };
    match own {
        Some(own) => {
            if own == environment.scenarios {
                let message = "evaluations play what is trained on";
                reader.warn(&["evaluation.split", "environment.split"], message);
            }
            EvaluationScenarios::Own(own)
        }
        None => EvaluationScenarios::HeldBack { share },
    }
}

fn sampling(reader: &Reader, rollout: &RolloutSettings) -> Sampling {
    let temperature = reader.optional_number("evaluation.temperature");
    let of_rollouts = rollout.sampling.temperature;
    Sampling {
        top_p: reader.optional_number("evaluation.top_p").unwrap_or(1.0),
        top_k: reader.optional_size("evaluation.top_k").unwrap_or(0),
        max_new_tokens: rollout.sampling.max_new_tokens,
        stop: rollout.sampling.stop.clone(),
        ..at_temperature(temperature.unwrap_or(of_rollouts), true)
    }
}
