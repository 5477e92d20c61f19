//! Tools over a database: domains, their environment, and what an episode of them came to.
//!
//! A [`DatabaseDomain`] has a policy in words, tools with JSON schemas, a database of tables and tasks with
//! the calls that do them. [`DatabaseEnvironment`] plays it: every episode works on a copy of the database,
//! and what counts at the end is whether that copy is as the task's calls would leave it and whether the user
//! was told what they needed ([`DatabaseReport`]; the reward is [`crate::rewards::DatabaseReward`]).
//!
//! Domains come from files of our own format ([`load_domain`]) whose tools are declared without code, or
//! written in Rust; from the retail benchmark's files ([`load_tau_retail`]); and from files of its successor
//! ([`load_tau2_mock`]). The built-in one is [`crate::shop`].

mod declared;
mod domain;
mod environment;
mod files;
mod mock;
mod replay;
mod report;
mod retail;
mod rows;
mod said;
mod session;
mod task;
mod tasks_file;
mod tau;
mod tau2;
mod tool;
mod tools_file;
mod user;

pub use declared::{Step, StepKind};
pub(crate) use domain::Parts;
pub use domain::{DatabaseDomain, RefusedCall};
pub use environment::DatabaseEnvironment;
pub use files::{DomainFiles, TextFile, domain_from_files, load_domain};
pub use replay::{Replay, ReplayPlan, ReplayedCall, replay};
pub use report::{DatabaseReport, Part};
pub use rows::Database;
pub use said::is_said;
pub use session::{MadeCall, Session};
pub use task::{Basis, DatabaseTask, ExpectedCall, StateAssertion, TaskStart};
pub use tasks_file::BasisPart;
pub use tau::{TauFiles, load_tau_retail, tau_retail_from_files};
pub use tau2::{Tau2Files, load_tau2_mock, tau2_mock_from_files};
pub use tool::{Arguments, DatabaseTool, Operation, ToolFunction, Toolbox};
pub(crate) use tools_file::read_tools;
pub use user::{ScriptedUser, TaskUser, UserAnswer, UserEnding, UserFact, UserScript};
