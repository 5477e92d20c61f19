//! A database as an episode sees it: a shared base, and a journal of the rows it has changed.
//!
//! A database is a JSON object of tables; a table is an object of rows by their keys; a row is an object.
//! Every episode has its own copy, but only the rows that it changed are copied: a state that holds the
//! journal stays small beside a base of megabytes, and two databases with the same base are compared by
//! looking at the rows that either changed.
//!
//! Numbers are compared by value (`2` is `2.0`), objects without regard to the order of their keys, lists
//! with regard to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::fields::kind_of;

/// A database: shared tables and the rows changed since.
#[derive(Clone, Debug, Default)]
pub struct Database {
    base: Arc<Map<String, Value>>,
    /// By table and key; `None` for a row that was removed.
    changes: BTreeMap<String, BTreeMap<String, Option<Value>>>,
}

impl Database {
    /// A database of these tables, which were found at `place`.
    pub(crate) fn new(tables: Map<String, Value>, place: &str) -> Result<Database, Vec<Problem>> {
        let mut problems = Vec::new();
        for (name, table) in &tables {
            let Some(rows) = table.as_object() else {
                problems.push(misshaped(place, name, table, "a table: an object of rows by key"));
                continue;
            };
            let wrong = rows.iter().filter(|(_, row)| !row.is_object());
            problems
                .extend(wrong.map(|(key, row)| {
                    misshaped(place, &format!("{name}.{key}"), row, "an object")
                }));
        }
        if problems.is_empty() {
            Ok(Database { base: Arc::new(tables), changes: BTreeMap::new() })
        } else {
            Err(problems)
        }
    }

    /// Names of the tables, in the order of the file.
    pub fn tables(&self) -> Vec<&str> {
        let added = self.changes.keys().filter(|name| !self.base.contains_key(*name));
        self.base.keys().chain(added).map(String::as_str).collect()
    }

    /// The row of this key.
    pub fn row(&self, table: &str, key: &str) -> Option<&Value> {
        match self.changes.get(table).and_then(|rows| rows.get(key)) {
            Some(changed) => changed.as_ref(),
            None => self.base_row(table, key),
        }
    }

    /// The row of this key, to be changed.
    pub fn row_mut(&mut self, table: &str, key: &str) -> Option<&mut Value> {
        let current = self.row(table, key)?.clone();
        let rows = self.changes.entry(table.to_owned()).or_default();
        rows.entry(key.to_owned()).or_insert(Some(current)).as_mut()
    }

    /// Puts a row, whether or not there was one.
    pub fn put(&mut self, table: &str, key: &str, row: Value) {
        self.changes.entry(table.to_owned()).or_default().insert(key.to_owned(), Some(row));
    }

    /// Takes a row away and returns it.
    pub fn remove(&mut self, table: &str, key: &str) -> Option<Value> {
        let row = self.row(table, key)?.clone();
        self.changes.entry(table.to_owned()).or_default().insert(key.to_owned(), None);
        Some(row)
    }

    /// Keys and rows of a table: those of the base in its order, then new ones by key.
    pub fn rows(&self, table: &str) -> Vec<(&str, &Value)> {
        let base = self.base.get(table).and_then(Value::as_object);
        let changed = self.changes.get(table);
        let old = base.into_iter().flatten().filter_map(|(key, row)| {
            let now = changed.and_then(|rows| rows.get(key));
            now.map_or(Some(row), Option::as_ref).map(|row| (key.as_str(), row))
        });
        let is_new = |key: &String| base.is_none_or(|rows| !rows.contains_key(key));
        let new = changed.into_iter().flatten().filter(|(key, _)| is_new(key));
        old.chain(new.filter_map(|(key, row)| Some((key.as_str(), row.as_ref()?)))).collect()
    }

    /// Lays `data` over the tables: rows and fields that are there keep what `data` does not name.
    pub fn merge(&mut self, data: &Map<String, Value>) {
        for (table, rows) in data {
            for (key, row) in rows.as_object().into_iter().flatten() {
                match self.row_mut(table, key) {
                    Some(old) => merge_value(old, row),
                    None => self.put(table, key, row.clone()),
                }
            }
        }
    }

    /// Tables and keys of the rows in which the two differ; they must have the same base.
    pub fn differing(&self, other: &Database) -> Vec<(String, String)> {
        let touched: BTreeSet<(&String, &String)> =
            keys(&self.changes).chain(keys(&other.changes)).collect();
        let differs =
            |(table, key): &(&String, &String)| match (self.row(table, key), other.row(table, key))
            {
                (Some(a), Some(b)) => !is_same(a, b),
                (a, b) => a.is_some() != b.is_some(),
            };
        let found = touched.into_iter().filter(differs);
        found.map(|(table, key)| (table.clone(), key.clone())).collect()
    }

    /// The rows that differ from the base, as JSON: tables of rows, null for a removed one.
    pub fn changes(&self) -> Value {
        let mut tables = Map::new();
        for (table, rows) in &self.changes {
            let is_real = |key: &str, row: &Option<Value>| match (self.base_row(table, key), row) {
                (Some(old), Some(new)) => !is_same(old, new),
                (old, new) => old.is_some() != new.is_some(),
            };
            let changed: Map<String, Value> = rows
                .iter()
                .filter(|(key, row)| is_real(key, row))
                .map(|(key, row)| (key.clone(), row.clone().unwrap_or_default()))
                .collect();
            if !changed.is_empty() {
                tables.insert(table.clone(), Value::Object(changed));
            }
        }
        Value::Object(tables)
    }

