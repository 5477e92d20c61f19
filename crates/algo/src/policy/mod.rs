//! Policy losses: one file each, and the parts they share.

mod aggregation;
mod cispo;
mod clip;
mod correction;
mod entropy_mask;
mod gepo;
mod gmpo;
mod gspo;
mod policy_gradient;
mod reinforce;
mod sapo;
mod sequence;
mod surrogate;
mod vespo;

pub use aggregation::{Aggregation, TokenWeights};
pub use cispo::{Cispo, cispo};
pub use clip::Clip;
pub use correction::{Correction, CorrectionLevel, CorrectionRule, off_policy_mask};
pub use gepo::{Gepo, gepo};
pub use gmpo::{Gmpo, gmpo};
pub(crate) use gspo::losses as gspo_token_losses;
pub use gspo::{gspo, gspo_token, luspo};
pub use policy_gradient::PolicyGradient;
pub use reinforce::{Reinforce, reinforce};
pub use sapo::{Sapo, sapo};
pub use sequence::{RatioLevel, Sequence, Slopes, TokenLoss};
pub use surrogate::Surrogate;
pub use vespo::{Shape as VespoShape, Vespo, vespo};
