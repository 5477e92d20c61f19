//! The value function of a run, where the method has one.

use stateset_algo::PolicyGradient;

use super::super::reader::Reader;

/// Where values come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CriticKind {
    /// A head on the policy's own last state.
    #[default]
    SharedTrunk,
    /// A model of its own that begins as a copy of the policy.
    Separate,
}

/// A value function.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CriticSettings {
    /// Where values come from.
    pub kind: CriticKind,
    /// Learning rate of the head, and of a separate critic; above 0.
    pub learning_rate: f64,
    /// Steps at the start in which only the critic learns, 0 or more (VAPO: about 50).
    pub pretraining_steps: u32,
    /// Values teach the head alone and leave the trunk as it is.
    pub stops_gradient: bool,
    /// Passes over the batch in which the critic is taught where the policy's step is a natural
    /// gradient, 1 or more.
    pub passes: usize,
}

impl Default for CriticSettings {
    fn default() -> Self {
        CriticSettings {
            kind: CriticKind::SharedTrunk,
            learning_rate: 1e-3,
            pretraining_steps: 0,
            stops_gradient: false,
            passes: 10,
        }
    }
}

impl CriticSettings {
    pub(super) fn resolve(reader: &Reader, method: &PolicyGradient) -> CriticSettings {
        let kind = match reader.text("training.critic") {
            "separate" => CriticKind::Separate,
            _ => CriticKind::SharedTrunk,
        };
        // The other settings of these two keys have nothing to act on.
        let shares = kind == CriticKind::SharedTrunk;
        let default = CriticSettings::default();
        CriticSettings {
            kind,
            learning_rate: reader.number("training.critic_learning_rate"),
            pretraining_steps: reader.count("training.value_warmup_steps") as u32,
            stops_gradient: shares && reader.bool("training.critic_stops_gradient"),
            passes: match method.trust_region {
                Some(_) => reader.size("training.critic_passes"),
                None => default.passes,
            },
        }
    }
}
