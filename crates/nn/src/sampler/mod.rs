//! Sampling of completions from a decoder.

mod pages;
mod request;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod sampler;
mod steering;

pub use request::{SampleEvent, SampleRequest, SampleStart, StopCheck};
pub use sampler::{Sampler, SamplerSize};
pub use steering::{Steering, TokenFilter};
