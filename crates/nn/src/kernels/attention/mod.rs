//! Causal attention, forward and backward, over keys and values cut into pages of sixteen tokens.
//!
//! Training and decoding share the code: a training sequence is paged into scratch memory, a decoding
//! sequence lies in the cache's pages already. For each query the scores are chains over the head's
//! dimensions, the weights are summed in sixteen lanes by token index, and the values are chains over
//! tokens cut at multiples of [`K_BLOCK`]. None of that depends on how many queries there are or where
//! the pages lie, so a token's output is the same bits when it is sampled and when it is recomputed.
//!
//! The backward pass recomputes the weights of a block of queries instead of storing them
//! (FlashAttention-2, arXiv 2307.08691, section 3.1.2) and adds into keys and values in order of
//! query, so it is deterministic.
#![allow(unsafe_code)]

mod backward;
mod forward;
mod pages;
mod task;

pub(crate) use forward::attend;
pub use pages::AttentionSpec;
pub(crate) use pages::{
    PAGE, PagedHead, Queries, key_page_len, value_page_len, write_key, write_value,
};
pub(crate) use task::{HeadGradients, HeadTask, Rows};
