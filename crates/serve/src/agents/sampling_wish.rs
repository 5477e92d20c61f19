//! How somebody wishes an answer to be drawn: any part may be left to whoever is asked next.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateset_core::Sampling;
use utoipa::ToSchema;

use crate::api_error::ApiError;
use crate::services::unusable;

/// A wish for how answers are drawn. The request's goes first, then the conversation's, the agent's, and
/// what suits the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SamplingWish {
    /// 0 to 2; 0 always takes the likeliest token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Above 0, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// 0 keeps all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Most tokens of an answer, 1 to 8192.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 8192)]
    pub max_tokens: Option<usize>,
    /// Up to 8 texts that end an answer, none of them empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 8)]
    pub stop: Option<Vec<String>>,
}

impl SamplingWish {
    /// Most tokens that may be asked for.
    pub const MAX_TOKENS: usize = 8192;
    /// Most texts that end an answer.
    pub const MAX_STOPS: usize = 8;

    /// What was kept in the database.
    pub(crate) fn kept(value: &Value) -> SamplingWish {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    /// As it is kept.
    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// That every part can be fulfilled.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let refuse = |field, allowed: &str| {
            Err(unusable("invalid_value", field, format!("allowed is {allowed}")))
        };
        if self.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
            return refuse("temperature", "a number from 0 to 2");
        }
        if self.top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
            return refuse("top_p", "a number above 0, at most 1");
        }
        if self.max_tokens.is_some_and(|n| !(1..=SamplingWish::MAX_TOKENS).contains(&n)) {
            return refuse("max_tokens", "a whole number from 1 to 8192");
        }
        let stops = self.stop.as_deref().unwrap_or_default();
        if stops.len() > SamplingWish::MAX_STOPS || stops.iter().any(String::is_empty) {
            return refuse("stop", "up to 8 texts, none of them empty");
        }
        Ok(())
    }

    /// This wish, and `weaker` for what it leaves open.
    pub(crate) fn over(self, weaker: SamplingWish) -> SamplingWish {
        SamplingWish {
            temperature: self.temperature.or(weaker.temperature),
            top_p: self.top_p.or(weaker.top_p),
            top_k: self.top_k.or(weaker.top_k),
            max_tokens: self.max_tokens.or(weaker.max_tokens),
            stop: self.stop.or(weaker.stop),
        }
    }

    /// What suits the model, changed by the wish.
    pub(crate) fn apply(self, model: &Sampling) -> Sampling {
        let mut sampling = model.clone();
        if let Some(temperature) = self.temperature {
            sampling.greedy = temperature == 0.0;
            if temperature > 0.0 {
                sampling.temperature = temperature;
            }
        }
        sampling.top_p = self.top_p.unwrap_or(sampling.top_p);
        sampling.top_k = self.top_k.unwrap_or(sampling.top_k);
        sampling.max_new_tokens = self.max_tokens.unwrap_or(sampling.max_new_tokens);
        sampling.stop.extend(self.stop.unwrap_or_default());
        sampling
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stronger_wishes_come_first() {
        let request = SamplingWish { temperature: Some(0.0), ..SamplingWish::default() };
        let agent =
            SamplingWish { temperature: Some(1.5), max_tokens: Some(7), ..SamplingWish::default() };
        let drawn = request.over(agent).apply(&Sampling::default());
        assert!(drawn.greedy && drawn.max_new_tokens == 7);
        assert_eq!(drawn.temperature, 1.0);
    }

    #[test]
    fn nonsense_is_refused() {
        let wish = SamplingWish::default;
        let bad = [
            ("temperature", SamplingWish { temperature: Some(f64::NAN), ..wish() }),
            ("temperature", SamplingWish { temperature: Some(2.1), ..wish() }),
            ("top_p", SamplingWish { top_p: Some(0.0), ..wish() }),
            ("max_tokens", SamplingWish { max_tokens: Some(0), ..wish() }),
            ("stop", SamplingWish { stop: Some(vec![String::new()]), ..wish() }),
        ];
        for (field, wish) in bad {
            assert_eq!(wish.check().unwrap_err().field.as_deref(), Some(field));
        }
        wish().check().unwrap();
    }
}
