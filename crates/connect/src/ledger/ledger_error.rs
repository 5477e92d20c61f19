//! What can be wrong with prices, ledgers and budgets.

use std::io;
use std::path::PathBuf;

/// The budget is spent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the budget is spent: {spent} of {limit} {unit} are used; raise it to go on")]
pub struct BudgetSpent {
    /// What is used.
    pub spent: f64,
    /// What may be.
    pub limit: f64,
    /// Currency, or `tokens`.
    pub unit: String,
}

/// An error of prices or of a ledger's file.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A file cannot be read or written.
    #[error("{action} {}: {source}", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("load {}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong: place, what was found, what is allowed.
        problem: String,
    },
}
