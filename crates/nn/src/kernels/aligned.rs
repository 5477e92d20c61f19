//! A vector of `f32` that begins on a cache line.
//!
//! Lines of 64 bytes are what a vector load reads; a buffer that begins elsewhere makes every second
//! load touch two of them. Plain safe code: a `Vec` of lines, seen as numbers.

use bytemuck::{Pod, Zeroable};

const LINE: usize = 16;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Numbers that begin on a cache line. New elements are zero.
#[derive(Clone, Default)]
pub(crate) struct AlignedVec {
    lines: Vec<Line>,
    len: usize,
}

impl AlignedVec {
    /// `len` zeros. The memory is touched only when it is written.
    pub(crate) fn zeros(len: usize) -> Self {
        AlignedVec { lines: bytemuck::allocation::zeroed_vec(len.div_ceil(LINE)), len }
    }

    /// Makes room for at least `len` numbers; contents are kept, new ones are zero.
    pub(crate) fn ensure(&mut self, len: usize) {
        if len > self.len {
            self.lines.resize(len.div_ceil(LINE), Line([0.0; LINE]));
            self.len = len;
        }
    }
}

impl std::ops::Deref for AlignedVec {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl std::ops::DerefMut for AlignedVec {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}
