//! Pages of the key-value cache: who uses them, what they hold, and which prefix is already there.
//!
//! Pages form a tree: a page's parent holds the sixteen tokens before it. A new request walks down
//! the tree as far as its tokens agree and shares those pages; the rest of a page that agrees in part
//! is copied. Pages nobody uses stay as they are until their room is needed, the longest unused
//! first, leaves before their parents.

use std::collections::HashMap;

use crate::backend::PAGE_TOKENS;

/// A page's index.
pub(super) type PageId = u32;

/// Parent of pages that begin a sequence.
const ROOT: PageId = PageId::MAX;

#[derive(Clone, Debug, Default)]
struct Page {
    parent: PageId,
    tokens: Vec<u32>,
    /// Tokens whose keys and values are stored, or will be by the pass being put together.
    ready: usize,
    users: usize,
    children: usize,
    last_use: u64,
    is_linked: bool,
}

/// All pages of a cache.
#[derive(Debug)]
pub(super) struct PagePool {
    pages: Vec<Page>,
    free: Vec<PageId>,
    children: HashMap<PageId, Vec<PageId>>,
    clock: u64,
    unused: usize,
}

/// What a request found of its tokens.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    /// Pages to share, in order; all full.
    pub(super) shared: Vec<PageId>,
    /// A page of which the first tokens agree too, and how many.
    pub(super) partial: Option<(PageId, usize)>,
}

