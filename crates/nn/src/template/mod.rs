//! Conversations as text and as tokens: chat templates, exact continuation, supervised traces.

mod chat_format;
mod chat_template;
mod continuation;
mod control;
mod date;
mod environment;
mod guard;
mod lexer;
mod messages;
mod meter;
mod methods;
mod plain;
mod python;
mod reply;
mod supervised;
mod tools;

pub use chat_format::{ChatFormat, UserText};
pub use chat_template::{ChatTemplate, MAX_TEMPLATE_BYTES, RenderOptions, Rendered};
pub use date::Date;
