//! One change of a setting, and why it was made.
//!
//! A factor is kept beside the two values, so that a log can be read without a calculator. Switches
//! (dynamic sampling, an entropy target where there was none) have no factor.

use std::fmt;

use super::Signal;

/// A setting that may be changed during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quantity {
    /// Peak learning rate; a schedule goes on multiplying it.
    LearningRate,
    /// Weight of the KL to the reference.
    KlCoefficient,
    /// How far a ratio may rise above 1.
    ClipHigh,
    /// Sampling temperature.
    Temperature,
    /// Entropy that an adaptive bonus holds, nats per token; 0 is off.
    EntropyTarget,
    /// Weight of a fixed entropy bonus; 0 is off.
    EntropyCoefficient,
    /// Passes over a batch, a whole number from 1 up.
    Epochs,
    /// Sampling until enough groups differ: 0 is off, 1 is on.
    DynamicSampling,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 8] = [
        Quantity::LearningRate,
        Quantity::KlCoefficient,
        Quantity::ClipHigh,
        Quantity::Temperature,
        Quantity::EntropyTarget,
        Quantity::EntropyCoefficient,
        Quantity::Epochs,
        Quantity::DynamicSampling,
    ];

    /// Its name in logs and files.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::LearningRate => "learning_rate",
            Quantity::KlCoefficient => "kl_coef",
            Quantity::ClipHigh => "clip_high",
            Quantity::Temperature => "temperature",
            Quantity::EntropyTarget => "entropy_target",
            Quantity::EntropyCoefficient => "entropy_coef",
            Quantity::Epochs => "epochs",
            Quantity::DynamicSampling => "dynamic_sampling",
        }
    }

    /// The quantity of that name.
    pub fn from_name(name: &str) -> Option<Quantity> {
        Quantity::ALL.into_iter().find(|quantity| quantity.name() == name)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a change answers to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trigger {
    /// The signal that asked for it.
    pub signal: Signal,
    /// What was measured.
    pub value: f64,
    /// The limit it crossed.
    pub threshold: f64,
}

/// One change of one setting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adjustment {
    /// The setting.
    pub key: Quantity,
    /// Its value before.
    pub from: f64,
    /// Its value from the next step on.
    pub to: f64,
    /// `to` / `from`; `None` for a switch.
    pub factor: Option<f64>,
    /// Why.
    pub trigger: Trigger,
    /// The step after which it was made.
    pub step: u64,
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Adjustment { key, from, to, factor, trigger, step } = self;
        write!(f, "step {step}: {key} from {from} to {to}")?;
        if let Some(factor) = factor {
            write!(f, " (times {factor:.3})")?;
        }
        let Trigger { signal, value, threshold } = trigger;
        write!(f, ", because {signal} was {value:.4}, limit {threshold:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for quantity in Quantity::ALL {
            assert_eq!(Quantity::from_name(quantity.name()), Some(quantity));
        }
        assert_eq!(Quantity::from_name("mood"), None);
    }

    #[test]
    fn reads_as_a_sentence() {
        let trigger = Trigger { signal: Signal::ClipShare, value: 0.35, threshold: 0.3 };
        let adjustment = Adjustment {
            key: Quantity::LearningRate,
            from: 2e-5,
            to: 1e-5,
            factor: Some(0.5),
            trigger,
            step: 40,
        };
        assert_eq!(
            adjustment.to_string(),
            "step 40: learning_rate from 0.00002 to 0.00001 (times 0.500), because clip_share was \
             0.3500, limit 0.3000"
        );
        let switch = Adjustment {
            key: Quantity::DynamicSampling,
            from: 0.0,
            to: 1.0,
            factor: None,
            ..adjustment
        };
        assert!(switch.to_string().starts_with("step 40: dynamic_sampling from 0 to 1, because"));
    }
}
