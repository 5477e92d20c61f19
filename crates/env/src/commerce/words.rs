//! Names of people and goods.

use stateset_core::Stream;

/// First names.
const PEOPLE: &[&str] = &[
    "Ada", "Bruno", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kemal",
    "Lena", "Mateo", "Nadia", "Oscar", "Paula", "Quentin", "Rosa", "Samir", "Tilda", "Umar",
    "Vera", "Wanda", "Yusuf",
];

/// Clothes and shoes: what has a size and is worn.
pub(super) const CLOTHES: &[&str] = &[
    "wool coat",
    "rain jacket",
    "linen shirt",
    "pair of running shoes",
    "pair of leather boots",
    "evening dress",
    "pair of hiking trousers",
    "cardigan",
    "denim skirt",
    "pair of winter gloves",
];

/// Goods of the season, bought once.
pub(super) const SEASONAL: &[&str] = &[
    "garden chair",
    "paddling pool",
    "ski helmet",
    "sun umbrella",
    "fan heater",
    "picnic basket",
    "snow sledge",
    "patio lantern",
    "beach tent",
    "advent wreath",
];

/// Goods that are kept in stock, each beside what can take its place.
pub(super) const STOCKED: &[[&str; 3]] = &[
    ["blue kettle", "steel kettle", "toaster"],
    ["oak shelf", "pine shelf", "desk lamp"],
    ["cotton sheet", "linen sheet", "duvet"],
    ["trail bottle", "flask", "lunch box"],
    ["clip camera", "pocket camera", "tripod"],
];

/// `n` different people; `n` up to the number there is.
pub(super) fn people(n: usize, stream: &mut Stream) -> Vec<String> {
    let mut all: Vec<&str> = PEOPLE.to_vec();
    stream.shuffle(&mut all);
    all.into_iter().take(n).map(str::to_owned).collect()
}

/// One of `words`.
pub(super) fn one_of(words: &[&str], stream: &mut Stream) -> String {
    stream.choose(words).copied().unwrap_or_default().to_owned()
}

/// `n` different numbers from `first` to below `first + 1000`, in rising order.
pub(super) fn numbers(n: usize, first: u32, stream: &mut Stream) -> Vec<u32> {
    let step = 1000 / n.max(1);
    (0..n).map(|index| first + (index * step + stream.index(step.max(1))) as u32).collect()
}

/// The words with their article.
pub(super) fn with_article(words: &str) -> String {
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {words}")
}
