//! GSPO, group sequence policy optimisation (arXiv 2507.18071, equations 5 and 13).
//!
//! s_i = exp(mean_t(lc - lo)): the trajectory is clipped as one,
//!
//!   ell_i = -min( s_i A_i, clip(s_i, 1 - low, 1 + high) A_i ),   loss = mean_i ell_i
//!
//! With one weight for every trajectory ([`crate::Aggregation::Grpo`]) that is [`Clip::losses`] at
//! [`RatioLevel::Sequence`]. Token-sum aggregations weigh long trajectories more and are not GSPO;
//! configurations are warned of them. *GSPO-token* keeps the value and lets each token have an
//! advantage of its own: s_{i,t} = sg(s_i) exp(lc_t - sg(lc_t)). The ranges are tiny, 3e-4 and 4e-4,
//! because a mean of many log-ratios hardly moves.

use super::{Clip, RatioLevel, Sequence, Slopes, Surrogate, TokenLoss};
use crate::{Aggregation, PolicyGradient, Term};

/// Clip range of the paper's section 5.1.
const CLIP: Clip = Clip { low: 3e-4, high: 4e-4, delta: None };

/// GSPO with the paper's settings.
pub fn gspo() -> PolicyGradient {
    PolicyGradient {
        name: "gspo",
        surrogate: Surrogate::Clip { clip: CLIP, level: RatioLevel::Sequence },
        aggregation: Aggregation::Grpo,
        ..PolicyGradient::default()
    }
}

/// GSPO-token with the paper's settings.
pub fn gspo_token() -> PolicyGradient {
    PolicyGradient { name: "gspo_token", surrogate: Surrogate::GspoToken(CLIP), ..gspo() }
}

/// LUSPO: GSPO's term times the length of the trajectory, which undoes its bias towards short ones
/// (arXiv 2602.05261). Range 2e-3 and 2.5e-3.
pub fn luspo() -> PolicyGradient {
    let clip = Clip { low: 2e-3, high: 2.5e-3, delta: None };
    PolicyGradient {
        name: "luspo",
        surrogate: Surrogate::Clip { clip, level: RatioLevel::Sequence },
        aggregation: Aggregation::TokenSum,
        ..PolicyGradient::default()
    }
}

/// The loss of every token under GSPO-token.
pub(crate) fn losses(clip: &Clip, sequence: &Sequence) -> Vec<TokenLoss> {
    let ratios = sequence.ratios(RatioLevel::Sequence);
    let token = |(ratio, advantage): (&Slopes, &f64)| {
        // The sequence's ratio by value, the token's log-prob by slope.
        let slope = if ratio.shared == 0.0 { 0.0 } else { ratio.value };
        let ratio = Slopes { value: ratio.value, own: slope, shared: 0.0 };
        let term = clip.surrogate(Term { value: ratio.value, slope: 1.0 }, *advantage);
        TokenLoss {
            loss: ratio.then(term),
            gate: 1.0,
            ratio: ratio.value,
            clipped: clip.side(ratio.value, *advantage),
        }
    };
    ratios.iter().zip(&sequence.advantages).map(token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shared batch: geometric means of [1.3, .7, 1] and [.5].
    #[test]
    fn golden_ratios() {
        for (ratios, wanted) in [(&[1.3f64, 0.7, 1.0][..], 0.969052), (&[0.5], 0.5)] {
            let sequence = Sequence {
                current: vec![-1.0; ratios.len()],
                old: ratios.iter().map(|ratio| -1.0 - ratio.ln()).collect(),
                advantages: vec![1.0; ratios.len()],
                ..Sequence::default()
            };
            for token in losses(&CLIP, &sequence) {
                assert!((token.ratio - wanted).abs() < 1e-6, "{} is not {wanted}", token.ratio);
            }
        }
    }
}
