//! Shorter and shorter steps, until one keeps the trust region and is better than none.

use super::TrustRegion;

/// What a step of some length comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Surrogate S = mean(rho A) there.
    pub surrogate: f64,
    /// Mean KL(new || old) there, nats.
    pub kl: f64,
}

/// The step that was taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accepted {
    /// Its length, in directions.
    pub length: f64,
    /// What it came to.
    pub candidate: Candidate,
    /// Lengths that were tried before it.
    pub n_backtracks: usize,
}

impl TrustRegion {
    /// Tries `first`, then shorter lengths. `None` where none of them keeps the KL and is better than
    /// `before`: then the weights must be put back.
    ///
    /// # Errors
    /// Whatever `candidate` fails with.
    pub fn line_search<E>(
        &self,
        first: f64,
        before: f64,
        mut candidate: impl FnMut(f64) -> Result<Candidate, E>,
    ) -> Result<Option<Accepted>, E> {
        let mut length = first;
        for n_backtracks in 0..self.max_backtracks {
            if length == 0.0 {
                break;
            }
            let found = candidate(length)?;
            if found.kl < self.max_kl && found.surrogate > before {
                return Ok(Some(Accepted { length, candidate: found, n_backtracks }));
            }
            length *= self.backtrack;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_length_that_holds_is_taken() {
        let settings = TrustRegion::default();
        let at = |length: f64| Ok::<_, ()>(Candidate { surrogate: length, kl: 0.02 * length });
        let found = settings.line_search(1.0, 0.0, at).unwrap().unwrap();
        assert_eq!(found.n_backtracks, 4);
        assert!((found.length - 0.8f64.powi(4)).abs() < 1e-12);
    }

    #[test]
    fn worse_nan_or_no_steps_are_refused() {
        let settings = TrustRegion::default();
        for surrogate in [-1.0, f64::NAN] {
            let at = |_| Ok::<_, ()>(Candidate { surrogate, kl: 0.0 });
            assert_eq!(settings.line_search(1.0, 0.0, at), Ok(None));
        }
        let never = |_| -> Result<Candidate, ()> { panic!("tried a step of length 0") };
        assert_eq!(settings.line_search(0.0, 0.0, never), Ok(None));
    }
}
