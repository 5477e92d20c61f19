//! What was used and what it cost, kept in a file that is whole at every moment.
//!
//! The file is written anew after each charge, under another name, and renamed. A run that goes on
//! finds what it spent before. Calls that are already on their way when the budget is reached are paid
//! all the same, so it can be overdrawn by as many calls as run at once.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::ledger_error::{BudgetSpent, LedgerError};
use super::prices::Prices;
use crate::remote::{RemoteError, Usage};
use crate::whole_file::write_whole;

/// Version of the file's layout.
const SCHEMA_VERSION: u32 = 1;

/// What may be spent. Nothing limits what is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// Money, in the price table's currency.
    pub max_money: Option<f64>,
    /// Tokens, read and written together.
    pub max_tokens: Option<u64>,
}

/// What one model used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Answers.
    pub n_requests: u64,
    /// Of those, answers whose tokens the server did not count; they are estimated.
    pub n_estimated: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Of those, tokens from the server's cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Money; 0 for a model without a price.
    pub cost: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BookRecord {
    schema_version: u32,
    currency: String,
    models: BTreeMap<String, Account>,
}

/// A ledger with its budget.
#[derive(Debug)]
pub struct Ledger {
    prices: Prices,
    budget: Budget,
    path: Option<PathBuf>,
    book: Mutex<BTreeMap<String, Account>>,
}

impl Ledger {
    /// A ledger in memory.
    pub fn new(prices: Prices, budget: Budget) -> Ledger {
        Ledger { prices, budget, path: None, book: Mutex::default() }
    }

    /// A ledger in the file `path`, with what stands there already.
    ///
    /// # Errors
    /// [`LedgerError`] where the file cannot be read, is damaged or counts other money. It is not begun
    /// anew then: a budget must not come back because a file is damaged.
    pub fn open(prices: Prices, budget: Budget, path: &Path) -> Result<Ledger, LedgerError> {
        let book = match fs::read(path) {
            Ok(bytes) => read_book(&bytes, &prices.currency)
                .map_err(|problem| LedgerError::Content { path: path.to_owned(), problem })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => {
                return Err(LedgerError::File { action: "read", path: path.to_owned(), source });
            }
        };
        Ok(Ledger { prices, budget, path: Some(path.to_owned()), book: Mutex::new(book) })
    }

    /// What each model used so far.
    pub fn accounts(&self) -> BTreeMap<String, Account> {
        self.book().clone()
    }

    /// Money spent so far.
    pub fn spent(&self) -> f64 {
        self.book().values().map(|account| account.cost).sum()
    }

    /// Name of the money.
    pub fn currency(&self) -> &str {
        &self.prices.currency
    }

    /// Lets a request through while the budget lasts.
    ///
    /// # Errors
    /// [`BudgetSpent`].
    pub fn admit(&self) -> Result<(), BudgetSpent> {
        let book = self.book();
        let spent: f64 = book.values().map(|account| account.cost).sum();
        if let Some(limit) = self.budget.max_money
            && spent >= limit
        {
            return Err(BudgetSpent { spent, limit, unit: self.prices.currency.clone() });
        }
        let tokens: u64 = book.values().map(|a| a.input_tokens + a.output_tokens).sum();
        if let Some(limit) = self.budget.max_tokens
            && tokens >= limit
        {
            let (spent, limit) = (tokens as f64, limit as f64);
            return Err(BudgetSpent { spent, limit, unit: "tokens".to_owned() });
        }
        Ok(())
    }

    /// Writes down what an answer of `model` used. `is_counted` is false for an estimate.
    ///
    /// # Errors
    /// [`LedgerError`] where the file cannot be written.
    pub fn charge(&self, model: &str, usage: Usage, is_counted: bool) -> Result<(), LedgerError> {
        let mut book = self.book();
        let account = book.entry(model.to_owned()).or_default();
        account.n_requests += 1;
        account.n_estimated += u64::from(!is_counted);
        account.input_tokens += usage.input_tokens;
        account.cached_tokens += usage.cached_tokens;
        account.output_tokens += usage.output_tokens;
        account.cost += self.prices.cost(model, usage).unwrap_or(0.0);
        let Some(path) = &self.path else { return Ok(()) };
        let record = BookRecord {
            schema_version: SCHEMA_VERSION,
            currency: self.prices.currency.clone(),
            models: book.clone(),
        };
        // Written under the lock, so that an older state never replaces a newer one.
        serde_json::to_vec_pretty(&record)
            .map_err(io::Error::from)
            .and_then(|bytes| write_whole(path, &bytes))
            .map_err(|source| LedgerError::File { action: "write", path: path.clone(), source })
    }

