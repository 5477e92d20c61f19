//! Keys and values of many sequences, in pages, for every layer.

use super::aligned::AlignedVec;
use super::attention::{PAGE, PagedHead, key_page_len, value_page_len, write_key, write_value};
use crate::backend::CacheSize;

/// The storage behind a cache handle: in each layer, page by page, head by head.
#[derive(Default)]
pub(super) struct KeyValueCache {
    pub(super) size: CacheSize,
    keys: Vec<AlignedVec>,
    values: Vec<AlignedVec>,
}

impl KeyValueCache {
    pub(super) fn new(size: CacheSize) -> Self {
        let layers = |page_len: usize| {
            let len = size.pages * size.kv_heads * page_len;
            (0..size.layers).map(|_| AlignedVec::zeros(len)).collect()
        };
        let keys = layers(key_page_len(size.head_dim));
        let values = layers(value_page_len(size.head_dim));
        KeyValueCache { size, keys, values }
    }

    /// Numbers of one head's page of keys and of values.
    fn page_lens(&self) -> [usize; 2] {
        [key_page_len(self.size.head_dim), value_page_len(self.size.head_dim)]
    }

    /// Stores one token; `row` holds its keys, then its values.
    pub(super) fn store(&mut self, layer: usize, slot: usize, row: &[f32]) {
        let [key_len, value_len] = self.page_lens();
        let (page, place) = (slot / PAGE, slot % PAGE);
        let CacheSize { kv_heads, head_dim, .. } = self.size;
        for head in 0..kv_heads {
            let index = page * kv_heads + head;
            let keys = &mut self.keys[layer][index * key_len..][..key_len];
            write_key(keys, place, &row[head * head_dim..][..head_dim]);
            let values = &mut self.values[layer][index * value_len..][..value_len];
            write_value(values, place, &row[(kv_heads + head) * head_dim..][..head_dim]);
        }
    }

    /// Copies the first `tokens` tokens of a page to another.
    pub(super) fn copy(&mut self, from: usize, to: usize, tokens: usize) {
        let [key_len, value_len] = self.page_lens();
        let CacheSize { kv_heads, head_dim, .. } = self.size;
        for head in 0..kv_heads {
            let (from, to) = (from * kv_heads + head, to * kv_heads + head);
            for keys in &mut self.keys {
                for d in 0..head_dim {
                    let start = from * key_len + d * PAGE;
                    keys.copy_within(start..start + tokens, to * key_len + d * PAGE);
                }
            }
            for values in &mut self.values {
                let (start, width) = (from * value_len, value_len / PAGE);
                values.copy_within(start..start + tokens * width, to * value_len);
            }
        }
    }

    /// Keys and values of one head of a sequence whose pages are `table`.
    pub(super) fn heads<'a>(
        &'a self,
        layer: usize,
        head: usize,
        table: &'a [u32],
    ) -> [PagedHead<'a>; 2] {
        let [key_len, value_len] = self.page_lens();
        let of = |data: &'a [f32], page_len: usize| PagedHead {
            data,
            offset: head * page_len,
            stride: self.size.kv_heads * page_len,
            page_len,
            table,
        };
        [of(&self.keys[layer], key_len), of(&self.values[layer], value_len)]
    }
}
