//! Natural-gradient steps: the settings, the direction by conjugate gradient, and the line search.

mod conjugate_gradient;
mod line_search;
mod settings;

pub use conjugate_gradient::{ConjugateGradient, Direction};
pub use line_search::{Accepted, Candidate};
pub use settings::TrustRegion;
