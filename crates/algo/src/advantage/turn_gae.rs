//! Advantage estimation over turns, and over turns and tokens at once.
//!
//! [`TurnGae`]: a turn is one action, and the state is what the agent saw before it. With V_k the
//! value at the *first* token of turn k and R_k the sum of its token rewards (VAGEN, arXiv
//! 2510.16907; `no_concat_gae.py`):
//!
//!   D_k = R_k + gamma V_{k+1} - V_k      B_k = D_k + gamma lambda B_{k+1}
//!
//! Every token of turn k gets B_k. The critic is taught only at the first token of each turn
//! (B_k + V_k); all other targets are NaN, which [`crate::ValueLoss`] leaves out.
//!
//! [`BiLevelGae`] (the same paper) runs that recursion first and then one over the tokens of each
//! turn, so that tokens within a turn differ:
//!
//! | version | V_k and R_k are taken at | behind a turn's last token |
//! |---|---|---|
//! | 1 | the turn's last token | nothing: the recursion starts with A = B_k there |
//! | 2 | V_k first token, R_k the turn's sum | V and A continue with V_{k+1} and B_{k+1} |
//!
//! In version 2 the token's gamma and lambda also hold at the border between turns. The sources end
//! every episode with a value of 0; ours takes a bootstrap value for one that was cut off.

use std::ops::Range;

use super::gae::{Gae, TokenCredit, Trace};
use crate::error::require_len;
use crate::{AlgoError, Problem};

const TASK: &str = "estimate advantages of turns";

/// Estimation with turns as actions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TurnGae {
    /// Discount and decay of each turn. Gamma 0.95 to 1 is usual.
    pub turn: Gae,
}

impl TurnGae {
    /// Advantages and targets of the tokens of one trajectory.
    ///
    /// # Shapes
    /// One reward, value and turn for each token; turns never fall. `bootstrap` is the value of the
    /// state behind the last turn, 0 where the episode ended.
    ///
    /// # Errors
    /// Where the slices differ in length or turns go backwards.
    pub fn credit(
        &self,
        rewards: &[f64],
        values: &[f64],
        turns: &[u32],
        bootstrap: f64,
    ) -> Result<TokenCredit, AlgoError> {
        let spans = spans(rewards, values, turns)?;
        let mut credit = TokenCredit {
            advantages: vec![0.0; rewards.len()],
            returns: vec![f64::NAN; rewards.len()],
        };
        let mut trace = Trace::new(&self.turn, bootstrap);
        for span in spans.into_iter().rev() {
            let first = span.start;
            let advantage = trace.step(rewards[span.clone()].iter().sum(), values[first]);
            credit.returns[first] = advantage + values[first];
            credit.advantages[span].fill(advantage);
        }
        Ok(credit)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        self.turn.validate()
    }
}

/// How the two levels of [`BiLevelGae`] are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BiLevelVersion {
    /// Values at the turns' last tokens; token recursions stay within their turn.
    #[default]
    V1,
    /// Values at the turns' first tokens; token recursions continue with the next turn's advantage.
    V2,
}

/// Estimation over turns, then over the tokens of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BiLevelGae {
    /// How the levels are joined.
    pub version: BiLevelVersion,
    /// Discount and decay of each turn.
    pub turn: Gae,
    /// Discount and decay of each token.
    pub token: Gae,
}

impl Default for BiLevelGae {
    fn default() -> Self {
        BiLevelGae { version: BiLevelVersion::V1, turn: Gae::default(), token: Gae::default() }
    }
}

