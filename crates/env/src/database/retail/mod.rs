//! The retail benchmark's tools, written from their schemas and the policy's text.
//!
//! The benchmark's files describe what each tool does; these functions do it. Where the text leaves a choice:
//!
//! - An order whose items were modified has the state `pending (items modified)` and takes no further action,
//!   as the policy says.
//! - Exchanging an item for the very same one is allowed: the policy speaks of "a different option", but the
//!   schemas do not, and one task in ten asks for it.
//! - A refund goes, for every payment method, back as far as it was paid with; gift cards get it at once.
//! - Amounts are rounded to cents after every sum.

mod account;
mod calculate;
mod functions;
mod items;
mod lookup;
mod money;
mod order;
mod values;

pub(crate) use functions::retail_functions;
