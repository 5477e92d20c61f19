//! Methods of preferences: their losses, and the pairs that they learn from (point 8).

use stateset_algo::{
    BradleyTerry, Cpo, Dpo, DpoLoss, FDivergence, Kto, KtoLoss, Orpo, WeightedLoss,
};
use stateset_train::config::{
    Format, Method, ModelOverlay, PairEvaluation, PairLength, PreferenceLoss, ReferenceModel,
    RunConfig,
};

use crate::common::{resolved, warnings, with_file};

fn config(name: &str, more: &str) -> RunConfig {
    let text = format!("algorithm = '{name}'\ntraining = {{ pairs_file = 'a.jsonl'{more} }}");
    resolved(&with_file(Format::Toml, &text)).config
}

fn loss(name: &str, more: &str) -> PreferenceLoss {
    match config(name, more).algorithm.method {
        Method::Preference(settings) => settings.loss,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_is_the_method_of_that_name() {
    assert_eq!(loss("dpo", ""), PreferenceLoss::Dpo(Dpo::default()));
    assert_eq!(loss("ipo", ""), PreferenceLoss::Dpo(Dpo::with_loss(DpoLoss::Ipo)));
    assert_eq!(loss("kto", ""), PreferenceLoss::Kto(Kto::default()));
    assert_eq!(loss("orpo", ""), PreferenceLoss::Orpo(Orpo::default()));
    assert_eq!(loss("simpo", ""), PreferenceLoss::Cpo(Cpo::simpo()));
    assert_eq!(loss("cpo", ""), PreferenceLoss::Cpo(Cpo::default()));
    let Method::RewardModel(settings) = config("reward_model", "").algorithm.method else {
        panic!("a reward model")
    };
    assert_eq!(settings.loss, BradleyTerry { center_coef: 0.0 });
    for name in ["dpo", "ipo", "kto", "orpo", "simpo", "cpo", "reward_model"] {
        let text = format!("algorithm = '{name}'\ntraining.pairs_file = 'a'");
        assert_eq!(warnings(&text), [""; 0], "{name}");
        assert!(config(name, "").algorithm.method.algorithm().is_none());
    }
}

#[test]
fn losses_are_exchanged_and_added_up() {
    let mpo = ", preference_loss = ['sigmoid', 'bco_pair', 'sft'], \
               preference_loss_weights = { sigmoid = 0.8, bco_pair = 0.2 }";
    let PreferenceLoss::Dpo(dpo) = loss("dpo", mpo) else { panic!("dpo") };
    let weighted = |loss, weight| WeightedLoss { loss, weight };
    assert_eq!(
        dpo.losses,
        [
            weighted(DpoLoss::Sigmoid, 0.8),
            weighted(DpoLoss::BcoPair, 0.2),
            weighted(DpoLoss::Sft, 1.0),
        ]
    );
    let all = ", beta = 0.3, ld_alpha = 0.5, use_weighting = true, \
               f_divergence_type = 'alpha_divergence', f_alpha_divergence_coef = 0.7";
    let PreferenceLoss::Dpo(dpo) = loss("dpo", all) else { panic!("dpo") };
    assert_eq!((dpo.beta, dpo.ld_alpha, dpo.use_weighting), (0.3, Some(0.5), true));
    assert_eq!(dpo.f_divergence, FDivergence::Alpha { coef: 0.7 });
    let robust = ", preference_loss = 'robust', label_smoothing = 0.1";
    let PreferenceLoss::Dpo(dpo) = loss("dpo", robust) else { panic!("dpo") };
    assert_eq!(dpo.label_smoothing, 0.1);
    let PreferenceLoss::Cpo(cpo) = loss("simpo", ", alphapo_alpha = 0.25") else { panic!("cpo") };
    assert_eq!((cpo.alpha, cpo.simpo_gamma), (0.25, 1.375));
    let unpaired = ", preference_loss = 'apo_zero_unpaired', desirable_weight = 1.3";
    let PreferenceLoss::Kto(kto) = loss("kto", unpaired) else { panic!("kto") };
    assert_eq!((kto.loss, kto.desirable_weight), (KtoLoss::ApoZeroUnpaired, 1.3));
}

#[test]
fn the_reference_is_had_where_it_is_compared_with() {
    let reference = |name: &str, more: &str| config(name, more).algorithm.reference;
    assert_eq!(reference("dpo", ""), Some(ReferenceModel::WithoutAdapters));
    assert_eq!(reference("kto", ", use_lora = false"), Some(ReferenceModel::FrozenCopy));
    assert_eq!(reference("dpo", ", reference_free = true"), None);
    assert_eq!(reference("simpo", ""), None);
    assert_eq!(reference("orpo", ""), None);
}

#[test]
fn pairs_and_the_length_of_a_run_on_them() {
    let pairs = |config: RunConfig| match config.algorithm.method {
        Method::Preference(settings) => settings.pairs,
        other => panic!("{other:?}"),
    };
    let plain = pairs(config("dpo", ""));
    assert_eq!(plain.file.to_str(), Some("a.jsonl"));
    assert_eq!(plain.evaluation, PairEvaluation::HeldBack { share: 0.1 });
    assert_eq!(plain.length, PairLength::Epochs(1));
    let own = pairs(config("dpo", ", eval_pairs_file = 'b', num_epochs = 3"));
    assert_eq!(own.evaluation, PairEvaluation::File("b".into()));
    assert_eq!(own.length, PairLength::Epochs(3));
    assert_eq!(pairs(config("dpo", ", max_steps = 20")).length, PairLength::Steps(20));

    let steps = config("dpo", ", batch_size = 12, max_steps = 20").steps;
    assert_eq!((steps.prompts_per_step, steps.n_steps, steps.group_size), (12, 20, 1));
    assert_eq!(config("dpo", ", pairs_per_step = 5").steps.prompts_per_step, 5);

    // A model's number of steps is one of rollouts.
    let overlay =
        ModelOverlay { model: "m".to_owned(), toml: "training.max_steps = 60".to_owned() };
    let text = "algorithm = 'dpo'\ntraining.pairs_file = 'a'";
    let mut sources = with_file(Format::Toml, text);
    sources.overlay = Some(overlay);
    assert_eq!(pairs(resolved(&sources).config).length, PairLength::Epochs(1));
}

#[test]
fn the_schedule_is_known_when_the_pairs_are() {
    let optimiser = config("dpo", "").optimiser;
    let schedule = optimiser.schedule_over(200);
    assert_eq!((schedule.total_steps, schedule.warmup_steps), (200, 20));
    let optimiser = config("dpo", ", warmup_steps = 7").optimiser;
    assert_eq!(optimiser.schedule_over(200).warmup_steps, 7);
    assert_eq!(optimiser.schedule_over(5).warmup_steps, 5);
}
