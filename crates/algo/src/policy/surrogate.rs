//! The choice of a policy loss: each variant's arithmetic is in a file of its own.

use super::{Cispo, Clip, Gepo, Gmpo, RatioLevel, Reinforce, Sapo, Sequence, TokenLoss, Vespo};
use crate::{Problem, StepData, Unit};

/// What is minimised, token by token.
#[derive(Clone, Debug, PartialEq)]
pub enum Surrogate {
    /// Clipped importance ratio: PPO, GRPO, DAPO; GSPO at the level of sequences.
    Clip {
        /// The range.
        clip: Clip,
        /// Over what the ratio is taken.
        level: RatioLevel,
    },
    /// GSPO with gradients and advantages by token.
    GspoToken(Clip),
    /// Truncated, detached ratio in front of the log-prob.
    Cispo(Cispo),
    /// A smooth gate instead of a clip.
    Sapo(Sapo),
    /// A shaped, detached sequence weight in front of the log-prob.
    Vespo(Vespo),
    /// Geometric mean of clipped token ratios.
    Gmpo(Gmpo),
    /// Probability over what the group expects.
    Gepo(Gepo),
    /// Log-prob times advantage.
    Reinforce(Reinforce),
}

impl Surrogate {
    /// The clipped surrogate by token.
    pub fn clip(clip: Clip) -> Surrogate {
        Surrogate::Clip { clip, level: RatioLevel::Token }
    }

    /// Over what the importance ratio of the KL penalty is taken.
    pub fn level(&self) -> RatioLevel {
        match self {
            Surrogate::Clip { level, .. } => *level,
            Surrogate::GspoToken(_) => RatioLevel::Sequence,
            Surrogate::Cispo(cispo) => cispo.level,
            Surrogate::Sapo(sapo) => sapo.level,
            _ => RatioLevel::Token,
        }
    }

    /// What a micro-batch must hold whole.
    pub fn unit(&self) -> Unit {
        match self {
            Surrogate::Vespo(_) | Surrogate::Gmpo(_) | Surrogate::Gepo(_) => Unit::Trajectory,
            other if other.level() == RatioLevel::Token => Unit::Row,
            _ => Unit::Trajectory,
        }
    }

    /// The loss of every token of one trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        match self {
            Surrogate::Clip { clip, level } => clip.losses(sequence, *level),
            Surrogate::GspoToken(clip) => super::gspo_token_losses(clip, sequence),
            Surrogate::Cispo(cispo) => cispo.losses(sequence),
            Surrogate::Sapo(sapo) => sapo.losses(sequence),
            Surrogate::Vespo(vespo) => vespo.losses(sequence),
            Surrogate::Gmpo(gmpo) => gmpo.losses(sequence),
            Surrogate::Gepo(gepo) => gepo.losses(sequence),
            Surrogate::Reinforce(reinforce) => reinforce.losses(sequence),
        }
    }

    /// One number for each trajectory that its losses depend on; empty where they need none.
    pub fn contexts(&self, step: &StepData<'_>) -> Vec<f64> {
        match self {
            Surrogate::Gepo(gepo) => gepo.log_denominators(step),
            _ => Vec::new(),
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            Surrogate::Clip { clip, .. } | Surrogate::GspoToken(clip) => clip.validate(),
            Surrogate::Cispo(cispo) => cispo.validate(),
            Surrogate::Sapo(sapo) => sapo.validate(),
            Surrogate::Vespo(vespo) => vespo.validate(),
            Surrogate::Gmpo(gmpo) => gmpo.validate(),
            Surrogate::Gepo(gepo) => gepo.validate(),
            Surrogate::Reinforce(reinforce) => reinforce.validate(),
        }
    }
}
