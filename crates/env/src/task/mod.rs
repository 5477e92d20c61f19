//! Tasks with required actions: an environment that watches how far the agent has come.
//!
//! # Example
//! ```
//! use stateset_env::sets::World;
//! use stateset_env::customer::Split;
//! use stateset_env::task::{SuccessCriteria, TaskEnvironment, task_config};
//!
//! let config = task_config("data_analysis")?;
//! assert_eq!(config.actions.len(), 4);
//! assert!(config.scenarios(Split::Train).len() >= 40);
//! let environment = TaskEnvironment::new(config.required_actions())
//!     .with_success(SuccessCriteria::when(|view| view.progress() >= 0.75));
//! assert_eq!(environment.max_turns, 20);
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod action;
mod config;
mod environment;

pub use action::{RequiredAction, read_required_actions};
pub use config::{TASK_CONFIGS, TaskConfig, task_config};
pub use environment::{SuccessCriteria, SuccessFunction, TaskEnvironment, TaskView};
