//! The stateset-agents program and its library façade.
//!
//! The façade makes the common cases short: load an agent, train it on scenarios with a reward, talk to
//! it. Everything underneath stays within reach through the crates it is made of.
//!
//! # Example
//! ```
//! use stateset_agents::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let agent = ChatAgent::stub(["Hello! How can I help?"]);
//! let answer = agent.generate_response(&[Message::user("Hi!")]).await?;
//! assert_eq!(answer, "Hello! How can I help?");
//! # Ok(()) }) }
//! ```

pub mod cli;
mod complete;
mod facade;
mod hub;
mod judge;
pub mod prelude;
mod secret;
mod tools;

pub use facade::{
    AutoTrainer, ChatAgent, Trained, Training, train, train_on_pairs, train_on_prompts,
};

/// The guide's page on environments and rewards, whose code is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/environments.md")]
mod guide {}

/// The guide's page on tools.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/tools.md")]
mod tools_guide {}

#[cfg(doctest)]
#[doc = include_str!("../../../docs/composites.md")]
mod composites {}

/// The guide's page on judges.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/judges.md")]
mod judges {}

/// The guide's page on what is elsewhere: policies, tools.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/remote.md")]
mod remote {}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
