//! Continuous batching: requests join and leave between passes, and every pass reads the next tokens
//! of all that are running, prompts and answers alike.
//!
//! A pass's rows are independent of each other, so what a request gets depends on its tokens, its
//! settings and its random stream alone, never on its company. Room for a request's longest possible
//! answer is set aside before it starts; nothing running is ever thrown out.

use std::collections::{BTreeMap, VecDeque};

use stateset_core::FinishReason;

use super::pages::{PageId, PagePool};
use super::request::{SampleEvent, SampleRequest, SampleStart};
use crate::NnError;
use crate::backend::{
    Backend, Buf, Cache, CacheSize, CachedRows, DrawRow, Drawn, Mat, PAGE_TOKENS,
};
use crate::decoder::{AttentionRows, Decoder, PassKind, WeightSet, Workspace};

/// Sizes of a sampler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplerSize {
    /// Requests that run at the same time.
    pub max_running: usize,
    /// Tokens of one pass; long prompts are read in several.
    pub max_rows: usize,
    /// Tokens the cache holds, in whole pages of [`PAGE_TOKENS`].
    pub cache_tokens: usize,
}

/// Samples completions.
pub struct Sampler {
    size: SamplerSize,
    work: Workspace,
    logits: Buf,
    cache: Cache,
    pages: PagePool,
    waiting: VecDeque<SampleRequest>,
    running: Vec<Running>,
    /// Requests of which the last pass read the first tokens.
    started: Vec<SampleStart>,
    set_aside: usize,
    context: usize,
    vocab_size: usize,
}

struct Running {
    request: SampleRequest,
    /// Prompt and drawn tokens.
    tokens: Vec<u32>,
    pages: Vec<PageId>,
    /// Tokens whose keys and values are stored, whoever stored them.
    n_read: usize,
    n_drawn: usize,
    /// How often each token was drawn, where drawn tokens are penalised.
    counts: BTreeMap<u32, u32>,
    /// Pages that were set aside for it and not taken yet.
    n_set_aside: usize,
    has_started: bool,
    is_done: bool,
}

/// Rows of one request in a pass.
struct Part {
    running: usize,
    first: usize,
    len: usize,
}

impl Sampler {
    /// Allocates.
    pub fn new(device: &mut dyn Backend, decoder: &Decoder, size: SamplerSize) -> Sampler {
        let config = &decoder.config;
        let rank = decoder.adapters.as_ref().map(|layout| layout.spec.rank);
        let max_rows = size.max_rows.max(size.max_running);
        let size = SamplerSize { max_rows, ..size };
        let work = Workspace::new(device, config, PassKind::Forward, max_rows, rank);
        let logits = device.alloc(size.max_running * config.vocab_size);
        let pages = size.cache_tokens.div_ceil(PAGE_TOKENS);
        let cache = device.new_cache(CacheSize {
            layers: config.layers.len(),
            kv_heads: config.n_kv_heads,
            head_dim: config.head_dim,
            pages,
        });
        Sampler {
            size,
            work,
            logits,
            cache,
            pages: PagePool::new(pages),
            waiting: VecDeque::new(),
            running: Vec::new(),
            started: Vec::new(),
            set_aside: 0,
            context: decoder.context,
            vocab_size: config.vocab_size,
        }
    }

    /// Numbers that [`Sampler::new`] allocates: (passes, cache).
    pub fn numbers(decoder: &Decoder, size: SamplerSize) -> (usize, usize) {
        let config = &decoder.config;
        let rank = decoder.adapters.as_ref().map(|layout| layout.spec.rank);
        let max_rows = size.max_rows.max(size.max_running);
        let pass = Workspace::numbers(config, PassKind::Forward, max_rows, rank);
        let padded = config.head_dim.next_multiple_of(PAGE_TOKENS);
        let token = config.layers.len() * config.n_kv_heads * (config.head_dim + padded);
        let tokens = size.cache_tokens.next_multiple_of(PAGE_TOKENS);
        (pass + size.max_running * config.vocab_size, tokens * token)
    }

