//! Goals and styles from real dialogues: MultiWOZ, MultiDoGO and Taskmaster-4.
//!
//! Each reader takes the text of one file as its corpus publishes it, and gives the goals with the
//! users' own messages. Dialogues without a goal that can be read are left out; a file that is not what
//! it should be is an error.

mod multidogo;
mod multiwoz;
mod taskmaster;

pub use multidogo::read_multidogo;
pub use multiwoz::read_multiwoz;
pub use taskmaster::read_taskmaster;

use super::goal::Goal;
use super::style::UserTurn;

/// One real dialogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialogue {
    /// The corpus' own name for it.
    pub id: String,
    /// What the user wanted.
    pub goal: Goal,
    /// What the user wrote, in order.
    pub turns: Vec<UserTurn>,
}
