//! Small sums that every world needs.

use super::kpi::Kpi;

/// The mean, or `otherwise` where there is nothing.
pub(super) fn mean_or(otherwise: f64, values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    if n == 0 { otherwise } else { sum / n as f64 }
}

/// `part` of `whole`, from 0 to 1; `otherwise` where the whole is nothing.
pub(super) fn share_or(otherwise: f64, part: f64, whole: f64) -> f64 {
    if whole <= 0.0 { otherwise } else { (part / whole).clamp(0.0, 1.0) }
}

/// Satisfaction kept within its points.
pub(super) fn points(value: f64) -> f64 {
    let (low, high) = Kpi::Csat.scale().unwrap_or((1.0, 5.0));
    value.clamp(low, high)
}

/// How likely a customer with this satisfaction comes back: 5 % at one point, 95 % at five, straight
/// in between.
pub(super) fn comes_back(csat: f64) -> f64 {
    0.05 + 0.9 * (points(csat) - 1.0) / 4.0
}

/// Money as texts show it.
pub(super) fn money(value: f64) -> String {
    format!("{value:.2}")
}

/// To whole cents.
pub(super) fn to_cents(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// True where `value` is a number from `low` to `high`.
pub(super) fn is_within(value: f64, low: f64, high: f64) -> bool {
    (low..=high).contains(&value)
}