    /// This database's base with what [`Database::changes`] wrote; `None` where it is not of that form.
    pub fn with_changes(&self, changes: &Value) -> Option<Database> {
        let mut database = Database { base: self.base.clone(), changes: BTreeMap::new() };
        for (table, rows) in changes.as_object()? {
            let rows = rows.as_object()?;
            let row = |row: &Value| (!row.is_null()).then(|| row.clone());
            let rows = rows.iter().map(|(key, value)| (key.clone(), row(value))).collect();
            database.changes.insert(table.clone(), rows);
        }
        Some(database)
    }

    fn base_row(&self, table: &str, key: &str) -> Option<&Value> {
        self.base.get(table)?.as_object()?.get(key)
    }
}

/// True where two values say the same.
pub(crate) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| is_same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            let has = |(key, x): (&String, &Value)| y.get(key).is_some_and(|y| is_same(x, y));
            x.len() == y.len() && x.iter().all(has)
        }
        _ => a == b,
    }
}

fn keys(
    changes: &BTreeMap<String, BTreeMap<String, Option<Value>>>,
) -> impl Iterator<Item = (&String, &String)> {
    changes.iter().flat_map(|(table, rows)| rows.keys().map(move |key| (table, key)))
}

fn merge_value(old: &mut Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                merge_value(old.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new.clone(),
    }
}

fn misshaped(place: &str, key: &str, found: &Value, allowed: &str) -> Problem {
    Problem {
        place: place.to_owned(),
        key: key.to_owned(),
        found: kind_of(found).to_owned(),
        allowed: allowed.to_owned(),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn database(tables: Value) -> Database {
        Database::new(tables.as_object().unwrap().clone(), "db.json").unwrap()
    }

    #[test]
    fn a_copy_changes_alone() {
        let base = database(json!({"a": {"x": {"n": 1}, "y": {"n": 2}}}));
        let mut copy = base.clone();
        copy.row_mut("a", "x").unwrap()["n"] = json!(5);
        copy.put("a", "z", json!({"n": 3}));
        assert_eq!(copy.remove("a", "y"), Some(json!({"n": 2})));
        assert_eq!(copy.rows("a"), [("x", &json!({"n": 5})), ("z", &json!({"n": 3}))]);
        assert_eq!(base.rows("a"), [("x", &json!({"n": 1})), ("y", &json!({"n": 2}))]);
        assert_eq!(copy.row("a", "y"), None);
        assert_eq!(copy.row_mut("a", "y"), None);
        assert_eq!(copy.changes(), json!({"a": {"x": {"n": 5}, "y": null, "z": {"n": 3}}}));
        let again = base.with_changes(&copy.changes()).unwrap();
        assert!(again.differing(&copy).is_empty());
        let differing = again.differing(&base);
        assert_eq!(differing.len(), 3, "{differing:?}");
    }

    #[test]
    fn what_was_changed_back_is_no_change() {
        let base = database(json!({"a": {"x": {"n": 1}}}));
        let mut copy = base.clone();
        copy.row_mut("a", "x").unwrap()["n"] = json!(1.0);
        assert_eq!(copy.changes(), json!({}));
        assert!(copy.differing(&base).is_empty());
        copy.put("b", "y", json!({}));
        copy.remove("b", "y");
        assert!(copy.differing(&base).is_empty());
    }

    #[test]
    fn merging_keeps_what_is_not_named() {
        let mut base = database(json!({"a": {"x": {"n": 1, "list": [1]}}}));
        base.merge(json!({"a": {"x": {"list": [2, 3]}, "y": {"n": 7}}}).as_object().unwrap());
        assert_eq!(base.row("a", "x"), Some(&json!({"n": 1, "list": [2, 3]})));
        assert_eq!(base.row("a", "y"), Some(&json!({"n": 7})));
    }

    #[test]
    fn other_shapes_are_refused() {
        let tables = json!({"a": [1], "b": {"x": 3}, "c": {"y": {}}});
        let found = Database::new(tables.as_object().unwrap().clone(), "db.json").unwrap_err();
        let found: Vec<String> = found.iter().map(Problem::to_string).collect();
        assert_eq!(
            found,
            [
                "db.json: `a`: found a list, allowed is a table: an object of rows by key",
                "db.json: `b.x`: found a number, allowed is an object"
            ]
        );
    }

    proptest! {
        /// Against plain tables that are copied whole.
        #[test]
        fn the_journal_is_a_whole_copy(steps in prop::collection::vec((0..3u8, 0..3usize, 0..4usize, 0..3i64), 0..30)) {
            let tables = json!({"t0": {"k0": {"n": 0}, "k1": {"n": 1}}, "t1": {"k2": {"n": 2}}, "t2": {}});
            let base = database(tables.clone());
            let (mut journal, mut plain) = (base.clone(), tables);
            for (kind, table, key, n) in steps {
                let (table, key) = (format!("t{table}"), format!("k{key}"));
                let rows = plain[&table].as_object_mut().unwrap();
                match kind {
                    0 => {
                        journal.put(&table, &key, json!({"n": n}));
                        rows.insert(key, json!({"n": n}));
                    }
                    1 => prop_assert_eq!(journal.remove(&table, &key), rows.remove(&key)),
                    _ => if let Some(row) = journal.row_mut(&table, &key) {
                        row["n"] = json!(n);
                        rows[&key]["n"] = json!(n);
                    },
                }
                journal = base.with_changes(&journal.changes()).unwrap();
            }
            for table in ["t0", "t1", "t2"] {
                let rows: Map<String, Value> =
                    journal.rows(table).into_iter().map(|(k, r)| (k.to_owned(), r.clone())).collect();
                prop_assert!(is_same(&Value::Object(rows), &plain[table]));
            }
        }
    }
}