    /// Puts a request at the end of the queue.
    ///
    /// # Errors
    /// [`NnError`] for an empty prompt, a token outside the vocabulary, impossible settings, or a
    /// request that could never fit context or cache.
    pub fn submit(&mut self, request: SampleRequest) -> Result<(), NnError> {
        let bad = |message: String| NnError::Setting { what: "a sampling request", message };
        if request.prompt.is_empty() || request.max_new_tokens == 0 {
            return Err(bad("prompt and answer need at least one token".to_owned()));
        }
        if let Some(token) = request.prompt.iter().find(|t| **t as usize >= self.vocab_size) {
            return Err(bad(format!("token {token} is outside the vocabulary")));
        }
        let is_warm = request.temperature > 0.0 && request.temperature.is_finite();
        if !(request.greedy || is_warm) {
            return Err(bad(format!("temperature {} is not above 0", request.temperature)));
        }
        request.steering.check(self.vocab_size)?;
        let found = request.prompt.len() + 1;
        if found > self.context {
            let limit = self.context;
            return Err(NnError::TooLarge { what: "fit prompt and answer", found, limit });
        }
        let (found, limit) = (self.pages_for(&request) * PAGE_TOKENS, self.size.cache_tokens);
        if self.pages_for(&request) > self.pages.len() {
            return Err(NnError::TooLarge { what: "cache prompt and answer", found, limit });
        }
        self.waiting.push_back(request);
        Ok(())
    }

