//! The report of a run for people: one HTML file that needs nothing else.

mod chart;
mod charts;
mod choice;
mod data;
mod dialogue;
mod figures;
mod page;
mod parts;

pub use page::{build_report, write_report};
pub use parts::{REPORT_STYLE, RunChart, RunFigures, compared_charts};
