//! What tests of configurations share.

use stateset_algo::PolicyGradient;
use stateset_train::config::{
    ConfigFile, ConfigProblem, ConfigSources, Flag, Format, Method, Resolved, RunConfig, report,
    resolve,
};

/// A file with this text.
pub(crate) fn file(format: Format, text: &str) -> ConfigFile {
    let name = format!("run.{}", format.name().to_lowercase());
    ConfigFile { name, format, bytes: text.as_bytes().to_vec() }
}

/// Sources of nothing but a file.
pub(crate) fn with_file(format: Format, text: &str) -> ConfigSources {
    ConfigSources { file: Some(file(format, text)), ..ConfigSources::default() }
}

/// Flags from (flag, path, value).
pub(crate) fn flags(flags: &[(&str, &str, &str)]) -> Vec<Flag> {
    let flag = |(flag, path, value): &(&str, &str, &str)| Flag {
        flag: (*flag).to_owned(),
        path: (*path).to_owned(),
        value: (*value).to_owned(),
    };
    flags.iter().map(flag).collect()
}

/// The online method of a configuration.
pub(crate) fn method_of(config: &RunConfig) -> PolicyGradient {
    match &config.algorithm.method {
        Method::Online(method) => method.clone(),
        other => panic!("{other:?} plays nothing"),
    }
}

/// The warnings of a TOML file without a problem, as texts.
pub(crate) fn warnings(text: &str) -> Vec<String> {
    let warnings = resolved(&with_file(Format::Toml, text)).warnings;
    warnings.iter().map(ToString::to_string).collect()
}

/// The configuration of sources without a problem.
pub(crate) fn resolved(sources: &ConfigSources) -> Resolved {
    resolve(sources).unwrap_or_else(|problems| panic!("{}", report(&problems)))
}

/// The problems of sources that have some.
pub(crate) fn problems(sources: &ConfigSources) -> Vec<ConfigProblem> {
    resolve(sources).err().unwrap_or_default()
}

/// They as a text.
pub(crate) fn report_of(sources: &ConfigSources) -> String {
    report(&problems(sources))
}

/// Where the value of a key is from.
pub(crate) fn origin(resolved: &Resolved, path: &str) -> String {
    resolved.values.get(path).map_or("none".to_owned(), |setting| setting.origin.to_string())
}
