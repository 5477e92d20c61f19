//! `cargo xtask learn`: every method is trained on the embedded model, and what was promised of it is
//! checked.
//!
//! | part | what it does |
//! |---|---|
//! | `settings` | what was asked for |
//! | `rows`, `row` | the methods, their settings over the preset, and what is promised of each |
//! | `online` | trains one row with one seed |
//! | `preference` | one row on synthetic pairs |
//! | `reward_model` | reward models, on synthetic pairs and on people's judgments |
//! | `rlaif` | teaches a judge, then trains on its word |
//! | `worlds` | shows a world by demonstrations, then trains in it |
//! | `taught` | supervised learning before a row |
//! | `outcome` | what came out, kept on disk so that a table that was interrupted goes on |
//! | `claims` | promises, and whether they hold |
//! | `works` | row after row |
//! | `summary` | means and intervals over seeds |
//! | `page`, `curve` | `docs/methods/RESULTS.md` and its drawings |
//! | `kept` | what the page says of rows that were trained elsewhere |
//! | `machine` | processor, day and processor time |

mod claims;
mod curve;
mod kept;
mod machine;
mod online;
mod outcome;
mod page;
mod preference;
mod reward_model;
mod rlaif;
mod row;
mod rows;
mod settings;
mod summary;
mod taught;
mod works;
mod worlds;

pub(crate) use online::{MODEL, no_hub, of_keys, remove_weights};
pub(crate) use settings::LEARN_USAGE;
pub(crate) use works::learn;
