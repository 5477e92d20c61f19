//! Rollouts, trainers, evaluation, events, journal, checkpoints and resume.

pub mod config;