    /// Drops a request, waiting or running. Returns whether it was there.
    pub fn cancel(&mut self, id: u64) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|request| request.id != id);
        if let Some(running) = self.running.iter_mut().find(|r| r.request.id == id) {
            running.is_done = true;
            self.retire();
            return true;
        }
        self.waiting.len() < before
    }

    /// True where nothing waits or runs.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Requests running and waiting, and the share of cache pages that running ones use.
    pub fn load(&self) -> (usize, usize, f64) {
        let share = self.pages.in_use() as f64 / self.pages.len().max(1) as f64;
        (self.running.len(), self.waiting.len(), share)
    }

    /// Requests that were begun to be read by the last pass.
    pub fn started(&self) -> &[SampleStart] {
        &self.started
    }

    /// Forgets stored prefixes. To be called whenever the weights have changed.
    ///
    /// # Panics
    /// Where requests are running: their stored keys belong to the old weights.
    pub fn weights_changed(&mut self) {
        assert!(self.running.is_empty(), "weights were changed under running requests");
        self.pages.forget_unused();
    }

    /// One pass: lets waiting requests in, reads the next tokens of all, draws where a request has
    /// been read to its end. Returns the drawn tokens in the order of their requests.
    pub fn step(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
    ) -> Vec<SampleEvent> {
        self.started.clear();
        self.admit(device);
        let parts = self.plan();
        if parts.is_empty() {
            return Vec::new();
        }
        let drawing = self.pass(device, decoder, weights, &parts);
        let events = self.draw(device, decoder, weights, &drawing);
        self.retire();
        events
    }

    /// Pages a request can come to need.
    fn pages_for(&self, request: &SampleRequest) -> usize {
        let most = (request.prompt.len() + request.max_new_tokens).min(self.context);
        most.div_ceil(PAGE_TOKENS)
    }

    fn admit(&mut self, device: &mut dyn Backend) {
        while self.running.len() < self.size.max_running {
            let Some(request) = self.waiting.front() else { return };
            let found = self.pages.find(&request.prompt);
            let needed = self.pages_for(request) - found.shared.len();
            found.shared.iter().for_each(|&page| self.pages.share(page));
            // The page that is copied from must not be the one that makes room for the copy.
            let source = found.partial.map(|(page, _)| page);
            source.into_iter().for_each(|page| self.pages.share(page));
            let fits = needed + self.set_aside <= self.pages.available();
            if fits {
                if let Some(request) = self.waiting.pop_front() {
                    self.start(device, request, found.shared.clone(), found.partial, needed);
                }
            } else {
                found.shared.iter().for_each(|&page| self.pages.release(page));
            }
            source.into_iter().for_each(|page| self.pages.release(page));
            if !fits {
                return;
            }
        }
    }

    fn start(
        &mut self,
        device: &mut dyn Backend,
        request: SampleRequest,
        mut pages: Vec<PageId>,
        partial: Option<(PageId, usize)>,
        needed: usize,
    ) {
        let tokens = request.prompt.clone();
        let n_whole = pages.len() * PAGE_TOKENS;
        let mut n_taken = 0;
        for chunk in tokens[n_whole..].chunks(PAGE_TOKENS) {
            let page = self.pages.take(pages.last().copied(), chunk);
            if let (0, Some((source, n))) = (n_taken, partial) {
                device.cache_copy(self.cache, source, page, n);
                self.pages.set_ready(page, n);
            }
            pages.push(page);
            n_taken += 1;
        }
        let n_set_aside = needed - n_taken;
        self.set_aside += n_set_aside;
        self.running.push(Running {
            request,
            tokens,
            pages,
            n_read: 0,
            n_drawn: 0,
            counts: BTreeMap::new(),
            n_set_aside,
            has_started: false,
            is_done: false,
        });
    }

    /// Chooses the rows of the next pass: for each request what is not stored yet, as far as rows are
    /// left. Requests come in the order of their arrival, so those that share a prefix find it ready
    /// in the very pass that stores it.
    fn plan(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut n_rows = 0;
        for (index, running) in self.running.iter_mut().enumerate() {
            // The last token is always read: its logits are what comes next.
            let stored = running.stored(&self.pages).min(running.tokens.len() - 1);
            running.n_read = running.n_read.max(stored);
            let len = (running.tokens.len() - running.n_read).min(self.size.max_rows - n_rows);
            if len == 0 {
                break;
            }
            if !std::mem::replace(&mut running.has_started, true) {
                self.started.push(SampleStart { id: running.request.id, n_cached: running.n_read });
            }
            let end = running.n_read + len;
            for (i, &page) in running.pages.iter().enumerate() {
                self.pages.set_ready(page, end.saturating_sub(i * PAGE_TOKENS).min(PAGE_TOKENS));
            }
            parts.push(Part { running: index, first: n_rows, len });
            n_rows += len;
        }
        parts
    }

    /// Reads the rows; returns the requests whose last token was read, with the row it was in.
    fn pass(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        parts: &[Part],
    ) -> Vec<(usize, u32)> {
        let (mut tokens, mut positions, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rows, mut drawing) = (Vec::new(), Vec::new());
        for part in parts {
            let running = &mut self.running[part.running];
            let (start, end) = (running.n_read, running.n_read + part.len);
            tokens.extend_from_slice(&running.tokens[start..end]);
            positions.extend(start as u32..end as u32);
            slots.extend((start..end).map(|i| running.slot(i)));
            let pages = running.pages[..end.div_ceil(PAGE_TOKENS)].to_vec();
            rows.push(CachedRows { first: part.first, len: part.len, position: start, pages });
            running.n_read = end;
            if end == running.tokens.len() {
                drawing.push((part.running, (part.first + part.len - 1) as u32));
            }
        }
        device.write_ids(self.work.tokens, &tokens);
        device.write_ids(self.work.positions, &positions);
        let attention = AttentionRows::Cached { cache: self.cache, rows: &rows, slots: &slots };
        decoder.forward(device, weights, &self.work, tokens.len(), attention);
        drawing
    }

    fn draw(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        drawing: &[(usize, u32)],
    ) -> Vec<SampleEvent> {
        if drawing.is_empty() {
            return Vec::new();
        }
        let n = drawing.len();
        let selected: Vec<u32> = drawing.iter().map(|(_, row)| *row).collect();
        device.write_ids(self.work.selected, &selected);
        let last = self.work.stream(decoder.config.layers.len());
        let (picked, hidden) = (self.work.picked.rows(0, n), self.work.hidden.rows(0, n));
        device.gather(picked, last, self.work.selected);
        decoder.finish(device, weights.base, hidden, picked);
        let logits = Mat::dense(self.logits, self.size.max_running, self.vocab_size).rows(0, n);
        device.linear(logits, hidden, decoder.head(weights.base), None, false);
        let rows: Vec<DrawRow> =
            drawing.iter().map(|(index, _)| self.running[*index].draw_row()).collect();
        let softcap = decoder.config.logit_softcap.map(|cap| cap as f32);
        let drawn = device.draw(logits, softcap, &rows);
        let mut events = Vec::with_capacity(n);
        for ((index, _), drawn) in drawing.iter().zip(drawn) {
            let finish = self.take_token(*index, drawn.token);
            let id = self.running[*index].request.id;
            let Drawn { token, logprob, top } = drawn;
            events.push(SampleEvent { id, token, logprob, top, finish });
        }
        events
    }

    /// Appends a drawn token; says why the request is over, if it is.
    fn take_token(&mut self, index: usize, token: u32) -> Option<FinishReason> {
        let context = self.context;
        let running = &mut self.running[index];
        running.n_drawn += 1;
        running.tokens.push(token);
        let request = &mut running.request;
        if request.steering.penalises() {
            *running.counts.entry(token).or_default() += 1;
        }
        if let Some(filter) = &mut request.steering.filter {
            filter.drawn(token);
        }
        let stops = request.stop.as_mut().is_some_and(|check| check(token));
        let finish = if request.end_tokens.contains(&token) || stops {
            Some(FinishReason::Stop)
        } else if running.n_drawn == request.max_new_tokens || running.tokens.len() == context {
            Some(FinishReason::Length)
        } else {
            None
        };
        running.is_done = finish.is_some();
        if finish.is_none() {
            let full = (running.tokens.len() - 1).is_multiple_of(PAGE_TOKENS);
            match (full, running.pages.last()) {
                (false, Some(&page)) => self.pages.append(page, token),
                (_, parent) => {
                    let page = self.pages.take(parent.copied(), &[token]);
                    running.pages.push(page);
                    running.n_set_aside -= 1;
                    self.set_aside -= 1;
                }
            }
        }
        finish
    }

    /// Gives back what finished requests held; leaves first, so that parents outlive children.
    fn retire(&mut self) {
        for running in self.running.iter().filter(|running| running.is_done) {
            running.pages.iter().rev().for_each(|&page| self.pages.release(page));
            self.set_aside -= running.n_set_aside;
        }
        self.running.retain(|running| !running.is_done);
    }
}

impl Running {
    /// Leading tokens that are stored, or will be by the pass being put together.
    fn stored(&self, pages: &PagePool) -> usize {
        let mut stored = 0;
        for &page in &self.pages {
            stored += pages.ready(page);
            if pages.ready(page) < PAGE_TOKENS {
                break;
            }
        }
        stored
    }

    /// Where token i's key and value go.
    fn slot(&self, i: usize) -> u32 {
        self.pages[i / PAGE_TOKENS] * PAGE_TOKENS as u32 + (i % PAGE_TOKENS) as u32
    }

    fn draw_row(&mut self) -> DrawRow {
        let request = &mut self.request;
        let penalises = request.repetition_penalty != 1.0;
        let mask = request.mask();
        DrawRow {
            temperature: request.temperature,
            top_k: request.top_k,
            top_p: request.top_p,
            min_p: request.min_p,
            repetition_penalty: request.repetition_penalty,
            greedy: request.greedy,
            seen: if penalises { self.tokens.clone() } else { Vec::new() },
            bias: request.steering.bias.clone(),
            penalties: request.steering.penalties(&self.counts),
            mask,
            n_top: request.n_top,
            unit: request.stream.unit(),
        }
    }
}
