//! Settings that may change during a run: which of them the method has, and how they are put into it.
//!
//! The method and the settings of updates are made anew from those of the configuration whenever a value
//! moved. So what a run trains with follows from the configuration and the values alone, and a run that
//! goes on needs nothing else. Temperature and dynamic sampling are not offered: what is played
//! depends on the configuration alone, which the journals of a run name.

use stateset_algo::{
    AdaptiveEntropy, AutoAdjust, Clip, PolicyGradient, Quantity, RatioLevel, Surrogate,
};

use crate::update::UpdateSettings;

/// Width that an upper clip bound may be raised to (DAPO's).
const RAISED_CLIP: f64 = 0.28;

/// The settings on offer, with their values in the configuration.
pub(super) fn on_offer(method: &PolicyGradient, settings: &UpdateSettings) -> Vec<(Quantity, f64)> {
    let mut offer = Vec::new();
    if method.trust_region.is_none() {
        // A natural step's length is its own.
        offer.push((Quantity::LearningRate, settings.optimiser.learning_rate));
        if settings.n_epochs > 1 {
            offer.push((Quantity::Epochs, settings.n_epochs as f64));
        }
    }
    let kl = if method.kl.is_on() { method.kl.coef } else { method.reward_kl_coef };
    if kl > 0.0 && method.adaptive_kl.is_none() {
        offer.push((Quantity::KlCoefficient, kl));
    }
    if method.adaptive_entropy.is_none() {
        // A target has a controller of its own, so a bonus that is on keeps its fixed weight.
        offer.push(match method.entropy_coef > 0.0 {
            true => (Quantity::EntropyCoefficient, method.entropy_coef),
            false => (Quantity::EntropyTarget, 0.0),
        });
    }
    if let Surrogate::Clip { clip, level: RatioLevel::Token } = &method.surrogate
        && clip.high > 0.0
        && clip.delta.is_none_or(|delta| delta > 1.0 + RAISED_CLIP)
    {
        offer.push((Quantity::ClipHigh, clip.high));
    }
    offer
}

/// `method` and `settings` with the values that `adjust` has come to.
pub(super) fn adjusted(
    adjust: &AutoAdjust,
    method: &PolicyGradient,
    settings: &UpdateSettings,
) -> (PolicyGradient, UpdateSettings) {
    let (mut method, mut settings) = (method.clone(), settings.clone());
    if let Some(rate) = adjust.value(Quantity::LearningRate) {
        settings.optimiser.learning_rate = rate;
    }
    if let Some(epochs) = adjust.value(Quantity::Epochs) {
        settings.n_epochs = epochs as usize;
    }
    if let Some(coef) = adjust.value(Quantity::KlCoefficient) {
        match method.kl.is_on() {
            true => method.kl.coef = coef,
            false => method.reward_kl_coef = coef,
        }
    }
    if let Some(coef) = adjust.value(Quantity::EntropyCoefficient) {
        method.entropy_coef = coef;
    }
    if let Some(target) = adjust.value(Quantity::EntropyTarget).filter(|target| *target > 0.0) {
        method.adaptive_entropy = Some(AdaptiveEntropy { target, ..AdaptiveEntropy::default() });
    }
    if let Some(high) = adjust.value(Quantity::ClipHigh)
        && let Surrogate::Clip { clip, .. } = &mut method.surrogate
    {
        *clip = Clip { high, ..*clip };
    }
    (method, settings)
}
