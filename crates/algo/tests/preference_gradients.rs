//! Preference losses are what their definitions say, and their gradients are the derivatives.
//!
//! 1. Loss: equal to a naive loop that shares no code with the library (rtol 1e-9).
//! 2. Gradient: equal to central differences of that loop (h = 1e-6), rtol 1e-5 and atol 1e-7.
//!
//! Detached factors (weights by likelihood, the KL point) are frozen in the differences, and cases
//! that touch a kink are left out: a hinge at its margin, and two log-ratios that change ranks.

#![allow(clippy::unwrap_used, reason = "settings or arrays that are refused end the test")]

mod preference_support;

use preference_support::{
    Answer, Answers, answer, answers, as_pairs, assert_close, cpo, dpo, flat,
};
use proptest::prelude::*;
use stateset_algo::{
    Cpo, CpoLoss, Dpo, DpoLoss, FDivergence, Judged, Kto, KtoLoss, KtoStep, Orpo, PairTotals,
};

/// Current log-probs, by answer (chosen and rejected of the first pair, of the second, ...) and token.
type Current = Vec<Vec<f64>>;

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&x| f64::from(x)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn flat_answers(answers: &Answers) -> Vec<&Answer> {
    answers.iter().flatten().collect()
}

fn current(answers: &[&Answer]) -> Current {
    answers.iter().map(|answer| wide(&answer.logprobs)).collect()
}

/// DPO by its definition.
struct DpoOracle<'a> {
    dpo: &'a Dpo,
    answers: &'a Answers,
}

impl DpoOracle<'_> {
    fn loss(&self, current: &Current) -> f64 {
        let n = self.answers.len();
        let mut total = 0.0;
        for weighted in &self.dpo.losses {
            let mean_loss = match weighted.loss {
                DpoLoss::Sft => {
                    let chosen: Vec<f64> = current.iter().step_by(2).flatten().copied().collect();
                    -mean(&chosen)
                }
                DpoLoss::Aot => {
                    let policy = |i| self.sum(i, 0, current) - self.sum(i, 1, current);
                    let reference = |i| self.reference(i, 0) - self.reference(i, 1);
                    self.sorted((0..n).map(policy).collect(), (0..n).map(reference).collect())
                }
                DpoLoss::AotUnpaired => {
                    let ratio = |k| (0..n).map(|i| self.ratio(i, k, current)).collect();
                    self.sorted(ratio(0), ratio(1))
                }
                loss => mean(&(0..n).map(|i| self.pair(loss, i, current)).collect::<Vec<f64>>()),
            };
            total += weighted.weight * mean_loss;
        }
        total
    }

    fn tokens(&self, pair: usize, values: &[f64]) -> f64 {
        let [a, b] = &self.answers[pair];
        let shared = a.logprobs.len().min(b.logprobs.len());
        let (first, rest) = values.split_at(shared.min(values.len()));
        first.iter().sum::<f64>() + self.dpo.ld_alpha.unwrap_or(1.0) * rest.iter().sum::<f64>()
    }

    fn sum(&self, pair: usize, side: usize, current: &Current) -> f64 {
        self.tokens(pair, &current[2 * pair + side])
    }

    fn reference(&self, pair: usize, side: usize) -> f64 {
        if self.dpo.reference_free {
            return 0.0;
        }
        self.tokens(pair, &wide(&self.answers[pair][side].reference))
    }

    fn ratio(&self, pair: usize, side: usize, current: &Current) -> f64 {
        self.sum(pair, side, current) - self.reference(pair, side)
    }

    fn sorted(&self, mut left: Vec<f64>, mut right: Vec<f64>) -> f64 {
        left.sort_by(f64::total_cmp);
        right.sort_by(f64::total_cmp);
        let e = self.dpo.label_smoothing;
        let losses = left.iter().zip(&right).map(|(l, r)| {
            let x = self.dpo.beta * (l - r);
            -(1.0 - e) * logistic(x).ln() - e * logistic(-x).ln()
        });
        mean(&losses.collect::<Vec<f64>>())
    }

    /// The likelihood of both answers as they are, whatever `current` says: it is detached.
    fn weight(&self, pair: usize) -> f64 {
        if !self.dpo.use_weighting {
            return 1.0;
        }
        let side = |answer: &Answer| {
            let gap = |(p, q): (&f32, &f32)| f64::from(*p) - f64::from(*q);
            let gaps = answer.logprobs.iter().zip(&answer.log_sum_squares).map(gap);
            mean(&gaps.collect::<Vec<f64>>()).exp()
        };
        self.answers[pair].iter().map(side).product()
    }

    fn reward(&self, c: f64) -> f64 {
        match self.dpo.f_divergence {
            FDivergence::ReverseKl => c,
            FDivergence::ForwardKl => 1.0 - 1.0 / c.exp(),
            FDivergence::JensenShannon => (2.0 * c.exp() / (1.0 + c.exp())).ln(),
            FDivergence::Alpha { coef } => (c.exp().powf(coef - 1.0) - 1.0) / (coef - 1.0),
        }
    }

    fn pair(&self, loss: DpoLoss, pair: usize, current: &Current) -> f64 {
        let (b, e) = (self.dpo.beta, self.dpo.label_smoothing);
        let [c, j] = [self.ratio(pair, 0, current), self.ratio(pair, 1, current)];
        let [reward_c, reward_j] = [self.reward(c), self.reward(j)];
        let d = b * (reward_c - reward_j);
        let [n_c, n_j] = [0, 1].map(|k| self.answers[pair][k].logprobs.len() as f64);
        let by_token = reward_c / n_c - reward_j / n_j;
        let s = logistic;
        let value = match loss {
            DpoLoss::Sigmoid => -s(d).ln(),
            DpoLoss::Hinge => (1.0 - d).max(0.0),
            DpoLoss::Ipo => (by_token - 1.0 / (2.0 * b)).powi(2),
            DpoLoss::ExoPair => s(d) * (s(d) / (1.0 - e)).ln() + s(-d) * (s(-d) / e).ln(),
            DpoLoss::NcaPair => -s(b * c).ln() - 0.5 * s(-b * c).ln() - 0.5 * s(-b * j).ln(),
            DpoLoss::Robust => (-(1.0 - e) * s(d).ln() + e * s(-d).ln()) / (1.0 - 2.0 * e),
            DpoLoss::BcoPair => -s(b * c).ln() - s(-b * j).ln(),
            DpoLoss::SppoHard => (c - 0.5 / b).powi(2) + (j + 0.5 / b).powi(2),
            DpoLoss::ApoZero => 1.0 - s(b * c) + s(b * j),
            DpoLoss::ApoDown => s(b * c) + 1.0 - s(b * (c - j)),
            DpoLoss::Discopop => {
                let w = s(d / self.dpo.discopop_tau);
                -(1.0 - w) * s(d).ln() + w * (-d).exp()
            }
            DpoLoss::SigmoidNorm => -s(b * by_token).ln(),
            DpoLoss::Aot | DpoLoss::AotUnpaired | DpoLoss::Sft => panic!("not pairwise"),
        };
        value * self.weight(pair)
    }

    /// A hinge at its margin, or two values to be sorted that are almost equal.
    fn touches_a_kink(&self, current: &Current) -> bool {
        let n = self.answers.len();
        let has = |loss| self.dpo.losses.iter().any(|weighted| weighted.loss == loss);
        let at_margin = (0..n).any(|i| {
            let [c, j] = [0, 1].map(|k| self.reward(self.ratio(i, k, current)));
            (self.dpo.beta * (c - j) - 1.0).abs() < 1e-4
        });
        let tied = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.windows(2).any(|two| two[1] - two[0] < 1e-4)
        };
        let ratios = |k| (0..n).map(|i| self.ratio(i, k, current)).collect::<Vec<f64>>();
        let policy = |i| self.sum(i, 0, current) - self.sum(i, 1, current);
        (has(DpoLoss::Hinge) && at_margin)
            || (has(DpoLoss::AotUnpaired) && (tied(ratios(0)) || tied(ratios(1))))
            || (has(DpoLoss::Aot) && tied((0..n).map(policy).collect()))
    }
}

