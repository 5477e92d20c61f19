//! `POST /v1/responses`: the newer of OpenAI's APIs, with items in the place of messages.
//!
//! Text and calls of functions, whole or in events. Nothing is kept: a client sends the items of earlier
//! answers again.

mod create;
mod input;
mod request;
mod response;
mod writer;

pub(super) use create::{__path_create, create};
pub(super) use request::{InputItem, ItemPart};
