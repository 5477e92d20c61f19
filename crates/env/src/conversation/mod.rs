//! Conversations with a scripted or a simulated user.

mod ends;
mod environment;
mod farewell;
mod reactive;
mod scripted;
mod turn_reward;
mod user;
mod voice;

pub use ends::EndConditions;
pub use environment::{CLOSING_WORDS, ConversationEnvironment};
pub use scripted::ResponseOrder;
pub use turn_reward::TurnReward;

pub(crate) use farewell::is_farewell;
pub(crate) use user::UserSpec;
