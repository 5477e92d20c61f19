//! Where a sample is found: run, scenario, sample; in paths, and in a header.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api_error::ApiError;
use crate::path_name::invalid_path;

/// Longest part of an address, in characters.
const MAX_PART_CHARS: usize = 100;

/// Where a sample is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct Address {
    /// The run: the id of a training.
    pub(crate) run: String,
    /// The scenario's id, with `_` for what is neither a letter of ASCII, nor a digit, nor one of `-_.`
    pub(crate) scenario: String,
    /// The sample.
    pub(crate) sample: String,
}

impl Address {
    /// The address of a sample, which fits into paths and headers whatever run and scenario are called.
    pub(super) fn new(run: &str, scenario: &str, sample: String) -> Address {
        Address { run: plain(run), scenario: plain(scenario), sample }
    }

    /// Reads `run/scenario/sample`; `None` where it is not that.
    pub(super) fn read(name: &str) -> Option<Address> {
        let parts: Vec<&str> = name.split('/').collect();
        let [run, scenario, sample] = parts[..] else { return None };
        let is_plain = parts.iter().all(|part| plain(part) == *part);
        is_plain.then(|| Address::new(run, scenario, sample.to_owned()))
    }

    /// `run/scenario/sample`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}/{}", self.run, self.scenario, self.sample)
    }

    /// The path that all routes of the sample begin with.
    pub(crate) fn path(&self) -> String {
        format!("/gateway/{}", self.name())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Address {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Address, ApiError> {
        let found = Path::<Address>::from_request_parts(parts, state).await;
        found.map(|Path(address)| address).map_err(|_| invalid_path())
    }
}

/// A name as a part of an address.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let text: String = name.chars().take(MAX_PART_CHARS).map(plain).collect();
    if text.is_empty() { "_".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_read_as_it_is_written() {
        for (run, scenario) in [("job_1", "late-parcel"), ("mein Lauf/2", "ü"), ("", ".")] {
            let address = Address::new(run, scenario, "0af3".to_owned());
            assert_eq!(Address::read(&address.name()), Some(address));
        }
    }

    #[test]
    fn what_is_no_address_is_not_read() {
        let long = format!("a/b/{}", "c".repeat(MAX_PART_CHARS + 1));
        for name in ["", "a", "a/b", "a/b/c/d", "a//c", "/a/b", "a/b/", "a/b/c d", "a/b/ü", &long]
        {
            assert_eq!(Address::read(name), None, "{name:?}");
        }
    }
}
