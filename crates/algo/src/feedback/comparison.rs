//! One comparison of two candidates A and B, asked in both orders.
//!
//! Judges favour places: many prefer whatever stands first. Asking twice with the candidates
//! exchanged and averaging P(A) takes a constant preference for a place out. Where a judge gives
//! only verdicts, A wins when both orders say so, and everything else is a tie.
//!
//! Source: RLAIF, arXiv 2309.00267, section 2.1 (softmax over the tokens of the two answers, average
//! over both orders); verdicts that must agree: MT-Bench, arXiv 2306.05685, section 3.4. A tie in one
//! order and a win in the other is no agreement and counts as a tie too, which a reader may question:
//! half a win would reward samples for confusing the judge.

use stateset_core::Choice;

use super::FeedbackError;
use super::score_tokens::option_probabilities;

/// What both orders came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// P(A is better than B), from 0 to 1.
    pub probability: f64,
    /// The two orders favour different candidates, or only one of them favours any.
    pub disagrees: bool,
    /// Mean probability given to whatever stood first; 0.5 from a judge that does not look at places.
    pub first_place: f64,
}

impl Comparison {
    /// From log-probs of the answers "first" and "second" with A in front, and with B in front. They
    /// need not be normalised.
    ///
    /// # Errors
    /// [`FeedbackError::NotFinite`].
    pub fn from_logprobs(
        a_in_front: [f64; 2],
        b_in_front: [f64; 2],
    ) -> Result<Comparison, FeedbackError> {
        let front = option_probabilities(&a_in_front)?[0];
        let behind = option_probabilities(&b_in_front)?[1];
        let side = |p: f64| p.partial_cmp(&0.5);
        Ok(Comparison {
            probability: (front + behind) / 2.0,
            disagrees: side(front) != side(behind),
            first_place: (front + 1.0 - behind) / 2.0,
        })
    }

    /// From verdicts with A in front, and with B in front.
    pub fn from_choices(a_in_front: Choice, b_in_front: Choice) -> Comparison {
        let first = |choice: Choice| match choice {
            Choice::First => 1.0,
            Choice::Second => 0.0,
            Choice::Neither => 0.5,
        };
        let (front, behind) = (first(a_in_front), 1.0 - first(b_in_front));
        let agrees = front == behind;
        Comparison {
            probability: if agrees { front } else { 0.5 },
            disagrees: !agrees,
            first_place: (front + 1.0 - behind) / 2.0,
        }
    }

    /// Two candidates that are the same; nobody has to be asked.
    pub fn of_equals() -> Comparison {
        Comparison { probability: 0.5, disagrees: false, first_place: 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_averaged() {
        let compared = Comparison::from_logprobs([-0.2, -1.6], [-1.1, -0.6]).unwrap();
        assert!((compared.probability - 0.712_322).abs() < 1e-6);
        assert!(!compared.disagrees);
        assert!((compared.first_place - (0.802_184 + 1.0 - 0.622_459) / 2.0).abs() < 1e-6);
    }

    #[test]
    fn a_preference_for_a_place_cancels() {
        // The judge adds 3 nats to whatever stands first.
        let biased = |gap_a: f64| {
            Comparison::from_logprobs([gap_a + 3.0, 0.0], [3.0, gap_a]).unwrap().probability
        };
        for gap in [0.5, 1.0, 40.0] {
            assert!((biased(gap) + biased(-gap) - 1.0).abs() < 1e-12);
            assert!(biased(gap) > 0.5 && biased(-gap) < 0.5);
        }
        assert!((biased(0.0) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn sides_are_compared_for_disagreement() {
        let of = |front: [f64; 2], behind: [f64; 2]| {
            Comparison::from_logprobs(front, behind).unwrap().disagrees
        };
        assert!(of([0.0, -1.0], [0.0, -1.0]), "the first place wins twice");
        assert!(!of([0.0, -1.0], [-1.0, 0.0]), "A wins twice");
        assert!(of([0.0, 0.0], [-1.0, 0.0]), "a tie is no side");
        assert!(!of([0.0, 0.0], [-3.0, -3.0]), "two ties agree");
    }

    #[test]
    fn verdicts_must_agree() {
        use Choice::{First, Neither, Second};
        for (front, behind, probability, disagrees, first_place) in [
            (First, Second, 1.0, false, 0.5),
            (Second, First, 0.0, false, 0.5),
            (First, First, 0.5, true, 1.0),
            (Second, Second, 0.5, true, 0.0),
            (Neither, Neither, 0.5, false, 0.5),
            (First, Neither, 0.5, true, 0.75),
            (Neither, Second, 0.5, true, 0.25),
        ] {
            let expected = Comparison { probability, disagrees, first_place };
            assert_eq!(Comparison::from_choices(front, behind), expected, "{front:?} {behind:?}");
        }
    }

    #[test]
    fn what_is_no_log_prob_is_refused() {
        let refused = Comparison::from_logprobs([f64::NAN, 0.0], [0.0, 0.0]);
        assert!(matches!(refused, Err(FeedbackError::NotFinite { index: 0, .. })));
        let refused = Comparison::from_logprobs([0.0, 0.0], [0.0, f64::INFINITY]);
        assert!(matches!(refused, Err(FeedbackError::NotFinite { index: 1, .. })));
    }
}