    /// A limit of money means nothing for a model without a price.
    pub(crate) fn check_model(&self, model: &str) -> Result<(), RemoteError> {
        if let Some(limit) = self.budget.max_money
            && !(limit.is_finite() && limit >= 0.0)
        {
            let problem = format!("found {limit}, allowed is a number from 0");
            return Err(RemoteError::setting("the budget", "max_money", problem));
        }
        if self.budget.max_money.is_none() || self.prices.models.contains_key(model) {
            return Ok(());
        }
        let near = self.prices.nearest(model);
        let hint = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let problem = format!(
            "there is a limit of money, and the price table has no price of {model:?}{hint}"
        );
        Err(RemoteError::setting("the budget", "models", problem))
    }

    fn book(&self) -> MutexGuard<'_, BTreeMap<String, Account>> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_book(bytes: &[u8], currency: &str) -> Result<BTreeMap<String, Account>, String> {
    let record: BookRecord = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is no ledger ({error}); mend it or move it away"))?;
    if record.schema_version > SCHEMA_VERSION {
        let found = record.schema_version;
        return Err(format!("its schema is {found}, this version knows up to {SCHEMA_VERSION}"));
    }
    if record.currency != currency {
        let found = &record.currency;
        return Err(format!("it counts {found}, and the prices are in {currency}"));
    }
    let is_bad = |account: &Account| !(account.cost.is_finite() && account.cost >= 0.0);
    match record.models.iter().find(|(_, account)| is_bad(account)) {
        Some((model, account)) => {
            Err(format!("models.{model:?}: `cost`: found {}, allowed is from 0", account.cost))
        }
        None => Ok(record.models),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Price;

    fn prices() -> Prices {
        let price = Price {
            input_per_million: 1.0,
            output_per_million: 2.0,
            cached_input_per_million: None,
        };
        Prices { currency: "USD".into(), models: BTreeMap::from([("judge-1".into(), price)]) }
    }

    const USED: Usage = Usage { input_tokens: 100, cached_tokens: 0, output_tokens: 50 };

    #[test]
    fn what_was_spent_is_still_spent_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.json");
        let budget = Budget { max_money: Some(0.0004), max_tokens: None };
        for n in 1..=2 {
            let ledger = Ledger::open(prices(), budget, &path).unwrap();
            ledger.admit().unwrap();
            ledger.charge("judge-1", USED, n == 1).unwrap();
            let account = ledger.accounts()["judge-1"];
            assert_eq!((account.n_requests, account.input_tokens), (n, 100 * n));
            assert_eq!(account.n_estimated, n - 1);
        }
        let ledger = Ledger::open(prices(), budget, &path).unwrap();
        assert_eq!(
            ledger.admit().unwrap_err().to_string(),
            "the budget is spent: 0.0004 of 0.0004 USD are used; raise it to go on"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no half-written file is left");
    }

    #[test]
    fn tokens_can_be_limited_without_prices() {
        let budget = Budget { max_money: None, max_tokens: Some(300) };
        let ledger = Ledger::new(Prices::default(), budget);
        ledger.check_model("anything").unwrap();
        for _ in 0..2 {
            ledger.admit().unwrap();
            ledger.charge("anything", USED, true).unwrap();
        }
        assert!(ledger.admit().unwrap_err().to_string().contains("300 of 300 tokens"));
    }

    #[test]
    fn a_limit_of_money_needs_a_price() {
        let budget = Budget { max_money: Some(1.0), max_tokens: None };
        let error = Ledger::new(prices(), budget).check_model("judge1").unwrap_err().to_string();
        assert!(error.contains("did you mean \"judge-1\"?"), "{error}");
        for bad in [f64::NAN, -1.0] {
            let budget = Budget { max_money: Some(bad), max_tokens: None };
            assert!(Ledger::new(prices(), budget).check_model("judge-1").is_err());
        }
    }

    #[test]
    fn a_damaged_ledger_is_not_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.json");
        let other = r#"{"schema_version": 1, "currency": "EUR", "models": {}}"#;
        let newer = r#"{"schema_version": 9, "currency": "USD", "models": {}}"#;
        for (text, part) in [("{", "it is no ledger"), (other, "it counts EUR"), (newer, "is 9")] {
            fs::write(&path, text).unwrap();
            let error = Ledger::open(prices(), Budget::default(), &path).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("ledger.json"), "{error}");
        }
    }
}
