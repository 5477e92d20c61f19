//! Policy-gradient losses: GRPO and all its relatives, PPO, VAPO, A2C, in parts that can be exchanged.
//!
//! For token t of trajectory i, with lc, lo, lb, lref the current, old, sampling and reference
//! log-probs, A_t the token's advantage and w_i the weight of the trajectory's tokens:
//!
//!   loss = sum_i w_i sum_t [ k_t u_t ell_t + beta KL_t ] - c mean_t H + (value and example terms)
//!
//! ell is a surrogate ([`Surrogate`]), A comes from an estimator ([`AdvantageEstimator`]), w is the
//! aggregation ([`Aggregation`]), k keeps or drops tokens (top entropy, off-policy mask), u corrects
//! for another sampler ([`Correction`]), KL is an estimator ([`KlPenalty`]), H the entropy. The order
//! is TRL's: masks and u act on ell and not on the KL term.
//!
//! A named algorithm is a value of this type, made in a file of its own (`gspo.rs`, `ppo.rs`, ...).
//! The default is GRPO as in TRL 1.16: equation 3 of DeepSeekMath (arXiv 2402.03300); its settings
//! reach Dr. GRPO, Lite PPO, GDPO, MaxRL and the token-level loss of DAPO.
//!
//! # Deviations
//!
//! - `advantage`, dead groups: advantages of a dead group are exactly 0 (the paper and TRL leave
//!   rounding errors divided by epsilon).
//! - `aggregation`: the default is TRL's, one weight for every token; the paper's is `Grpo`.
//! - `kl.estimator`: the default is TRL's importance-corrected k3; the paper's is `K3`.
//! - `kl.coef`: 0 as in TRL; the paper has 0.04.
//! - `entropy_coef`: the mean entropy is over the tokens of the whole step, where TRL averages the
//!   means of micro-batches; so no division into micro-batches changes it.
//! - every log-ratio is clamped to +-20 before it is exponentiated.

use super::entropy_mask;
use super::part::Part;
use super::sequence::backward;
use crate::{
    AdaptiveEntropy, AdaptiveKl, AdvantageEstimator, Aggregation, AlgoError, Algorithm, Clip,
    Controls, Correction, Credit, Diagnostics, KlPenalty, LossOutput, Plan, RatioLevel, RowCredit,
    RowGradients, RowPlan, RowScores, Sequence, Slopes, StepData, StepRule, Surrogate, Term,
    TrustRegion, Unit, ValueLoss, Wants,
};

/// A policy-gradient method.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyGradient {
    /// Lower-case name, such as `grpo`.
    pub name: &'static str,
    /// How rewards become advantages.
    pub advantage: AdvantageEstimator,
    /// What is minimised, token by token. The clipped ratio, widths 0.2.
    pub surrogate: Surrogate,
    /// How token losses are averaged. `Dapo`; the GRPO paper's is `Grpo`.
    pub aggregation: Aggregation,
    /// The pull towards the reference policy. Off; the GRPO paper's coefficient is 0.04.
    pub kl: KlPenalty,
    /// Weight of the entropy bonus, 0 or more. 0; 0.01 is usual where it is on.
    pub entropy_coef: f64,
    /// Leave trajectories that hit a token limit out of the loss. Off; the DAPO recipe turns it on.
    pub mask_truncated: bool,
    /// Weights for another sampler. Off.
    pub correction: Option<Correction>,
    /// Drop trajectories of negative advantage that the policy has left by so many nats a token. Off;
    /// 0.5 is usual.
    pub off_policy_delta: Option<f64>,
    /// Share of the tokens, those of the highest entropy, that have a policy loss. All; 0.2 is the
    /// paper's.
    pub top_entropy_share: Option<f64>,
    /// Weight of a KL penalty (k1) inside the reward, 0 or more. Off; PPO 0.05.
    pub reward_kl_coef: f64,
    /// Moves whichever KL coefficient is on towards a target.
    pub adaptive_kl: Option<AdaptiveKl>,
    /// Moves the entropy coefficient towards a target entropy.
    pub adaptive_entropy: Option<AdaptiveEntropy>,
    /// Ends the passes over a batch once the mean drift (k3) exceeds 1.5 times this, nats a token.
    pub target_kl: Option<f64>,
    /// The critic's part of the loss, where advantages are weighed against values.
    pub value: Option<ValueTerm>,
    /// Weight of the log-likelihood of solved trajectories, 0 or more. Off; VAPO 0.1.
    pub positive_coef: f64,
    /// Steps by natural gradient instead of the optimiser's.
    pub trust_region: Option<TrustRegion>,
}

