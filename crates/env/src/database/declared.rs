//! Tools that a domain's file declares: steps over the tables, without a line of code.
//!
//! ```json
//! {"op": "update", "table": "orders", "key": "$order", "where": {"state": "delivered"},
//!  "set": {"state": "returned", "reason": "$reason"}}
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `op` | `get` one row, `filter` rows, `insert`, `update` or `remove` one |
//! | `table` | the table |
//! | `key` | which row; in the key of a new row `#` stands for the next free number |
//! | `where` | what fields must hold: a value, or a list of which one must be there; otherwise the call fails (`filter`: the row is left out) |
//! | `set` | fields of the new or changed row |
//! | `add`, `take` | numbers added to or taken from fields; nothing is taken that is not there |
//! | `push` | values appended to lists |
//! | `fields`, `limit` | `get` and `filter`: which fields, how many rows |
//!
//! A text that begins with `$` stands for an argument (`$order`) or for a field of the row that an earlier
//! step touched in a table (`$orders.item`). Fields may be paths (`stock.$colour`). A field that is set to
//! an argument which the call leaves out is not set. The last step's row or rows are the answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::rows::{Database, is_same};
use super::tool::Arguments;
use crate::error::Problem;
use crate::fields::{Fields, kind_of};
use crate::names::named_enum;

named_enum! {
    /// What a step does.
    pub enum StepKind {
        /// Reads one row.
        Get => "get",
        /// Reads the rows that fit.
        Filter => "filter",
        /// Makes a row.
        Insert => "insert",
        /// Changes a row.
        Update => "update",
        /// Takes a row away.
        Remove => "remove",
    }
}

/// One step of a declared tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    kind: StepKind,
    table: String,
    key: Value,
    conditions: Map<String, Value>,
    set: Map<String, Value>,
    add: Map<String, Value>,
    take: Map<String, Value>,
    push: Map<String, Value>,
    fields: Vec<String>,
    limit: usize,
}

const KEYS: &[&str] =
    &["op", "table", "key", "where", "set", "add", "take", "push", "fields", "limit"];
/// Most rows a `filter` gives unless it says otherwise.
const USUAL_LIMIT: usize = 20;
const MAX_LIMIT: usize = 1000;
const MAX_STEPS: usize = 20;
const MAX_NAME_CHARS: usize = 200;

/// Reads the steps of one tool. `arguments` are the names its schema knows, `tables` those of the database.
pub(crate) fn read_steps(
    place: &str,
    value: &Value,
    arguments: &[String],
    tables: &[&str],
) -> Result<Vec<Step>, Vec<Problem>> {
    let wrong = |found: String| {
        let allowed = format!("a list of 1 to {MAX_STEPS} steps");
        let key = "steps".to_owned();
        vec![Problem { place: place.to_owned(), key, found, allowed, hint: None }]
    };
    let Some(items) = value.as_array() else { return Err(wrong(kind_of(value).to_owned())) };
    if items.is_empty() || items.len() > MAX_STEPS {
        return Err(wrong(format!("{} steps", items.len())));
    }
    let (mut steps, mut problems) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let empty = Map::new();
        let object = item.as_object().unwrap_or(&empty);
        let mut fields = Fields::nested(place, format!("steps[{index}]."), object, KEYS);
        if let Some(step) = read_step(&mut fields, tables) {
            check_references(&mut fields, &step, arguments, &steps);
            steps.push(step);
        }
        problems.extend(fields.into_problems());
    }
    if problems.is_empty() { Ok(steps) } else { Err(problems) }
}

fn read_step(fields: &mut Fields<'_>, tables: &[&str]) -> Option<Step> {
    let kind = fields.choice("op", StepKind::ALL, StepKind::name);
    if fields.value("op").is_none() {
        fields.problem("op", "nothing", "get, filter, insert, update or remove");
    }
    let table = fields.text("table", MAX_NAME_CHARS).unwrap_or_default();
    if !tables.contains(&table.as_str()) {
        let hint =
            crate::names::nearest(&table, tables).map(|near| format!("did you mean {near:?}?"));
        let allowed = format!("a table of the database: {}", crate::names::listed(tables));
        fields.problem_with_hint("table", format!("{table:?}"), allowed, hint);
    }
    let key = fields.value("key").cloned().unwrap_or_default();
    let needs_key = kind.is_some_and(|kind| kind != StepKind::Filter);
    if needs_key && !key.is_string() {
        fields.problem("key", kind_of(&key), "a text, such as \"$order\"");
    }
    let mut object = |key: &str| fields.object(key).cloned().unwrap_or_default();
    let (conditions, set, add) = (object("where"), object("set"), object("add"));
    let (take, push) = (object("take"), object("push"));
    let shown = fields.texts("fields", 100, MAX_NAME_CHARS);
    let limit = fields.count("limit", 1..=MAX_LIMIT).unwrap_or(USUAL_LIMIT);
    Some(Step { kind: kind?, table, key, conditions, set, add, take, push, fields: shown, limit })
}

