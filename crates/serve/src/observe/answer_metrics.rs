//! How models answer: times and tokens, by model.

use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::EngineLoad;
use crate::answer::Answer;

const FIRST_TOKEN_SECONDS: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const QUEUE_SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];
const PER_TOKEN_SECONDS: [f64; 11] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfModel {
    model: String,
}

type Times = Family<OfModel, Histogram, fn() -> Histogram>;

/// Times and tokens of all models.
#[derive(Clone)]
pub struct AnswerMetrics {
    first_token: Times,
    per_token: Times,
    queue: Times,
    prompt_tokens: Family<OfModel, Counter>,
    cached_tokens: Family<OfModel, Counter>,
    completion_tokens: Family<OfModel, Counter>,
    abandoned: Family<OfModel, Counter>,
    version: Family<OfModel, Gauge>,
    running: Family<OfModel, Gauge>,
    waiting: Family<OfModel, Gauge>,
    cache_used: Family<OfModel, Gauge<f64, std::sync::atomic::AtomicU64>>,
}

impl Default for AnswerMetrics {
    fn default() -> AnswerMetrics {
        AnswerMetrics {
            first_token: Times::new_with_constructor(|| Histogram::new(FIRST_TOKEN_SECONDS)),
            per_token: Times::new_with_constructor(|| Histogram::new(PER_TOKEN_SECONDS)),
            queue: Times::new_with_constructor(|| Histogram::new(QUEUE_SECONDS)),
            prompt_tokens: Family::default(),
            cached_tokens: Family::default(),
            completion_tokens: Family::default(),
            abandoned: Family::default(),
            version: Family::default(),
            running: Family::default(),
            waiting: Family::default(),
            cache_used: Family::default(),
        }
    }
}

impl AnswerMetrics {
    /// Shows them in this registry.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "stateset_time_to_first_token_seconds",
            "From the request to the first piece of its answer",
            self.first_token.clone(),
        );
        registry.register(
            "stateset_time_per_token_seconds",
            "Mean time between the tokens of an answer after its first piece",
            self.per_token.clone(),
        );
        registry.register(
            "stateset_queue_time_seconds",
            "From a request's arrival at the engine to the first pass that reads its prompt",
            self.queue.clone(),
        );
        registry.register(
            "stateset_prompt_tokens",
            "Tokens of prompts",
            self.prompt_tokens.clone(),
        );
        registry.register(
            "stateset_cached_prompt_tokens",
            "Those of them that were in the engine's cache and not read again",
            self.cached_tokens.clone(),
        );
        registry.register(
            "stateset_completion_tokens",
            "Tokens drawn",
            self.completion_tokens.clone(),
        );
        registry.register(
            "stateset_answers_abandoned",
            "Answers whose client went away or that failed",
            self.abandoned.clone(),
        );
        registry.register(
            "stateset_policy_version",
            "Version of the weights of the newest answer",
            self.version.clone(),
        );
        registry.register(
            "stateset_engine_running_requests",
            "Requests in the engine's batch",
            self.running.clone(),
        );
        registry.register(
            "stateset_engine_waiting_requests",
            "Requests that wait for a place in the batch",
            self.waiting.clone(),
        );
        registry.register(
            "stateset_engine_kv_cache_used_ratio",
            "Share of the key-value cache in use",
            self.cache_used.clone(),
        );
    }

    /// What notes the answers of this model.
    pub(crate) fn watch(&self, model: &str) -> AnswerWatch {
        let of = OfModel { model: model.to_owned() };
        self.load(model, EngineLoad::default());
        AnswerWatch {
            first_token: self.first_token.get_or_create_owned(&of),
            per_token: self.per_token.get_or_create_owned(&of),
            queue: self.queue.get_or_create_owned(&of),
            prompt_tokens: self.prompt_tokens.get_or_create_owned(&of),
            cached_tokens: self.cached_tokens.get_or_create_owned(&of),
            completion_tokens: self.completion_tokens.get_or_create_owned(&of),
            abandoned: self.abandoned.get_or_create_owned(&of),
            version: self.version.get_or_create_owned(&of),
        }
    }

    /// Notes what an engine has to do.
    pub(super) fn load(&self, model: &str, load: EngineLoad) {
        let of = OfModel { model: model.to_owned() };
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.running.get_or_create(&of).set(count(load.running));
        self.waiting.get_or_create(&of).set(count(load.waiting));
        self.cache_used.get_or_create(&of).set(load.cache_used);
    }
}

/// Notes the answers of one model.
#[derive(Clone, Debug)]
pub struct AnswerWatch {
    first_token: Histogram,
    per_token: Histogram,
    queue: Histogram,
    prompt_tokens: Counter,
    cached_tokens: Counter,
    completion_tokens: Counter,
    abandoned: Counter,
    version: Gauge,
}

impl Default for AnswerWatch {
    /// Notes what nobody will see.
    fn default() -> AnswerWatch {
        AnswerMetrics::default().watch("")
    }
}

impl AnswerWatch {
    /// The engine begins to read a prompt after this time.
    pub(crate) fn waited(&self, time: Duration) {
        self.queue.observe(time.as_secs_f64());
    }

    /// An answer begins now.
    pub fn begin(&self) -> Watching {
        Watching { watch: self.clone(), begun: Instant::now(), first: None, is_done: false }
    }
}

/// Notes one answer; one that is dropped before its end counts as abandoned.
#[derive(Debug)]
pub struct Watching {
    watch: AnswerWatch,
    begun: Instant,
    first: Option<Instant>,
    is_done: bool,
}

impl Watching {
    /// A piece has come.
    pub fn piece(&mut self) {
        if self.first.is_none() {
            let now = Instant::now();
            self.watch.first_token.observe(now.duration_since(self.begun).as_secs_f64());
            self.first = Some(now);
        }
    }

    /// The whole has come.
    pub fn done(&mut self, answer: &Answer) {
        self.piece();
        self.is_done = true;
        let (read, drawn) = (answer.n_prompt as u64, answer.n_drawn as u64);
        self.watch.prompt_tokens.inc_by(read);
        self.watch.cached_tokens.inc_by(answer.n_cached.unwrap_or(0) as u64);
        self.watch.completion_tokens.inc_by(drawn);
        self.watch.version.set(i64::try_from(answer.version.0).unwrap_or(i64::MAX));
        if let Some(first) = self.first.filter(|_| drawn > 1) {
            self.watch.per_token.observe(first.elapsed().as_secs_f64() / (drawn - 1) as f64);
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if !self.is_done {
            self.watch.abandoned.inc();
        }
    }
}