/// The critic's part of the loss: `coef` times the mean of a value loss over the tokens of the step
/// that have a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueTerm {
    /// Loss of one token.
    pub loss: ValueLoss,
    /// Its weight beside the policy's, above 0. TRL 0.1, A2C 0.5.
    pub coef: f64,
}

impl Default for PolicyGradient {
    fn default() -> Self {
        PolicyGradient {
            name: "grpo",
            advantage: AdvantageEstimator::default(),
            surrogate: Surrogate::clip(Clip::default()),
            aggregation: Aggregation::default(),
            kl: KlPenalty::default(),
            entropy_coef: 0.0,
            mask_truncated: false,
            correction: None,
            off_policy_delta: None,
            top_entropy_share: None,
            reward_kl_coef: 0.0,
            adaptive_kl: None,
            adaptive_entropy: None,
            target_kl: None,
            value: None,
            positive_coef: 0.0,
            trust_region: None,
        }
    }
}

impl PolicyGradient {
    /// Weight of the entropy bonus at the moment.
    fn entropy_weight(&self, controls: Controls) -> f64 {
        match &self.adaptive_entropy {
            Some(rule) => rule.coef(controls, self.entropy_coef),
            None => self.entropy_coef,
        }
    }

    fn check(&self) -> Result<(), AlgoError> {
        let problems = self.validate();
        if problems.is_empty() { Ok(()) } else { Err(AlgoError::Settings(problems)) }
    }

    fn unit(&self) -> Unit {
        let needs_whole = self.off_policy_delta.is_some() || self.correction.is_some();
        self.surrogate.unit().max(if needs_whole { Unit::Trajectory } else { Unit::Row })
    }

    /// KL penalty with the coefficient of the moment.
    fn penalty(&self, plan: &Plan<'_>) -> KlPenalty {
        let moved = plan.controls.kl_coef.filter(|_| self.kl.is_on());
        KlPenalty { coef: moved.unwrap_or(self.kl.coef), ..self.kl }
    }

    /// One trajectory: fills the gradients of its rows, and adds its share of the loss and the
    /// statistics to `out`.
    fn add_trajectory(&self, plan: &Plan<'_>, part: &Part<'_, '_>, out: &mut LossOutput) {
        let mut sequence = part.sequence(plan);
        if let (Surrogate::Vespo(_), Some(correction)) = (&self.surrogate, &self.correction) {
            sequence.context = correction.log_weight(&sequence);
        }
        let losses = self.surrogate.losses(&sequence);
        let kept = part.policy_weights(plan, self, &sequence);
        let mut gradient = vec![0.0; sequence.len()];
        let of_policy: Vec<Slopes> = losses.iter().map(|token| token.loss).collect();
        let gates: Vec<f64> = losses.iter().map(|token| token.gate).collect();
        backward(&of_policy, &gates, &kept, &mut gradient);

        let kl = self.kl_slopes(plan, part, &sequence);
        let all: Vec<f64> = part.tokens().map(|(index, _)| part.weights[index]).collect();
        if let Some(kl) = &kl {
            backward(kl, &vec![1.0; sequence.len()], &all, &mut gradient);
        }
        for (i, (index, token)) in part.tokens().enumerate() {
            out.gradients[index].logprobs[token] = gradient[i] as f32;
            out.diagnostics.policy_loss += kept[i] * losses[i].loss.value;
            out.diagnostics.kl_loss += kl.as_ref().map_or(0.0, |kl| all[i] * kl[i].value);
        }
        part.record(plan, &losses, &mut out.diagnostics);
    }

