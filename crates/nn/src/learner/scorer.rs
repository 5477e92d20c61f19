//! Forward passes over whole rows: log-probs and entropies of wanted tokens, and embeddings.
//!
//! Rows are packed side by side without padding. Only the positions that predict a wanted token reach
//! the vocabulary, in chunks of rows, so memory for logits is bounded whatever the batch. Positions
//! whose state alone is wanted (the ends of rows) come behind them and reach the value head only.

use std::ops::Range;

use super::readings::Readings;
use super::rows::{RowScores, TokenRow, Wants};
use super::value_head::ValueHead;
use crate::NnError;
use crate::backend::{Backend, Buf, LogitSpec, Mat, SequenceRows, Stretch};
use crate::decoder::{AttentionRows, Decoder, PassKind, WeightSet, Workspace};

/// Numbers of logits held at once, unless one row alone has more.
const LOGIT_NUMBERS: usize = 1 << 24;

/// Buffers for passes over up to `max_rows` tokens.
#[derive(Debug)]
pub struct Scorer {
    pub(super) work: Workspace,
    pub(super) logits: Buf,
    /// Rows of the logits' buffer; 0 where there is none.
    pub(super) chunk_rows: usize,
    /// Maps states to values, and the buffer for them.
    pub(super) value_head: Option<(ValueHead, Buf)>,
}

/// Packed rows on the device, ready for a pass.
pub(super) struct Packed {
    pub(super) n: usize,
    pub(super) sequences: Vec<SequenceRows>,
    /// Row of the batch that predicts each wanted token, then the last row of each sequence whose
    /// end is wanted.
    pub(super) selected: Vec<u32>,
    /// The wanted tokens.
    pub(super) targets: Vec<u32>,
}

impl Scorer {
    /// Allocates.
    pub fn new(
        device: &mut dyn Backend,
        decoder: &Decoder,
        kind: PassKind,
        max_rows: usize,
    ) -> Scorer {
        let chunk_rows = chunk_rows(decoder.config.vocab_size, max_rows);
        Scorer::with_chunks(device, decoder, kind, max_rows, chunk_rows)
    }

    /// Allocates for values only: there is no room for logits.
    pub fn without_logits(
        device: &mut dyn Backend,
        decoder: &Decoder,
        kind: PassKind,
        max_rows: usize,
    ) -> Scorer {
        Scorer::with_chunks(device, decoder, kind, max_rows, 0)
    }

    fn with_chunks(
        device: &mut dyn Backend,
        decoder: &Decoder,
        kind: PassKind,
        max_rows: usize,
        chunk_rows: usize,
    ) -> Scorer {
        let rank = decoder.adapters.as_ref().map(|layout| layout.spec.rank);
        let work = Workspace::new(device, &decoder.config, kind, max_rows, rank);
        let logits = device.alloc(chunk_rows * decoder.config.vocab_size);
        Scorer { work, logits, chunk_rows, value_head: None }
    }

    /// Numbers that [`Scorer::new`] allocates.
    pub fn numbers(decoder: &Decoder, kind: PassKind, max_rows: usize) -> usize {
        let vocab_size = decoder.config.vocab_size;
        Scorer::numbers_without_logits(decoder, kind, max_rows)
            + chunk_rows(vocab_size, max_rows) * vocab_size
    }

    /// Numbers that [`Scorer::without_logits`] allocates.
    pub fn numbers_without_logits(decoder: &Decoder, kind: PassKind, max_rows: usize) -> usize {
        let rank = decoder.adapters.as_ref().map(|layout| layout.spec.rank);
        Workspace::numbers(&decoder.config, kind, max_rows, rank)
    }

    /// Says which head gives the values from now on. It may be shared with a learner.
    pub fn set_value_head(&mut self, device: &mut dyn Backend, head: ValueHead) {
        let values = match self.value_head {
            Some((_, values)) => values,
            None => device.alloc(self.work.max_rows),
        };
        self.value_head = Some((head, values));
    }

    /// Tokens one pass can read.
    pub fn max_rows(&self) -> usize {
        self.work.max_rows
    }

