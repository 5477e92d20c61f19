//! GRPO, group relative policy optimisation, in all the forms that differ by a setting.
//!
//! For token t of trajectory i, with lc, lo, lref the current, old and reference log-probs, rho =
//! exp(lc - lo), A_i the advantage of its trajectory and w_i the weight of its tokens:
//!
//!   loss = sum_i w_i sum_t [ ell(rho, A_i) + beta KL(lc, lref, rho) ] - c mean_t H
//!
//! ell is the clipped surrogate ([`Clip`]), A_i the group-relative advantage ([`GroupAdvantage`]), w_i
//! the aggregation ([`Aggregation`]), KL an estimator ([`KlPenalty`]), H the entropy. Equation 3 of
//! DeepSeekMath (arXiv 2402.03300); the settings reach Dr. GRPO, Lite PPO, GDPO, MaxRL and the
//! token-level loss of DAPO as well.
//!
//! # Deviations
//!
//! - `advantage.epsilon`, dead groups: advantages of a dead group are exactly 0 (the paper and TRL
//!   leave rounding errors divided by epsilon).
//! - `aggregation`: the default is TRL's, one weight for every token; the paper's is `Grpo`.
//! - `kl.estimator`: the default is TRL's importance-corrected k3; the paper's is `K3`.
//! - `kl.coef`: 0 as in TRL; the paper has 0.04.
//! - `entropy_coef`: the mean entropy is over the tokens of the whole step, where TRL averages the
//!   means of micro-batches; so no division into micro-batches changes it.
//! - every log-ratio is clamped to ±20 before it is exponentiated.

use crate::error::Problems;
use crate::{
    Aggregation, AlgoError, Algorithm, Clip, Diagnostics, GroupAdvantage, KlPenalty, LossOutput,
    Plan, Problem, RowGradients, RowPlan, RowScores, RowStats, StepData, Term, TokenFacts, Wants,
    ratio,
};

/// Settings of GRPO. Defaults are those of TRL 1.16.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grpo {
    /// How rewards become advantages.
    pub advantage: GroupAdvantage,
    /// The range in which a ratio may move. Widths 0.2.
    pub clip: Clip,
    /// How token losses are averaged. `Dapo`; the paper's is `Grpo`.
    pub aggregation: Aggregation,
    /// The pull towards the reference policy. Off; the paper's coefficient is 0.04.
    pub kl: KlPenalty,
    /// Weight of the entropy bonus, 0 or more. 0; 0.01 is usual where it is on.
    pub entropy_coef: f64,
    /// Leave trajectories that hit a token limit out of the loss. Off; the DAPO recipe turns it on.
    pub mask_truncated: bool,
}

impl Grpo {
    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.extend(self.advantage.validate());
        problems.extend(self.clip.validate());
        problems.extend(self.aggregation.validate());
        problems.extend(self.kl.validate());
        problems.require(
            self.entropy_coef.is_finite() && self.entropy_coef >= 0.0,
            "entropy_coef",
            self.entropy_coef,
            "0 or more",
            "0 switches the bonus off, 0.01 is usual",
        );
        problems.into_vec()
    }

    /// A plan with the caller's advantages, one for each trajectory, instead of the group's.
    ///
    /// # Errors
    /// [`AlgoError`] where the settings are invalid or the arrays do not fit each other.
    pub fn plan_with<'a>(
        &self,
        step: &StepData<'a>,
        advantages: Vec<f64>,
    ) -> Result<Plan<'a>, AlgoError> {
        let problems = self.validate();
        if !problems.is_empty() {
            return Err(AlgoError::Settings(problems));
        }
        if self.kl.is_on()
            && let Some(row) = step.rows.iter().position(|row| row.reference.is_none())
        {
            return Err(AlgoError::MissingReference { row });
        }
        Plan::new(step, advantages, self.aggregation, self.mask_truncated)
    }

    /// One row: fills its gradients, and adds its share of the loss and the statistics to `stats`.
    fn add_row(
        &self,
        row: &RowPlan<'_>,
        scores: &RowScores<'_>,
        weights: Weights,
        gradients: &mut RowGradients,
        stats: &mut Diagnostics,
    ) {
        let (mut policy, mut kl, mut entropy) = (0.0, 0.0, 0.0);
        let mut row_stats = RowStats::default();
        for (token, d_logprob) in gradients.logprobs.iter_mut().enumerate() {
            let mut facts = row.facts(scores, token);
            let ratio = ratio(facts.current - facts.old);
            facts.ratio = ratio.value;
            facts.clipped = self.clip.side(ratio.value, row.advantage);

            let surrogate = self.clip.surrogate(ratio, row.advantage);
            let penalty = self.penalty(&facts, ratio);
            *d_logprob = (weights.token * (surrogate.slope + penalty.slope)) as f32;

            policy += surrogate.value;
            kl += penalty.value;
            entropy += facts.entropy;
            stats.tokens.record(&facts, &mut row_stats);
        }
        gradients.entropies.fill(-weights.entropy as f32);
        stats.tokens.record_row(&row_stats);
        stats.policy_loss += weights.token * policy;
        stats.kl_loss += weights.token * kl;
        stats.entropy_bonus += weights.entropy * entropy;
    }

    fn penalty(&self, facts: &TokenFacts, ratio: Term) -> Term {
        match facts.reference {
            Some(reference) if self.kl.is_on() => self.kl.term(facts.current - reference, ratio),
            _ => Term::default(),
        }
    }

    fn zero_gradients(&self, n_tokens: usize) -> RowGradients {
        let n_entropies = if self.entropy_coef == 0.0 { 0 } else { n_tokens };
        RowGradients {
            logprobs: vec![0.0; n_tokens],
            entropies: vec![0.0; n_entropies],
            values: Vec::new(),
        }
    }
}

