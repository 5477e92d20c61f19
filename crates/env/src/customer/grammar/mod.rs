//! The words of the simulated customers. Everything they can say is written in this folder, so that a
//! corpus generator, the scenario sets and the live customers speak the same language.

mod facts;
mod moods;
mod problems;
mod replies;
mod speak;
mod template;
mod values;

pub(crate) use speak::{Say, farewell, opening, reply, thanks};
pub use template::{expand, n_variants};
pub use values::{
    CANCEL_REASONS, COLORS, DEVICES, FIRST_NAMES, GARMENTS, ITEMS, LAST_NAMES, LIGHTS, QUANTITIES,
    REFUND_REASONS, SIZES, STREETS, TIMES, order_number, person, uses, value,
};
