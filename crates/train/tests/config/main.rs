//! The contract of configurations:
//!
//! 1. a stronger layer replaces single values of a weaker one, and every value knows its origin;
//! 2. of keys that say the same, the one from the stronger layer counts;
//! 3. two in one layer that disagree, and every other contradiction, are refused, all at once;
//! 4. a resolved configuration written as a file gives the same configuration again;
//! 5. the fingerprint sees what influences the result and nothing else;
//! 6. every name that users of the documented package know is a key (`names.rs`);
//! 7. no input makes it panic (`properties.rs`);
//! 8. every method has its paper's settings, each of which a key replaces (`methods.rs`,
//!    `preferences.rs`).

mod common;
mod contradictions;
mod judges;
mod layers;
mod messages;
mod methods;
mod names;
mod preferences;
mod properties;
mod settings;
mod written;
