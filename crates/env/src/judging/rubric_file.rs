//! Rubrics by name and from files.
//!
//! A file is YAML or JSON and holds one rubric:
//!
//! ```yaml
//! role: You rate how well a librarian helps a reader.
//! max_score: 5          # of each criterion; 5 where it is left out
//! criteria:
//!   - name: fit
//!     description: The books fit what the reader asked for.
//!     weight: 2         # 1 where it is left out
//! ```

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::rubric::{Criterion, Rubric};
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};
use crate::names::{listed, nearest};
use crate::scenarios::{Format, yaml};

/// Largest rubric that is read, in bytes.
pub const MAX_RUBRIC_BYTES: usize = 1 << 20;

/// The built-in rubrics.
pub const RUBRIC_NAMES: &[&str] =
    &["general", "customer_service", "technical_support", "sales", "tutoring", "code"];

const BUILT_IN: &str = include_str!("rubrics.yaml");
const MAX_CHARS: usize = 4000;

static RUBRICS: LazyLock<Vec<Rubric>> = LazyLock::new(|| {
    let list = yaml(BUILT_IN).unwrap_or_default();
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    // A test reads all of them, so none is left out here.
    entries.iter().filter_map(|entry| from_value("rubrics.yaml", entry).ok()).collect()
});

impl Rubric {
    /// The built-in rubric called `name`.
    ///
    /// # Errors
    /// [`EnvError::UnknownRubric`] with the names there are.
    pub fn named(name: &str) -> Result<Rubric, EnvError> {
        let found = RUBRICS.iter().find(|rubric| rubric.name() == name).cloned();
        found.ok_or_else(|| EnvError::UnknownRubric {
            found: name.to_owned(),
            known: listed(RUBRIC_NAMES),
            hint: nearest(name, RUBRIC_NAMES).map(str::to_owned),
        })
    }

    /// The rubric in a file.
    ///
    /// # Errors
    /// [`EnvError::Read`], [`EnvError::UnknownFormat`], [`EnvError::TooLarge`] and [`EnvError::Rubric`].
    pub fn load(path: &Path) -> Result<Rubric, EnvError> {
        let format = Format::of_path(path)?;
        let read = |source| EnvError::Read { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(read)?;
        Rubric::from_bytes(&bytes, format, &path.display().to_string())
    }

    /// The rubric in `bytes`; `name` is the file's, for messages.
    ///
    /// # Errors
    /// As [`Rubric::load`].
    pub fn from_bytes(bytes: &[u8], format: Format, name: &str) -> Result<Rubric, EnvError> {
        if bytes.len() > MAX_RUBRIC_BYTES {
            let (found, limit) = (bytes.len() as u64, MAX_RUBRIC_BYTES as u64);
            return Err(EnvError::TooLarge { name: name.to_owned(), found, limit });
        }
        let refused = |found: String, allowed: &str| {
            let (place, key, allowed) = (name.to_owned(), String::new(), allowed.to_owned());
            let problem = Problem { place, key, found, allowed, hint: None };
            EnvError::Rubric { name: name.to_owned(), problems: vec![problem] }
        };
        let text = std::str::from_utf8(bytes)
            .map_err(|_| refused("bytes that are no UTF-8".to_owned(), "UTF-8 text"))?;
        let value: Value =
            match format {
                Format::Yaml => yaml(text)
                    .map_err(|error| refused(error.without_snippet().to_string(), "YAML"))?,
                Format::Json | Format::Jsonl => serde_json::from_str(text)
                    .map_err(|error| refused(error.to_string(), "JSON"))?,
            };
        from_value(name, &value)
    }

    /// The rubric that `text` names: a built-in one, or a file where it ends like one.
    ///
    /// # Errors
    /// As [`Rubric::named`] and [`Rubric::load`].
    pub fn find(text: &str) -> Result<Rubric, EnvError> {
        let path = Path::new(text);
        match Format::of_path(path) {
            Ok(_) => Rubric::load(path),
            Err(_) => Rubric::named(text),
        }
    }
}

fn from_value(file: &str, value: &Value) -> Result<Rubric, EnvError> {
    let refused = |problems| EnvError::Rubric { name: file.to_owned(), problems };
    let Some(object) = value.as_object() else {
        return Err(refused(vec![Problem {
            place: file.to_owned(),
            key: String::new(),
            found: kind_of(value).to_owned(),
            allowed: "an object with role and criteria".to_owned(),
            hint: None,
        }]));
    };
    let mut fields = Fields::new(file, object, &["name", "role", "max_score", "criteria"]);
    let name = fields.text("name", 200).unwrap_or_else(|| file.to_owned());
    let role = fields.text("role", MAX_CHARS).unwrap_or_default();
    let max_score = fields.count("max_score", 2..=100).unwrap_or(5);
    let criteria = criteria(file, &mut fields);
    let problems = fields.into_problems();
    // Problems of single fields first; those of the whole would repeat them.
    if !problems.is_empty() {
        return Err(refused(problems));
    }
    Ok(Rubric::new(name, role, criteria)?.scored_to(max_score))
}

fn criteria(file: &str, fields: &mut Fields<'_>) -> Vec<Criterion> {
    let Some(value) = fields.value("criteria") else { return Vec::new() };
    let Some(items) = value.as_array() else {
        fields.problem("criteria", kind_of(value), "a list of objects");
        return Vec::new();
    };
    let mut criteria = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match item.as_object() {
            Some(object) => criteria.push(criterion(file, index, object, fields)),
            None => fields.problem(&format!("criteria[{index}]"), kind_of(item), "an object"),
        }
    }
    criteria
}

