//! Advantages, losses with their gradients, KL estimators, schedules and diagnostics: slices in, numbers out.