/// That `got` is the gradient of `loss` at `current`.
fn assert_derivatives(loss: impl Fn(&Current) -> f64, mut current: Current, got: &[Vec<f32>]) {
    let h = 1e-6;
    for answer in 0..current.len() {
        assert_eq!(got[answer].len(), current[answer].len());
        for token in 0..current[answer].len() {
            let here = current[answer][token];
            current[answer][token] = here + h;
            let above = loss(&current);
            current[answer][token] = here - h;
            let below = loss(&current);
            current[answer][token] = here;
            let numeric = (above - below) / (2.0 * h);
            assert_close(f64::from(got[answer][token]), numeric, 1e-5, 1e-7);
        }
    }
}

fn cpo_loss(cpo: &Cpo, current: &Current) -> f64 {
    let averages = matches!(cpo.loss, CpoLoss::Ipo | CpoLoss::Simpo);
    let reward = |tokens: &Vec<f64>| {
        let a = if averages { mean(tokens) } else { tokens.iter().sum() };
        if cpo.alpha == 0.0 { a } else { (1.0 - a.exp().powf(-cpo.alpha)) / cpo.alpha }
    };
    let (b, e) = (cpo.beta, cpo.label_smoothing);
    let pair = |both: &[Vec<f64>]| {
        let d = reward(&both[0]) - reward(&both[1]);
        let smoothed = |x: f64| -(1.0 - e) * logistic(x).ln() - e * logistic(-x).ln();
        match cpo.loss {
            CpoLoss::Sigmoid => smoothed(b * d),
            CpoLoss::Simpo => smoothed(b * d - cpo.simpo_gamma),
            CpoLoss::Hinge => (1.0 - b * d).max(0.0),
            CpoLoss::Ipo => (d - 1.0 / (2.0 * b)).powi(2),
        }
    };
    let chosen: Vec<f64> = current.iter().step_by(2).flatten().copied().collect();
    mean(&current.chunks(2).map(pair).collect::<Vec<f64>>()) - cpo.cpo_alpha * mean(&chosen)
}

