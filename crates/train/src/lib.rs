//! Rollouts, trainers, evaluation, events, journal, checkpoints and resume.
