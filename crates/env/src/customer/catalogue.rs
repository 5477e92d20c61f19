//! The little catalogue that sales customers are advised from.
//!
//! Names are single invented or borrowed words, so that a small model can learn to write them.

use super::Issue;

/// A product on sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name, such as `Nimbus`.
    pub name: &'static str,
    /// Its price.
    pub price_dollars: u32,
}

const fn product(name: &'static str, price_dollars: u32) -> Product {
    Product { name, price_dollars }
}

/// What the shop sells to customers of `issue`, cheapest first; nothing unless the issue is a search
/// for a product. The cheapest is within every budget of the built-in sets.
pub fn products(issue: Issue) -> &'static [Product] {
    const LAPTOPS: &[Product] =
        &[product("Breeze", 380), product("Nimbus", 620), product("Falcon", 950)];
    const PHONES: &[Product] =
        &[product("Pixie", 180), product("Orbit", 340), product("Lumen", 560)];
    const HEADPHONES: &[Product] =
        &[product("Tempo", 35), product("Aria", 80), product("Sonata", 150)];
    const CHAIRS: &[Product] =
        &[product("Willow", 70), product("Harbor", 140), product("Atlas", 260)];
    const COFFEE_MACHINES: &[Product] =
        &[product("Roma", 60), product("Crema", 130), product("Barista", 240)];
    match issue {
        Issue::FindLaptop => LAPTOPS,
        Issue::FindPhone => PHONES,
        Issue::FindHeadphones => HEADPHONES,
        Issue::FindChair => CHAIRS,
        Issue::FindCoffeeMachine => COFFEE_MACHINES,
        _ => &[],
    }
}

/// What customers call the kind of product that `issue` is about, such as `coffee machine`.
pub fn product_kind(issue: Issue) -> Option<&'static str> {
    match issue {
        Issue::FindLaptop => Some("laptop"),
        Issue::FindPhone => Some("phone"),
        Issue::FindHeadphones => Some("headphones"),
        Issue::FindChair => Some("chair"),
        Issue::FindCoffeeMachine => Some("coffee machine"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_search_has_products_and_only_searches_have() {
        for issue in Issue::ALL {
            assert_eq!(issue.is_product_search(), !products(*issue).is_empty(), "{issue}");
            assert_eq!(issue.is_product_search(), product_kind(*issue).is_some(), "{issue}");
            assert!(products(*issue).is_sorted_by_key(|product| product.price_dollars));
        }
    }
}