/// A reference must name an argument, or a table that an earlier step looks at.
fn check_references(fields: &mut Fields<'_>, step: &Step, arguments: &[String], earlier: &[Step]) {
    let mut found = Vec::new();
    references(&step.key, &mut found);
    for part in [&step.conditions, &step.set, &step.add, &step.take, &step.push] {
        for (path, value) in part {
            found.extend(
                path.split('.').filter_map(|part| part.strip_prefix('$')).map(str::to_owned),
            );
            references(value, &mut found);
        }
    }
    for name in found {
        let known = match name.split_once('.') {
            Some((table, _)) => earlier.iter().any(|step| step.table == table),
            None => arguments.contains(&name),
        };
        if !known {
            let allowed = "an argument of the tool, or table.field of an earlier step's table";
            fields.problem("op", format!("${name}"), allowed);
        }
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix('$').map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => fields.values().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Runs the steps; the answer is the last one's.
pub(crate) fn run_steps(
    steps: &[Step],
    database: &mut Database,
    arguments: &Arguments,
) -> Result<Value, String> {
    let mut bound = Bound { arguments, rows: BTreeMap::new() };
    let mut answer = Value::Null;
    for step in steps {
        answer = step.run(database, &mut bound)?;
    }
    Ok(answer)
}

/// What references can stand for.
struct Bound<'a> {
    arguments: &'a Arguments,
    rows: BTreeMap<String, Value>,
}

impl Bound<'_> {
    /// The value that `template` stands for; `None` where an argument was left out.
    fn value(&self, template: &Value) -> Option<Value> {
        match template {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self.reference(name).cloned(),
                None => Some(template.clone()),
            },
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let field = |(key, item): (&String, &Value)| Some((key.clone(), self.value(item)?));
                fields.iter().map(field).collect::<Option<Map<String, Value>>>().map(Value::Object)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Some(template.clone()),
        }
    }

    fn reference(&self, name: &str) -> Option<&Value> {
        match name.split_once('.') {
            Some((table, path)) => at(self.rows.get(table)?, &self.path(path)),
            None => self.arguments.get(name),
        }
    }

    /// A field's path with the arguments in it filled in.
    fn path(&self, path: &str) -> Vec<String> {
        let part =
            |part: &str| match part.strip_prefix('$').and_then(|name| self.arguments.get(name)) {
                Some(value) => plain(value),
                None => part.to_owned(),
            };
        path.split('.').map(part).collect()
    }
}

impl Step {
    fn run(&self, database: &mut Database, bound: &mut Bound<'_>) -> Result<Value, String> {
        if self.kind == StepKind::Filter {
            return Ok(self.filter(database, bound));
        }
        let key = bound.value(&self.key).map(|key| plain(&key)).unwrap_or_default();
        let row = match self.kind {
            StepKind::Insert => self.insert(database, bound, &key)?,
            _ => self.touch(database, bound, &key)?,
        };
        bound.rows.insert(self.table.clone(), row.clone());
        Ok(self.shown(&row))
    }

    fn filter(&self, database: &Database, bound: &Bound<'_>) -> Value {
        let rows = database.rows(&self.table).into_iter().map(|(_, row)| row);
        let fitting = rows.filter(|row| self.unmet(row, bound).is_none());
        fitting.take(self.limit).map(|row| self.shown(row)).collect()
    }

    fn insert(
        &self,
        database: &mut Database,
        bound: &Bound<'_>,
        key: &str,
    ) -> Result<Value, String> {
        let key = self.free_key(database, key);
        if database.row(&self.table, &key).is_some() {
            return Err(format!("{} has {key} already", self.table));
        }
        let mut row = Value::Object(Map::new());
        self.change(&mut row, &key, bound)?;
        database.put(&self.table, &key, row.clone());
        Ok(row)
    }