    /// Scores rows, as many at a time as fit. Rows are independent: how they are grouped changes no
    /// bit of the result.
    ///
    /// # Errors
    /// [`NnError`] for a row that is malformed or longer than one pass can read.
    pub fn score(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        rows: &[TokenRow<'_>],
        temperature: f32,
        wants: Wants,
    ) -> Result<Vec<RowScores>, NnError> {
        self.check_wants(wants)?;
        let mut scores = Vec::with_capacity(rows.len());
        for part in self.passes(rows) {
            let batch = &rows[part];
            let packed = self.forward(device, decoder, weights, batch)?;
            let read = self.read(device, decoder, weights, &packed, temperature, wants);
            scores.extend(read.unpack(batch, wants));
        }
        Ok(scores)
    }

    /// Cuts rows into passes of as many rows as fit, at least one.
    pub(super) fn passes(&self, rows: &[TokenRow<'_>]) -> Vec<Range<usize>> {
        let mut passes: Vec<Range<usize>> = Vec::new();
        let mut room = 0;
        for (i, row) in rows.iter().enumerate() {
            let n = row.n_read();
            match passes.last_mut() {
                Some(last) if n <= room => last.end = i + 1,
                _ => {
                    passes.push(i..i + 1);
                    room = self.work.max_rows;
                }
            }
            // A row that is too long is refused when it is packed.
            room = room.saturating_sub(n);
        }
        passes
    }

    /// Refuses what this scorer has no buffers for.
    pub(super) fn check_wants(&self, wants: Wants) -> Result<(), NnError> {
        let refuse = |message: &str| {
            Err(NnError::Setting { what: "what a pass computes", message: message.to_owned() })
        };
        if wants.needs_logits() && self.chunk_rows == 0 {
            return refuse("log-probs were wanted of a critic, which has values only");
        }
        if wants.values && self.value_head.is_none() {
            return refuse("values were wanted, but there is no value head");
        }
        Ok(())
    }

    /// Logits of every position of a row (soft cap and temperature 1 included), row-major.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn logits(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        tokens: &[u32],
    ) -> Result<Vec<f32>, NnError> {
        self.check_wants(Wants::default())?;
        let packed = self.all_states(device, decoder, weights, tokens)?;
        let spec = logit_spec(decoder, 1.0);
        let mut all = Vec::new();
        for (first, len) in self.chunks(packed.n) {
            let logits = self.chunk_logits(device, decoder, weights, (first, len));
            device.read_rows(logits, &packed.targets[first..first + len], spec, false);
            let mut numbers = vec![0.0; len * logits.cols];
            device.read(Stretch::of(logits.buf, numbers.len()), &mut numbers);
            all.extend(numbers);
        }
        Ok(all)
    }

    /// Mean of the last hidden states (after the final norm) of each row's tokens.
    ///
    /// # Errors
    /// As [`Scorer::score`]; also for a row without tokens.
    pub fn embed(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        rows: &[&[u32]],
    ) -> Result<Vec<Vec<f32>>, NnError> {
        let hidden = decoder.config.hidden_size;
        let mut all = Vec::with_capacity(rows.len());
        for tokens in rows {
            if tokens.is_empty() {
                let message = "it has no tokens".to_owned();
                return Err(NnError::Setting { what: "a text to embed", message });
            }
            let packed = self.all_states(device, decoder, weights, tokens)?;
            let states = self.work.hidden.rows(0, packed.n);
            let mut numbers = vec![0.0; packed.n * hidden];
            let len = numbers.len();
            device.read(Stretch { buf: states.buf, offset: states.offset, len }, &mut numbers);
            let mut mean = vec![0.0; hidden];
            for state in numbers.chunks_exact(hidden) {
                mean.iter_mut().zip(state).for_each(|(m, x)| *m += x / packed.n as f32);
            }
            all.push(mean);
        }
        Ok(all)
    }

    /// Final states of every token, in `work.hidden`.
    fn all_states(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        tokens: &[u32],
    ) -> Result<Packed, NnError> {
        // One more, unread token makes the last one's state the last that is computed.
        let tokens: Vec<u32> = tokens.iter().copied().chain(tokens.first().copied()).collect();
        let mask: Vec<bool> = (0..tokens.len()).map(|i| i > 0).collect();
        self.forward(device, decoder, weights, &[TokenRow::new(&tokens, &mask)])
    }

    /// Runs the layers; the selected rows' final states end up in `work.hidden`.
    pub(super) fn forward(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        rows: &[TokenRow<'_>],
    ) -> Result<Packed, NnError> {
        let packed = self.pack(device, decoder, rows)?;
        if packed.selected.is_empty() {
            return Ok(packed);
        }
        let attention = AttentionRows::Whole(&packed.sequences);
        let last = decoder.forward(device, weights, &self.work, packed.n, attention);
        device.write_ids(self.work.selected, &packed.selected);
        let n_selected = packed.selected.len();
        let (picked, hidden) =
            (self.work.picked.rows(0, n_selected), self.work.hidden.rows(0, n_selected));
        device.gather(picked, last, self.work.selected);
        decoder.finish(device, weights.base, hidden, picked);
        Ok(packed)
    }

    fn pack(
        &self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        rows: &[TokenRow<'_>],
    ) -> Result<Packed, NnError> {
        let (mut tokens, mut positions) = (Vec::new(), Vec::new());
        let (mut sequences, mut selected, mut targets) = (Vec::new(), Vec::new(), Vec::new());
        let mut ends = Vec::new();
        for row in rows {
            row.check(decoder.config.vocab_size, decoder.context)?;
            let (first, len) = (tokens.len(), row.n_read());
            if len == 0 {
                continue;
            }
            tokens.extend_from_slice(&row.tokens[..len]);
            positions.extend(0..len as u32);
            sequences.push(SequenceRows { first, len });
            for (i, _) in row.mask.iter().enumerate().filter(|(_, wanted)| **wanted) {
                selected.push((first + i - 1) as u32);
                targets.push(row.tokens[i]);
            }
            if row.wants_end {
                ends.push((first + len - 1) as u32);
            }
        }
        selected.extend(ends);
        let (n, limit) = (tokens.len(), self.work.max_rows);
        if n > limit {
            return Err(NnError::TooLarge { what: "read rows in one pass", found: n, limit });
        }
        device.write_ids(self.work.tokens, &tokens);
        device.write_ids(self.work.positions, &positions);
        Ok(Packed { n, sequences, selected, targets })
    }

    /// Chunks of selected rows, as (first, length).
    pub(super) fn chunks(&self, n_selected: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let step = self.chunk_rows;
        (0..n_selected).step_by(step).map(move |first| (first, step.min(n_selected - first)))
    }

    /// Logits of a chunk of selected rows.
    pub(super) fn chunk_logits(
        &self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        (first, len): (usize, usize),
    ) -> Mat {
        let logits =
            Mat::dense(self.logits, self.chunk_rows, decoder.config.vocab_size).rows(0, len);
        let hidden = self.work.hidden.rows(first, len);
        device.linear(logits, hidden, decoder.head(weights.base), None, false);
        logits
    }

    pub(super) fn read(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        packed: &Packed,
        temperature: f32,
        wants: Wants,
    ) -> Readings {
        let mut readings = Readings::default();
        if wants.needs_logits() {
            let spec = logit_spec(decoder, temperature);
            for (first, len) in self.chunks(packed.targets.len()) {
                let logits = self.chunk_logits(device, decoder, weights, (first, len));
                let targets = &packed.targets[first..first + len];
                readings.tokens.extend(device.read_rows(logits, targets, spec, wants.moments));
            }
        }
        if let (true, Some((head, values))) = (wants.values, self.value_head) {
            let n = packed.selected.len();
            head.forward(device, Mat::dense(values, n, 1), self.work.hidden.rows(0, n));
            readings.values = vec![0.0; n];
            device.read(Stretch::of(values, n), &mut readings.values);
        }
        readings
    }
}

pub(super) fn logit_spec(decoder: &Decoder, temperature: f32) -> LogitSpec {
    let softcap = decoder.config.logit_softcap.map(|cap| cap as f32);
    LogitSpec { softcap, temperature }
}

fn chunk_rows(vocab_size: usize, max_rows: usize) -> usize {
    (LOGIT_NUMBERS / vocab_size).clamp(1, max_rows.max(1))
}
