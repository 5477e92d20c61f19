//! A completion that is being sampled: who listens to it, and what they hear.

use std::time::{Duration, Instant};

use stateset_core::{FinishReason, PolicyVersion};
use stateset_nn::{SampleEvent, SampleStart};
use tokio::sync::{mpsc, oneshot};

use super::state::EngineState;
use crate::TrainError;

/// One token, as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its log-prob at the temperature over the whole vocabulary, as if nothing steered.
    pub logprob: f32,
    /// The likeliest tokens of that distribution, likeliest first, as many as were asked for.
    pub top: Vec<(u32, f32)>,
}

/// What was sampled for one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The tokens, the one that ended it included.
    pub tokens: Vec<u32>,
    /// Log-prob of each.
    pub logprobs: Vec<f32>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Whose weights drew them.
    pub version: PolicyVersion,
    /// Bias, penalties or a filter changed what could be drawn: the log-probs are not of the distribution
    /// that the tokens come from.
    pub is_steered: bool,
}

/// How the reading of a prompt began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Leading tokens of the prompt that another request had left in the cache.
    pub n_cached: usize,
    /// From the request to the first pass that read its prompt.
    pub waited: Duration,
}

/// A completion that is being sampled. Dropping it cancels it.
#[derive(Debug)]
pub struct Ongoing {
    /// Whose weights draw it.
    pub version: PolicyVersion,
    pub(super) started: oneshot::Receiver<Started>,
    pub(super) answer: oneshot::Receiver<Sampled>,
}

impl Ongoing {
    /// Waits until its prompt has been read, at least in part. `None` where the engine ended first, and for
    /// whoever asks a second time.
    pub async fn started(&mut self) -> Option<Started> {
        (&mut self.started).await.ok()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// [`TrainError::EngineGone`] where the engine ended first.
    pub async fn whole(self) -> Result<Sampled, TrainError> {
        self.answer.await.map_err(|_| TrainError::EngineGone)
    }
}

/// Collects the tokens of one request.
pub(super) struct Listener {
    asked: Instant,
    started: Option<oneshot::Sender<Started>>,
    sampled: Sampled,
    done: oneshot::Sender<Sampled>,
    tokens: Option<mpsc::UnboundedSender<SampledToken>>,
}

impl Listener {
    /// Of a request that comes now.
    pub(super) fn new(
        tokens: Option<mpsc::UnboundedSender<SampledToken>>,
    ) -> (Listener, oneshot::Receiver<Started>, oneshot::Receiver<Sampled>) {
        let (starts, started) = oneshot::channel();
        let (done, answer) = oneshot::channel();
        let sampled = Sampled {
            tokens: Vec::new(),
            logprobs: Vec::new(),
            finish: FinishReason::Cancelled,
            version: PolicyVersion(0),
            is_steered: false,
        };
        let (asked, starts) = (Instant::now(), Some(starts));
        (Listener { asked, started: starts, sampled, done, tokens }, started, answer)
    }

    /// The same, of a request that is drawn by these weights.
    pub(super) fn of(mut self, version: PolicyVersion, is_steered: bool) -> Listener {
        (self.sampled.version, self.sampled.is_steered) = (version, is_steered);
        self
    }
}

impl EngineState {
    /// Ends what nobody waits for any more.
    pub(super) fn forget_cancelled(&mut self) {
        let sampler = &mut self.sampler;
        self.listeners.retain(|id, listener| {
            let is_awaited = !listener.done.is_closed();
            if !is_awaited {
                sampler.cancel(*id);
            }
            is_awaited
        });
    }

    /// Tells the listener that a pass, which began at `at`, read the first of the prompt.
    pub(super) fn start(&mut self, start: SampleStart, at: Instant) {
        let Some(listener) = self.listeners.get_mut(&start.id) else { return };
        let waited = at.saturating_duration_since(listener.asked);
        if let Some(started) = listener.started.take() {
            let _ = started.send(Started { n_cached: start.n_cached, waited });
        }
    }

    /// Tells the listener of a token.
    pub(super) fn deliver(&mut self, event: SampleEvent) {
        let SampleEvent { id, token, logprob, top, finish } = event;
        let Some(listener) = self.listeners.get_mut(&id) else { return };
        listener.sampled.tokens.push(token);
        listener.sampled.logprobs.push(logprob);
        if let Some(tokens) = &listener.tokens {
            let _ = tokens.send(SampledToken { id: token, logprob, top });
        }
        let Some(finish) = finish else { return };
        if let Some(mut listener) = self.listeners.remove(&id) {
            listener.sampled.finish = finish;
            let _ = listener.done.send(listener.sampled);
        }
    }
}