impl BiLevelGae {
    /// Advantages and targets of the tokens of one trajectory; arguments as in [`TurnGae::credit`].
    ///
    /// # Errors
    /// Where the slices differ in length or turns go backwards.
    pub fn credit(
        &self,
        rewards: &[f64],
        values: &[f64],
        turns: &[u32],
        bootstrap: f64,
    ) -> Result<TokenCredit, AlgoError> {
        let spans = spans(rewards, values, turns)?;
        let mut advantages = vec![0.0; rewards.len()];
        let mut of_turns = Trace::new(&self.turn, bootstrap);
        let mut of_tokens = Trace::new(&self.token, bootstrap);
        for span in spans.into_iter().rev() {
            let (first, last) = (span.start, span.end - 1);
            let (turn_reward, anchor) = match self.version {
                BiLevelVersion::V1 => (rewards[last], last),
                BiLevelVersion::V2 => (rewards[span.clone()].iter().sum(), first),
            };
            let turn_advantage = of_turns.step(turn_reward, values[anchor]);
            if self.version == BiLevelVersion::V1 {
                of_tokens.restart(0.0, 0.0);
            }
            for t in span.rev() {
                let ends_turn = t == last && self.version == BiLevelVersion::V1;
                let reward = if ends_turn { turn_advantage + values[last] } else { rewards[t] };
                advantages[t] = of_tokens.step(reward, values[t]);
            }
            if self.version == BiLevelVersion::V2 {
                of_tokens.restart(values[first], turn_advantage);
            }
        }
        let returns = advantages.iter().zip(values).map(|(a, v)| a + v).collect();
        Ok(TokenCredit { advantages, returns })
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = self.turn.validate();
        problems.extend(self.token.validate());
        problems
    }
}

