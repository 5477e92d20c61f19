//! Whole runs.

use std::collections::BTreeMap;
use std::path::Path;

use stateset_algo::{Cpo, Dpo, Kto, Orpo, PreferenceMethod};
use stateset_core::RunSeed;
use stateset_train::{
    Callback, Flow, PreferenceGoal, PreferenceSettings, StopSignal, SyntheticPairs,
    TrainedPreference, read_metrics,
};

use crate::support::{pairs, run, settings};

/// Stops the run from outside once this step is over.
struct StopAfter(u32, StopSignal);

impl Callback for StopAfter {
    fn on_step_end(&mut self, step: u32, _: &BTreeMap<String, f64>) -> Flow {
        if step == self.0 {
            self.1.stop();
        }
        Flow::Continue
    }
}

fn dpo() -> PreferenceSettings {
    settings(PreferenceGoal::Policy(PreferenceMethod::Dpo(Dpo::default())))
}

fn accuracy(evaluation: &Option<stateset_train::EvaluationSummary>) -> f64 {
    evaluation.as_ref().expect("evaluated").reward.expect("an accuracy").estimate
}

#[test]
fn dpo_raises_the_accuracy_on_held_out_pairs() {
    let temp = tempfile::tempdir().unwrap();
    let trained =
        run(PreferenceSettings { n_epochs: 2.0, ..dpo() }, pairs(96), temp.path()).train().unwrap();
    assert!(trained.is_complete);
    // Policy and reference are the same at first, so that no reward is larger.
    assert_eq!(accuracy(&trained.before), 0.0);
    assert!(accuracy(&trained.after) > 0.7, "{}", accuracy(&trained.after));
    let margin = trained.after.as_ref().unwrap().components["margin"];
    assert!(margin.low > 0.0);
    let rewards = &trained.rewards_after;
    let told = rewards.iter().filter(|pair| pair.chosen > pair.rejected).count();
    // The same share, added up in another order.
    assert!((told as f64 / rewards.len() as f64 - accuracy(&trained.after)).abs() < 1e-9);
    assert!(trained.rewards_before.iter().all(|pair| pair.chosen == pair.rejected));
    let folder = &trained.folder;
    let metrics = read_metrics(&folder.metrics()).unwrap();
    assert_eq!(metrics.len(), 36);
    let first = &metrics[0].metrics;
    assert!((first["loss"] - std::f64::consts::LN_2).abs() < 1e-6);
    assert!(first.contains_key("preference/accuracy") && first.contains_key("gradient/norm"));
    for file in [folder.events(), folder.report(), folder.summary(), folder.config()] {
        assert!(file.is_file(), "{}", file.display());
    }
    assert!(folder.final_checkpoint().join("model.safetensors").is_file());
}

fn stopped_and_resumed(
    make: impl Fn() -> PreferenceSettings,
    data: impl Fn() -> stateset_train::PreferenceData,
    temp: &Path,
) -> (TrainedPreference, TrainedPreference) {
    let whole = run(make(), data(), &temp.join("whole")).train().expect("trained");
    let mut stopped = run(make(), data(), &temp.join("stopped"));
    let stop = stopped.stop.clone();
    stopped.callbacks.push(Box::new(StopAfter(2, stop)));
    let folder = stopped.folder.root().to_owned();
    let stopped = stopped.train().expect("trained");
    assert!(!stopped.is_complete && stopped.after.is_none());
    drop(stopped);
    let resumed =
        run(make(), data(), temp).resuming(&folder).expect("a run").train().expect("trained");
    assert!(resumed.is_complete);
    (whole, resumed)
}

#[test]
fn a_stopped_run_goes_on_to_the_same_end() {
    let short = |settings| PreferenceSettings { n_steps: Some(4), ..settings };
    let reward = || settings(PreferenceGoal::RewardModel(stateset_algo::BradleyTerry::default()));
    let goals: [&dyn Fn() -> PreferenceSettings; 2] = [&dpo, &reward];
    for goal in goals {
        let temp = tempfile::tempdir().unwrap();
        let (whole, resumed) = stopped_and_resumed(|| short(goal()), || pairs(24), temp.path());
        assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256);
        assert_eq!((&resumed.before, &resumed.after), (&whole.before, &whole.after));
        let head = |trained: &TrainedPreference| {
            std::fs::read(trained.folder.final_checkpoint().join("value_head.safetensors")).ok()
        };
        assert_eq!(head(&resumed), head(&whole));
    }
}

#[test]
fn evaluations_that_get_no_better_end_the_run() {
    let temp = tempfile::tempdir().unwrap();
    let still = PreferenceSettings {
        n_steps: Some(9),
        evaluates_before: false,
        evaluate_every_n_steps: Some(1),
        patience: Some(2),
        ..dpo()
    };
    // Too small a rate to change what is measured.
    let mut still = PreferenceSettings { warmup_steps: Some(9), ..still };
    still.optimiser.learning_rate = 1e-30;
    let trained = run(still, pairs(16), temp.path()).train().unwrap();
    assert!(trained.is_complete && trained.before.is_none());
    assert_eq!((trained.summary.n_steps, accuracy(&trained.after)), (3, 0.0));
    let rows = read_metrics(&trained.folder.metrics()).unwrap();
    let rates: Vec<f64> = rows.iter().map(|row| row.metrics["learning_rate"]).collect();
    assert!(rates[0] < rates[1] && rates[1] < rates[2] && rates[2] < 1e-30, "{rates:?}");
}

