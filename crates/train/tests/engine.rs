//! Contract of sampling through the engine:
//!
//! 1. tokens are told as they are drawn, with their log-probs and the likeliest others, and are what the
//!    whole holds;
//! 2. whoever stops waiting cancels: no token is drawn from then on, even where the queue of jobs is
//!    full, and the room is free;
//! 3. a request that does not fit is refused before it begins.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::mpsc as blocking;

use stateset_core::{Purpose, RunSeed, Sampling, StreamKey};
use stateset_nn::{Path, SampleRequest, SamplerSize};
use stateset_train::{Engine, EngineSpec, EngineState, ModelSource};
use tokio::sync::mpsc;

fn engine() -> Engine {
    let fetch = |name: &str| panic!("{name} was asked for");
    let model = ModelSource::open("builtin:tiny", &fetch).unwrap();
    let spec = EngineSpec {
        threads: 1,
        path: Path::best(),
        context: 512,
        sampler: SamplerSize { max_running: 2, max_rows: 64, cache_tokens: 1024 },
        training: None,
        scorer_tokens: None,
    };
    spec.start(model).unwrap()
}

fn request(max_new_tokens: usize) -> SampleRequest {
    let stream = RunSeed(1).stream(Purpose::Sampling, StreamKey::default());
    let sampling = Sampling { max_new_tokens, ..Sampling::default() };
    SampleRequest { n_top: 3, ..SampleRequest::new(vec![1, 2, 3], &sampling, stream) }
}

#[tokio::test]
async fn tokens_are_told_as_they_are_drawn() {
    let engine = engine();
    let (tokens, mut drawn) = mpsc::unbounded_channel();
    let ongoing = engine.begin(request(12), Some(tokens)).await.unwrap();
    let version = ongoing.version;
    let whole = ongoing.whole().await.unwrap();
    assert_eq!((whole.version, whole.is_steered), (version, false));
    let (mut ids, mut logprobs) = (Vec::new(), Vec::new());
    while let Some(token) = drawn.recv().await {
        assert_eq!(token.top.len(), 3);
        ids.push(token.id);
        logprobs.push(token.logprob);
    }
    assert_eq!((ids, logprobs), (whole.tokens, whole.logprobs));
    assert_eq!(whole.finish, stateset_core::FinishReason::Length);
}

#[tokio::test]
async fn whoever_stops_waiting_cancels_behind_a_full_queue() {
    let engine = engine();
    let (tokens, mut drawn) = mpsc::unbounded_channel();
    let ongoing = engine.begin(request(500), Some(tokens)).await.unwrap();
    assert!(drawn.recv().await.is_some());
    let (open, gate) = blocking::channel::<()>();
    let (is_in, mut inside) = mpsc::unbounded_channel();
    let hold = tokio::spawn({
        let engine = engine.clone();
        async move {
            let job = move |_: &mut EngineState| {
                let _ = is_in.send(());
                let _ = gate.recv();
            };
            engine.run(job).await.unwrap();
        }
    });
    inside.recv().await.unwrap();
    // The engine stands still in the job; everything below waits behind it.
    while drawn.try_recv().is_ok() {}
    let waiting: Vec<_> = (0..1500)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.run(|_| ()).await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(ongoing);
    open.send(()).unwrap();
    assert!(drawn.recv().await.is_none(), "a token was drawn for nobody");
    hold.await.unwrap();
    for job in waiting {
        job.await.unwrap();
    }
    let load = engine.run(|state: &mut EngineState| state.sampler_load()).await.unwrap();
    assert_eq!(load, (0, 0, 0.0));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_before_it_begins() {
    let engine = engine();
    let stream = RunSeed(1).stream(Purpose::Sampling, StreamKey::default());
    let long = SampleRequest::new(vec![1; 512], &Sampling::default(), stream);
    let error = engine.begin(long, None).await.unwrap_err().to_string();
    assert!(error.contains("512"), "{error}");
}
