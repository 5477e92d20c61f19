//! Scenario and prompt files.
//!
//! A scenario file is JSON (an array, or an object with an array under `scenarios`), JSONL or YAML; a
//! prompt file is JSONL. Reading takes bytes and a format and does no IO; [`load_scenarios`] and
//! [`load_prompts`] take a path and do. Everything wrong with a file is reported together.
//!
//! # Example
//! ```
//! use stateset_env::scenarios::{Format, scenarios_from_bytes};
//!
//! let yaml = b"
//! - topic: refunds
//!   context: User wants a refund for a delayed order.
//!   user_responses: [My order is late., I would like a refund., Thanks!]
//! ";
//! let scenarios = scenarios_from_bytes(yaml, Format::Yaml, "shop.yaml")?;
//! assert_eq!(scenarios[0].id, "shop-0");
//!
//! let bad = scenarios_from_bytes(br#"[{"user_response": ["Hi"]}]"#, Format::Json, "a.json");
//! assert!(bad.unwrap_err().to_string().contains("did you mean `user_responses`?"));
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod entries;
mod file;
mod messages;
mod prompt;
mod scenario;

pub(crate) use entries::yaml;
pub use entries::{Format, MAX_ENTRIES, MAX_FILE_BYTES};
pub use file::{load_prompts, load_scenarios, prompts_from_bytes, scenarios_from_bytes};
pub use scenario::{MAX_LINES, MAX_TEXT_CHARS, scenario_to_object};
