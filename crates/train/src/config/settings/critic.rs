//! The value function of a run, where the method has one.

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
