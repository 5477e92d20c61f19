//! Built-in conversation sets: customers for training, validation and the final judgement.
//!
//! # Example
//! ```
//! use stateset_env::customer::Split;
//! use stateset_env::sets::conversation_config;
//!
//! let config = conversation_config("customer_service")?;
//! assert!(config.scenarios(Split::HeldOut).len() >= 60);
//! let environment = config.environment();
//! assert_eq!(environment.max_turns, 8);
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod bookings;
mod config;
mod generate;
mod tutoring;
mod world;

pub use bookings::Bookings;
pub use config::{CONVERSATION_CONFIGS, ConversationConfig, conversation_config};
pub use generate::{customer_scenario, draw_customer};
pub use tutoring::Tutoring;
pub use world::{World, world, worlds};
