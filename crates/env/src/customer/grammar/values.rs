//! The values that customers' facts take: short, everyday, and few enough for a small model to learn
//! to copy them.

use stateset_core::Stream;

use crate::customer::{Issue, Slot, Split, products};

/// Things people buy, each one word.
pub const ITEMS: &[&str] = &[
    "kettle",
    "lamp",
    "jacket",
    "backpack",
    "blender",
    "mirror",
    "rug",
    "toaster",
    "sweater",
    "clock",
    "pillow",
    "blanket",
    "suitcase",
    "helmet",
    "vase",
    "tent",
    "camera",
    "keyboard",
    "bookshelf",
    "necklace",
    "coat",
    "dress",
    "hoodie",
    "shirt",
];
/// The part of [`ITEMS`] that has sizes.
pub const GARMENTS: &[&str] = &["jacket", "sweater", "coat", "dress", "hoodie", "shirt"];
/// Sizes of garments.
pub const SIZES: &[&str] = &["small", "medium", "large"];
/// Colours of products.
pub const COLORS: &[&str] = &["black", "white", "blue", "red", "green", "gray", "brown", "yellow"];
/// Colours of the light on a router.
pub const LIGHTS: &[&str] = &["red", "yellow", "blue", "green", "white"];
/// Things that stop working.
pub const DEVICES: &[&str] = &["laptop", "phone", "tablet", "computer", "watch", "television"];
/// When troubles began.
pub const TIMES: &[&str] = &[
    "yesterday",
    "this morning",
    "last night",
    "last week",
    "two days ago",
    "three days ago",
    "on Monday",
    "on Friday",
    "on Sunday",
    "an hour ago",
];
/// Why money should come back, as clauses.
pub const REFUND_REASONS: &[&str] = &[
    "it came too late",
    "it stopped working",
    "the quality is poor",
    "it does not work",
    "it looks nothing like the photo",
    "it is too loud",
    "it broke after one day",
    "it is not what I expected",
];
/// Why an order is not wanted any more, as clauses.
pub const CANCEL_REASONS: &[&str] = &[
    "I ordered it by mistake",
    "I found a better price",
    "I changed my mind",
    "I ordered it twice",
    "I need it sooner",
    "I chose the wrong color",
    "I already have one",
    "it costs too much",
];
/// Streets.
pub const STREETS: &[&str] = &[
    "Oak Street",
    "Maple Avenue",
    "Hill Road",
    "Lake Street",
    "River Road",
    "Park Avenue",
    "Cedar Lane",
    "Mill Road",
    "Garden Street",
    "Church Road",
    "Spring Lane",
    "Sunset Avenue",
];
/// First names.
pub const FIRST_NAMES: &[&str] = &[
    "Anna", "Ben", "Carla", "David", "Emma", "Frank", "Grace", "Henry", "Iris", "Jack", "Kate",
    "Leo", "Maria", "Nick", "Olga", "Paul", "Rosa", "Sam", "Tina", "Victor",
];
/// Last names.
pub const LAST_NAMES: &[&str] = &[
    "Hill", "Stone", "Reed", "Young", "Baker", "Fox", "Lane", "Price", "Ward", "Wood", "Cole",
    "Gray",
];
/// Small numbers in words.
pub const QUANTITIES: &[&str] =
    &["two", "three", "four", "five", "six", "eight", "ten", "twelve", "twenty"];

/// A name such as `Anna Hill`.
pub fn person(stream: &mut Stream) -> String {
    format!("{} {}", pick(FIRST_NAMES, stream), pick(LAST_NAMES, stream))
}

/// A value of `slot` for a customer called `name` with `issue`; order numbers are those of `split`.
pub fn value(issue: Issue, slot: Slot, split: Split, name: &str, stream: &mut Stream) -> String {
    match slot {
        Slot::OrderNumber => order_number(split, stream),
        Slot::Item if issue == Issue::Exchange => pick(GARMENTS, stream),
        Slot::Item => pick(ITEMS, stream),
        Slot::Email => format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
        Slot::Postcode => (10_000 + stream.index(90_000)).to_string(),
        Slot::Reason if issue == Issue::Cancel => pick(CANCEL_REASONS, stream),
        Slot::Reason => pick(REFUND_REASONS, stream),
        Slot::NewAddress => format!("{} {}", 1 + stream.index(98), pick(STREETS, stream)),
        Slot::Size => pick(SIZES, stream),
        Slot::Color => pick(COLORS, stream),
        Slot::Quantity => pick(QUANTITIES, stream),
        Slot::Device => pick(DEVICES, stream),
        Slot::SinceWhen => pick(TIMES, stream),
        Slot::Version => format!("{}.{}", 1 + stream.index(9), stream.index(10)),
        Slot::ErrorCode => format!("E{}", 10 + stream.index(90)),
        Slot::Light => pick(LIGHTS, stream),
        Slot::Name => name.to_owned(),
        Slot::Budget => format!("{} dollars", budget_dollars(issue, stream)),
        Slot::Use => pick(uses(issue), stream),
    }
}

/// Four digits that belong to `split`.
pub fn order_number(split: Split, stream: &mut Stream) -> String {
    loop {
        let number = (1_000 + stream.index(9_000)).to_string();
        if Split::of_order_number(&number) == split {
            return number;
        }
    }
}

/// What customers with `issue` use the product for.
pub fn uses(issue: Issue) -> &'static [&'static str] {
    match issue {
        Issue::FindLaptop => &["school work", "office work", "games", "travel", "video calls"],
        Issue::FindPhone => &["photos", "games", "work calls", "travel", "my mother"],
        Issue::FindHeadphones => &["running", "long flights", "music", "office calls", "the gym"],
        Issue::FindChair => &["long work days", "games", "reading", "a small room", "the kitchen"],
        Issue::FindCoffeeMachine => &["a big family", "the office", "strong coffee", "two people"],
        _ => &["every day", "work", "a friend"],
    }
}

/// A round sum that buys at least the cheapest product.
fn budget_dollars(issue: Issue, stream: &mut Stream) -> u32 {
    let prices = products(issue);
    let lowest = prices.first().map_or(50, |product| product.price_dollars);
    let highest = prices.last().map_or(500, |product| product.price_dollars);
    let step = if highest > 300 { 50 } else { 10 };
    let n_steps = (highest + step - lowest) / step;
    (lowest.div_ceil(step) + stream.index(n_steps as usize + 1) as u32) * step
}

fn pick(values: &[&str], stream: &mut Stream) -> String {
    stream.choose(values).copied().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    #[test]
    fn every_value_is_short_and_fits_its_fact() {
        let mut stream = RunSeed(5).stream(Purpose::Data, StreamKey::default());
        for issue in Issue::ALL {
            for slot in Slot::ALL {
                for split in Split::ALL {
                    let value = value(*issue, *slot, *split, "Anna Hill", &mut stream);
                    assert!((1..=40).contains(&value.len()), "{issue} {slot}: {value:?}");
                }
            }
            let budget = value(*issue, Slot::Budget, Split::Train, "", &mut stream);
            let dollars: u32 = budget.split(' ').next().unwrap().parse().unwrap();
            assert!(
                products(*issue).first().is_none_or(|cheapest| cheapest.price_dollars <= dollars)
            );
        }
    }

    #[test]
    fn order_numbers_keep_to_their_split() {
        let mut stream = RunSeed(6).stream(Purpose::Data, StreamKey::default());
        for split in Split::ALL {
            for _ in 0..50 {
                let number = order_number(*split, &mut stream);
                assert_eq!((number.len(), Split::of_order_number(&number)), (4, *split));
            }
        }
    }
}
