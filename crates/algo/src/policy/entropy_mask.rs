//! Learning only from the tokens at which something is decided (arXiv 2506.01939).
//!
//! Of all loss tokens of the optimiser step, those keep their policy loss whose entropy is at least the
//! (1 - share) quantile. Entropies are those from before the update, so that no division into
//! micro-batches changes the choice; on the first inner step that is TRL's choice.

use crate::{AlgoError, Plan, StepData};

/// The value below which a share `q` of the numbers lies, with linear interpolation.
pub(crate) fn quantile(numbers: &mut [f64], q: f64) -> f64 {
    if numbers.is_empty() {
        return f64::NAN;
    }
    numbers.sort_by(f64::total_cmp);
    let place = q.clamp(0.0, 1.0) * (numbers.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    numbers[below] + (place - place.floor()) * (numbers[above] - numbers[below])
}

/// Keeps the `share` of tokens with the highest entropy.
///
/// # Errors
/// [`AlgoError::MissingEntropies`] where a row has none.
pub(crate) fn keep_top(
    plan: &mut Plan<'_>,
    step: &StepData<'_>,
    share: f64,
) -> Result<(), AlgoError> {
    let mut all = Vec::new();
    for (row, data) in step.rows.iter().enumerate() {
        let entropies = data.entropies.ok_or(AlgoError::MissingEntropies { row })?;
        if !plan.rows()[row].masked {
            all.extend(entropies.iter().map(|h| f64::from(*h)));
        }
    }
    let least = quantile(&mut all, 1.0 - share);
    for (row, data) in step.rows.iter().enumerate() {
        let entropies = data.entropies.unwrap_or_default();
        plan.keep(row, entropies.iter().map(|h| f64::from(*h) >= least).collect());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let mut numbers = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut numbers, 0.0), 1.0);
        assert_eq!(quantile(&mut numbers, 0.5), 2.5);
        assert_eq!(quantile(&mut numbers, 1.0), 4.0);
        assert!(quantile(&mut [], 0.5).is_nan());
    }
}
