//! A configuration file before it means anything: name, format and bytes.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::super::origin::Origin;
use super::super::problem::ConfigProblem;
use super::json::read_json;
use super::toml::read_toml;
use super::tree::{Content, MAX_DEPTH, SyntaxError};
use super::yaml::read_yaml;

/// Largest configuration, bytes; scenarios may be written into one.
const MAX_BYTES: u64 = 4 << 20;

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.1.
    Toml,
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
}

/// A configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its name in messages.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Format {
    /// The format of a file with this name: `.toml`, `.yaml`, `.yml` or `.json`.
    pub fn of_path(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Format::Toml),
            "yaml" | "yml" => Some(Format::Yaml),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Toml => "TOML",
            Format::Yaml => "YAML",
            Format::Json => "JSON",
        }
    }
}

impl ConfigFile {
    /// Reads a file from disk.
    ///
    /// # Errors
    /// A problem where the ending is unknown, the file cannot be read, or it is too large.
    pub fn read(path: &Path) -> Result<ConfigFile, ConfigProblem> {
        let name = path.display().to_string();
        let problem = |found: String, allowed: &str| {
            ConfigProblem::of_source(
                Origin::File { name: name.clone(), line: None },
                found,
                allowed,
            )
        };
        let Some(format) = Format::of_path(path) else {
            let found = "a name with another ending".to_owned();
            return Err(problem(found, "a name that ends with .toml, .yaml, .yml or .json"));
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(|error| problem(error.to_string(), "a file that can be read"))?;
        Ok(ConfigFile { name, format, bytes })
    }

    /// Its tree.
    ///
    /// # Errors
    /// Everything that keeps it from being one.
    pub(in super::super) fn parse(&self) -> Result<Content, Vec<ConfigProblem>> {
        let origin = Origin::File { name: self.name.clone(), line: None };
        if self.bytes.len() as u64 > MAX_BYTES {
            let allowed = format!("at most {MAX_BYTES} bytes");
            let found = "more bytes than that";
            let problem = ConfigProblem::of_source(origin, found, &allowed);
            return Err(vec![problem.with_hint("put scenarios into a file of their own")]);
        }
        let text = std::str::from_utf8(&self.bytes).map_err(|error| {
            let found = format!("a byte that is no UTF-8 at offset {}", error.valid_up_to());
            vec![ConfigProblem::of_source(origin.clone(), found, "text in UTF-8")]
        })?;
        parse_text(text, self.format, &origin)
    }
}

/// The tree of a text that comes from `origin`.
///
/// # Errors
/// Everything that keeps it from being one.
pub(in super::super) fn parse_text(
    text: &str,
    format: Format,
    origin: &Origin,
) -> Result<Content, Vec<ConfigProblem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = match format {
        Format::Toml => read_toml(text),
        Format::Yaml => read_yaml(text).map_err(|error| vec![error]),
        Format::Json => read_json(text).map_err(|error| vec![error]),
    };
    let problem = |error: SyntaxError| {
        let allowed = format!("well-formed {}", format.name());
        ConfigProblem::of_source(origin.at_line(error.line), error.message, &allowed)
    };
    let content = read.map_err(|errors| errors.into_iter().map(problem).collect::<Vec<_>>())?;
    if content.is_shallow() {
        Ok(content)
    } else {
        let allowed = format!("at most {MAX_DEPTH} levels");
        Err(vec![ConfigProblem::of_source(origin.clone(), "tables within tables", &allowed)])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problems(format: Format, bytes: &[u8]) -> Vec<String> {
        let file = ConfigFile { name: "a".to_owned(), format, bytes: bytes.to_vec() };
        let problems = file.parse().err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn formats_follow_the_ending() {
        assert_eq!(Format::of_path(Path::new("a/b.YML")), Some(Format::Yaml));
        assert_eq!(Format::of_path(Path::new("b.toml.bak")), None);
        assert_eq!(Format::of_path(Path::new("toml")), None);
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let problem = ConfigFile::read(&folder.path().join("no.toml")).expect_err("no file");
        assert_eq!(problem.allowed, "a file that can be read");
        let problem = ConfigFile::read(&folder.path().join("no.ini")).expect_err("no format");
        assert_eq!(problem.found, "a name with another ending");
        let path = folder.path().join("yes.json");
        std::fs::write(&path, "{}").expect("a file");
        assert_eq!(ConfigFile::read(&path).map(|file| file.bytes), Ok(b"{}".to_vec()));
    }

    #[test]
    fn limits_are_named() {
        let long = vec![b' '; MAX_BYTES as usize + 1];
        assert!(problems(Format::Yaml, &long)[0].contains("at most 4194304 bytes"));
        assert_eq!(
            problems(Format::Toml, b"a = \"\xff\"")[0],
            "file a: found a byte that is no UTF-8 at offset 5, allowed is text in UTF-8"
        );
        let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
        assert!(problems(Format::Json, deep.as_bytes())[0].contains("at most 32 levels"));
        assert_eq!(problems(Format::Toml, "\u{feff}a = 1".as_bytes()), [""; 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for format in [Format::Toml, Format::Yaml, Format::Json] {
                problems(format, &bytes);
            }
        }

        #[test]
        fn no_text_of_the_formats_makes_a_reader_panic(text in r#"[a-c0-9 :,\-\[\]{}"'=.\n\t&*!|>#~]{0,80}"#) {
            for format in [Format::Toml, Format::Yaml, Format::Json] {
                problems(format, text.as_bytes());
            }
        }
    }
}
