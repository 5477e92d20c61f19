//! Answers that are kept on disk, so that the same question is paid for once.

mod judge_cache;

pub use judge_cache::{CacheTally, CachedJudge};
