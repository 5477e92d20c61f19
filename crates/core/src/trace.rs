//! Token-exact record of what a policy read and wrote.
//!
//! A [`TokenTrace`] is append-only. Every token has one [`Origin`], and the loss mask is derived from
//! it and nothing else: text can never enter the loss, because nobody can hand a mask in.
//! A conversation normally is one [`Segment`]; a chat template that rewrites history begins a new one.

use crate::PolicyVersion;

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Prompt, user, tool result or template glue. Never in a loss.
    Given,
    /// Sampled by a policy, with its log-prob. In the loss of online algorithms.
    Sampled,
    /// Assistant text that came from data. Only supervised and preference losses accept it.
    Target,
}

/// A run of tokens of one origin inside a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Index of the first token.
    pub start: usize,
    /// Index after the last token.
    pub end: usize,
    /// Where the tokens come from.
    pub origin: Origin,
    /// Which weights sampled them; `None` unless the origin is [`Origin::Sampled`].
    pub version: Option<PolicyVersion>,
}

impl Span {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// True for a span without tokens.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// Why tokens could not be appended.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// A sampled token came without its log-prob, or the other way round.
    #[error("append sampled tokens: {tokens} tokens but {logprobs} log-probs")]
    LengthMismatch {
        /// Tokens given.
        tokens: usize,
        /// Log-probs given.
        logprobs: usize,
    },
    /// A log-prob was NaN or above zero.
    #[error("append sampled tokens: log-prob {value} at index {index} is not a log-probability")]
    BadLogprob {
        /// Position in the appended slice.
        index: usize,
        /// The value found.
        value: f32,
    },
}

/// One row of tokens as a model reads it, from its first token on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Segment {
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    spans: Vec<Span>,
}

impl Segment {
    /// All tokens in order.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Behaviour log-prob of each token, natural log; 0 where the token was not sampled.
    pub fn logprobs(&self) -> &[f32] {
        &self.logprobs
    }

    /// Runs of equal origin, in order, covering every token. Two replies are two spans.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Spans that were sampled: one for each assistant reply.
    pub fn sampled_spans(&self) -> impl Iterator<Item = &Span> {
        self.spans.iter().filter(|span| span.origin == Origin::Sampled)
    }

    /// True at each token of origin `origin`: the loss mask of the losses that accept it.
    pub fn mask(&self, origin: Origin) -> Vec<bool> {
        let mut mask = vec![false; self.tokens.len()];
        for span in self.spans.iter().filter(|span| span.origin == origin) {
            mask[span.start..span.end].fill(true);
        }
        mask
    }

    /// Number of tokens of origin `origin`.
    pub fn count(&self, origin: Origin) -> usize {
        self.spans.iter().filter(|span| span.origin == origin).map(Span::len).sum()
    }

    /// Oldest version that sampled any token here.
    pub fn oldest_version(&self) -> Option<PolicyVersion> {
        self.spans.iter().filter_map(|span| span.version).min()
    }

    fn push(&mut self, tokens: &[u32], origin: Origin, version: Option<PolicyVersion>) {
        let start = self.tokens.len();
        self.tokens.extend_from_slice(tokens);
        let end = self.tokens.len();
        match self.spans.last_mut() {
            Some(last) if origin == Origin::Given && last.origin == Origin::Given => last.end = end,
            _ if start == end => {}
            _ => self.spans.push(Span { start, end, origin, version }),
        }
    }
}

/// Everything one policy read and wrote in one conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenTrace {
    segments: Vec<Segment>,
}

impl TokenTrace {
    /// A trace without tokens.
    pub fn new() -> Self {
        TokenTrace::default()
    }

    /// The rows, oldest first. Training treats each as a row of its own.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The row that is being continued; `None` before the first token.
    pub fn current(&self) -> Option<&Segment> {
        self.segments.last()
    }

    /// Begins a new row. The next tokens appended are its first.
    pub fn start_segment(&mut self) {
        self.segments.push(Segment::default());
    }

