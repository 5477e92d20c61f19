//! Conversations with a scripted or a simulated user.

mod environment;
mod farewell;
mod scripted;
mod turn_reward;

pub use environment::{CLOSING_WORDS, ConversationEnvironment};
pub use scripted::ResponseOrder;
pub use turn_reward::TurnReward;
