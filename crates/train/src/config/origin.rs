//! Where a value comes from: its layer, and in a file its line.

use std::fmt;

/// Origin of a value. Later variants are stronger layers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The defaults that ship.
    Default,
    /// What a model brings along, by its name.
    Model(String),
    /// A profile, by its name (with `of` and a model's name where that model has its own).
    Profile(String),
    /// A task, likewise.
    Task(String),
    /// An algorithm, likewise.
    Algorithm(String),
    /// A configuration file.
    File {
        /// The file as it was named.
        name: String,
        /// Line, counted from 1, where it is known.
        line: Option<usize>,
    },
    /// An environment variable, by its name.
    Environment(String),
    /// A flag of the command line, as it was written.
    Flag(String),
}

impl Origin {
    /// How strong the layer is; of two values the one from the stronger layer counts.
    pub fn strength(&self) -> u8 {
        match self {
            Origin::Default => 0,
            Origin::Model(_) => 1,
            Origin::Profile(_) => 2,
            Origin::Task(_) => 3,
            Origin::Algorithm(_) => 4,
            Origin::File { .. } => 5,
            Origin::Environment(_) => 6,
            Origin::Flag(_) => 7,
        }
    }

    /// True for what a person wrote for this run: a file, a variable or a flag.
    pub fn is_own(&self) -> bool {
        self.strength() >= 5
    }

    /// The same layer at another line; layers that are no files have none.
    pub(super) fn at_line(&self, line: Option<usize>) -> Origin {
        match self {
            Origin::File { name, .. } => Origin::File { name: name.clone(), line },
            other => other.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Model(name) => write!(f, "model {name}"),
            Origin::Profile(name) => write!(f, "profile {name}"),
            Origin::Task(name) => write!(f, "task {name}"),
            Origin::Algorithm(name) => write!(f, "algorithm {name}"),
            Origin::File { name, line: Some(line) } => write!(f, "file {name}:{line}"),
            Origin::File { name, line: None } => write!(f, "file {name}"),
            Origin::Environment(name) => write!(f, "env {name}"),
            Origin::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_name_when_the_line_changes() {
        let file = Origin::File { name: "run.toml".to_owned(), line: None };
        assert_eq!(file.at_line(Some(3)).to_string(), "file run.toml:3");
        assert_eq!(Origin::Default.at_line(Some(3)), Origin::Default);
        assert!(file.is_own());
        assert!(!Origin::Algorithm("grpo".to_owned()).is_own());
    }
}
