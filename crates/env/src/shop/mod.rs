//! The built-in shop: orders, returns, exchanges and stock, small enough for the smallest model.
//!
//! Everything is written here in its own words: `tools.json` declares five tools, [`goods`] the stock, and a
//! seeded grammar makes orders and customers. Orders have names of a short word and a digit, tool calls are
//! short, and no reply has to be longer than a sentence.
//!
//! A customer wants to cancel, to return or to exchange an order, to know its state, or to know a price. What
//! they leave out of their first words has to be asked for. Sometimes the rules say no: the order is not in
//! the right state, or the colour is sold out; then nothing may change and the reason has to be said.

mod cases;
mod clerk;
mod goods;
mod grammar;
mod world;

pub use cases::Wish;
pub use clerk::clerk;
pub use goods::{COLOURS, ITEMS, Item};
pub use world::{SHOP_POLICY, Shop, shop_domain};
