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

#[cfg(test)]
mod tests {
    use stateset_algo::{AdaptiveKl, AdjustLimits, AdjustState, KlPenalty, Knob, gspo, trpo};

    use super::*;
    use crate::config::{ConfigSources, resolve};
    use crate::online::setup;

    fn settings(n_epochs: usize) -> UpdateSettings {
        let resolved = resolve(&ConfigSources::default()).unwrap();
        UpdateSettings { n_epochs, ..setup::update_settings(&resolved.config) }
    }

    fn offered(method: &PolicyGradient, n_epochs: usize) -> Vec<Quantity> {
        on_offer(method, &settings(n_epochs)).into_iter().map(|(quantity, _)| quantity).collect()
    }

    #[test]
    fn only_what_the_method_has_is_offered() {
        use Quantity::{
            ClipHigh, EntropyCoefficient, EntropyTarget, Epochs, KlCoefficient, LearningRate,
        };
        let plain = PolicyGradient::default();
        assert_eq!(offered(&plain, 1), [LearningRate, EntropyTarget, ClipHigh]);
        assert_eq!(offered(&gspo(), 2), [LearningRate, Epochs, EntropyTarget]);
        assert!(!offered(&trpo(), 1).contains(&LearningRate));
        let kl = KlPenalty { coef: 0.1, ..KlPenalty::default() };
        let held = PolicyGradient { kl, entropy_coef: 0.01, ..plain.clone() };
        let all = [LearningRate, KlCoefficient, EntropyCoefficient, ClipHigh];
        assert_eq!(offered(&held, 1), all);
        // What has a controller of its own is its.
        let adaptive_kl = Some(AdaptiveKl::default());
        let adaptive_entropy = Some(AdaptiveEntropy::default());
        let moved = PolicyGradient { adaptive_kl, adaptive_entropy, ..held };
        assert_eq!(offered(&moved, 1), [LearningRate, ClipHigh]);
        let bound = Clip { delta: Some(1.25), ..Clip::default() };
        let bound = PolicyGradient { surrogate: Surrogate::clip(bound), ..plain };
        assert!(!offered(&bound, 1).contains(&ClipHigh));
    }

    #[test]
    fn every_value_reaches_its_place_and_the_method_stays_valid() {
        let kl = KlPenalty { coef: 0.1, ..KlPenalty::default() };
        let method = PolicyGradient { kl, ..PolicyGradient::default() };
        let settings = settings(4);
        let offer = on_offer(&method, &settings);
        let unchanged = AutoAdjust::new(AdjustLimits::default(), &offer);
        assert_eq!(adjusted(&unchanged, &method, &settings), (method.clone(), settings.clone()));
        let values = [2e-5, 2.0, 0.2, 0.75, 0.28];
        let knob = |(&(quantity, initial), value)| Knob { quantity, initial, value };
        let knobs = offer.iter().zip(values).map(knob).collect();
        let state = AdjustState { knobs, ..AdjustState::default() };
        let moved = AutoAdjust::resume(AdjustLimits::default(), state);
        let (method, settings) = adjusted(&moved, &method, &settings);
        assert_eq!((settings.optimiser.learning_rate, settings.n_epochs), (2e-5, 2));
        assert_eq!(method.kl.coef, 0.2);
        assert_eq!(method.adaptive_entropy.unwrap().target, 0.75);
        let clip = Clip { high: 0.28, ..Clip::default() };
        assert_eq!(method.surrogate, Surrogate::clip(clip));
        assert_eq!(method.validate(), []);

        let whole = PolicyGradient { reward_kl_coef: 0.05, ..PolicyGradient::default() };
        let knob = Knob { quantity: Quantity::KlCoefficient, initial: 0.05, value: 0.1 };
        let state = AdjustState { knobs: vec![knob], ..AdjustState::default() };
        let moved = AutoAdjust::resume(AdjustLimits::default(), state);
        let (whole, _) = adjusted(&moved, &whole, &settings);
        assert_eq!((whole.reward_kl_coef, whole.kl.coef), (0.1, 0.0));
    }
}
