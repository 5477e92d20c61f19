//! What can go wrong before an episode begins: files, specs and settings that do not fit.
//!
//! A failure inside an episode is [`stateset_core::RolloutError`]; a conversation that cannot be
//! judged is [`stateset_core::Score::Unscorable`]. Neither is here.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong in something a user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: file and line, or file and number of the entry; may be empty for a single value.
    pub place: String,
    /// Which key; empty where the whole entry is meant.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What is allowed there.
    pub allowed: String,
    /// What the writer probably meant.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        write!(f, "found {}, allowed is {}", self.found, self.allowed)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Problems one below the other; of very many, the first.
fn lines(problems: &[Problem]) -> String {
    const MAX_SHOWN: usize = 40;
    let shown = problems.iter().take(MAX_SHOWN).map(|problem| format!("\n  {problem}"));
    let n_more = problems.len().saturating_sub(MAX_SHOWN);
    let more = (n_more > 0).then(|| format!("\n  and {n_more} more"));
    shown.chain(more).collect()
}

/// What this crate can refuse.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// A file could not be read.
    #[error("read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file's ending names no known format.
    #[error("read {}: its ending is not one of .json, .jsonl, .yaml and .yml", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A file is larger than is ever read.
    #[error("read {name}: {found} bytes are more than the limit of {limit}")]
    TooLarge {
        /// The file.
        name: String,
        /// Its size in bytes.
        found: u64,
        /// Most bytes allowed.
        limit: u64,
    },
    /// Entries of a file do not fit.
    #[error("load {name}: {}{}", count(problems.len()), lines(problems))]
    Entries {
        /// The file.
        name: String,
        /// Everything that was found, in the order of the file.
        problems: Vec<Problem>,
    },
    /// The description of a simulated customer does not fit.
    #[error("read the customer: {}{}", count(problems.len()), lines(problems))]
    Customer {
        /// Everything that was found.
        problems: Vec<Problem>,
    },
    /// The description of another simulated user, or of a part of one, does not fit.
    #[error("read the {what}: {}{}", count(problems.len()), lines(problems))]
    User {
        /// What is described, such as `persona`.
        what: &'static str,
        /// Everything that was found.
        problems: Vec<Problem>,
    },
    /// No persona has this name.
    #[error("find the persona {found:?}: known are {known}{}", suffix(hint))]
    UnknownPersona {
        /// The name asked for.
        found: String,
        /// The names there are.
        known: String,
        /// The nearest name.
        hint: Option<String>,
    },
    /// Dialogues that goals and styles are made of could not be read.
    #[error("read dialogues of {corpus}: {place}: {message}")]
    Corpus {
        /// Which corpus.
        corpus: &'static str,
        /// The line or the dialogue.
        place: String,
        /// What is wrong there.
        message: String,
    },
    /// A reward's settings do not fit.
    #[error("build the reward {name:?}: {message}")]
    Reward {
        /// The reward, or the text that should name one.
        name: String,
        /// What does not fit, and what would.
        message: String,
    },
    /// What stands around an agent (memory, planning, compression, reasoning, a team) does not fit.
    #[error("set up the agent: {}{}", count(problems.len()), lines(problems))]
    Agent {
        /// Everything that was found.
        problems: Vec<Problem>,
    },
    /// No built-in rubric has this name.
    #[error(
        "find the rubric {found:?}: known are {known}; a file ends in .yaml, .yml or .json{}",
        suffix(hint)
    )]
    UnknownRubric {
        /// The name asked for.
        found: String,
        /// The names there are.
        known: String,
        /// The nearest name.
        hint: Option<String>,
    },
    /// A rubric does not fit.
    #[error("use the rubric {name}: {}{}", count(problems.len()), lines(problems))]
    Rubric {
        /// Its name or file.
        name: String,
        /// Everything that was found.
        problems: Vec<Problem>,
    },
    /// No built-in conversation set has this name.
    #[error("find the conversation set {found:?}: known are {known}{}", suffix(hint))]
    UnknownSet {
        /// The name asked for.
        found: String,
        /// The names there are.
        known: String,
        /// The nearest name.
        hint: Option<String>,
    },
    /// The arguments of a tool are described by something that is no JSON schema of an object.
    #[error("read the schema of the tool {tool:?}: {message}")]
    ToolSchema {
        /// The tool.
        tool: String,
        /// What does not fit, with its place in the schema.
        message: String,
    },
    /// A tool's name is taken, or no call could name it.
    #[error("add the tool {found:?}: {message}")]
    ToolName {
        /// The name.
        found: String,
        /// What is wrong with it, and what is allowed.
        message: String,
    },
}

fn count(n: usize) -> String {
    if n == 1 { "1 problem".to_owned() } else { format!("{n} problems") }
}

fn suffix(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!("; did you mean {hint:?}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_problems_are_shown_one_below_the_other() {
        let problem = |place: &str, key: &str, hint: Option<&str>| Problem {
            place: place.into(),
            key: key.into(),
            found: "a number".into(),
            allowed: "text".into(),
            hint: hint.map(str::to_owned),
        };
        let error = EnvError::Entries {
            name: "a.jsonl".into(),
            problems: vec![
                problem("a.jsonl line 3", "topic", Some("put it in quotes")),
                problem("a.jsonl line 9", "", None),
            ],
        };
        assert_eq!(
            error.to_string(),
            "load a.jsonl: 2 problems\n  \
             a.jsonl line 3: `topic`: found a number, allowed is text; put it in quotes\n  \
             a.jsonl line 9: found a number, allowed is text"
        );
    }
}
