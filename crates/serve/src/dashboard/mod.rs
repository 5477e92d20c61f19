//! Pages for people: runs with their curves, conversations token by token, the samples of a group and whole
//! runs beside each other, trainings that were asked for, a chat with any model, and what can be learned from.
//!
//! Pages are written on the server ([`maud`] escapes everything that users and models said) and need no
//! script to be read; three small scripts keep a running page fresh, tell the number of a token and stream the chat. Runs are read from
//! their folders, whoever trains them.

mod chat;
mod compare;
mod conversation;
mod conversations;
mod data;
mod frame;
mod group;
mod jobs;
mod preferences;
mod routes;
mod run;
mod runs;
mod runs_folder;
mod scenario_set;
mod step;
mod tokens;
mod turns;

pub use preferences::PreferenceFile;
pub use routes::routes;
pub use runs_folder::RunsFolder;
