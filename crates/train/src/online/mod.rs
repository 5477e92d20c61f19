//! Online training: play, judge, improve, again.
//!
//! | part | what it does |
//! |---|---|
//! | [`Cast`] | scenarios, world and judge, from their settings |
//! | [`OnlineRun`] | everything a run needs, checked before anything is written |
//! | `setup` | what a run asks of the engine |
//! | `trainer`, `stagehands` | the loop over steps, and the parts it is given |
//! | `player` | plays groups of episodes and tells everybody how far they are |
//! | `dead` | groups from which nothing can be learned |
//! | `evaluation` | plays the held-out scenarios and sums up |
//! | `learner` | the engine with what improves and saves it |
//! | `health`, `adjusted` | what watches over a run, and the settings that it may change |
//! | [`play_baseline`] | what the agent does before training |
//! | `place` | the run folder, taken or found |
//! | [`StepGroups`] | what a step played, to look at |
//! | `state`, `checkpoint` | what a checkpoint holds, and going on from one |

mod adjusted;
mod baseline;
mod cast;
mod checkpoint;
mod dead;
mod evaluation;
mod health;
mod health_record;
mod learner;
mod order;
mod place;
mod player;
mod run;
mod setup;
mod stagehands;
mod state;
mod step_groups;
mod step_metrics;
mod trainer;
mod weighing;
mod worlds;

pub use baseline::{BaselineSize, play_baseline};
pub use cast::Cast;
pub use checkpoint::CheckpointWriter;
pub(crate) use checkpoint::{OPTIMISER, trained_numbers};
pub use place::new_run_folder;
pub(crate) use place::{check_same_config, run_to_resume, take};
pub use run::{OnlineRun, Resume, TrainedRun};
pub use setup::run_format;
pub(crate) use setup::{lora_spec, optimiser_step};
pub(crate) use stagehands::files;
pub use step_groups::{CreditedGroup, CreditedSample, StepGroups};
