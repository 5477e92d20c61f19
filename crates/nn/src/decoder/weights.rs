//! Weight sets: copies of a model's numbers that one decoder can run with.
//!
//! A policy, its reference and a critic are sets of one layout on one device, so copying, blending
//! and comparing them are operations on flat buffers. What is *trained* of a set is its adapters where
//! it has them, else its base; sets with adapters share the base.

use super::decoder::Decoder;
use crate::NnError;
use crate::backend::{Backend, Buf, Stretch};

/// A weight set: the base, and adapters where they are switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightSet {
    /// Laid out by [`crate::ParamLayout`].
    pub base: Buf,
    /// Laid out by [`crate::AdapterLayout`].
    pub adapters: Option<Buf>,
}

impl WeightSet {
    /// The numbers that training changes.
    pub(crate) fn trained(self, decoder: &Decoder) -> Stretch {
        match (self.adapters, &decoder.adapters) {
            (Some(set), Some(layout)) => Stretch::of(set, layout.len()),
            _ => Stretch::of(self.base, decoder.params.len()),
        }
    }

    /// A set of its own with the same numbers: adapters are copied and the base shared, or, without
    /// adapters, the base is copied.
    pub fn copied(self, device: &mut dyn Backend, decoder: &Decoder) -> WeightSet {
        let from = self.trained(decoder);
        let to = Stretch { buf: device.alloc(from.len), ..from };
        device.copy(to.as_mat(1, to.len), from.as_mat(1, from.len));
        match self.adapters {
            Some(_) => WeightSet { adapters: Some(to.buf), ..self },
            None => WeightSet { base: to.buf, adapters: None },
        }
    }

    /// Gives back what [`WeightSet::copied`] allocated.
    pub fn free_copy(self, device: &mut dyn Backend) {
        device.free(self.adapters.unwrap_or(self.base));
    }

    /// Moves this set towards `policy`: `self = share * policy + (1 - share) * self`, as the moving
    /// reference of TR-DPO (arXiv 2404.09656, eq. 6) and target networks do. A share of 1 copies the
    /// bits. With adapters A and B are blended each for itself, which is not quite the blend of
    /// their products.
    ///
    /// # Errors
    /// [`NnError::Setting`] for a share outside 0 to 1, for one set with adapters and one without
    /// (a reference that is the bare base cannot move: take a copy of the adapters instead), and for
    /// a set blended with itself.
    pub fn blend(
        self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        policy: WeightSet,
        share: f64,
    ) -> Result<(), NnError> {
        let refuse =
            |message: String| Err(NnError::Setting { what: "a moving reference", message });
        if !(0.0..=1.0).contains(&share) {
            return refuse(format!("found a share of {share}, allowed is 0 to 1"));
        }
        if self.adapters.is_some() != policy.adapters.is_some() {
            let message = "one of the two weight sets has adapters and the other has none; \
                           keep a copy of the adapters as the reference";
            return refuse(message.to_owned());
        }
        let (to, from) = (self.trained(decoder), policy.trained(decoder));
        if to == from {
            return refuse("it shares its numbers with the policy".to_owned());
        }
        let (to_mat, from) = (to.as_mat(1, to.len), from.as_mat(1, from.len));
        if share == 1.0 {
            device.copy(to_mat, from);
        } else {
            device.scale(to, (1.0 - share) as f32);
            device.add(to_mat, from, share as f32);
        }
        device.weights_changed(to.buf);
        Ok(())
    }

    /// The trained numbers, on the host: a snapshot.
    pub fn read(self, device: &mut dyn Backend, decoder: &Decoder) -> Vec<f32> {
        let from = self.trained(decoder);
        let mut numbers = vec![0.0; from.len];
        device.read(from, &mut numbers);
        numbers
    }

    /// Puts a snapshot back, to the bit.
    ///
    /// # Errors
    /// [`NnError::Setting`] where it belongs to another model.
    pub fn write(
        self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        numbers: &[f32],
    ) -> Result<(), NnError> {
        let to = self.trained(decoder);
        if numbers.len() != to.len {
            let message = format!("it has {} numbers, this model needs {}", numbers.len(), to.len);
            return Err(NnError::Setting { what: "a snapshot of weights", message });
        }
        device.write(to, numbers);
        device.weights_changed(to.buf);
        Ok(())
    }
}
