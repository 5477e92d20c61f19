//! The models that answer.

mod library;
mod load;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod models;
mod served_model;

pub use library::{Library, Loaded, OpenModel};
pub use load::LoadOptions;
pub use models::Models;
pub use served_model::{ServedModel, Voice};
