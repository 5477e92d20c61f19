//! One answer of a model, piece by piece: what every API of the server is made of.
//!
//! Each API turns its own words into an [`AnswerRequest`], and [`AnswerEvent`]s into its own words.

mod answering;
mod canned;
mod check;
mod event;
mod local;
mod request;
mod speaker;
mod speech;
mod spoken;
mod stops;
mod thoughts;

pub use answering::Answering;
pub(crate) use answering::policy_error;
pub use event::{Answer, AnswerEvent, Begun, DrawnToken, LikelyToken, Piece};
pub use request::{AnswerRequest, Form, Prompt};
pub use speaker::Speaker;