    /// The critic's share: fills the gradients with respect to the values of one row.
    fn add_values(
        &self,
        plan: &Plan<'_>,
        row: &RowPlan<'_>,
        scores: &RowScores<'_>,
        gradients: &mut RowGradients,
        stats: &mut Diagnostics,
    ) {
        let (Some(term), Some(values)) = (&self.value, scores.values) else { return };
        let weight = term.coef / plan.n_value_tokens.max(1) as f64;
        gradients.values = vec![0.0; values.len()];
        for (token, &target) in row.credit.returns.iter().enumerate() {
            if target.is_nan() {
                continue;
            }
            let value = f64::from(values[token]);
            let old = row.data.values.map_or(value, |old| f64::from(old[token]));
            let (loss, is_clipped) = term.loss.token(value, old, target);
            gradients.values[token] = (weight * loss.slope) as f32;
            stats.value_loss += weight * loss.value;
            stats.values.record(value, target, is_clipped);
        }
    }

    /// The log-likelihood of a solved trajectory, as a loss (VAPO, arXiv 2504.05118, section 4.3).
    fn add_example(
        &self,
        plan: &Plan<'_>,
        scores: &RowScores<'_>,
        gradients: &mut RowGradients,
        stats: &mut Diagnostics,
    ) {
        let weight = self.positive_coef / plan.n_positive_tokens.max(1) as f64;
        for (gradient, logprob) in gradients.logprobs.iter_mut().zip(scores.logprobs) {
            *gradient -= weight as f32;
            stats.example_loss -= weight * f64::from(*logprob);
        }
    }

    /// Weighted KL penalty of every token.
    fn kl_slopes(
        &self,
        plan: &Plan<'_>,
        part: &Part<'_, '_>,
        sequence: &Sequence,
    ) -> Option<Vec<Slopes>> {
        let penalty = self.penalty(plan);
        if !penalty.is_on() {
            return None;
        }
        let level = match self.surrogate.level() {
            RatioLevel::Sequence => RatioLevel::Sequence,
            RatioLevel::Token | RatioLevel::Product => RatioLevel::Token,
        };
        let ratios = sequence.ratios(level);
        let slopes = part.tokens().zip(ratios).enumerate().map(|(i, ((index, token), ratio))| {
            let reference = plan.row(&part.rows[index]).data.reference;
            let reference = reference.map_or(sequence.current[i], |all| f64::from(all[token]));
            let d = sequence.current[i] - reference;
            // Twice: with the ratio held still, and by how much the ratio itself counts.
            let still = penalty.term(d, Term { value: ratio.value, slope: 0.0 });
            let moving = penalty.term(d, Term { value: ratio.value, slope: 1.0 });
            let by_ratio = moving.slope - still.slope;
            Slopes {
                value: still.value,
                own: still.slope + by_ratio * ratio.own,
                shared: by_ratio * ratio.shared,
            }
        });
        Some(slopes.collect())
    }

    fn zero_gradients(&self, entropy_coef: f64, n_tokens: usize) -> RowGradients {
        let n_entropies = if entropy_coef == 0.0 { 0 } else { n_tokens };
        RowGradients {
            logprobs: vec![0.0; n_tokens],
            entropies: vec![0.0; n_entropies],
            ..RowGradients::default()
        }
    }
}

