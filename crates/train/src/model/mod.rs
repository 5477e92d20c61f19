//! Models: finding them, setting up an engine for them, and what that takes.

mod agent_config;
mod builtin;
mod memory;
mod source;
mod spec;

pub use agent_config::AgentConfig;
pub use builtin::names as builtin_models;
pub use memory::{MemoryPart, MemoryPlan};
pub use source::{Fetch, ModelSource};
pub use spec::{EngineSpec, TrainingSpec, chat_format};
