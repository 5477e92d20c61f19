//! A price table: what a million tokens of each model cost, as the user states it.
//!
//! ```toml
//! currency = "USD"
//! [models."some-model"]
//! input_per_million = 0.5
//! output_per_million = 1.5
//! cached_input_per_million = 0.1   # the input's price where it is left out
//! ```
//!
//! The same in JSON. No prices are built in: they would be wrong within weeks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::ledger_error::LedgerError;
use crate::remote::Usage;

/// Prices of models by name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Name of the money, such as USD.
    #[serde(default = "dollars")]
    pub currency: String,
    /// The models.
    #[serde(default)]
    pub models: BTreeMap<String, Price>,
}

/// Price of a model, in money per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens read.
    pub input_per_million: f64,
    /// Tokens written.
    pub output_per_million: f64,
    /// Tokens read that the server had in its cache.
    #[serde(default)]
    pub cached_input_per_million: Option<f64>,
}

fn dollars() -> String {
    "USD".to_owned()
}

impl Prices {
    /// The table in a file, JSON where its name ends so, TOML otherwise.
    ///
    /// # Errors
    /// [`LedgerError`] naming the file and what is wrong in it.
    pub fn load(path: &Path) -> Result<Prices, LedgerError> {
        let text = fs::read_to_string(path).map_err(|source| LedgerError::File {
            action: "read",
            path: path.to_owned(),
            source,
        })?;
        let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        Prices::parse(&text, is_json)
            .map_err(|problem| LedgerError::Content { path: path.to_owned(), problem })
    }

    /// The table in a text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, is_json: bool) -> Result<Prices, String> {
        let prices: Prices = match is_json {
            true => serde_json::from_str(text).map_err(|error| error.to_string())?,
            false => toml::from_str(text).map_err(|error| error.to_string())?,
        };
        for (model, price) in &prices.models {
            for (key, value) in price.named() {
                if !(value.is_finite() && value >= 0.0) {
                    return Err(format!(
                        "models.{model:?}: `{key}`: found {value}, allowed is a number from 0"
                    ));
                }
            }
        }
        Ok(prices)
    }

    /// What `usage` of `model` costs; `None` for a model without a price.
    pub fn cost(&self, model: &str, usage: Usage) -> Option<f64> {
        Some(self.models.get(model)?.cost(usage))
    }

    /// The known model whose name is nearest to `model`.
    pub(super) fn nearest(&self, model: &str) -> Option<&str> {
        let near = |known: &&String| strsim::jaro_winkler(known, model);
        let best = self.models.keys().max_by(|a, b| near(a).total_cmp(&near(b)))?;
        (near(&best) >= 0.8).then_some(best)
    }
}

impl Price {
    fn named(&self) -> [(&'static str, f64); 3] {
        let cached = self.cached_input_per_million.unwrap_or(self.input_per_million);
        [
            ("input_per_million", self.input_per_million),
            ("output_per_million", self.output_per_million),
            ("cached_input_per_million", cached),
        ]
    }

    fn cost(&self, usage: Usage) -> f64 {
        let [(_, input), (_, output), (_, cached)] = self.named();
        let fresh = usage.input_tokens.saturating_sub(usage.cached_tokens);
        let times = |tokens: u64, price: f64| tokens as f64 * price;
        (times(fresh, input)
            + times(usage.cached_tokens, cached)
            + times(usage.output_tokens, output))
            / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "currency = \"EUR\"\n[models.\"m-1\"]\ninput_per_million = 2\n\
                         output_per_million = 6\ncached_input_per_million = 0.5\n";

    #[test]
    fn tokens_become_money() {
        let prices = Prices::parse(TABLE, false).unwrap();
        let usage =
            Usage { input_tokens: 1_000_000, cached_tokens: 400_000, output_tokens: 500_000 };
        // 0.6 x 2 + 0.4 x 0.5 + 0.5 x 6
        assert_eq!(prices.cost("m-1", usage), Some(4.4));
        assert_eq!(prices.cost("m-2", usage), None);
        assert_eq!(prices.nearest("m-2"), Some("m-1"));
        assert_eq!(prices.nearest("other"), None);
        let json = r#"{"models": {"m": {"input_per_million": 1, "output_per_million": 0}}}"#;
        let prices = Prices::parse(json, true).unwrap();
        assert_eq!((prices.currency.as_str(), prices.cost("m", usage)), ("USD", Some(1.0)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = TABLE.replace("= 6", "= -6");
        let problem = Prices::parse(&wrong, false).unwrap_err();
        assert_eq!(
            problem,
            "models.\"m-1\": `output_per_million`: found -6, allowed is a number from 0"
        );
        let wrong = TABLE.replace("output_per", "outputs_per");
        assert!(Prices::parse(&wrong, false).unwrap_err().contains("outputs_per_million"));
        assert!(Prices::parse("[", true).is_err());
        assert!(Prices::parse(&TABLE.replace("= 2", "= nan"), false).is_err());
    }
}