impl Algorithm for PolicyGradient {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self) -> Wants {
        Wants {
            entropy_gradient: self.entropy_coef != 0.0 || self.adaptive_entropy.is_some(),
            reference: self.kl.is_on() || self.reward_kl_coef != 0.0,
            values: self.advantage.wants_values(),
            entropies: self.top_entropy_share.is_some(),
            old: self.correction.is_some(),
            ..Wants::default()
        }
    }

    fn credit(&self, batch: &StepData<'_>) -> Result<Credit, AlgoError> {
        self.check()?;
        batch.check()?;
        let moved = batch.controls.kl_coef.filter(|_| self.reward_kl_coef != 0.0);
        self.advantage.credit(batch, moved.unwrap_or(self.reward_kl_coef), self.mask_truncated)
    }

    fn prepare<'a>(
        &self,
        step: &StepData<'a>,
        credit: Vec<RowCredit>,
    ) -> Result<Plan<'a>, AlgoError> {
        self.check()?;
        if self.kl.is_on()
            && let Some(row) = step.rows.iter().position(|row| row.reference.is_none())
        {
            return Err(AlgoError::MissingReference { row });
        }
        let mut plan = Plan::new(step, credit, self.aggregation, self.mask_truncated)?;
        plan.unit = self.unit();
        plan.contexts = self.surrogate.contexts(step);
        if let Some(share) = self.top_entropy_share {
            entropy_mask::keep_top(&mut plan, step, share)?;
        }
        Ok(plan)
    }

    fn loss(&self, plan: &Plan<'_>, rows: &[RowScores<'_>]) -> LossOutput {
        let entropy_coef = self.entropy_weight(plan.controls);
        let bonus = entropy_coef / plan.n_loss_tokens.max(1) as f64;
        let weights = plan.token_weights(rows);
        let mut out = LossOutput {
            gradients: (rows.iter())
                .map(|scores| self.zero_gradients(entropy_coef, scores.logprobs.len()))
                .collect(),
            ..LossOutput::default()
        };
        for members in plan.by_trajectory(rows) {
            let part = Part { rows, weights: &weights, members: &members };
            if plan.row(&rows[members[0]]).masked {
                continue;
            }
            self.add_trajectory(plan, &part, &mut out);
            for index in members {
                out.gradients[index].entropies.fill(-bonus as f32);
                let entropy: f64 = rows[index].entropies.iter().map(|h| f64::from(*h)).sum();
                out.diagnostics.entropy_bonus += bonus * entropy;
                let (row, gradients) = (plan.row(&rows[index]), &mut out.gradients[index]);
                self.add_values(plan, row, &rows[index], gradients, &mut out.diagnostics);
                if row.is_positive && self.positive_coef != 0.0 {
                    self.add_example(plan, &rows[index], gradients, &mut out.diagnostics);
                }
            }
        }
        out.loss = out.diagnostics.loss();
        out
    }

    fn adapt(&self, controls: Controls, step: &Diagnostics, n_trajectories: usize) -> Controls {
        let mut next = controls;
        if let Some(rule) = &self.adaptive_kl {
            let first = if self.kl.is_on() { self.kl.coef } else { self.reward_kl_coef };
            let kl = step.tokens.reference_k1.sum() / n_trajectories.max(1) as f64;
            let coef = controls.kl_coef.unwrap_or(first);
            next.kl_coef = Some(rule.next(coef, kl, n_trajectories));
        }
        match &self.adaptive_entropy {
            Some(rule) => rule.next(next, self.entropy_coef, step.tokens.entropy.get()),
            None => next,
        }
    }

    fn ends_passes(&self, pass: &Diagnostics) -> bool {
        let drift = pass.tokens.drift_k3.get();
        self.target_kl.zip(drift).is_some_and(|(target, drift)| drift > 1.5 * target)
    }

    fn step_rule(&self) -> StepRule<'_> {
        self.trust_region.as_ref().map_or(StepRule::FirstOrder, StepRule::TrustRegion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cispo, GroupAdvantage, KlEstimator, RewardScaling, RowData, TrajectoryData, cispo, gepo,
        gmpo, gspo, gspo_token, luspo, sapo, vespo,
    };

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
            ..RowData::default()
        };
        StepData {
            trajectories: rewards.iter().map(trajectory).collect(),
            rows: rows.iter().enumerate().map(row).collect(),
            ..Default::default()
        }
    }

    fn prepared<'a>(method: &PolicyGradient, step: &StepData<'a>) -> Plan<'a> {
        method.prepare(step, method.credit(step).unwrap().rows).unwrap()
    }

    fn loss(method: &PolicyGradient, plan: &Plan<'_>, rows: &[Row]) -> LossOutput {
        let entropies = [0.5; 3];
        let scores: Vec<RowScores<'_>> = (rows.iter().enumerate())
            .map(|(row, Row { current, .. })| RowScores {
                row,
                logprobs: current,
                entropies: &entropies[..current.len()],
                ..RowScores::default()
            })
            .collect();
        method.loss(plan, &scores)
    }

    /// With advantages +1 and -1, as the shared batch has them.
    fn unscaled(method: PolicyGradient) -> PolicyGradient {
        let advantage = GroupAdvantage { scaling: RewardScaling::None, ..Default::default() };
        PolicyGradient { advantage: advantage.into(), ..method }
    }

    fn with(aggregation: Aggregation) -> PolicyGradient {
        unscaled(PolicyGradient { aggregation, ..Default::default() })
    }

    #[track_caller]
    fn assert_golden(method: &PolicyGradient, value: f64, d_logprob: Option<[[f32; 3]; 2]>) {
        let rows = golden_rows();
        let plan = prepared(method, &step(&rows, &[1.0, -1.0]));
        let out = loss(method, &plan, &rows);
        assert!((out.loss - value).abs() < 2e-6, "{} is not {value}", out.loss);
        for (row, wanted) in d_logprob.into_iter().flatten().enumerate() {
            for (got, wanted) in out.gradients[row].logprobs.iter().zip(wanted) {
                assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
            }
        }
    }

    #[test]
    fn golden_aggregations() {
        let by_sequence = [[0.0, -0.116667, -0.166667], [0.0; 3]];
        assert_golden(&with(Aggregation::Grpo), -0.083333, Some(by_sequence));
        let by_token = [[0.0, -0.175, -0.25], [0.0; 3]];
        assert_golden(&with(Aggregation::Bnpo), -0.525, Some(by_token));
        let dapo = with(Aggregation::Dapo { trl_window: false });
        assert_golden(&dapo, -0.525, Some(by_token));
        assert_golden(&with(Aggregation::DrGrpo { max_completion_tokens: 4 }), -0.2625, None);
        let surrogate = Surrogate::clip(Clip { high: 0.28, ..Clip::default() });
        assert_golden(&PolicyGradient { surrogate, ..dapo }, -0.545, None);
    }

    #[test]
    fn golden_sequence_ratios() {
        let slopes = [[-0.161509; 3], [0.0; 3]];
        assert_golden(&unscaled(gspo()), 0.015324, Some(slopes));
        assert_golden(&unscaled(gspo_token()), 0.015324, Some(slopes));
        let level = RatioLevel::Sequence;
        let wide = Surrogate::Clip { clip: Clip::default(), level };
        assert_golden(
            &unscaled(PolicyGradient { surrogate: wide.clone(), ..gspo() }),
            -0.084526,
            None,
        );
        assert_golden(&unscaled(PolicyGradient { surrogate: wide, ..luspo() }), -1.053578, None);
        assert_golden(&gepo(), 0.004786, None);
    }

    #[test]
    fn golden_weights_and_gates() {
        let trl = Cispo { max: 1.2, ..Cispo::default() };
        let of = |cispo_settings| PolicyGradient {
            surrogate: Surrogate::Cispo(cispo_settings),
            ..unscaled(cispo())
        };
        let slopes = [[-0.3, -0.175, -0.25], [0.125, 0.0, 0.0]];
        assert_golden(&of(trl), 0.5875, Some(slopes));
        assert_golden(&of(Cispo { min: 0.8, ..trl }), 0.525, None);
        assert_golden(&unscaled(sapo()), -0.292031, None);
        assert_golden(&unscaled(vespo()), 0.821764, None);
        assert_golden(&unscaled(gmpo()), -0.149366, None);
    }

    #[test]
    fn golden_entropy_bonus() {
        let method = PolicyGradient { entropy_coef: 0.01, ..with(Aggregation::default()) };
        let rows = golden_rows();
        let plan = prepared(&method, &step(&rows, &[1.0, -1.0]));
        let out = loss(&method, &plan, &rows);
        assert!((out.loss - (-0.525 - 0.01 * 0.5)).abs() < 1e-6);
        assert_eq!(out.gradients[0].entropies, [-0.0025; 3]);
        assert!(method.wants().entropy_gradient);
    }

    #[test]
    fn golden_kl_with_and_without_importance_correction() {
        let current: &[f32] = &[-1.0, -1.0];
        let row = |reference: [f32; 2]| Row {
            current,
            old: current.to_vec(),
            reference: reference.to_vec(),
        };
        let rows = [row([-1.5, -1.0]), row([-1.0, -1.0])];
        let cases = [(KlEstimator::K3ImportanceCorrected, 0.010), (KlEstimator::K3, 0.007869)];
        for (estimator, slope) in cases {
            let kl = KlPenalty { coef: 0.04, estimator };
            let method = PolicyGradient { kl, ..with(Aggregation::Grpo) };
            let plan = prepared(&method, &step(&rows, &[0.0, 0.0]));
            let out = loss(&method, &plan, &rows);
            assert!((out.loss - 0.5 * 0.002131).abs() < 1e-6);
            assert!((out.gradients[0].logprobs[0] - 0.5 * slope).abs() < 1e-6);
            assert_eq!(out.gradients[0].logprobs[1], 0.0);
        }
    }

    #[test]
    fn every_problem_of_every_part_is_reported() {
        let bad = PolicyGradient {
            advantage: GroupAdvantage { epsilon: -1.0, ..Default::default() }.into(),
            surrogate: Surrogate::clip(Clip { low: f64::NAN, ..Default::default() }),
            aggregation: Aggregation::DrGrpo { max_completion_tokens: 0 },
            kl: KlPenalty { coef: f64::INFINITY, ..Default::default() },
            entropy_coef: -0.01,
            off_policy_delta: Some(0.0),
            top_entropy_share: Some(1.5),
            ..Default::default()
        };
        let problems = bad.validate();
        let keys: Vec<&str> = problems.iter().map(|problem| problem.key).collect();
        let wanted = [
            "advantage.epsilon",
            "clip.low",
            "aggregation.max_completion_tokens",
            "kl.coef",
            "entropy_coef",
            "off_policy_delta",
            "top_entropy_share",
        ];
        assert_eq!(keys, wanted);
        let rows = golden_rows();
        let got = bad.credit(&step(&rows, &[1.0, -1.0]));
        assert_eq!(got, Err(AlgoError::Settings(problems)));
        assert_eq!(PolicyGradient::default().validate(), []);
    }

    #[test]
    fn what_it_wants_and_allows() {
        let method = PolicyGradient::default();
        assert_eq!(method.wants(), Wants::default());
        assert_eq!(method.name(), "grpo");
        let rows = golden_rows();
        let mut step = step(&rows, &[1.0, -1.0]);
        assert_eq!(prepared(&method, &step).unit, Unit::Row);
        assert_eq!(prepared(&gspo(), &step).unit, Unit::Trajectory);
        let kl = KlPenalty { coef: 0.04, ..Default::default() };
        let with_kl = PolicyGradient { kl, ..method };
        assert!(with_kl.wants().reference);
        step.rows[1].reference = None;
        let credit = with_kl.credit(&step).unwrap().rows;
        assert_eq!(with_kl.prepare(&step, credit), Err(AlgoError::MissingReference { row: 1 }));
    }

    #[test]
    fn only_the_tokens_of_highest_entropy_learn() {
        let rows = golden_rows();
        let entropies: [&[f32]; 2] = [&[0.1, 0.9, 0.2], &[0.3]];
        let mut step = step(&rows, &[1.0, -1.0]);
        let method =
            PolicyGradient { top_entropy_share: Some(0.25), ..with(Aggregation::default()) };
        let credit = method.credit(&step).unwrap().rows;
        let missing = method.prepare(&step, credit);
        assert_eq!(missing, Err(AlgoError::MissingEntropies { row: 0 }));
        step.rows.iter_mut().zip(entropies).for_each(|(row, h)| row.entropies = Some(h));
        let out = loss(&method, &prepared(&method, &step), &rows);
        assert!((out.gradients[0].logprobs[1] + 0.175).abs() < 1e-6);
        assert_eq!(out.gradients[0].logprobs[2], 0.0);
        assert!((out.loss + 0.175).abs() < 1e-6);
    }

    #[test]
    fn credit_that_does_not_fit_is_refused() {
        let rows = golden_rows();
        let step = step(&rows, &[1.0, -1.0]);
        for bad in [vec![1.0], vec![1.0, f64::NAN, 1.0]] {
            let got = bad.len();
            let credit = vec![RowCredit { advantages: bad, returns: Vec::new() }; 2];
            let error = PolicyGradient::default().prepare(&step, credit).unwrap_err();
            assert_eq!(error, AlgoError::BadAdvantages { row: 0, expected: 3, got });
        }
    }

    #[test]
    #[should_panic(expected = "log-probs of row 1")]
    fn scores_of_another_length_are_a_bug() {
        let rows = golden_rows();
        let method = PolicyGradient::default();
        let plan = prepared(&method, &step(&rows, &[1.0, -1.0]));
        let scores = RowScores {
            row: 1,
            logprobs: &[-1.0, -1.0],
            entropies: &[0.0, 0.0],
            ..RowScores::default()
        };
        method.loss(&plan, &[scores]);
    }
}