/// A hinge at its margin moves by more than half of h on one side only.
fn hinge_is_at_margin(cpo: &Cpo, current: &Current) -> bool {
    let moved = |by: f64| {
        let shifted: Current = (current.iter().enumerate())
            .map(|(i, tokens)| {
                tokens.iter().map(|x| x + if i % 2 == 0 { by } else { -by }).collect()
            })
            .collect();
        cpo_loss(&Cpo { cpo_alpha: 0.0, ..*cpo }, &shifted)
    };
    let (above, below) = (moved(1e-4) - moved(0.0), moved(0.0) - moved(-1e-4));
    cpo.loss == CpoLoss::Hinge && (above - below).abs() > 1e-6 * cpo.beta
}

fn orpo_loss(orpo: &Orpo, current: &Current) -> f64 {
    let odds = |tokens: &Vec<f64>| {
        let p = mean(tokens).exp();
        p / (1.0 - p)
    };
    let pair = |both: &[Vec<f64>]| logistic((odds(&both[0]) / odds(&both[1])).ln()).ln();
    let chosen: Vec<f64> = current.iter().step_by(2).flatten().copied().collect();
    -mean(&chosen) - orpo.beta * mean(&current.chunks(2).map(pair).collect::<Vec<f64>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn dpo_is_its_definition(answers in answers(), dpo in dpo(true)) {
        let pairs = as_pairs(&answers);
        let got = dpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
        let oracle = DpoOracle { dpo: &dpo, answers: &answers };
        let current = current(&flat_answers(&answers));
        assert_close(got.loss, oracle.loss(&current), 1e-9, 1e-12);
        prop_assume!(!oracle.touches_a_kink(&current));
        assert_derivatives(|at| oracle.loss(at), current, &flat(&got));
    }

    #[test]
    fn cpo_is_its_definition(answers in answers(), cpo in cpo()) {
        let pairs = as_pairs(&answers);
        let got = cpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
        let current = current(&flat_answers(&answers));
        assert_close(got.loss, cpo_loss(&cpo, &current), 1e-9, 1e-12);
        prop_assume!(!hinge_is_at_margin(&cpo, &current));
        assert_derivatives(|at| cpo_loss(&cpo, at), current, &flat(&got));
    }

    #[test]
    fn orpo_is_its_definition(answers in answers(), beta in prop::sample::select(vec![0.1, 1.0])) {
        let orpo = Orpo { beta };
        let pairs = as_pairs(&answers);
        let got = orpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
        let current = current(&flat_answers(&answers));
        assert_close(got.loss, orpo_loss(&orpo, &current), 1e-9, 1e-12);
        assert_derivatives(|at| orpo_loss(&orpo, at), current, &flat(&got));
    }

    #[test]
    fn kto_is_its_definition(
        examples in prop::collection::vec((answer(), any::<bool>()), 1..7),
        probes in prop::collection::vec(answer(), 1..4),
        loss in prop::sample::select(vec![KtoLoss::Kto, KtoLoss::ApoZeroUnpaired]),
        desirable_weight in prop::sample::select(vec![0.0, 1.0, 1.33]),
    ) {
        let kto = Kto { loss, beta: 0.4, desirable_weight, undesirable_weight: 0.8 };
        let completions: Vec<_> = probes.iter().map(Answer::completion).collect();
        let ratio = |answer: &Answer, at: &[f64]| {
            at.iter().sum::<f64>() - wide(&answer.reference).iter().sum::<f64>()
        };
        let drifts: Vec<f64> = probes.iter().map(|p| ratio(p, &wide(&p.logprobs))).collect();
        let point = if loss == KtoLoss::Kto { mean(&drifts).max(0.0) } else { 0.0 };
        let kl_point = kto.kl_point(&completions).unwrap();
        assert_close(kl_point, point, 1e-12, 1e-12);

        let definition = |current: &Current| {
            let one = |((answer, desirable), at): (&(Answer, bool), &Vec<f64>)| {
                let x = kto.beta * (ratio(answer, at) - point);
                if *desirable { kto.desirable_weight * (1.0 - logistic(x)) }
                else { kto.undesirable_weight * (1.0 - logistic(-x)) }
            };
            mean(&examples.iter().zip(current).map(one).collect::<Vec<f64>>())
        };
        let judged: Vec<Judged<'_>> = (examples.iter())
            .map(|(answer, desirable)| Judged { completion: answer.completion(), desirable: *desirable })
            .collect();
        let step = KtoStep { n_completions: judged.len(), kl_point };
        let got = kto.loss(&judged, step).unwrap();
        let current = current(&examples.iter().map(|(answer, _)| answer).collect::<Vec<&Answer>>());
        assert_close(got.loss, definition(&current), 1e-9, 1e-12);
        assert_derivatives(definition, current, &got.gradients);
    }
}
