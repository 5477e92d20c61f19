//! What an agent remembers of a conversation beyond the messages it reads.

mod config;
mod conversation;
mod entities;
mod facts;
mod recall;

pub use config::MemoryConfig;
pub use conversation::{ConversationMemory, Remembered};
pub use entities::{Entity, EntityKind, entities_of};
pub use facts::{Fact, facts_of};
pub use recall::{bm25, cosine};
