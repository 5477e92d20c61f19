//! The words of the agents, good and bad, in the templates of the customers' own grammar.

mod asking;
mod draw;
mod helping;
mod idling;
mod kindness;
mod troubles;

pub(super) use asking::{ask_one, ask_three, ask_two};
pub(super) use draw::{Values, draw, weighted};
pub(super) use helping::{details, helps, is_recommendation, offers, quotes_facts};
pub(super) use idling::{ASIDES, LEAVINGS, OPEN_QUESTIONS, PLEASANTRIES, REFUSALS, STALLS};
pub(super) use kindness::{
    CURT_FAREWELLS, FAREWELLS, GOING_AHEAD, MORE_HELP, PURPOSES, SORRY_FAREWELLS, THANKS,
    acknowledgements, apologies, receipts,
};
pub(super) use troubles::troubles;
