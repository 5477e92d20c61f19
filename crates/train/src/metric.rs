//! Names of the numbers of a step that sinks and the report look for.
//!
//! A step's metrics are a map from names to numbers. The names before the `/` group them in
//! TensorBoard. Those of the losses are given by [`stateset_algo`]'s diagnostics and repeated here where
//! something of this crate reads them; the rest are the trainer's to fill. A number that is not known
//! is left out, never 0.

/// Mean total reward of the step's scorable trajectories.
pub const REWARD_MEAN: &str = "reward/mean";
/// Smallest of these rewards.
pub const REWARD_MIN: &str = "reward/min";
/// Largest of these rewards.
pub const REWARD_MAX: &str = "reward/max";
/// Their Bessel deviation.
pub const REWARD_STD: &str = "reward/std";
/// KL of the current to the reference policy (k3), nats per token.
pub const REFERENCE_KL: &str = "reference_kl";
/// KL of the old to the current policy (k3), nats per token.
pub const DRIFT_KL: &str = "drift/k3";
/// Entropy of the policy, nats per token.
pub const ENTROPY: &str = "entropy";
/// Share of tokens whose ratio was clipped from below.
pub const CLIP_LOW: &str = "clip/low";
/// Share of tokens whose ratio was clipped from above.
pub const CLIP_HIGH: &str = "clip/high";
/// Sampled tokens of a trajectory, mean.
pub const LENGTH_MEAN: &str = "length/mean";
/// Assistant turns of a trajectory, mean.
pub const TURNS_MEAN: &str = "turns/mean";
/// Norm of the gradient before clipping.
pub const GRADIENT_NORM: &str = "gradient/norm";
/// Learning rate of the step.
pub const LEARNING_RATE: &str = "learning_rate";
/// Sampled tokens per second of the sampling phase.
pub const ROLLOUT_TOKENS_PER_SEC: &str = "speed/rollout_tokens_per_sec";
/// Trained tokens per second of the training phase.
pub const TRAIN_TOKENS_PER_SEC: &str = "speed/train_tokens_per_sec";
/// How bad the worst of the watched signals is: 0 fine, 1 worth a look, 2 something should change.
pub const HEALTH_LEVEL: &str = "health/level";
/// Most memory the process has held so far, in bytes.
pub const PEAK_MEMORY: &str = "memory/peak_rss_bytes";
/// Mean punishment of long replies, where they are punished; it is a part of the rewards.
pub const OVERLONG: &str = "reward/overlong_punishment";
/// Mean reward of everything a step played, the groups left out included, where such are replaced.
pub const PLAYED_REWARD: &str = "sampling/reward_mean";
/// Rounds that replaced groups without any difference in reward.
pub const REFILL_ROUNDS: &str = "sampling/refill_rounds";
/// Groups that were left out because they had none.
pub const DROPPED_GROUPS: &str = "sampling/dropped_groups";
/// Steps by which the weights that sampled are older than those that are trained.
pub const STALENESS: &str = "sampling/staleness";
