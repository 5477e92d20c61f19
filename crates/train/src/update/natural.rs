//! A natural-gradient step: the direction by conjugate gradients, its length by a line search.
//!
//! TRPO (arXiv 1502.05477). Products with the Fisher matrix are taken over a part of the rows
//! (`curvature_share`), chosen evenly. The KL of a candidate is the mean over *all* tokens of
//! rho log rho - (rho - 1), whose expectation under the old policy is KL(new || old) and which is
//! never negative: no distribution has to be kept. The critic is taught afterwards, in passes of its
//! own, and never moves the policy's weights.

use stateset_algo::{
    Accepted, Candidate, ConjugateGradient, Diagnostics, Plan, TrustRegion, ratio,
};
use stateset_nn::{StepReport, TokenRow};

use super::gradient::of_step;
use super::update::{Chosen, Update};
use crate::TrainError;
use crate::engine::EngineState;

/// Length of the step to each side by which curvature is measured.
const EPSILON: f64 = 3e-2;

impl Update<'_> {
    /// One step inside the trust region, then the critic's passes.
    pub(super) fn natural_step(
        &mut self,
        chosen: &Chosen<'_>,
        region: &TrustRegion,
    ) -> Result<(), TrainError> {
        let Some(diagnostics) = self.gradient(chosen, true)? else { return Ok(()) };
        if self.leaves_out_burst(&diagnostics) {
            return Ok(());
        }
        let algorithm = self.algorithm;
        let plan = algorithm.prepare(&chosen.data, chosen.credit.clone())?;
        let EngineState { device, learner, .. } = &mut *self.engine;
        let Some(learner) = learner else { return Ok(()) };
        // The loss is minus the surrogate, so this climbs.
        let g: Vec<f32> = learner.gradient(device.as_mut()).iter().map(|g| -g).collect();
        let at = learner.trained(device.as_mut());
        self.clear_gradients();
        let norm = g.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        if !norm.is_finite() {
            self.report.skip("the gradient was not finite");
            return Ok(());
        }
        let accepted = self.climb(chosen, &plan, region, &g, &at, -diagnostics.policy_loss)?;
        let report = StepReport { grad_norm: norm, value_head_norm: 0.0, is_skipped: false };
        match accepted {
            Some(found) => {
                self.report.take(&diagnostics, report, found.length);
                self.report.add("trust_region/kl", found.candidate.kl);
                self.report.add("trust_region/backtracks", found.n_backtracks as f64);
            }
            None => {
                self.set_weights(&at)?;
                self.report.record(&diagnostics);
                self.report.add("trust_region/refused", 1.0);
            }
        }
        self.adapt(&diagnostics, chosen.data.trajectories.len());
        self.teach_critic(chosen)
    }

    /// Direction and length; leaves the weights at the last length that was tried.
    fn climb(
        &mut self,
        chosen: &Chosen<'_>,
        plan: &Plan<'_>,
        region: &TrustRegion,
        g: &[f32],
        at: &[f32],
        before: f64,
    ) -> Result<Option<Accepted>, TrainError> {
        let some = curvature_rows(&chosen.rows, region.curvature_share);
        let solver =
            ConjugateGradient { iterations: region.cg_iterations, residual: region.residual };
        let direction = solver.solve(g, |v| self.curvature(&some, region.damping, v))?;
        let h_x = self.curvature(&some, region.damping, &direction.x)?;
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let first = region.first_length(dot(&direction.x, &h_x));
        self.report.add("trust_region/products", direction.n_products as f64);
        region.line_search(first, before, |length| {
            self.set_weights(at)?;
            self.add_to_weights(&direction.x, length as f32)?;
            self.candidate(chosen, plan)
        })
    }

    /// (F + damping) v over some rows.
    fn curvature(
        &mut self,
        rows: &[usize],
        damping: f64,
        v: &[f32],
    ) -> Result<Vec<f32>, TrainError> {
        let temperature = self.settings.temperature;
        let EngineState { device, decoder, learner, .. } = &mut *self.engine;
        let Some(learner) = learner else { return Ok(vec![0.0; v.len()]) };
        let rows: Vec<TokenRow<'_>> =
            rows.iter().map(|row| self.batch.rows[*row].token_row()).collect();
        let device = device.as_mut();
        let mut product =
            learner.fisher_vector_product(device, decoder, &rows, temperature, v, EPSILON)?;
        product.iter_mut().zip(v).for_each(|(p, v)| *p += damping as f32 * v);
        Ok(product)
    }

    /// Surrogate and KL at the present weights.
    fn candidate(&mut self, chosen: &Chosen<'_>, plan: &Plan<'_>) -> Result<Candidate, TrainError> {
        let algorithm = self.algorithm;
        let temperature = self.settings.temperature;
        let (mut seen, mut kl, mut n) = (Diagnostics::default(), 0.0, 0usize);
        for rows in self.cut(chosen, plan)? {
            let EngineState { device, decoder, policy, learner, .. } = &mut *self.engine;
            let Some(learner) = learner else { break };
            let token_rows: Vec<TokenRow<'_>> =
                rows.iter().map(|row| self.batch.rows[*row].token_row()).collect();
            let wants = stateset_nn::Wants { logprobs: true, moments: true, values: false };
            let device = device.as_mut();
            let scores =
                learner.score(device, decoder, *policy, &token_rows, temperature, wants)?;
            let scores = of_step(chosen, &rows, &scores, None);
            for row in &scores {
                let old = plan.row(row).data.old.unwrap_or(row.logprobs);
                for (new, old) in row.logprobs.iter().zip(old) {
                    let rho = ratio(f64::from(*new) - f64::from(*old)).value;
                    kl += rho * rho.ln() - (rho - 1.0);
                    n += 1;
                }
            }
            seen.add(&algorithm.loss(plan, &scores).diagnostics);
        }
        Ok(Candidate { surrogate: -seen.policy_loss, kl: kl / n.max(1) as f64 })
    }

    fn teach_critic(&mut self, chosen: &Chosen<'_>) -> Result<(), TrainError> {
        let n_passes = self.settings.critic.map_or(0, |critic| critic.passes);
        for _ in 0..n_passes {
            if self.gradient(chosen, false)?.is_some() {
                self.step_critic(true)?;
            }
        }
        Ok(())
    }

    fn set_weights(&mut self, numbers: &[f32]) -> Result<(), TrainError> {
        let EngineState { device, learner, .. } = &mut *self.engine;
        if let Some(learner) = learner {
            learner.set_trained(device.as_mut(), numbers)?;
        }
        Ok(())
    }

    fn add_to_weights(&mut self, direction: &[f32], length: f32) -> Result<(), TrainError> {
        let EngineState { device, learner, .. } = &mut *self.engine;
        if let Some(learner) = learner {
            learner.add_to_trained(device.as_mut(), direction, length)?;
        }
        Ok(())
    }
}

/// A share of the rows, evenly spread; at least one.
fn curvature_rows(rows: &[usize], share: f64) -> Vec<usize> {
    let n = ((rows.len() as f64 * share).ceil() as usize).clamp(1, rows.len().max(1));
    (0..n).filter_map(|i| rows.get(i * rows.len() / n).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curvature_is_taken_over_evenly_spread_rows() {
        let rows: Vec<usize> = (10..30).collect();
        assert_eq!(curvature_rows(&rows, 0.1), [10, 20]);
        assert_eq!(curvature_rows(&rows, 1.0), rows);
        assert_eq!(curvature_rows(&rows, 0.001), [10]);
        assert!(curvature_rows(&[], 0.5).is_empty());
    }
}
