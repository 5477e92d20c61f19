//! What `init` writes: a short configuration that trains the embedded model.

use super::super::read::Format;

/// A starter in each format. All three say the same; JSON has no comments.
pub fn starter_config(format: Format) -> &'static str {
    match format {
        Format::Toml => include_str!("../../../../../assets/starter/stateset.toml"),
        Format::Yaml => include_str!("../../../../../assets/starter/stateset.yaml"),
        Format::Json => include_str!("../../../../../assets/starter/stateset.json"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::read::ConfigFile;
    use super::super::super::resolve::resolve;
    use super::super::super::sources::ConfigSources;
    use super::*;

    #[test]
    fn all_starters_say_the_same_and_nothing_odd() {
        let configs = [Format::Toml, Format::Yaml, Format::Json].map(|format| {
            let bytes = starter_config(format).as_bytes().to_vec();
            let file = ConfigFile { name: format.name().to_owned(), format, bytes };
            let sources = ConfigSources { file: Some(file), ..ConfigSources::default() };
            let resolved = resolve(&sources).expect("a starter has no problems");
            assert_eq!(resolved.warnings, []);
            resolved.config
        });
        assert_eq!(configs[0], configs[1]);
        assert_eq!(configs[0], configs[2]);
        assert_eq!(configs[0].agent.model_name, "builtin:tiny");
    }
}