#[test]
fn the_head_has_a_learning_rate_of_its_own() {
    let goal = || PreferenceGoal::RewardModel(stateset_algo::BradleyTerry::default());
    let trained = |head_learning_rate, temp: &Path| {
        let settings = PreferenceSettings {
            n_steps: Some(2),
            head_learning_rate,
            evaluates_after: false,
            ..settings(goal())
        };
        let trained = run(settings, pairs(16), temp).train().unwrap();
        assert!(trained.after.is_none() && trained.is_reward_model());
        let place = trained.folder.final_checkpoint().join("value_head.safetensors");
        std::fs::read(place).unwrap()
    };
    let [one, two, three] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let usual = trained(None, one.path());
    assert_eq!(trained(Some(2e-4), two.path()), usual);
    assert_ne!(trained(Some(2e-3), three.path()), usual);
}

#[test]
fn going_on_needs_the_same_data_and_settings() {
    let temp = tempfile::tempdir().unwrap();
    let short = || PreferenceSettings { n_steps: Some(1), ..dpo() };
    let first = run(short(), pairs(16), temp.path()).train().unwrap();
    let folder = first.folder.root().to_owned();
    drop(first);
    let other = run(short(), pairs(17), temp.path()).resuming(&folder).unwrap();
    let error = other.train().err().unwrap().to_string();
    assert!(error.contains("other data"), "{error}");
    let new = run(short(), pairs(16), temp.path());
    let error = new.train().err().unwrap().to_string();
    assert!(error.contains("holds a run already"), "{error}");
}

#[test]
fn every_method_takes_steps() {
    let methods = [
        PreferenceMethod::Dpo(Dpo { use_weighting: true, ..Dpo::default() }),
        PreferenceMethod::Cpo(Cpo::simpo()),
        PreferenceMethod::Orpo(Orpo::default()),
        PreferenceMethod::Kto(Kto::default()),
    ];
    for method in methods {
        let temp = tempfile::tempdir().unwrap();
        let made = SyntheticPairs { seed: RunSeed(3), noise: 0.0 };
        let data = if method.takes_pairs() { made.pairs(16) } else { made.judged(16) };
        let name = format!("{method:?}");
        let settings =
            PreferenceSettings { n_steps: Some(2), ..settings(PreferenceGoal::Policy(method)) };
        let trained = run(settings, data, temp.path()).train().unwrap();
        let metrics = read_metrics(&trained.folder.metrics()).unwrap();
        assert!(metrics.iter().all(|row| row.metrics["gradient/norm"] > 0.0), "{name}");
        assert!(trained.after.unwrap().components.contains_key("loss"), "{name}");
    }
}

#[test]
fn kto_warns_where_one_kind_of_answers_is_rare() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("judged.jsonl");
    let line = |i: usize| {
        format!("{{\"prompt\": \"Hello {i}\", \"completion\": \"Hi.\", \"label\": {}}}\n", i == 0)
    };
    std::fs::write(&file, (0..8).map(line).collect::<String>()).unwrap();
    let data = stateset_train::PreferenceData::read_either(&file).unwrap();
    assert!(!data.is_pairs() && data.len() == 8);
    let goal = PreferenceGoal::Policy(PreferenceMethod::Kto(Kto::default()));
    let settings = PreferenceSettings { n_steps: Some(1), evaluation_share: 0.0, ..settings(goal) };
    let trained = run(settings, data, temp.path()).train().unwrap();
    assert!(trained.before.is_none() && trained.after.is_none());
    let events = std::fs::read_to_string(trained.folder.events()).unwrap();
    assert!(events.contains("desirable_weight to"), "{events}");
}

#[test]
fn what_cannot_be_learned_is_refused_before_anything_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let refused = |settings: PreferenceSettings, data| {
        let error = run(settings, data, temp.path()).train().err().unwrap().to_string();
        assert!(!temp.path().join("run").exists());
        error
    };
    let few = refused(dpo(), pairs(3));
    assert!(few.contains("3 examples") && few.contains("takes 4"), "{few}");
    let kto = settings(PreferenceGoal::Policy(PreferenceMethod::Kto(Kto::default())));
    let kind = refused(kto.clone(), pairs(8));
    assert!(kind.contains("kto learns from answers judged alone"), "{kind}");
    let judged = SyntheticPairs { seed: RunSeed(3), noise: 0.0 }.judged(8);
    let single = refused(PreferenceSettings { examples_per_step: 1, ..kto }, judged);
    assert!(single.contains("examples_per_step is 1"), "{single}");
    let cut = refused(PreferenceSettings { max_tokens: Some(4), ..dpo() }, pairs(8));
    assert!(cut.contains("cut away at 4 tokens"), "{cut}");
}
