//! What every cut of a history needs: counting tokens, places where a cut may go, summaries.

mod extract;
mod policy_summary;
mod tokens;
mod units;

pub use extract::summarise;
pub use policy_summary::PolicySummary;
pub use tokens::TokenCounter;
pub(super) use tokens::shortened;
pub use units::{Window, start_of_last, unit_starts};