fn criterion(
    file: &str,
    index: usize,
    object: &Map<String, Value>,
    fields: &mut Fields<'_>,
) -> Criterion {
    let prefix = format!("criteria[{index}].");
    let mut own = Fields::nested(file, prefix, object, &["name", "description", "weight"]);
    let weight = match own.value("weight") {
        None => 1.0,
        Some(value) => value.as_f64().unwrap_or_else(|| {
            own.problem("weight", kind_of(value), "a number above 0");
            1.0
        }),
    };
    let criterion = Criterion {
        name: own.text("name", 60).unwrap_or_default(),
        description: own.text("description", MAX_CHARS).unwrap_or_default(),
        weight,
    };
    fields.extend(own.into_problems());
    criterion
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_built_in_rubric_is_there() {
        let names: Vec<&str> = RUBRICS.iter().map(Rubric::name).collect();
        assert_eq!(names, RUBRIC_NAMES);
        for rubric in RUBRICS.iter() {
            assert!(rubric.criteria().len() >= 4, "{}", rubric.name());
            assert!((rubric.shares().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let error = Rubric::named("customer_servis").unwrap_err().to_string();
        assert!(error.contains("did you mean \"customer_service\"?"), "{error}");
    }

    #[test]
    fn a_file_gives_a_rubric() {
        let yaml =
            b"role: You rate.\nmax_score: 10\ncriteria:\n- {name: fit, description: It fits.}\n";
        let rubric = Rubric::from_bytes(yaml, Format::Yaml, "r.yaml").unwrap();
        assert_eq!((rubric.name(), rubric.max_score()), ("r.yaml", 10));
        assert_eq!(rubric.criteria()[0].weight, 1.0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.yaml");
        std::fs::write(&path, yaml).unwrap();
        assert_eq!(Rubric::find(path.to_str().unwrap()).unwrap().criteria(), rubric.criteria());
        assert_eq!(Rubric::find("code").unwrap().name(), "code");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let said = |text: &str| {
            let error = Rubric::from_bytes(text.as_bytes(), Format::Yaml, "r.yaml").unwrap_err();
            assert!(matches!(error, EnvError::Rubric { .. }), "{error:?}");
            error.to_string()
        };
        for (text, part) in [
            ("role: You rate.", "`criteria`: found 0 criteria, allowed is 1 to 20"),
            ("role: You rate.\ncriteria: []", "`criteria`: found 0 criteria"),
            ("role: a\ncriteria: [1]", "`criteria[0]`: found a number, allowed is an object"),
            ("role: a\ncriterea: []", "did you mean `criteria`?"),
            (
                "role: a\ncriteria: [{name: a, description: b, wieght: 1}]",
                "`criteria[0].wieght`: found an unknown key",
            ),
            (
                "role: a\ncriteria: [{name: a, description: b, weight: -1}]",
                "`criteria[0].weight`: found -1, allowed is a number above 0",
            ),
            (
                "role: a\ncriteria: [{name: a, description: b, weight: much}]",
                "`criteria[0].weight`: found a text",
            ),
            ("- 1", "found a list, allowed is an object with role and criteria"),
            ("a: [", "allowed is YAML"),
        ] {
            let error = said(text);
            assert!(error.contains(part) && error.contains("r.yaml"), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in "(\\PC|role|criteria|name|[-:{}\\[\\], \n]){0,50}") {
            let _ = Rubric::from_bytes(text.as_bytes(), Format::Yaml, "r");
            let _ = Rubric::from_bytes(text.as_bytes(), Format::Json, "r");
        }
    }
}
