//! The numbers of the guide's examples are what this crate computes.
//!
//! Pinned here:
//!
//! 1. every page of a policy loss has the loss of the two conversations in `docs/methods/README.md`;
//! 2. the table of DPO's losses, and the examples of KTO, ORPO, SimPO and reward models.
//!
//! Numbers are compared as they are printed, with up to six decimals.

use std::path::Path;

use stateset_algo::{
    Aggregation, Algorithm, BradleyTerry, Completion, Cpo, Dpo, DpoLoss, Judged, Kto, KtoStep,
    Orpo, Pair, PairTotals, PolicyGradient, RowCredit, RowData, RowScores, ScoredPair, StepData,
    TrajectoryData,
};

fn page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/methods");
    std::fs::read_to_string(folder.join(name)).expect("a page of the guide")
}

/// As the pages have it: up to six decimals, none that are 0 at the end.
fn printed(number: f64) -> String {
    format!("{number:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// True where `text` has the number `wanted`, and not as a part of a longer one.
fn has(text: &str, wanted: &str) -> bool {
    text.match_indices(wanted).any(|(at, _)| {
        let is_part = |c: char| c.is_ascii_digit();
        let before = text[..at].chars().next_back();
        let mut after = text[at + wanted.len()..].chars();
        let (next, second) = (after.next(), after.next());
        let goes_on =
            next.is_some_and(is_part) || (next == Some('.') && second.is_some_and(is_part));
        !goes_on && !before.is_some_and(|c| is_part(c) || c == '.' || c == '-')
    })
}

#[track_caller]
fn assert_has(name: &str, number: f64) {
    let wanted = printed(number);
    assert!(has(&page(name), &wanted), "{name} has no {wanted}");
}

/// Loss of the example's two conversations.
fn loss_of(method: &PolicyGradient) -> f64 {
    let current: [&[f32]; 2] = [&[-1.0, -2.0, -0.5], &[-1.5]];
    let ratios: [&[f64]; 2] = [&[1.3, 0.7, 1.0], &[0.5]];
    let old: Vec<Vec<f32>> = (current.iter().zip(ratios))
        .map(|(now, rho)| {
            now.iter().zip(rho).map(|(lc, rho)| (f64::from(*lc) - rho.ln()) as f32).collect()
        })
        .collect();
    let reward = |reward| TrajectoryData { reward: Some(reward), ..TrajectoryData::default() };
    let row = |i: usize| RowData {
        trajectory: i,
        behaviour: &old[i],
        old: Some(&old[i]),
        ..RowData::default()
    };
    let step = StepData {
        trajectories: vec![reward(2.0), reward(0.0)],
        rows: vec![row(0), row(1)],
        ..StepData::default()
    };
    let credit = |advantage: f64, n: usize| RowCredit {
        advantages: vec![advantage; n],
        returns: Vec::new(),
    };
    let plan = method.prepare(&step, vec![credit(1.0, 3), credit(-1.0, 1)]).expect("a plan");
    let entropies = [0.0; 3];
    let scores = [0, 1].map(|row| RowScores {
        row,
        logprobs: current[row],
        entropies: &entropies[..current[row].len()],
        ..RowScores::default()
    });
    method.loss(&plan, &scores).loss
}

#[test]
fn losses_of_the_two_conversations() {
    let grpo = PolicyGradient { aggregation: Aggregation::Grpo, ..stateset_algo::grpo() };
    let cases = [
        ("grpo.md", grpo),
        ("grpo.md", stateset_algo::grpo()),
        ("grpo.md", stateset_algo::dr_grpo(4)),
        ("dapo.md", stateset_algo::dapo()),
        ("gspo.md", stateset_algo::gspo()),
        ("luspo.md", stateset_algo::luspo()),
        ("gepo.md", stateset_algo::gepo()),
        ("cispo.md", stateset_algo::cispo()),
        ("sapo.md", stateset_algo::sapo()),
        ("vespo.md", stateset_algo::vespo()),
        ("gmpo.md", stateset_algo::gmpo()),
        ("rloo.md", PolicyGradient { reward_kl_coef: 0.0, ..stateset_algo::rloo() }),
        ("reinforce.md", stateset_algo::reinforce()),
    ];
    for (name, method) in cases {
        assert_has(name, loss_of(&method));
    }
    // The page speaks of the surrogate, which is minus the loss.
    assert_has("trpo.md", -loss_of(&stateset_algo::trpo()));
}

#[test]
fn the_table_of_dpo() {
    let (chosen, rejected) = ([0.25f32; 2], [-0.075f32; 4]);
    let (zeros, more_zeros) = ([0.0f32; 2], [0.0f32; 4]);
    let side = |logprobs, reference| Completion {
        logprobs,
        reference: Some(reference),
        ..Completion::default()
    };
    let pairs = [Pair { chosen: side(&chosen, &zeros), rejected: side(&rejected, &more_zeros) }];
    let text = page("dpo.md");
    let mut n_checked = 0;
    for loss in DpoLoss::ALL {
        let start = format!("| `{}` |", loss.as_str());
        let row = text.lines().find(|line| line.starts_with(&start)).expect("a row for each loss");
        let cell = row.trim_end_matches('|').rsplit('|').next().expect("a last cell").trim();
        if cell.is_empty() {
            continue;
        }
        let label_smoothing = if loss.is_smoothed() { 0.1 } else { 0.0 };
        let dpo = Dpo { label_smoothing, ..Dpo::with_loss(loss) };
        let found = dpo.loss(&pairs, PairTotals::of(&pairs)).expect("a loss").loss;
        assert_eq!(cell, printed(found), "{}", loss.as_str());
        n_checked += 1;
    }
    assert_eq!(n_checked, 12);
}

#[test]
fn examples_of_other_preferences() {
    let only = |logprobs| Completion { logprobs, reference: Some(&[0.0]), ..Completion::default() };
    let pair = [Pair { chosen: only(&[-0.4]), rejected: only(&[-1.2]) }];
    let totals = PairTotals::of(&pair);
    assert_has("orpo.md", Orpo::default().loss(&pair, totals).expect("a loss").loss);
    assert_has("cpo.md", Cpo::simpo().loss(&pair, totals).expect("a loss").loss);

    let judged = [
        Judged { completion: only(&[0.5]), desirable: true },
        Judged { completion: only(&[-0.3]), desirable: false },
    ];
    let step = KtoStep { n_completions: 2, kl_point: 0.2 };
    assert_has("kto.md", Kto::default().loss(&judged, step).expect("a loss").loss);

    let plain = ScoredPair::new(1.2, 0.2);
    let with_margin = ScoredPair { margin: 1.0 / 3.0, ..plain };
    let cases = [(0.0, plain), (0.0, with_margin), (0.01, plain)];
    for (center_coef, pair) in cases {
        let output = BradleyTerry { center_coef }.loss(&[pair], 1).expect("a loss");
        assert_has("reward_model.md", output.loss);
    }
}
