//! Demand, memory of prices, and what a season is worth where demand comes as expected.

use stateset_core::Stream;

use super::season::Spec;

/// Share of the list price that a unit-week in stock costs, and that a unit brings after the season.
pub(super) const HOLDING: f64 = 0.01;
pub(super) const SALVAGE: f64 = 0.15;
/// How strongly a price above or below memory works.
const REFERENCE_EFFECT: f64 = 0.5;
/// How much of memory stays from week to week.
const MEMORY: f64 = 0.6;
/// What advertising adds to demand.
const ADVERTISED: f64 = 1.2;
/// Prices below this share of the list price bring no more customers.
const LOWEST_RATIO: f64 = 0.1;

/// Expected demand of a region in a week.
pub(super) fn demand(
    spec: &Spec,
    region: usize,
    week: usize,
    price: f64,
    reference: f64,
    is_advertised: bool,
) -> f64 {
    let ratio = (price / spec.list).max(LOWEST_RATIO);
    let elastic = libm::pow(ratio, -spec.elasticity[region]);
    let surprise = 1.0 + REFERENCE_EFFECT * (reference - price) / reference.max(0.01);
    let lift = if is_advertised { ADVERTISED } else { 1.0 };
    let season = spec.season.get(week).copied().unwrap_or(0.0);
    spec.base[region] * season * elastic * surprise.clamp(0.3, 1.5) * lift
}

/// What customers remember after a week.
pub(super) fn remembered(reference: f64, price: f64) -> f64 {
    MEMORY * reference + (1.0 - MEMORY) * price
}

/// A Poisson number with this mean: Knuth's product of uniform numbers in pieces of mean 16, so that the
/// limit of no piece is too small a number.
pub(super) fn poisson(mean: f64, stream: &mut Stream) -> u32 {
    const PIECE: f64 = 16.0;
    const MOST: f64 = 4096.0;
    let mut left = mean.clamp(0.0, MOST);
    let mut count = 0;
    while left > 0.0 {
        let limit = libm::exp(-left.min(PIECE));
        let mut product = stream.unit();
        while product > limit {
            count += 1;
            product *= stream.unit();
        }
        left -= PIECE;
    }
    count
}

/// Value of prices for the first and the second half of the season, the same in both regions, where
/// demand comes as expected.
pub(super) fn fluid_value(spec: &Spec, prices: [f64; 2]) -> f64 {
    let mut stock = f64::from(spec.stock);
    let mut reference = spec.list;
    let mut value = 0.0;
    for week in 0..spec.n_weeks() {
        let price = prices[if 2 * week < spec.n_weeks() { 0 } else { 1 }];
        let wanted: f64 =
            (0..2).map(|region| demand(spec, region, week, price, reference, false)).sum();
        let sold = wanted.min(stock);
        stock -= sold;
        value += sold * price - stock * HOLDING * spec.list;
        reference = remembered(reference, price);
    }
    value + stock * SALVAGE * spec.list
}

/// The best pair of prices, in steps of a tenth of the list price.
pub(super) fn fluid_best(spec: &Spec) -> f64 {
    let steps = || (3..=14).map(|step| spec.list * f64::from(step) / 10.0);
    let pairs = steps().flat_map(|first| steps().map(move |second| [first, second]));
    pairs.map(|prices| fluid_value(spec, prices)).fold(nothing_sold(spec), f64::max)
}

/// The scale of margins: half price from the first week on, and a tenth more than the best pair of
/// prices, which luck and prices for every week can bring.
pub(super) fn bounds(spec: &Spec) -> (f64, f64) {
    let half = 0.5 * spec.list;
    (fluid_value(spec, [half, half]).min(0.9 * spec.best), 1.1 * spec.best)
}

/// Value of a season in which nothing is sold.
pub(super) fn nothing_sold(spec: &Spec) -> f64 {
    let weeks = spec.n_weeks() as f64;
    f64::from(spec.stock) * spec.list * (SALVAGE - HOLDING * weeks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn stream() -> Stream {
        RunSeed(5).stream(Purpose::Environment, StreamKey::default())
    }

    fn spec() -> Spec {
        Spec::draw(&mut stream())
    }

    #[test]
    fn poisson_has_its_mean_and_variance() {
        let mut stream = stream();
        for mean in [0.4, 6.0, 40.0] {
            let draws: Vec<f64> =
                (0..4000).map(|_| f64::from(poisson(mean, &mut stream))).collect();
            let average = draws.iter().sum::<f64>() / 4000.0;
            let variance =
                draws.iter().map(|d| (d - average) * (d - average)).sum::<f64>() / 4000.0;
            // Four standard errors.
            assert!((average - mean).abs() < 4.0 * (mean / 4000.0).sqrt(), "{mean}: {average}");
            assert!((variance / mean - 1.0).abs() < 0.15, "{mean}: {variance}");
        }
        assert_eq!(poisson(0.0, &mut stream), 0);
    }

    #[test]
    fn demand_is_elastic_and_remembers() {
        let spec = spec();
        let at = |price: f64, reference: f64| demand(&spec, 0, 0, price, reference, false);
        let list = spec.list;
        let usual = at(list, list);
        assert!((usual - spec.base[0] * spec.season[0]).abs() < 1e-9);
        // With memory at the price itself the ratio is the elasticity's power.
        let cheaper = at(0.8 * list, 0.8 * list);
        assert!((cheaper / usual - 0.8f64.powf(-spec.elasticity[0])).abs() < 1e-9);
        assert!((at(list, 0.8 * list) / usual - 0.875).abs() < 1e-9);
        assert_eq!(at(0.0, list), at(0.0, list).min(1e6));
        assert_eq!(remembered(100.0, 50.0), 80.0);
    }

    #[test]
    fn the_best_is_better_than_any_single_price() {
        let spec = spec();
        for step in 3..=14 {
            let price = spec.list * f64::from(step) / 10.0;
            assert!(fluid_value(&spec, [price, price]) <= spec.best + 0.01);
        }
        assert!(spec.best > nothing_sold(&spec));
    }
}
