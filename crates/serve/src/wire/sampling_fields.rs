//! The fields of a request that say how to draw, checked.

use std::ops::RangeInclusive;

use crate::answer::{AnswerRequest, Form, Prompt};
use crate::api_error::ApiError;
use crate::models::ServedModel;

/// How to draw, as a client asked for it; what is absent is as the model draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SamplingFields {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<i64>,
    pub min_p: Option<f64>,
    pub repetition_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub max_tokens: usize,
    pub stop: Vec<String>,
    pub logit_bias: Vec<(u32, f32)>,
    pub top_logprobs: usize,
    pub seed: Option<i64>,
}

/// Checks of numbers that come from outside.
pub(crate) trait RangeCheck: Sized {
    /// The number, where it is absent or inside of `allowed`.
    ///
    /// # Errors
    /// [`ApiError`] that names the field and the range.
    fn within(self, field: &str, allowed: RangeInclusive<f64>) -> Result<Self, ApiError>;
}

impl RangeCheck for Option<f64> {
    fn within(self, field: &str, allowed: RangeInclusive<f64>) -> Result<Self, ApiError> {
        match self {
            Some(value) if !allowed.contains(&value) => Err(outside(field, value, &allowed)),
            _ => Ok(self),
        }
    }
}

impl RangeCheck for Option<i64> {
    fn within(self, field: &str, allowed: RangeInclusive<f64>) -> Result<Self, ApiError> {
        match self {
            Some(value) if !allowed.contains(&(value as f64)) => {
                Err(outside(field, value as f64, &allowed))
            }
            _ => Ok(self),
        }
    }
}

fn outside(field: &str, value: f64, allowed: &RangeInclusive<f64>) -> ApiError {
    let (from, to) = (allowed.start(), allowed.end());
    ApiError::invalid(field, format!("{value} is outside of {from} to {to}"))
}

impl SamplingFields {
    /// The request for one answer, drawn this way.
    ///
    /// # Errors
    /// [`ApiError`] that names a field outside of its range.
    pub(crate) fn request(
        &self,
        model: &ServedModel,
        prompt: Prompt,
        form: Form,
    ) -> Result<AnswerRequest, ApiError> {
        let mut sampling = model.sampling.clone();
        if let Some(temperature) = self.temperature.within("temperature", 0.0..=2.0)? {
            sampling.greedy = temperature == 0.0;
            if temperature > 0.0 {
                sampling.temperature = temperature.max(LEAST_TEMPERATURE);
            }
        }
        if let Some(top_p) = self.top_p.within("top_p", 0.0..=1.0)? {
            // 0 would keep nothing; the likeliest token alone is what it means.
            sampling.top_p = top_p.max(f64::MIN_POSITIVE);
        }
        if let Some(top_k) = self.top_k.within("top_k", -1.0..=1e9)? {
            sampling.top_k = usize::try_from(top_k).unwrap_or(0);
        }
        if let Some(min_p) = self.min_p.within("min_p", 0.0..=1.0)? {
            sampling.min_p = min_p;
        }
        let penalty = self.repetition_penalty.within("repetition_penalty", 0.01..=100.0)?;
        sampling.repetition_penalty = penalty.unwrap_or(sampling.repetition_penalty);
        sampling.max_new_tokens = self.max_tokens.min(model.context);
        sampling.stop.extend(self.stop.iter().cloned());
        let presence = self.presence_penalty.within("presence_penalty", -2.0..=2.0)?;
        let frequency = self.frequency_penalty.within("frequency_penalty", -2.0..=2.0)?;
        Ok(AnswerRequest {
            presence_penalty: presence.unwrap_or_default(),
            frequency_penalty: frequency.unwrap_or_default(),
            logit_bias: self.logit_bias.clone(),
            top_logprobs: self.top_logprobs,
            form,
            seed: self.seed.map(i64::cast_unsigned),
            ..AnswerRequest::new(prompt, sampling)
        })
    }
}

/// Least temperature that is drawn at; below it logits overflow, and the draw is the likeliest token.
const LEAST_TEMPERATURE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &SamplingFields) -> Result<AnswerRequest, ApiError> {
        let model = ServedModel::stub("stub", Vec::new());
        fields.request(&model, Prompt::Text("a".into()), Form::Free)
    }

    #[test]
    fn zero_temperature_is_the_likeliest_token() {
        let fields = SamplingFields { temperature: Some(0.0), ..Default::default() };
        assert!(request(&fields).unwrap().sampling.greedy);
        let fields =
            SamplingFields { temperature: Some(0.5), seed: Some(-1), ..Default::default() };
        let request = request(&fields).unwrap();
        assert!(!request.sampling.greedy && request.sampling.temperature == 0.5);
        assert_eq!(request.seed, Some(u64::MAX));
    }

    #[test]
    fn numbers_outside_of_their_range_are_named() {
        let none = SamplingFields::default;
        let cases = [
            (SamplingFields { temperature: Some(2.1), ..none() }, "temperature"),
            (SamplingFields { temperature: Some(-0.1), ..none() }, "temperature"),
            (SamplingFields { top_p: Some(1.5), ..none() }, "top_p"),
            (SamplingFields { top_k: Some(-2), ..none() }, "top_k"),
            (SamplingFields { min_p: Some(-1.0), ..none() }, "min_p"),
            (SamplingFields { repetition_penalty: Some(0.0), ..none() }, "repetition_penalty"),
            (SamplingFields { presence_penalty: Some(3.0), ..none() }, "presence_penalty"),
            (SamplingFields { frequency_penalty: Some(-3.0), ..none() }, "frequency_penalty"),
        ];
        for (fields, field) in cases {
            let error = request(&fields).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), ("invalid_value", Some(field)));
        }
    }
}
