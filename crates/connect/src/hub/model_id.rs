//! Names of models on the hub: `owner/name`, or `name` for a few old ones, with `@revision` where it is
//! not the main branch.
//!
//! The rules are the hub's own, narrowed to ASCII (`validate_repo_id` of huggingface_hub 2.4, and
//! git's for branch names): both parts become folder names of the cache, so nothing that could leave it
//! is let through here.

use std::fmt;
use std::str::FromStr;

use crate::ConnectError;

/// Length limit of a repository name on the hub.
const MAX_REPO_CHARS: usize = 96;

/// Length limit of a revision.
const MAX_REVISION_CHARS: usize = 200;

/// Which model, and which state of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelId {
    repo: String,
    revision: String,
}

impl ModelId {
    /// `owner/name`, or `name`.
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// Branch, tag or commit; `main` where none was given.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The commit, where the revision is one: 40 lower-case hexadecimal digits.
    pub(super) fn commit(&self) -> Option<&str> {
        is_commit(&self.revision).then_some(self.revision.as_str())
    }
}

impl FromStr for ModelId {
    type Err = ConnectError;

    fn from_str(text: &str) -> Result<ModelId, ConnectError> {
        let (repo, revision) = text.split_once('@').unwrap_or((text, "main"));
        match repo_problem(repo).or_else(|| revision_problem(revision)) {
            None => Ok(ModelId { repo: repo.to_owned(), revision: revision.to_owned() }),
            Some(problem) => Err(ConnectError::BadId { id: text.to_owned(), problem }),
        }
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.repo)?;
        if self.revision == "main" {
            return Ok(());
        }
        write!(f, "@{}", self.revision)
    }
}

/// True for 40 lower-case hexadecimal digits.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn repo_problem(repo: &str) -> Option<String> {
    if repo.is_empty() || repo.len() > MAX_REPO_CHARS {
        return Some(format!("the name has {} characters of 1 to {MAX_REPO_CHARS}", repo.len()));
    }
    if repo.split('/').count() > 2 {
        return Some("the name has more than one `/`".to_owned());
    }
    if let Some(c) = repo.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_./".contains(*c)) {
        return Some(format!("{c:?} is none of letters, digits, `-`, `_`, `.`"));
    }
    if repo.contains("--") || repo.contains("..") || repo.ends_with(".git") {
        return Some("a name holds no `--` and no `..`, and does not end in `.git`".to_owned());
    }
    let is_bare =
        |part: &str| part.is_empty() || part.starts_with(['-', '.']) || part.ends_with(['-', '.']);
    repo.split('/')
        .any(is_bare)
        .then(|| "owner and name begin and end with a letter, a digit or `_`".to_owned())
}

fn revision_problem(revision: &str) -> Option<String> {
    if revision.is_empty() || revision.len() > MAX_REVISION_CHARS {
        let n = revision.len();
        return Some(format!("the revision has {n} characters of 1 to {MAX_REVISION_CHARS}"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./+".contains(c);
    if let Some(c) = revision.chars().find(|c| !allowed(*c)) {
        return Some(format!(
            "{c:?} in the revision is none of letters, digits, `-`, `_`, `.`, `/`"
        ));
    }
    let is_bad = |part: &str| {
        part.is_empty()
            || part.starts_with(['.', '-'])
            || part.ends_with('.')
            || part.contains("..")
    };
    revision.split('/').any(is_bad).then(|| format!("`{revision}` is not a branch, tag or commit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_ids_are_split_and_shown_again() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for (text, repo, revision) in [
            ("owner/name", "owner/name", "main"),
            ("gpt2", "gpt2", "main"),
            ("Qwen/Qwen2.5-0.5B-Instruct@v1.0", "Qwen/Qwen2.5-0.5B-Instruct", "v1.0"),
            ("a_b/_c@refs/pr/5", "a_b/_c", "refs/pr/5"),
            (&format!("o/n@{commit}"), "o/n", commit),
        ] {
            let id: ModelId = text.parse().unwrap();
            assert_eq!((id.repo(), id.revision()), (repo, revision), "{text}");
            assert_eq!(id.to_string(), text);
            assert_eq!(id.commit().is_some(), revision == commit);
        }
        assert_eq!("o/n@main".parse::<ModelId>().unwrap().to_string(), "o/n");
    }

    #[test]
    fn what_could_leave_the_cache_or_is_no_id_is_refused() {
        for text in [
            "",
            "@main",
            "a/b/c",
            "../x",
            "a/..",
            "/etc/passwd",
            "./model",
            "a//b",
            "a/b--c",
            "-a/b",
            "a/b.",
            "a/b.git",
            "a b/c",
            "a/b@",
            "a/b@../../x",
            "a/b@/x",
            "a/b@x/",
            "a/b@x//y",
            "a/b@.x",
            "a/b@x y",
            "a\\b",
            "C:/models",
            "é/b",
            "a/b@x?y",
            "a/b@x#y",
            "a/b@x%2e",
        ] {
            let error = text.parse::<ModelId>().unwrap_err();
            assert!(matches!(error, ConnectError::BadId { .. }), "{text}: {error}");
        }
        assert!("x".repeat(97).parse::<ModelId>().is_err());
        assert!(format!("a/b@{}", "x".repeat(201)).parse::<ModelId>().is_err());
    }
}