    /// Appends tokens that the policy only reads.
    pub fn append_given(&mut self, tokens: &[u32]) {
        let segment = self.current_mut();
        segment.push(tokens, Origin::Given, None);
        segment.logprobs.resize(segment.tokens.len(), 0.0);
    }

    /// Appends tokens that `version` sampled, with the log-prob of each.
    ///
    /// # Errors
    /// [`TraceError`] where the slices differ in length or a value is no log-probability; nothing is
    /// appended then.
    pub fn append_sampled(
        &mut self,
        tokens: &[u32],
        logprobs: &[f32],
        version: PolicyVersion,
    ) -> Result<(), TraceError> {
        if tokens.len() != logprobs.len() {
            let (tokens, logprobs) = (tokens.len(), logprobs.len());
            return Err(TraceError::LengthMismatch { tokens, logprobs });
        }
        if let Some(index) = logprobs.iter().position(|&lp| lp.is_nan() || lp > 0.0) {
            return Err(TraceError::BadLogprob { index, value: logprobs[index] });
        }
        let segment = self.current_mut();
        segment.push(tokens, Origin::Sampled, Some(version));
        segment.logprobs.extend_from_slice(logprobs);
        Ok(())
    }

    /// Appends assistant tokens that came from data.
    pub fn append_target(&mut self, tokens: &[u32]) {
        let segment = self.current_mut();
        segment.push(tokens, Origin::Target, None);
        segment.logprobs.resize(segment.tokens.len(), 0.0);
    }

    /// Number of tokens of origin `origin` in all segments.
    pub fn count(&self, origin: Origin) -> usize {
        self.segments.iter().map(|segment| segment.count(origin)).sum()
    }

    fn current_mut(&mut self) -> &mut Segment {
        if self.segments.is_empty() {
            self.start_segment();
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(n: u64) -> PolicyVersion {
        PolicyVersion(n)
    }

    #[test]
    fn mask_follows_origin_only() {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1, 2]);
        trace.append_given(&[3]);
        trace.append_sampled(&[4, 5], &[-0.5, -0.1], version(7)).unwrap();
        trace.append_given(&[6]);
        trace.append_target(&[8]);
        let segment = trace.current().unwrap();
        assert_eq!(segment.tokens(), [1, 2, 3, 4, 5, 6, 8]);
        let sampled = [false, false, false, true, true, false, false];
        assert_eq!(segment.mask(Origin::Sampled), sampled);
        assert_eq!(segment.mask(Origin::Target), [false, false, false, false, false, false, true]);
        assert_eq!(segment.logprobs(), [0.0, 0.0, 0.0, -0.5, -0.1, 0.0, 0.0]);
        assert_eq!(segment.spans().len(), 4);
        assert_eq!(segment.oldest_version(), Some(version(7)));
    }

    #[test]
    fn two_replies_stay_two_spans_even_side_by_side() {
        let mut trace = TokenTrace::new();
        trace.append_sampled(&[1], &[-1.0], version(0)).unwrap();
        trace.append_sampled(&[2], &[-1.0], version(1)).unwrap();
        assert_eq!(trace.current().unwrap().sampled_spans().count(), 2);
    }

    #[test]
    fn refuses_tokens_without_logprobs_and_appends_nothing() {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1]);
        let before = trace.clone();
        assert!(trace.append_sampled(&[2, 3], &[-1.0], version(0)).is_err());
        assert!(trace.append_sampled(&[2], &[f32::NAN], version(0)).is_err());
        assert!(trace.append_sampled(&[2], &[0.1], version(0)).is_err());
        assert_eq!(trace, before);
    }

    #[test]
    fn a_new_segment_starts_an_empty_row() {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1]);
        trace.start_segment();
        trace.append_given(&[9]);
        assert_eq!(trace.segments().len(), 2);
        assert_eq!(trace.current().unwrap().tokens(), [9]);
        assert_eq!(trace.count(Origin::Given), 2);
    }

    #[test]
    fn empty_appends_leave_no_span() {
        let mut trace = TokenTrace::new();
        trace.append_given(&[]);
        trace.append_sampled(&[], &[], version(0)).unwrap();
        assert!(trace.current().unwrap().spans().is_empty());
    }
}
