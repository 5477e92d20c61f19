//! Reading configuration files: TOML, YAML or JSON into one tree with lines.

mod file;
mod json;
mod toml;
mod tree;
mod yaml;

pub(super) use file::parse_text;
pub use file::{ConfigFile, Format};
pub(super) use json::json_value;
pub(super) use tree::{Content, Node};
