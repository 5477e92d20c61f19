//! What the shop sells.

use serde_json::{Map, Value, json};

/// The colours, in the order of the columns of stock.
pub const COLOURS: [&str; 4] = ["red", "blue", "green", "white"];

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: &'static str,
    /// In whole crowns.
    pub price: u32,
    /// How many are left, by [`COLOURS`].
    pub stock: [u32; 4],
}

/// Everything there is. Each item has two colours that are sold out and two that are not, so that a wish for
/// either exists for every item.
pub const ITEMS: [Item; 8] = [
    Item { name: "lamp", price: 25, stock: [3, 0, 2, 0] },
    Item { name: "mug", price: 8, stock: [0, 5, 0, 4] },
    Item { name: "hat", price: 14, stock: [2, 0, 0, 6] },
    Item { name: "bag", price: 30, stock: [0, 2, 7, 0] },
    Item { name: "coat", price: 60, stock: [1, 4, 0, 0] },
    Item { name: "scarf", price: 18, stock: [0, 0, 3, 5] },
    Item { name: "clock", price: 22, stock: [4, 0, 0, 2] },
    Item { name: "rug", price: 45, stock: [0, 3, 1, 0] },
];

/// The table of items.
pub(super) fn items_table() -> Value {
    let row = |item: &Item| {
        let mut row = json!({"item": item.name, "price": item.price});
        for (colour, left) in COLOURS.iter().zip(item.stock) {
            row[*colour] = left.into();
        }
        (item.name.to_owned(), row)
    };
    Value::Object(ITEMS.iter().map(row).collect::<Map<String, Value>>())
}

impl Item {
    /// The colours that are sold out, or those that are not.
    pub(super) fn colours(&self, sold_out: bool) -> Vec<&'static str> {
        let pairs = COLOURS.into_iter().zip(self.stock);
        pairs.filter(|(_, left)| (*left == 0) == sold_out).map(|(colour, _)| colour).collect()
    }
}
