//! Keys of servers, which never stand in a configuration.

use stateset_connect::Secret;

/// The key in the environment variable `name`.
///
/// # Errors
/// What is wrong, in words, where it is not set or empty.
pub(crate) fn secret(name: &str) -> Result<Secret, String> {
    match std::env::var(name) {
        Ok(key) if !key.trim().is_empty() => Ok(Secret::new(key.trim())),
        _ => Err(format!("the environment variable {name} is not set")),
    }
}
