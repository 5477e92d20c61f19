//! What remote models cost: prices, a ledger on disk, and the budget that ends the spending.

mod book;
mod ledger_error;
mod prices;

pub use book::{Account, Budget, Ledger};
pub use ledger_error::{BudgetSpent, LedgerError};
pub use prices::{Price, Prices};
