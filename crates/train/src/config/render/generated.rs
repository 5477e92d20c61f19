//! The committed files that are written from the table of keys.

use super::{default_toml, reference_markdown};

/// Every such file: its path from the root of the workspace, and what it has to hold.
pub fn generated_files() -> Vec<(&'static str, String)> {
    vec![("assets/default.toml", default_toml()), ("docs/configuration.md", reference_markdown())]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// With STATESET_WRITE_GENERATED set, the files are written anew instead.
    #[test]
    fn committed_files_are_what_the_table_makes() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (path, wanted) in generated_files() {
            let path = root.join(path);
            if std::env::var_os("STATESET_WRITE_GENERATED").is_some() {
                std::fs::write(&path, &wanted).expect("the file can be written");
            }
            let found = std::fs::read_to_string(&path).expect("the file is there");
            assert!(
                found == wanted,
                "{} is out of date: set STATESET_WRITE_GENERATED",
                path.display()
            );
        }
    }
}
