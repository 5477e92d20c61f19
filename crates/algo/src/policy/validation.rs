//! What may be wrong with the settings of a policy-gradient method: of each part, and of parts that do
//! not go together.

use crate::error::Problems;
use crate::{
    AdvantageEstimator, CorrectionLevel, PolicyGradient, Problem, RewardCombination, Surrogate,
};

impl PolicyGradient {
    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.extend(self.advantage.validate());
        problems.extend(self.surrogate.validate());
        problems.extend(self.aggregation.validate());
        problems.extend(self.kl.validate());
        problems.require(
            self.entropy_coef.is_finite() && self.entropy_coef >= 0.0,
            "entropy_coef",
            self.entropy_coef,
            "0 or more",
            "0 switches the bonus off, 0.01 is usual",
        );
        problems.extend(self.correction.map(|c| c.validate()).unwrap_or_default());
        problems.require(
            self.off_policy_delta.is_none_or(|delta| delta.is_finite() && delta > 0.0),
            "off_policy_delta",
            self.off_policy_delta.unwrap_or_default(),
            "above 0, or nothing",
            "0.5 is usual",
        );
        problems.require(
            self.top_entropy_share.is_none_or(|share| share > 0.0 && share <= 1.0),
            "top_entropy_share",
            self.top_entropy_share.unwrap_or_default(),
            "above 0 to 1, or nothing",
            "0.2 is the paper's",
        );
        self.validate_extras(&mut problems);
        problems.into_vec()
    }

    fn validate_extras(&self, problems: &mut Problems) {
        let is_weight = |x: f64| x.is_finite() && x >= 0.0;
        let hint = "0 switches it off";
        problems.require(
            is_weight(self.reward_kl_coef),
            "reward_kl_coef",
            self.reward_kl_coef,
            "0 or more",
            hint,
        );
        problems.require(
            is_weight(self.positive_coef),
            "positive_coef",
            self.positive_coef,
            "0 or more",
            hint,
        );
        problems.require(
            self.target_kl.is_none_or(|kl| kl.is_finite() && kl > 0.0),
            "target_kl",
            self.target_kl.unwrap_or_default(),
            "above 0, or nothing",
            "0.01 to 0.05 is usual",
        );
        problems.require(
            self.advantage.wants_values() == self.value.is_some(),
            "value",
            self.value.is_some(),
            "a critic where advantages are weighed against values, and only there",
            "take a critic, or an advantage estimator without one",
        );
        if let Some(value) = &self.value {
            problems.extend(value.loss.validate());
            let holds = value.coef.is_finite() && value.coef > 0.0;
            problems.require(holds, "value.coef", value.coef, "above 0", "0.1 to 0.5 is usual");
        }
        problems.require(
            self.adaptive_kl.is_none() || self.kl.is_on() != (self.reward_kl_coef > 0.0),
            "adaptive_kl",
            "on",
            "one KL penalty whose coefficient it moves: kl.coef or reward_kl_coef above 0, and not both",
            "begin with one coefficient above 0",
        );
        let level = self.correction.map(|correction| correction.level);
        problems.require(
            !matches!(self.surrogate, Surrogate::Vespo(_))
                || level.is_none_or(|level| level == CorrectionLevel::Token),
            "correction.level",
            level,
            "Token with vespo, whose own weight already is the trajectory's",
            "take Token, or no correction",
        );
        let by_parts = matches!(&self.advantage, AdvantageEstimator::Group(group)
            if group.combination == RewardCombination::NormalizeThenSum);
        problems.require(
            !by_parts || self.reward_kl_coef == 0.0,
            "reward_kl_coef",
            self.reward_kl_coef,
            "0 where each part of the reward is standardised by itself",
            "take kl.coef, which is a part of the loss",
        );
        problems.extend(self.adaptive_kl.map(|rule| rule.validate()).unwrap_or_default());
        problems.extend(self.adaptive_entropy.map(|rule| rule.validate()).unwrap_or_default());
        problems.extend(self.trust_region.map(|region| region.validate()).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdaptiveKl, GroupAdvantage, KlPenalty, ppo};

    fn keys(method: &PolicyGradient) -> Vec<&'static str> {
        method.validate().iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn one_coefficient_moves_and_not_two() {
        let moving = PolicyGradient { adaptive_kl: Some(AdaptiveKl::default()), ..ppo() };
        assert_eq!(keys(&moving), [""; 0]);
        let kl = KlPenalty { coef: 0.04, ..KlPenalty::default() };
        let both = PolicyGradient { kl, ..moving.clone() };
        let neither = PolicyGradient { reward_kl_coef: 0.0, ..moving };
        assert_eq!(keys(&both), ["adaptive_kl"]);
        assert_eq!(keys(&neither), ["adaptive_kl"]);
        assert_eq!(keys(&PolicyGradient { adaptive_kl: None, ..both }), [""; 0]);
    }

    /// The penalty is taken off the total, which is not what is compared then.
    #[test]
    fn a_penalty_in_the_reward_needs_a_total() {
        let combination = RewardCombination::NormalizeThenSum;
        let advantage = GroupAdvantage { combination, ..GroupAdvantage::default() };
        let method = PolicyGradient {
            advantage: advantage.into(),
            reward_kl_coef: 0.05,
            ..PolicyGradient::default()
        };
        assert_eq!(keys(&method), ["reward_kl_coef"]);
    }
}
