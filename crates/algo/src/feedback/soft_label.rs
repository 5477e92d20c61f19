//! The loss of a reward model on a comparison whose label is a probability.
//!
//! With p = P(A is better): L = -p lsig(r_A - r_B) - (1 - p) lsig(r_B - r_A), whose gradient with
//! respect to r_A is sigmoid(r_A - r_B) - p. For p = 1 it is the Bradley-Terry loss. At its minimum
//! the model's probability is the judge's: a judge that is unsure teaches a small difference.
//!
//! Source: RLAIF, arXiv 2309.00267, section 2.2.1 (cross-entropy on soft labels).

use super::FeedbackError;

/// Loss of one comparison with its gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftLabel {
    /// The loss in nats, at least 0.
    pub loss: f64,
    /// Its derivative with respect to A's score; B's is the opposite.
    pub d_score_a: f64,
}

/// The loss for `probability` = P(A is better) and the model's scores of A and B.
///
/// # Errors
/// [`FeedbackError::NotAProbability`].
pub fn soft_label_loss(
    probability: f64,
    score_a: f64,
    score_b: f64,
) -> Result<SoftLabel, FeedbackError> {
    if !(0.0..=1.0).contains(&probability) {
        return Err(FeedbackError::NotAProbability { value: probability });
    }
    let gap = score_a - score_b;
    let mut loss = 0.0;
    // A weight of 0 leaves out its term, even where that is infinite.
    for (weight, gap) in [(probability, gap), (1.0 - probability, -gap)] {
        if weight > 0.0 {
            loss += weight * softplus(-gap);
        }
    }
    Ok(SoftLabel { loss, d_score_a: sigmoid(gap) - probability })
}

/// log(1 + e^x) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_those_of_central_differences() {
        for (p, a, b) in [(0.7, 1.2, 0.2), (0.0, -3.0, 2.0), (1.0, 0.5, 0.5), (0.3, 30.0, -20.0)] {
            let at = |a: f64| soft_label_loss(p, a, b).unwrap().loss;
            let numeric = (at(a + 1e-5) - at(a - 1e-5)) / 2e-5;
            let exact = soft_label_loss(p, a, b).unwrap().d_score_a;
            assert!((numeric - exact).abs() < 1e-8, "{numeric} {exact}");
        }
    }

    #[test]
    fn hard_labels_give_the_bradley_terry_loss() {
        assert!((soft_label_loss(1.0, 1.2, 0.2).unwrap().loss - 0.313_262).abs() < 1e-6);
        assert_eq!(soft_label_loss(1.0, f64::INFINITY, 0.0).unwrap().loss, 0.0);
        assert!(soft_label_loss(1.1, 0.0, 0.0).is_err());
        assert!(soft_label_loss(f64::NAN, 0.0, 0.0).is_err());
    }

    #[test]
    fn the_minimum_is_where_the_model_says_what_the_judge_says() {
        let gap = (0.8_f64 / 0.2).ln();
        assert!(soft_label_loss(0.8, gap, 0.0).unwrap().d_score_a.abs() < 1e-12);
    }
}