impl PagePool {
    pub(super) fn new(n_pages: usize) -> PagePool {
        PagePool {
            pages: vec![Page::default(); n_pages],
            free: (0..n_pages as PageId).rev().collect(),
            children: HashMap::new(),
            clock: 0,
            unused: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Pages that could be handed out now.
    pub(super) fn available(&self) -> usize {
        self.free.len() + self.unused
    }

    /// Pages that hold tokens of running sequences.
    pub(super) fn in_use(&self) -> usize {
        self.pages.len() - self.available()
    }

    /// Finds the longest prefix of `tokens` in the tree. Changes nothing.
    pub(super) fn find(&self, tokens: &[u32]) -> Match {
        let mut found = Match::default();
        let mut parent = ROOT;
        for chunk in tokens.chunks(PAGE_TOKENS) {
            let mut best = (0, 0);
            for &child in self.children.get(&parent).map_or(&[][..], Vec::as_slice) {
                let page = &self.pages[child as usize];
                let same = page.tokens.iter().zip(chunk).take_while(|(a, b)| a == b).count();
                if same > best.1 {
                    best = (child, same);
                }
            }
            let (child, same) = best;
            if same == PAGE_TOKENS {
                found.shared.push(child);
                parent = child;
                continue;
            }
            let ready = same.min(self.pages.get(child as usize).map_or(0, |page| page.ready));
            found.partial = (ready > 0).then_some((child, ready));
            break;
        }
        found
    }

    /// Takes part in the use of a page.
    pub(super) fn share(&mut self, id: PageId) {
        self.clock += 1;
        let page = &mut self.pages[id as usize];
        if page.users == 0 {
            self.unused -= 1;
        }
        page.users += 1;
        page.last_use = self.clock;
    }

    /// A page for `tokens` (at most sixteen; more may follow) after `parent`.
    ///
    /// # Panics
    /// Where none is available; callers reserve.
    pub(super) fn take(&mut self, parent: Option<PageId>, tokens: &[u32]) -> PageId {
        let id = match self.free.pop() {
            Some(id) => id,
            None => self.evict(),
        };
        self.clock += 1;
        let parent = parent.unwrap_or(ROOT);
        self.pages[id as usize] = Page {
            parent,
            tokens: tokens.to_vec(),
            ready: 0,
            users: 1,
            children: 0,
            last_use: self.clock,
            is_linked: true,
        };
        self.children.entry(parent).or_default().push(id);
        if parent != ROOT {
            self.pages[parent as usize].children += 1;
        }
        id
    }

    /// Adds a token to the last page of a sequence.
    pub(super) fn append(&mut self, id: PageId, token: u32) {
        self.pages[id as usize].tokens.push(token);
    }

    /// Tokens of a page that are stored.
    pub(super) fn ready(&self, id: PageId) -> usize {
        self.pages[id as usize].ready
    }

    /// Says that the first `tokens` tokens are stored, or will be by the next pass.
    pub(super) fn set_ready(&mut self, id: PageId, tokens: usize) {
        let page = &mut self.pages[id as usize];
        page.ready = page.ready.max(tokens);
    }

    /// Ends a use. Pages with stored tokens stay findable; tokens that never were stored are
    /// forgotten.
    pub(super) fn release(&mut self, id: PageId) {
        let page = &mut self.pages[id as usize];
        page.users -= 1;
        if page.users > 0 {
            return;
        }
        page.tokens.truncate(page.ready);
        self.unused += 1;
        if self.pages[id as usize].ready == 0 && self.pages[id as usize].children == 0 {
            self.unlink(id);
            self.unused -= 1;
            self.free.push(id);
        }
    }

    /// Forgets everything that no running sequence uses.
    pub(super) fn forget_unused(&mut self) {
        while self.unused > 0 {
            let id = self.evict();
            self.free.push(id);
        }
    }

    fn evict(&mut self) -> PageId {
        let candidates = self.pages.iter().enumerate();
        let leaf = candidates
            .filter(|(_, page)| page.is_linked && page.users == 0 && page.children == 0)
            .min_by_key(|(_, page)| page.last_use);
        let Some((id, _)) = leaf else { panic!("pages were handed out beyond their number") };
        self.unlink(id as PageId);
        self.unused -= 1;
        id as PageId
    }

    fn unlink(&mut self, id: PageId) {
        let parent = self.pages[id as usize].parent;
        self.pages[id as usize].is_linked = false;
        if let Some(siblings) = self.children.get_mut(&parent) {
            siblings.retain(|child| *child != id);
            if siblings.is_empty() {
                self.children.remove(&parent);
            }
        }
        if parent != ROOT {
            self.pages[parent as usize].children -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(n: u32) -> Vec<u32> {
        (0..n).collect()
    }

    /// Fills pages with `tokens` as a finished sequence would leave them.
    fn store(pool: &mut PagePool, tokens: &[u32]) -> Vec<PageId> {
        let found = pool.find(tokens);
        found.shared.iter().for_each(|&id| pool.share(id));
        let mut pages = found.shared;
        for chunk in tokens.chunks(PAGE_TOKENS).skip(pages.len()) {
            let id = pool.take(pages.last().copied(), chunk);
            pool.set_ready(id, chunk.len());
            pages.push(id);
        }
        pages
    }

    #[test]
    fn finds_whole_and_partial_pages() {
        let mut pool = PagePool::new(8);
        let pages = store(&mut pool, &tokens(40));
        assert_eq!(pool.find(&tokens(32)), Match { shared: pages[..2].to_vec(), partial: None });
        let found = pool.find(&tokens(38));
        assert_eq!(found, Match { shared: pages[..2].to_vec(), partial: Some((pages[2], 6)) });
        let mut other = tokens(40);
        other[20] = 99;
        let found = pool.find(&other);
        assert_eq!(found, Match { shared: pages[..1].to_vec(), partial: Some((pages[1], 4)) });
        assert_eq!(pool.find(&[7]), Match::default());
    }

    #[test]
    fn tokens_that_are_not_stored_are_not_copied() {
        let mut pool = PagePool::new(4);
        let id = pool.take(None, &tokens(10));
        assert_eq!(pool.find(&tokens(10)), Match::default());
        pool.set_ready(id, 4);
        assert_eq!(pool.find(&tokens(10)).partial, Some((id, 4)));
    }

    #[test]
    fn unused_pages_stay_until_their_room_is_needed() {
        let mut pool = PagePool::new(3);
        let pages = store(&mut pool, &tokens(40));
        assert_eq!(pool.available(), 0);
        pages.iter().for_each(|&id| pool.release(id));
        assert_eq!(pool.available(), 3);
        assert_eq!(pool.find(&tokens(40)).shared.len(), 2);
        // The leaf goes first, so what is left can still be found.
        let new = pool.take(None, &[50]);
        assert_eq!(new, pages[2]);
        assert_eq!(pool.find(&tokens(40)).shared.len(), 2);
        assert_eq!(pool.available(), 2);
        pool.forget_unused();
        assert_eq!(pool.find(&tokens(40)), Match::default());
        assert_eq!((pool.available(), pool.in_use()), (2, 1));
    }

    #[test]
    fn pages_with_nothing_stored_are_free_at_once() {
        let mut pool = PagePool::new(1);
        let id = pool.take(None, &[1, 2]);
        pool.release(id);
        assert_eq!(pool.available(), 1);
        assert_eq!(pool.find(&[1, 2]), Match::default());
        pool.take(None, &[3]);
    }
}
