//! What is wrong with a configuration, and what is merely odd.

use std::fmt;

use super::origin::Origin;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The keys it is about, as they were spelt; none where a whole source cannot be read.
    pub keys: Vec<String>,
    /// Where they were given, in the order of the keys.
    pub origins: Vec<Origin>,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: String,
    /// What to do.
    pub hint: Option<String>,
}

/// One thing that can be used and may not be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigWarning {
    /// The keys it is about.
    pub keys: Vec<String>,
    /// A sentence.
    pub message: String,
}

/// Problems as a text of several lines, for a terminal.
pub fn report(problems: &[ConfigProblem]) -> String {
    let head = match problems.len() {
        1 => "the configuration has 1 problem".to_owned(),
        n => format!("the configuration has {n} problems"),
    };
    problems.iter().fold(head, |text, problem| text + "\n\n" + &problem.paragraph())
}

impl ConfigProblem {
    /// A problem of a whole source.
    pub(super) fn of_source(origin: Origin, found: impl Into<String>, allowed: &str) -> Self {
        ConfigProblem {
            keys: Vec::new(),
            origins: vec![origin],
            found: found.into(),
            allowed: allowed.to_owned(),
            hint: None,
        }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn places(&self) -> String {
        listed(&self.origins.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn paragraph(&self) -> String {
        let mut head = listed(&self.keys);
        if !head.is_empty() {
            head += "  ";
        }
        let mut text = format!("{head}({})", self.places());
        let hint = self.hint.clone().unwrap_or_default();
        for (name, line) in [("found", &self.found), ("allowed", &self.allowed), ("hint", &hint)] {
            if !line.is_empty() {
                text += &format!("\n  {name:<8} {line}");
            }
        }
        text
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.places())?;
        if !self.keys.is_empty() {
            write!(f, "{}: ", listed(&self.keys))?;
        }
        write!(f, "found {}, allowed is {}", self.found, self.allowed)?;
        match &self.hint {
            Some(hint) => write!(f, ": {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigProblem {}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", listed(&self.keys), self.message)
    }
}

/// `a, b and c`, each name once.
pub(super) fn listed(names: &[String]) -> String {
    let mut once: Vec<&str> = Vec::new();
    for name in names {
        if !once.contains(&name.as_str()) {
            once.push(name);
        }
    }
    match once.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem() -> ConfigProblem {
        ConfigProblem {
            keys: vec!["training.fp16".to_owned(), "training.bf16".to_owned()],
            origins: vec![
                Origin::File { name: "a.yaml".to_owned(), line: Some(2) },
                Origin::Flag("--bf16".to_owned()),
            ],
            found: "both true".to_owned(),
            allowed: "one of them".to_owned(),
            hint: None,
        }
    }

    #[test]
    fn one_line_and_a_paragraph_say_the_same() {
        assert_eq!(
            problem().with_hint("leave both out").to_string(),
            "file a.yaml:2 and flag --bf16: training.fp16 and training.bf16: found both true, \
             allowed is one of them: leave both out"
        );
        assert_eq!(
            report(&[problem()]),
            "the configuration has 1 problem\n\n\
             training.fp16 and training.bf16  (file a.yaml:2 and flag --bf16)\n  \
             found    both true\n  allowed  one of them"
        );
    }

    #[test]
    fn a_place_is_named_once() {
        let file = Origin::File { name: "a.yaml".to_owned(), line: None };
        let problem = ConfigProblem { origins: vec![file.clone(), file], ..problem() };
        assert_eq!(problem.places(), "file a.yaml");
        assert_eq!(listed(&["a", "b", "a"].map(str::to_owned)), "a and b");
    }
}