impl Algorithm for Grpo {
    fn name(&self) -> &'static str {
        "grpo"
    }

    fn wants(&self) -> Wants {
        Wants {
            entropy_gradient: self.entropy_coef != 0.0,
            reference: self.kl.is_on(),
            values: false,
        }
    }

    fn prepare<'a>(&self, step: &StepData<'a>) -> Result<Plan<'a>, AlgoError> {
        self.plan_with(step, self.advantage.advantages(step)?)
    }

    fn loss(&self, plan: &Plan<'_>, rows: &[RowScores<'_>]) -> LossOutput {
        let entropy = self.entropy_coef / plan.n_loss_tokens.max(1) as f64;
        let mut out = LossOutput::default();
        for (scores, token) in rows.iter().zip(plan.token_weights(rows)) {
            let row = plan.row(scores);
            let mut gradients = self.zero_gradients(scores.logprobs.len());
            if !row.masked {
                let weights = Weights { token, entropy };
                self.add_row(row, scores, weights, &mut gradients, &mut out.diagnostics);
            }
            out.gradients.push(gradients);
        }
        out.loss = out.diagnostics.loss();
        out
    }
}

/// What the tokens of a row weigh.
#[derive(Clone, Copy)]
struct Weights {
    /// In the policy and KL terms.
    token: f64,
    /// In the entropy bonus.
    entropy: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KlEstimator, RewardScaling, RowData, TrajectoryData, Unit};

    struct Row {
        current: &'static [f32],
        old: Vec<f32>,
        reference: Vec<f32>,
    }

    /// The shared golden batch: ratios [1.3, .7, 1] with A = 1, and [.5] with A = -1.
    fn golden_rows() -> [Row; 2] {
        let row = |current: &'static [f32], ratios: &[f32]| Row {
            current,
            old: current.iter().zip(ratios).map(|(lc, rho)| lc - rho.ln()).collect(),
            reference: current.to_vec(),
        };
        [row(&[-1.0, -2.0, -0.5], &[1.3, 0.7, 1.0]), row(&[-1.5], &[0.5])]
    }

    fn step<'a>(rows: &'a [Row], rewards: &[f64]) -> StepData<'a> {
        let trajectory = |&reward| TrajectoryData { reward: Some(reward), ..Default::default() };
        let row = |(trajectory, row): (usize, &'a Row)| RowData {
            trajectory,
            behaviour: &row.old,
            old: Some(&row.old),
            reference: Some(&row.reference),
        };
        StepData {
            trajectories: rewards.iter().map(trajectory).collect(),
            rows: rows.iter().enumerate().map(row).collect(),
            ..Default::default()
        }
    }

    fn loss(grpo: &Grpo, plan: &Plan<'_>, rows: &[Row]) -> LossOutput {
        let entropies = [0.5; 3];
        let scores: Vec<RowScores<'_>> = (rows.iter().enumerate())
            .map(|(row, Row { current, .. })| RowScores {
                row,
                logprobs: current,
                entropies: &entropies[..current.len()],
                values: None,
            })
            .collect();
        grpo.loss(plan, &scores)
    }

    fn unscaled(aggregation: Aggregation) -> Grpo {
        let advantage = GroupAdvantage { scaling: RewardScaling::None, ..Default::default() };
        Grpo { advantage, aggregation, ..Default::default() }
    }

    fn assert_golden(grpo: &Grpo, value: f64, d_logprob: Option<[[f32; 3]; 2]>) {
        let rows = golden_rows();
        let plan = grpo.prepare(&step(&rows, &[1.0, -1.0])).unwrap();
        assert_eq!(plan.advantages, [1.0, -1.0]);
        let out = loss(grpo, &plan, &rows);
        assert!((out.loss - value).abs() < 1e-6, "{} is not {value}", out.loss);
        for (row, wanted) in d_logprob.into_iter().flatten().enumerate() {
            for (got, wanted) in out.gradients[row].logprobs.iter().zip(wanted) {
                assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
            }
        }
    }

    #[test]
    fn golden_aggregations() {
        let by_sequence = [[0.0, -0.116667, -0.166667], [0.0; 3]];
        assert_golden(&unscaled(Aggregation::Grpo), -0.083333, Some(by_sequence));
        let by_token = [[0.0, -0.175, -0.25], [0.0; 3]];
        assert_golden(&unscaled(Aggregation::Bnpo), -0.525, Some(by_token));
        let dapo = unscaled(Aggregation::Dapo { trl_window: false });
        assert_golden(&dapo, -0.525, Some(by_token));
        assert_golden(&unscaled(Aggregation::DrGrpo { max_completion_tokens: 4 }), -0.2625, None);
        let clip = Clip { high: 0.28, ..Clip::default() };
        assert_golden(&Grpo { clip, ..dapo }, -0.545, None);
    }

    #[test]
    fn golden_entropy_bonus() {
        let base = unscaled(Aggregation::default());
        let grpo = Grpo { entropy_coef: 0.01, ..base };
        let rows = golden_rows();
        let plan = grpo.prepare(&step(&rows, &[1.0, -1.0])).unwrap();
        let out = loss(&grpo, &plan, &rows);
        assert!((out.loss - (-0.525 - 0.01 * 0.5)).abs() < 1e-6);
        assert_eq!(out.gradients[0].entropies, [-0.0025; 3]);
        assert!(grpo.wants().entropy_gradient);
    }

    #[test]
    fn golden_kl_with_and_without_importance_correction() {
        let current: &[f32] = &[-1.0, -1.0];
        let rows = [Row { current, old: current.to_vec(), reference: vec![-1.5, -1.0] }];
        let cases = [(KlEstimator::K3ImportanceCorrected, 0.010), (KlEstimator::K3, 0.007869)];
        for (estimator, slope) in cases {
            let kl = KlPenalty { coef: 0.04, estimator };
            let grpo = Grpo { kl, ..unscaled(Aggregation::Grpo) };
            let plan = grpo.plan_with(&step(&rows, &[0.0]), vec![0.0]).unwrap();
            let out = loss(&grpo, &plan, &rows);
            assert!((out.loss - 0.002131).abs() < 1e-6);
            assert!((out.gradients[0].logprobs[0] - slope).abs() < 1e-6);
            assert_eq!(out.gradients[0].logprobs[1], 0.0);
        }
    }

    #[test]
    fn every_problem_of_every_part_is_reported() {
        let bad = Grpo {
            advantage: GroupAdvantage { epsilon: -1.0, ..Default::default() },
            clip: Clip { low: f64::NAN, ..Default::default() },
            aggregation: Aggregation::DrGrpo { max_completion_tokens: 0 },
            kl: KlPenalty { coef: f64::INFINITY, ..Default::default() },
            entropy_coef: -0.01,
            mask_truncated: false,
        };
        let problems = bad.validate();
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key).collect();
        let wanted = [
            "advantage.epsilon",
            "clip.low",
            "aggregation.max_completion_tokens",
            "kl.coef",
            "entropy_coef",
        ];
        assert_eq!(keys, wanted);
        let rows = golden_rows();
        let got = bad.prepare(&step(&rows, &[1.0, -1.0]));
        assert_eq!(got, Err(AlgoError::Settings(problems)));
        assert_eq!(Grpo::default().validate(), []);
    }

    #[test]
    fn what_it_wants_and_allows() {
        let grpo = Grpo::default();
        assert_eq!(grpo.wants(), Wants::default());
        assert_eq!(grpo.name(), "grpo");
        let rows = golden_rows();
        let mut step = step(&rows, &[1.0, -1.0]);
        assert_eq!(grpo.prepare(&step).unwrap().unit, Unit::Row);
        let kl = KlPenalty { coef: 0.04, ..Default::default() };
        let with_kl = Grpo { kl, ..grpo };
        assert!(with_kl.wants().reference);
        step.rows[1].reference = None;
        assert_eq!(with_kl.prepare(&step), Err(AlgoError::MissingReference { row: 1 }));
    }

    #[test]
    fn advantages_that_do_not_fit_are_refused() {
        let rows = golden_rows();
        let step = step(&rows, &[1.0, -1.0]);
        for bad in [vec![1.0], vec![1.0, f64::NAN]] {
            let got = bad.len();
            let error = Grpo::default().plan_with(&step, bad).unwrap_err();
            assert_eq!(error, AlgoError::BadAdvantages { expected: 2, got });
        }
    }

    #[test]
    #[should_panic(expected = "log-probs of row 1")]
    fn scores_of_another_length_are_a_bug() {
        let rows = golden_rows();
        let grpo = Grpo::default();
        let plan = grpo.prepare(&step(&rows, &[1.0, -1.0])).unwrap();
        let scores =
            RowScores { row: 1, logprobs: &[-1.0, -1.0], entropies: &[0.0, 0.0], values: None };
        grpo.loss(&plan, &[scores]);
    }
}