/// The stretches of tokens with equal turns.
fn spans(rewards: &[f64], values: &[f64], turns: &[u32]) -> Result<Vec<Range<usize>>, AlgoError> {
    require_len(TASK, "values", rewards.len(), values.len())?;
    require_len(TASK, "turns", rewards.len(), turns.len())?;
    let mut spans: Vec<Range<usize>> = Vec::new();
    for (token, &turn) in turns.iter().enumerate() {
        match spans.last_mut() {
            Some(_) if turn < turns[token - 1] => {
                return Err(AlgoError::TurnOrder { task: TASK, token });
            }
            Some(span) if turn == turns[token - 1] => span.end = token + 1,
            _ => spans.push(token..token + 1),
        }
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TURN: Gae = Gae { gamma: 0.9, lambda: 0.95 };

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    #[test]
    fn golden_turns() {
        // Two tokens, then three; rewards sum to .2 and 1, values at the first tokens are .5 and .7.
        let (q, v) = ([0.3, -0.1, 0.5, 0.0, 0.5], [0.5, 9.0, 0.7, 8.0, 7.0]);
        let got = TurnGae { turn: TURN }.credit(&q, &v, &[0, 0, 4, 4, 4], 0.0).unwrap();
        assert_close(&got.advantages, &[0.5865, 0.5865, 0.3, 0.3, 0.3]);
        assert_close(&[got.returns[0], got.returns[2]], &[1.0865, 1.0]);
        assert!([1, 3, 4].iter().all(|&t| got.returns[t].is_nan()));
    }

    #[test]
    fn golden_tokens_within_a_turn() {
        let token = Gae { gamma: 1.0, lambda: 0.9 };
        let settings = BiLevelGae { version: BiLevelVersion::V1, turn: TURN, token };
        let got = settings.credit(&[0.0, 0.9], &[0.5, 0.6], &[0, 0], 0.0).unwrap();
        assert_close(&got.advantages, &[0.37, 0.3]);
        assert_close(&got.returns, &[0.87, 0.9]);
    }

    /// The first version after the authors' code: rewards of end tokens are replaced, then tokens
    /// are walked with a fresh start at every end.
    #[test]
    fn version_1_is_the_two_passes_of_its_authors() {
        let turns = [0, 0, 1, 2, 2, 2];
        let mut q = [0.1, 0.2, -0.3, 0.0, 0.4, 1.0];
        let v = [0.5, 0.4, 0.3, 0.8, 0.1, 0.6];
        let token = Gae { gamma: 0.97, lambda: 0.8 };
        let settings = BiLevelGae { version: BiLevelVersion::V1, turn: TURN, token };
        let got = settings.credit(&q, &v, &turns, 0.0).unwrap();

        let ends = [1usize, 2, 5];
        let (mut next_value, mut last) = (0.0, 0.0);
        for &end in ends.iter().rev() {
            last = q[end] + 0.9 * next_value - v[end] + 0.9 * 0.95 * last;
            next_value = v[end];
            q[end] = last + v[end];
        }
        let mut wanted = [0.0; 6];
        for t in (0..6).rev() {
            let (next, after) =
                if ends.contains(&t) { (0.0, 0.0) } else { (v[t + 1], wanted[t + 1]) };
            wanted[t] = q[t] + 0.97 * next - v[t] + 0.97 * 0.8 * after;
        }
        assert_close(&got.advantages, &wanted);
    }

    #[test]
    fn version_2_crosses_turns_with_the_turns_advantage() {
        let (q, v) = ([0.1, 0.2, -0.3, 1.0], [0.5, 0.4, 0.3, 0.6]);
        let token = Gae { gamma: 0.97, lambda: 0.8 };
        let settings = BiLevelGae { version: BiLevelVersion::V2, turn: TURN, token };
        let got = settings.credit(&q, &v, &[0, 0, 1, 1], 0.2).unwrap();
        let second_turn = -0.3 + 1.0 + 0.9 * 0.2 - 0.3;
        let last = 1.0 + 0.97 * 0.2 - 0.6;
        let third = -0.3 + 0.97 * 0.6 - 0.3 + 0.97 * 0.8 * last;
        let second = 0.2 + 0.97 * 0.3 - 0.4 + 0.97 * 0.8 * second_turn;
        let first = 0.1 + 0.97 * 0.4 - 0.5 + 0.97 * 0.8 * second;
        assert_close(&got.advantages, &[first, second, third, last]);
    }

    proptest! {
        #[test]
        fn turns_of_one_token_are_plain_estimation(
            tokens in prop::collection::vec((-2.0..2.0, -2.0..2.0), 0..10), bootstrap in -2.0..2.0,
        ) {
            let (q, v): (Vec<f64>, Vec<f64>) = tokens.into_iter().unzip();
            let turns: Vec<u32> = (0..q.len() as u32).collect();
            let plain = TURN.credit(&q, &v, bootstrap).unwrap();
            prop_assert_eq!(&TurnGae { turn: TURN }.credit(&q, &v, &turns, bootstrap).unwrap(), &plain);
            let v1 = BiLevelGae { version: BiLevelVersion::V1, turn: TURN, token: Gae::default() };
            assert_close(&v1.credit(&q, &v, &turns, bootstrap).unwrap().advantages, &plain.advantages);
            let v2 = BiLevelGae { version: BiLevelVersion::V2, turn: TURN, token: TURN };
            assert_close(&v2.credit(&q, &v, &turns, bootstrap).unwrap().advantages, &plain.advantages);
        }

        #[test]
        fn one_turn_of_version_2_is_plain_estimation_over_tokens(
            tokens in prop::collection::vec((-2.0..2.0, -2.0..2.0), 0..10), bootstrap in -2.0..2.0,
        ) {
            let (q, v): (Vec<f64>, Vec<f64>) = tokens.into_iter().unzip();
            let token = Gae { gamma: 0.98, lambda: 0.7 };
            let settings = BiLevelGae { version: BiLevelVersion::V2, turn: TURN, token };
            let got = settings.credit(&q, &v, &vec![3; q.len()], bootstrap).unwrap();
            prop_assert_eq!(got, token.credit(&q, &v, bootstrap).unwrap());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let settings = BiLevelGae::default();
        let order = settings.credit(&[0.0; 2], &[0.0; 2], &[1, 0], 0.0);
        assert_eq!(order, Err(AlgoError::TurnOrder { task: TASK, token: 1 }));
        assert!(settings.credit(&[0.0; 2], &[0.0], &[0, 0], 0.0).is_err());
        assert!(TurnGae::default().credit(&[0.0; 2], &[0.0; 2], &[0], 0.0).is_err());
        let bad = BiLevelGae { token: Gae { gamma: 2.0, lambda: 0.0 }, ..settings };
        assert_eq!(bad.validate().len(), 1);
        assert_eq!(TurnGae { turn: bad.token }.validate().len(), 1);
    }
}