    /// Gets, changes or removes the row of `key`.
    fn touch(
        &self,
        database: &mut Database,
        bound: &Bound<'_>,
        key: &str,
    ) -> Result<Value, String> {
        let row = database.row(&self.table, key);
        let row = row.ok_or_else(|| format!("{} has no {key}", self.table))?;
        if let Some(unmet) = self.unmet(row, bound) {
            return Err(format!("{key}: {unmet}"));
        }
        let mut row = row.clone();
        match self.kind {
            StepKind::Remove => {
                database.remove(&self.table, key);
            }
            StepKind::Update => {
                self.change(&mut row, key, bound)?;
                database.put(&self.table, key, row.clone());
            }
            StepKind::Get | StepKind::Filter | StepKind::Insert => {}
        }
        Ok(row)
    }

    /// `key` with `#` as the lowest number, from the count of rows upwards, that is free.
    fn free_key(&self, database: &Database, key: &str) -> String {
        if !key.contains('#') {
            return key.to_owned();
        }
        let first = database.rows(&self.table).len() + 1;
        let numbered = |n: usize| key.replacen('#', &n.to_string(), 1);
        let mut n = first;
        while database.row(&self.table, &numbered(n)).is_some() {
            n += 1;
        }
        numbered(n)
    }

    fn unmet(&self, row: &Value, bound: &Bound<'_>) -> Option<String> {
        self.conditions.iter().find_map(|(path, wanted)| {
            let wanted = bound.value(wanted)?;
            let found = at(row, &bound.path(path)).unwrap_or(&Value::Null);
            let fits = match &wanted {
                Value::Array(choices) => choices.iter().any(|choice| is_same(found, choice)),
                one => is_same(found, one),
            };
            (!fits).then(|| format!("{path} is {}, not {}", plain(found), choices(&wanted)))
        })
    }

    fn change(&self, row: &mut Value, key: &str, bound: &Bound<'_>) -> Result<(), String> {
        for (path, template) in &self.set {
            // The key of a new row is known only now.
            let own_key = template.as_str() == Some("#");
            let value = if own_key { Some(key.into()) } else { bound.value(template) };
            if let Some(value) = value {
                put_at(row, &bound.path(path), value)?;
            }
        }
        for (part, sign) in [(&self.add, 1.0), (&self.take, -1.0)] {
            for (path, template) in part {
                let path = bound.path(path);
                let by = bound.value(template).and_then(|value| value.as_f64()).unwrap_or(0.0);
                let now = at(row, &path).and_then(Value::as_f64).unwrap_or(0.0);
                if sign < 0.0 && now < by {
                    return Err(format!("{key}: {} is {}", path.join("."), number(now)));
                }
                put_at(row, &path, number(now + sign * by))?;
            }
        }
        for (path, template) in &self.push {
            let path = bound.path(path);
            let Some(value) = bound.value(template) else { continue };
            let mut list = at(row, &path).and_then(Value::as_array).cloned().unwrap_or_default();
            list.push(value);
            put_at(row, &path, Value::Array(list))?;
        }
        Ok(())
    }

    fn shown(&self, row: &Value) -> Value {
        if self.fields.is_empty() {
            return row.clone();
        }
        let field = |name: &String| Some((name.clone(), row.get(name)?.clone()));
        Value::Object(self.fields.iter().filter_map(field).collect())
    }
}

fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, part| value.get(part))
}

fn put_at(row: &mut Value, path: &[String], value: Value) -> Result<(), String> {
    let mut place = row;
    for part in path {
        let kind = kind_of(place);
        let object = place.as_object_mut();
        let object = object.ok_or_else(|| format!("{} is inside {kind}", path.join(".")))?;
        place = object.entry(part.clone()).or_insert_with(|| Value::Object(Map::new()));
    }
    *place = value;
    Ok(())
}

/// A whole number without a decimal point.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9e15;
    if value.fract() == 0.0 && value.abs() < EXACT { (value as i64).into() } else { value.into() }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn choices(wanted: &Value) -> String {
    match wanted {
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" or "),
        one => plain(one),
    }
}
