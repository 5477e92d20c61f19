//! A domain in a folder of its own: `tools.json`, `database.json`, `tasks.json` and `policy.md`.
//!
//! `tools.json` is a list of OpenAI function objects, each with the steps it takes beside `function`
//! ([`super::Step`]), unless a Rust function of its name is given. `tasks.json` is a list of tasks; the keys
//! are in `docs/databases.md`. Everything that does not fit is reported at once, with its place.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::domain::{DatabaseDomain, Parts};
use super::rows::Database;
use super::tasks_file::read_tasks;
use super::tool::ToolFunction;
use super::tools_file::read_tools;
use crate::error::{EnvError, Problem};
use crate::fields::kind_of;

/// Larger files are not read.
pub(crate) const MAX_FILE_BYTES: u64 = 64 << 20;

/// A file's name, for messages, and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFile {
    /// As messages show it.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl TextFile {
    /// A file with this content.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> TextFile {
        TextFile { name: name.into(), bytes: bytes.into() }
    }

    /// Reads `folder/name`.
    pub(crate) fn read(folder: &Path, name: &str) -> Result<TextFile, EnvError> {
        let path = folder.join(name);
        let failed = |source| EnvError::Read { path: path.clone(), source };
        let file = File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        Ok(TextFile::new(name, bytes))
    }

    /// The content as text.
    pub(crate) fn text(&self) -> Result<String, EnvError> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => Ok(text.trim_start_matches('\u{feff}').to_owned()),
            Err(error) => {
                let found = format!("no UTF-8 after byte {}", error.valid_up_to());
                Err(self.refused(found, "UTF-8 text"))
            }
        }
    }

    /// The content as JSON.
    pub(crate) fn json(&self) -> Result<Value, EnvError> {
        if self.bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(EnvError::TooLarge {
                name: self.name.clone(),
                found: self.bytes.len() as u64,
                limit: MAX_FILE_BYTES,
            });
        }
        serde_json::from_str(&self.text()?).map_err(|error| self.refused(error.to_string(), "JSON"))
    }

    /// The content as a JSON object.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, EnvError> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            other => Err(self.refused(kind_of(&other), "an object")),
        }
    }

    /// The content as a JSON list.
    pub(crate) fn list(&self) -> Result<Vec<Value>, EnvError> {
        match self.json()? {
            Value::Array(list) => Ok(list),
            other => Err(self.refused(kind_of(&other), "a list")),
        }
    }

    fn refused(&self, found: impl Into<String>, allowed: &str) -> EnvError {
        let problem = Problem {
            place: self.name.clone(),
            key: String::new(),
            found: found.into(),
            allowed: allowed.to_owned(),
            hint: None,
        };
        EnvError::Entries { name: self.name.clone(), problems: vec![problem] }
    }
}

/// The files of a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainFiles {
    /// Its name, for messages and reports.
    pub name: String,
    /// The rules, for the agent; may be empty.
    pub policy: String,
    /// Tools.
    pub tools: TextFile,
    /// Tables.
    pub database: TextFile,
    /// Tasks.
    pub tasks: TextFile,
}

/// Reads a domain. `functions` are tools written in Rust, by name.
///
/// # Errors
/// [`EnvError::TooLarge`], or [`EnvError::Entries`] with everything that does not fit.
pub fn domain_from_files(
    files: &DomainFiles,
    functions: &[(&str, ToolFunction)],
) -> Result<DatabaseDomain, EnvError> {
    let mut problems = Vec::new();
    let database = Database::new(files.database.object()?, &files.database.name);
    let database = kept(database, &mut problems);
    let tools = read_tools(&files.tools.name, &files.tools.list()?, &database.tables(), functions);
    let tools = kept(tools, &mut problems);
    let tasks = kept(read_tasks(&files.tasks.name, &files.tasks.list()?), &mut problems);
    if !problems.is_empty() {
        return Err(EnvError::Entries { name: files.name.clone(), problems });
    }
    DatabaseDomain::new(Parts {
        name: files.name.clone(),
        policy: files.policy.clone(),
        tools,
        database,
        tasks,
        ..Parts::default()
    })
}

/// What was read, or nothing and one more reason to refuse the whole.
pub(crate) fn kept<T: Default>(read: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> T {
    read.unwrap_or_else(|found| {
        problems.extend(found);
        T::default()
    })
}

/// Reads the domain in `folder`; see the head of this file. `policy.md` may be absent.
///
/// # Errors
/// [`EnvError::Read`], or as [`domain_from_files`].
pub fn load_domain(
    folder: &Path,
    functions: &[(&str, ToolFunction)],
) -> Result<DatabaseDomain, EnvError> {
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    let policy = match TextFile::read(folder, "policy.md") {
        Err(EnvError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            String::new()
        }
        file => file?.text()?,
    };
    let files = DomainFiles {
        name,
        policy,
        tools: TextFile::read(folder, "tools.json")?,
        database: TextFile::read(folder, "database.json")?,
        tasks: TextFile::read(folder, "tasks.json")?,
    };
    domain_from_files(&files, functions)
}
