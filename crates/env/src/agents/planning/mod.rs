//! A plan that an agent keeps in view over a whole conversation.

mod config;
mod manager;
mod plan;
mod planner;
mod update;

pub use config::PlanningConfig;
pub use manager::{PlanState, PlanningManager};
pub use plan::{Plan, PlanStatus, PlanStep};
pub use planner::plan_from_goal;
pub use update::PlanUpdate;
