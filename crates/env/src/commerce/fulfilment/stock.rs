//! Stock in two warehouses, goods on their way, and what parcels cost.

use serde::{Deserialize, Serialize};

use crate::commerce::group::Group;

/// Money of a parcel, within a region and between regions, and of each unit in it.
const NEAR: f64 = 4.0;
const FAR: f64 = 7.0;
const UNIT: f64 = 0.5;

/// Goods on their way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::commerce) struct Delivery {
    pub(super) product: usize,
    pub(super) warehouse: usize,
    pub(super) quantity: u32,
    /// Day on which they come.
    pub(super) day: u32,
}

/// How many units each warehouse sends.
pub(super) type Parcels = [u32; 2];

/// Units of one product from a single warehouse; `None` where it has too few.
pub(super) fn whole(on_hand: [u32; 2], warehouse: usize, quantity: u32) -> Option<Parcels> {
    let mut parcels = [0; 2];
    parcels[warehouse] = quantity;
    (on_hand[warehouse] >= quantity).then_some(parcels)
}

/// Units from both warehouses, as many as there are from the nearer; `None` where both have too few.
pub(super) fn split(on_hand: [u32; 2], home: Group, quantity: u32) -> Option<Parcels> {
    let near = home.index();
    let mut parcels = [0; 2];
    parcels[near] = quantity.min(on_hand[near]);
    parcels[1 - near] = quantity - parcels[near];
    (on_hand[1 - near] >= parcels[1 - near]).then_some(parcels)
}

/// Money of parcels to a customer.
pub(super) fn parcel_cost(parcels: Parcels, home: Group) -> f64 {
    let of = |(warehouse, units): (usize, &u32)| match *units {
        0 => 0.0,
        units if warehouse == home.index() => NEAR + UNIT * f64::from(units),
        units => FAR + UNIT * f64::from(units),
    };
    parcels.iter().enumerate().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parcels_by_hand() {
        assert_eq!(whole([3, 1], 0, 3), Some([3, 0]));
        assert_eq!(whole([3, 1], 1, 3), None);
        assert_eq!(split([3, 1], Group::North, 4), Some([3, 1]));
        assert_eq!(split([3, 1], Group::South, 3), Some([2, 1]));
        assert_eq!(split([3, 1], Group::South, 5), None);
        assert_eq!(parcel_cost([3, 0], Group::North), 5.5);
        assert_eq!(parcel_cost([2, 1], Group::South), 12.5);
    }
}
