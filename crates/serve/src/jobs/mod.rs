//! Training that is asked for over HTTP: jobs that really train, in this process.
//!
//! | file | holds |
//! |---|---|
//! | `job_settings` | how many, how long, with how many threads |
//! | `wish`, `train_request`, `training_request` | what clients ask for, as keys of a configuration |
//! | `gateway_wish` | which programs play, where they do |
//! | `allowed` | which keys a client may set |
//! | `prepare` | keys to a run that can begin |
//! | `jobs` | asking for jobs and about them |
//! | `worker`, `recorder` | working on them, and writing what happens |
//! | `views`, `routes`, `batch`, `deploy` | what clients see and do |
//! | `samples` | what programs elsewhere are given to play |
//!
//! A job is a row of the database and a run folder. The row says who works on it and until when; the
//! folder holds what `stateset-agents train` writes, so a job that was killed goes on from there and
//! ends with the same weights.

mod allowed;
mod batch;
mod deploy;
mod gateway_wish;
mod job_settings;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod jobs;
mod prepare;
mod recorder;
mod routes;
mod samples;
mod train_request;
mod training_request;
mod views;
mod wish;
mod worker;

pub use deploy::serve_deployed;
pub(crate) use deploy::{deploy, put};
pub use job_settings::JobSettings;
pub use jobs::Jobs;
pub(crate) use jobs::has_model;
pub(crate) use routes::{JobPaths, job_routes};
pub(crate) use views::{job_model, job_percent, job_status};
