//! Configurations as text: resolved ones, the commented defaults, starters and the reference.

mod defaults;
mod generated;
mod reference;
mod resolved;
mod starter;
mod toml_value;

pub use defaults::default_toml;
pub use generated::generated_files;
pub use reference::reference_markdown;
pub use starter::starter_config;
