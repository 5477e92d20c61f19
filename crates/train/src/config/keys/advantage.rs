//! Keys of credit: how rewards become advantages.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "training.reward_clip",
        Kind::number_above(0.0),
        "Rewards are cut to this distance from 0 before they are compared.",
    ),
    Key::new(
        "training.advantage",
        Kind::choice(&[
            "group",
            "batch",
            "none",
            "median",
            "leave_one_out",
            "reinforce_pp",
            "reinforce_pp_baseline",
            "gae",
            "decoupled_gae",
            "turn_gae",
            "bi_level_gae",
            "mt_grpo",
            "turns",
            "gigpo",
        ]),
        "What rewards are weighed against: the mean or median of their group, the mean of the batch, \
         nothing, the mean of the others (leave_one_out), the batch by token (reinforce_pp, with the \
         group's mean off first for reinforce_pp_baseline), a critic's values (gae, decoupled_gae, \
         turn_gae, bi_level_gae), or turn by turn (mt_grpo, turns, gigpo). Those with gae have a \
         critic.",
    ),
    Key::optional(
        "training.baseline_type",
        Kind::Choice {
            names: &["group_mean", "group_median", "batch_mean", "none"],
            synonyms: &[("median", "group_median"), ("mean", "group_mean")],
        },
        "Another way to say group, median, batch or none in training.advantage. The one from the \
         stronger layer counts; beside the other estimators it has no effect.",
    ),
    Key::new(
        "training.scale_rewards",
        Kind::Choice {
            names: &["group", "batch", "none", "max_rl"],
            synonyms: &[("true", "group"), ("false", "none")],
        },
        "What the centred reward is divided by: the standard deviation of its group or of the \
         step, nothing, or the group's mean (for rewards from 0 up).",
    ),
    Key::optional(
        "training.advantage_normalization",
        Kind::Bool,
        "Another way to give scale_rewards: true divides (by the group's deviation where nothing \
         else is said), false does not. The one from the stronger layer counts.",
    ),
    Key::new(
        "training.advantage_epsilon",
        Kind::number_above_to(0.0, 1.0),
        "Added to every standard deviation that is divided by.",
    ),
    Key {
        aliases: &["training.multi_objective_aggregation"],
        ..Key::new(
            "training.reward_combination",
            Kind::choice(&["sum_then_normalize", "normalize_then_sum"]),
            "Compare the sum of all rewards, or standardise each reward in its group first and then \
             add them up.",
        )
    },
    Key::new(
        "training.normalize_advantages",
        Kind::Bool,
        "Standardise the advantages of leave_one_out over the batch.",
    ),
    Key::new(
        "training.whitening",
        Kind::choice(&["bessel", "population", "none"]),
        "How the advantages of tokens are whitened over the batch, where there is a critic or \
         reinforce_pp: with n - 1 or n under the variance, or not at all (critics only).",
    ),
    Key::new(
        "training.gamma",
        SHARE,
        "Discount of each token. Documented as 0.99; 1 here, because a long answer is no later one.",
    ),
    Key::new("training.gae_lambda", SHARE, "Decay of gae's sum of errors with each token."),
    Key::new(
        "training.lambda_critic",
        SHARE,
        "Decay of the critic's targets in decoupled_gae; 1 is the plain return.",
    ),
    Key::optional(
        "training.lambda_policy_alpha",
        Kind::number_above(0.0),
        "Makes the policy's lambda in decoupled_gae 1 - 1 / (this times the tokens of the \
         trajectory). Without it, gae_lambda.",
    ),
    Key::new(
        "training.turn_gamma",
        SHARE,
        "Discount of each turn in turn_gae, bi_level_gae, turns and gigpo.",
    ),
    Key::new(
        "training.turn_lambda",
        SHARE,
        "Decay of the sum of errors with each turn in turn_gae and bi_level_gae.",
    ),
    Key::new(
        "training.bi_level_version",
        Kind::choice(&["v1", "v2"]),
        "How bi_level_gae joins its levels: tokens stay within their turn (v1), or go on with the \
         next turn's advantage (v2).",
    ),
    Key::new(
        "training.turn_credit_coef",
        Kind::number_between(0.0, 1000.0),
        "Weight of the turns' own rewards in mt_grpo and turns.",
    ),
    Key::new(
        "training.gigpo_episode_weight",
        Kind::number_between(0.0, 1000.0),
        "Weight of whole episodes in gigpo.",
    ),
    Key::new(
        "training.gigpo_step_weight",
        Kind::number_between(0.0, 1000.0),
        "Weight of steps from the same state in gigpo.",
    ),
];

const SHARE: Kind = Kind::number_between(0.0, 1.0);
