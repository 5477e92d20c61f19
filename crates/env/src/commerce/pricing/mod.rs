//! Dynamic pricing and promotion: sell a season's stock, bought once, over a few weeks.
//!
//! # Model
//! Demand in region g and week t is Poisson with mean
//!
//! ```text
//! base_g · season_t · (p_g / list)^(-e_g) · clamp(1 + 0.5 (r_g - p_g) / r_g, 0.3, 1.5) · (1.2 if advertised)
//! ```
//!
//! constant-elasticity demand (e.g. Talluri and van Ryzin, The Theory and Practice of Revenue
//! Management, 2004, section 7.3) with a reference-price effect: customers remember prices, r, and buy
//! less where the price is above what they remember. Memory moves to the price paid,
//! `r ← 0.6 r + 0.4 p` (exponential smoothing, Popescu and Wu, Operations Research 55(3), 2007, equation 1).
//! Elasticities are between 1.3 and 2.6, differ between regions and are not told. Stock costs 1 % of
//! the list price for each unit and week; what is left after the last week brings 15 % of it. A
//! promotion costs half a list price.
//!
//! # What a greedy choice does not see
//! With an elasticity above 1 the price that brings most money this week is the lowest: the stock is
//! gone before the season's best week, and customers have learned to wait for discounts. The list
//! price all along leaves a third of the stock for the write-off. Charging the less elastic region more
//! earns something and is unfair.
//!
//! # Figures
//! `margin` and `net_value` leave out what the stock cost, because that is spent; `net_value` is less
//! wages. Both run from half price all along to a tenth more than the best pair of prices, one for each
//! half of the season, brings where demand comes as expected. `inventory_age` is the mean age at which a unit leaves the shelf.
//! `fairness` is 1 less the mean gap between the regions' prices, as a share of the higher one.

mod market;
mod season;
mod shelf;

pub(super) use shelf::DynamicPricing;
