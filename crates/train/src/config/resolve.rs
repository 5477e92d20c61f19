//! Sources to settings: the one place where a configuration becomes a run, or a list of problems.

use super::key::{Effect, Key};
use super::origin::Origin;
use super::problem::{ConfigProblem, ConfigWarning};
use super::reader::Reader;
use super::settings::RunConfig;
use super::sources::{ConfigSources, layers};
use super::values::Values;

/// A configuration that can be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The settings.
    pub config: RunConfig,
    /// The values they were made from, with their origins.
    pub values: Values,
    /// What can be used and may not be meant.
    pub warnings: Vec<ConfigWarning>,
}

/// Lays all layers over each other and checks them.
///
/// Weakest first: default, the model's overlay, profile, task, algorithm, file, environment
/// variables, flags. Of keys that say the same in different words, the one from the strongest layer
/// counts, and the others are not in [`Resolved::values`].
///
/// # Errors
/// Every problem there is, sorted by where it is.
pub fn resolve(sources: &ConfigSources) -> Result<Resolved, Vec<ConfigProblem>> {
    let mut reader = read(sources);
    let config = RunConfig::resolve(&mut reader);
    check_precisions(&mut reader);
    warn_of_accepted(&mut reader);
    let Reader { values, mut problems, warnings, .. } = reader;
    if problems.is_empty() {
        Ok(Resolved { config, values, warnings })
    } else {
        problems.sort_by(|a, b| a.origins.cmp(&b.origins));
        Err(problems)
    }
}

/// Merged values with the problems of single keys.
pub(super) fn read(sources: &ConfigSources) -> Reader {
    let mut reader = Reader::default();
    let entries = layers(sources, &mut reader.problems);
    reader.values = Values::merge(entries, &mut reader.problems);
    reader
}

fn check_precisions(reader: &mut Reader) {
    let paths = ["training.fp16", "training.bf16"];
    if paths.iter().all(|path| reader.optional_bool(path) == Some(true)) {
        let hint = "numbers have one format; leave both out, for the engine chooses";
        reader.refuse(&paths, "both true", "one of them", hint);
    }
}

/// One warning for all keys that are read and do nothing.
fn warn_of_accepted(reader: &mut Reader) {
    let is_idle = |key: &Key, origin: &Origin| key.effect == Effect::Accepted && origin.is_own();
    let idle: Vec<&'static str> = reader
        .values
        .iter()
        .filter(|(key, setting)| !setting.value.is_null() && is_idle(key, &setting.origin))
        .map(|(key, _)| key.path)
        .collect();
    if !idle.is_empty() {
        reader.warn(&idle, "accepted for compatibility, without effect on this engine");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::keys::all_keys;
    use super::super::layer::Flag;
    use super::*;

    fn sources(flags: &[(&str, &str)]) -> ConfigSources {
        let flag = |(path, value): &(&str, &str)| Flag {
            flag: format!("--{path}"),
            path: (*path).to_owned(),
            value: (*value).to_owned(),
        };
        ConfigSources { flags: flags.iter().map(flag).collect(), ..ConfigSources::default() }
    }

    const SYNC: (&str, &str) = ("training.sync_ref_model", "true");
    const COMPARED: (&str, &str) = ("training.use_reference_model", "true");

    const JUDGE: (&str, &str) = ("reward.judge_model", "builtin:tiny");

    /// Every key that claims to do something is read on one way or another through the settings.
    #[test]
    fn no_key_is_decoration() {
        let pairs = ("training.pairs_file", "a");
        let ways: &[&[(&str, &str)]] = &[
            &[],
            &[("environment.scenarios", "[{}]"), ("evaluation.scenario_set", "sales")],
            &[("environment.scenarios_file", "a"), ("evaluation.scenarios_file", "a")],
            &[("environment.prompts", "a"), ("evaluation.prompts_file", "a")],
            &[("environment.prompts_file", "a")],
            &[("environment.domain", "a")],
            &[("training.loss_type", "dr_grpo"), ("training.beta", "0.1")],
            &[("algorithm", "gdpo"), ("reward.weights", r#"{"helpfulness": 1, "safety": 1}"#)],
            &[("reward.spec", "helpful")],
            &[("algorithm", "rlaif"), JUDGE],
            &[JUDGE, ("reward.judge_url", "http://127.0.0.1:1/v1")],
            &[JUDGE, ("reward.judge_kind", "score"), ("reward.judge_rubric_file", "a")],
            &[JUDGE, ("reward.judge_kind", "relative"), ("reward.judge_rubric", "a")],
            &[("training.prompts_per_step", "2")],
            &[("training.batch_size", "16")],
            &[("algorithm", "dapo"), ("training.importance_correction", "mask")],
            &[("algorithm", "cispo"), ("training.use_adaptive_entropy", "true")],
            &[("algorithm", "sapo"), ("training.advantage", "gigpo")],
            &[("algorithm", "vespo"), ("training.advantage", "turns")],
            &[("algorithm", "gmpo"), ("training.advantage", "bi_level_gae")],
            &[("algorithm", "gepo"), ("training.sync_ref_model", "true")],
            &[("algorithm", "gepo"), ("training.use_lora", "false"), SYNC, COMPARED],
            &[("algorithm", "ppo"), ("training.use_adaptive_kl", "true")],
            &[
                ("algorithm", "rloo"),
                ("environment.user_model", "m"),
                ("environment.user_url", "u"),
            ],
            &[("algorithm", "vapo")],
            &[("algorithm", "a2c")],
            &[("algorithm", "trpo")],
            &[("algorithm", "dpo"), pairs, ("training.preference_loss", "discopop")],
            &[("algorithm", "dpo"), pairs, ("training.f_divergence_type", "alpha_divergence")],
            &[("algorithm", "kto"), pairs],
            &[("algorithm", "simpo"), pairs, ("evaluation.pairs_file", "b")],
            &[("algorithm", "reward_model"), pairs],
        ];
        let mut was_read = BTreeSet::new();
        for flags in ways {
            let mut reader = read(&sources(flags));
            RunConfig::resolve(&mut reader);
            assert_eq!(reader.problems, [], "{flags:?}");
            was_read.extend(reader.read.take());
        }
        let is_used = |key: &&Key| matches!(key.effect, Effect::Outcome | Effect::Operation);
        let unread: Vec<&str> = all_keys()
            .filter(is_used)
            .map(|key| key.path)
            .filter(|path| !was_read.contains(path))
            .collect();
        assert_eq!(unread, [""; 0]);
    }

    #[test]
    fn the_defaults_have_neither_problems_nor_warnings() {
        let resolved = resolve(&ConfigSources::default()).expect("no problems");
        assert_eq!(resolved.warnings, []);
    }
}
