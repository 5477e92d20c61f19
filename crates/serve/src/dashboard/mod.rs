//! Pages for people: runs with their curves, conversations token by token, runs beside each other, a chat
//! with any model, and what the data folder holds.
//!
//! Pages are written on the server ([`maud`] escapes everything that users and models said) and need no
//! script to be read; two small scripts keep a running page fresh and stream the chat. Runs are read from
//! their folders, whoever trains them.

mod chat;
mod compare;
mod conversation;
mod conversations;
mod data;
mod frame;
mod preferences;
mod routes;
mod run;
mod runs;
mod runs_folder;
mod tokens;

pub use preferences::PreferenceFile;
pub use routes::routes;
pub use runs_folder::RunsFolder;
