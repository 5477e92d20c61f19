//! The stateset-agents program and its library façade.

pub mod cli;
