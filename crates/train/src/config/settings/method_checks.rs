//! What does not go together in a method of rollouts.

use stateset_algo::{Aggregation, PolicyGradient, RatioLevel, Reinforce, Surrogate};

use super::super::reader::Reader;
use super::algorithm::{AlgorithmSettings, Method};
use super::critic::CriticKind;
use super::steps::StepSettings;

const ALGORITHM: &str = "algorithm";
const ADVANTAGE: &str = "training.advantage";
const LOSS_TYPE: &str = "training.loss_type";
const STALENESS: &str = "training.staleness";
const GROUP: &str = "training.num_generations";
const DYNAMIC: &str = "training.use_dynamic_sampling";

/// Checks across the parts of a method.
pub(super) fn check(reader: &mut Reader, name: &'static str, settings: &AlgorithmSettings) {
    let Method::Online(method) = &settings.method else { return };
    check_critic(reader, name, method);
    warn_of_sums(reader, name, method);
    if let Some(critic) = settings.critic
        && method.trust_region.is_some()
        && critic.kind == CriticKind::SharedTrunk
        && !critic.stops_gradient
    {
        let paths = ["training.critic_stops_gradient", "training.critic"];
        let allowed = "true where a trust region's policy shares its trunk with the critic";
        let hint = "values that move the trunk would carry the policy out of the region";
        reader.refuse(&paths, "false with shared", allowed, hint);
    }
    if settings.rollouts.staleness > 0
        && method.surrogate == Surrogate::Reinforce(Reinforce { max_weight: None })
    {
        let message = "the loss has no ratio that makes up for older weights; reinforce_max_weight \
                       gives it one";
        reader.warn(&[STALENESS], message);
    }
}

/// A named actor-critic method needs the critic; others may have one.
fn check_critic(reader: &mut Reader, name: &'static str, method: &PolicyGradient) {
    let is_actor_critic = matches!(name, "ppo" | "vapo" | "a2c" | "trpo");
    if is_actor_critic && !method.advantage.wants_values() {
        let found = format!("{name} with {}", reader.text(ADVANTAGE));
        let allowed = format!("gae, decoupled_gae, turn_gae or bi_level_gae with {name}");
        let hint = "or take grpo, rloo or reinforce_pp, which have no critic";
        reader.refuse(&[ALGORITHM, ADVANTAGE], found, allowed, hint);
    }
}

/// A ratio of the whole conversation is one action: summed over tokens, it counts once for each. LUSPO
/// wants just that.
fn warn_of_sums(reader: &mut Reader, name: &'static str, method: &PolicyGradient) {
    let is_sequence = match &method.surrogate {
        Surrogate::Gmpo(_) | Surrogate::Gepo(_) => true,
        other => other.level() == RatioLevel::Sequence,
    };
    let is_luspo = name == "luspo" && method.aggregation == Aggregation::TokenSum;
    if is_sequence && method.aggregation != Aggregation::Grpo && !is_luspo {
        let message = "with a ratio of the whole conversation, long ones weigh more the more tokens \
                       they have; grpo weighs all alike";
        reader.warn(&[LOSS_TYPE], message);
    }
}

/// Checks of a method against the steps that it is trained in.
pub(super) fn check_steps(reader: &mut Reader, method: &PolicyGradient, steps: &StepSettings) {
    if steps.group_size == 1 {
        if method.advantage.compares_samples() {
            let hint = "a sample is compared with the others of its scenario; reinforce, \
                        reinforce_pp and ppo compare otherwise";
            reader.refuse(&[GROUP, ADVANTAGE], "1", "2 or more", hint);
        } else if reader.bool(DYNAMIC) {
            let hint = "a single sample differs from no other";
            reader.refuse(&[GROUP, DYNAMIC], "1", "2 or more with use_dynamic_sampling", hint);
        }
    } else if steps.group_size < 4 && reader.is_own(GROUP) && method.advantage.compares_samples() {
        reader.warn(&[GROUP], "below 4 samples, most groups say little about what is better");
    }
    let passes = ["training.num_iterations", "training.num_minibatches"];
    let n_updates = steps.optimiser_steps_per_step();
    if n_updates > 1 && method.trust_region.is_some() {
        let found = format!("{n_updates} optimiser steps for each batch");
        let hint = "a trust region is for one step on the whole batch";
        reader.refuse(&passes, found, "num_iterations 1 and num_minibatches 1", hint);
    } else if n_updates > 1
        && method.surrogate == Surrogate::Reinforce(Reinforce { max_weight: None })
    {
        let message = "after the first of these steps the batch is no longer the policy's own, and \
                       nothing corrects for that";
        reader.warn(&passes, message);
    }
}
