//! The arithmetic of the engine on the CPU: written once over sixteen lanes, compiled for each
//! instruction set, checked against the plain loops of `crate::plain`.

mod activation;
mod aligned;
mod attention;
mod cache;
mod cpu;
mod draw;
mod head;
mod math;
mod matmul;
mod norm;
mod rotary;
mod simd;
mod vector;

pub use activation::Activation;
pub use attention::AttentionSpec;
pub use cpu::Cpu;
pub use head::{RowGradient, RowStats};
pub use norm::NormKind;
pub use simd::Path;
pub use vector::AdamwStep;
