//! One decoder for all families: what it is made of, where its parameters lie, forward and backward.

mod backward;
mod config;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod decoder;
mod layout;
mod lora;
mod weights;
mod workspace;

pub(crate) use backward::GradientSet;
pub use config::{DecoderConfig, LayerSpec, PositionSpec, RotarySpec};
pub use decoder::Decoder;
pub(crate) use decoder::{AttentionRows, dense};
pub use layout::{LayerSlot, Param, ParamLayout, Piece, Slot};
pub use lora::{Adapter, AdapterLayout, LoraSpec};
pub use weights::WeightSet;
pub use workspace::{PassKind, Workspace};
