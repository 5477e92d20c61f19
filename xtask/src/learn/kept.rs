//! What an earlier page says of rows that were not trained on this machine: tables are made in several
//! sittings, and finished rows need not lie here.

use super::row::Row;

/// An earlier page.
pub(super) struct Kept<'a> {
    page: &'a str,
}

impl<'a> Kept<'a> {
    /// The page with this text; empty where there is none.
    pub(super) fn of(page: &'a str) -> Kept<'a> {
        Kept { page }
    }

    /// Days and machines that the page names.
    pub(super) fn origin(&self) -> (Vec<&'a str>, Vec<&'a str>) {
        let inside = self.page.split_once("Made by `cargo xtask learn`, ");
        let inside = inside.and_then(|(_, rest)| rest.split_once(". The same command"));
        let parts = inside.and_then(|(origin, _)| origin.split_once(", on "));
        let list = |text: &'a str| text.split(", ").collect();
        parts.map_or_else(Default::default, |(days, machines)| (list(days), list(machines)))
    }

    /// The line and the section of `row`; `None` where its settings were others.
    pub(super) fn row(&self, row: &Row) -> Option<(&'a str, &'a str)> {
        let start = format!("| `{}` |", row.name);
        let line = self.page.lines().find(|line| line.starts_with(&start))?;
        let head = format!("\n### {}\n", row.name);
        let section = &self.page[self.page.find(&head)?..];
        let end = section[head.len()..].find("\n### ").map_or(section.len(), |at| head.len() + at);
        let section = &section[..end];
        section.contains(&format!("\n{}. Held out", settings(row))).then_some((line, section))
    }
}

/// The settings of a row as the page has them.
pub(super) fn settings(row: &Row) -> String {
    let keys: Vec<String> = row.keys.iter().map(|(k, v)| format!("`{k} = {v}`")).collect();
    keys.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Every method learns

Made by `cargo xtask learn`, 2026-01-02, 2026-01-03, on 1 x A, 2 x A. The same command checks.

| `one` | 0.5 | yes |
| `other` | 0.6 | yes |

## Curves and settings

### one

![one](curves/one.svg)

`algorithm = grpo`, `training.max_steps = 8`. Held out: 0.1 to 0.5 (seed 1).

### other

`algorithm = gspo`. Held out: 0.1 to 0.6 (seed 1).
";

    #[test]
    fn rows_are_kept_while_their_settings_are() {
        let kept = Kept::of(PAGE);
        assert_eq!(kept.origin(), (vec!["2026-01-02", "2026-01-03"], vec!["1 x A", "2 x A"]));
        let row = |name, method, steps: Option<u32>| {
            let row = Row::of(name, super::super::row::Work::Online, method, Vec::new());
            steps.map_or(row.clone(), |n| row.set("training.max_steps", n))
        };
        let (line, section) = kept.row(&row("one", "grpo", Some(8))).expect("it is there");
        assert_eq!(line, "| `one` | 0.5 | yes |");
        assert!(
            section.starts_with("\n### one\n") && section.ends_with("(seed 1).\n"),
            "{section}"
        );
        assert!(kept.row(&row("other", "gspo", None)).is_some());
        assert!(kept.row(&row("one", "grpo", Some(9))).is_none());
        assert!(kept.row(&row("none", "grpo", Some(8))).is_none());
        assert!(Kept::of("").row(&row("one", "grpo", Some(8))).is_none());
        assert_eq!(Kept::of("").origin(), (vec![], vec![]));
    }
}
