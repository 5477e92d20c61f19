//! Contract of the sampler (promises 3 and 4):
//!
//! 1. what a request gets depends on its tokens, settings and stream alone: not on its company, the
//!    rows of a pass, the room of the cache, shared prefixes, earlier requests or threads;
//! 2. end tokens, stop checks, length and context end a request with the right reason;
//! 3. what does not fit is refused with the numbers, and nothing waits forever;
//! 4. a cancelled request gives its room back and disturbs nobody;
//! 5. tokens of a prompt that need not be read again are told.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Model, SIZE, golden, load, request, sample, sample_with};
use stateset_core::FinishReason;
use stateset_nn::*;

fn model(variant: &str) -> Model {
    load(&golden("families").join(variant), Box::new(Cpu::new(Path::best())), 224)
}

/// Prompts of one "group" share their first tokens, as samples of one scenario do.
fn prompts() -> Vec<Vec<u32>> {
    let prompt = |i: u32| -> Vec<u32> {
        let shared = (0..30 + i / 4).map(|t| (t * 7 + i / 4) % 61);
        shared.chain((0..i % 4).map(|t| 3 * i + t)).collect()
    };
    (0..16).map(prompt).collect()
}

fn requests() -> Vec<SampleRequest> {
    let one = |(i, prompt): (usize, Vec<u32>)| SampleRequest {
        temperature: 0.8 + 0.1 * (i % 3) as f64,
        top_k: if i % 5 == 0 { 9 } else { 0 },
        repetition_penalty: if i % 7 == 3 { 1.2 } else { 1.0 },
        ..request(i as u64, prompt, 5 + 3 * i)
    };
    prompts().into_iter().enumerate().map(one).collect()
}

fn bits(all: &[(Vec<u32>, Vec<f32>)]) -> Vec<(Vec<u32>, Vec<u32>)> {
    all.iter().map(|(t, l)| (t.clone(), l.iter().map(|x| x.to_bits()).collect())).collect()
}

#[test]
fn company_changes_nothing() {
    for variant in ["llama", "gemma2", "mistral", "gpt2"] {
        let mut model = model(variant);
        let alone: Vec<_> =
            requests().into_iter().map(|r| sample(&mut model, vec![r]).remove(0)).collect();
        let together = sample(&mut model, requests());
        assert!(bits(&alone) == bits(&together), "{variant}");
        for size in [
            SamplerSize { max_running: 3, max_rows: 7, cache_tokens: 4096 },
            SamplerSize { max_running: 16, max_rows: 500, cache_tokens: 160 },
            SamplerSize { max_running: 16, max_rows: 11, cache_tokens: 112 },
        ] {
            let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, size);
            let first = sample_with(&mut sampler, &mut model, requests());
            assert!(bits(&alone) == bits(&first), "{variant}, {size:?}");
            // Once more, with whatever prefixes are still stored.
            let again = sample_with(&mut sampler, &mut model, requests());
            assert!(bits(&alone) == bits(&again), "{variant}, again, {size:?}");
        }
    }
}

#[test]
fn threads_change_nothing() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bits(&sample(&mut model("llama"), requests())))
    };
    assert!(run(1) == run(2));
}

/// The next turn of a conversation begins with all tokens of the last one.
#[test]
fn a_continued_conversation_equals_a_fresh_one() {
    let mut model = model("qwen3");
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    let mut history: Vec<Vec<u32>> = prompts().into_iter().take(6).collect();
    for turn in 0..4u32 {
        let build = || -> Vec<SampleRequest> {
            let one = |(i, prompt): (usize, &Vec<u32>)| {
                request(100 * u64::from(turn) + i as u64, prompt.clone(), 9)
            };
            history.iter().enumerate().map(one).collect()
        };
        let kept = sample_with(&mut sampler, &mut model, build());
        let fresh = sample(&mut model, build());
        assert!(bits(&kept) == bits(&fresh), "turn {turn}");
        for (tokens, (drawn, _)) in history.iter_mut().zip(&kept) {
            tokens.extend(drawn);
            tokens.extend([turn, turn + 1, turn + 2]);
        }
    }
}

#[test]
fn what_need_not_be_read_again_is_told() {
    let mut model = model("llama");
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    let prompt: Vec<u32> = (0..37).map(|t| t % 61).collect();
    let changed: Vec<u32> =
        prompt.iter().enumerate().map(|(i, t)| if i < 20 { *t } else { 60 - t }).collect();
    for (id, prompt, n_cached) in [(1, &prompt, 0), (2, &prompt, 36), (3, &changed, 20)] {
        sampler.submit(request(id, prompt.clone(), 2)).unwrap();
        let mut starts = Vec::new();
        while !sampler.is_idle() {
            sampler.step(model.device.as_mut(), &model.decoder, model.weights);
            starts.extend_from_slice(sampler.started());
        }
        assert_eq!(starts, [SampleStart { id, n_cached }]);
    }
}

#[test]
fn new_weights_forget_old_prefixes() {
    let mut model = model("llama");
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    sample_with(&mut sampler, &mut model, requests());
    let table = model.decoder.params.find(Slot::Embedding).unwrap().mat(model.weights.base);
    model.device.scale(Stretch { buf: table.buf, offset: table.offset, len: 400 }, 0.5);
    model.device.weights_changed(model.weights.base);
    sampler.weights_changed();
    let kept = sample_with(&mut sampler, &mut model, requests());
    assert!(bits(&kept) == bits(&sample(&mut model, requests())));
}

/// Runs one request and returns its tokens and why it ended.
fn run_one(model: &mut Model, request: SampleRequest) -> (Vec<u32>, FinishReason) {
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, SIZE);
    sampler.submit(request).unwrap();
    let mut tokens = Vec::new();
    loop {
        for event in sampler.step(model.device.as_mut(), &model.decoder, model.weights) {
            tokens.push(event.token);
            if let Some(finish) = event.finish {
                assert!(sampler.is_idle());
                return (tokens, finish);
            }
        }
    }
}

#[test]
fn requests_end_for_the_right_reason() {
    let mut model = model("llama");
    let plain = || request(1, vec![5, 6, 7], 12);
    let (tokens, finish) = run_one(&mut model, plain());
    assert_eq!((tokens.len(), finish), (12, FinishReason::Length));

    let end = tokens[4];
    let first = tokens.iter().position(|t| *t == end).unwrap();
    let (ended, finish) = run_one(&mut model, SampleRequest { end_tokens: vec![end], ..plain() });
    assert_eq!((&ended[..], finish), (&tokens[..=first], FinishReason::Stop));

    let mut seen = 0;
    let check = move |_| {
        seen += 1;
        seen == 3
    };
    let (stopped, finish) =
        run_one(&mut model, SampleRequest { stop: Some(Box::new(check)), ..plain() });
    assert_eq!((&stopped[..], finish), (&tokens[..3], FinishReason::Stop));

    let context = model.decoder.context;
    let (full, finish) = run_one(&mut model, request(1, vec![5; context - 4], 50));
    assert_eq!((full.len(), finish), (4, FinishReason::Length));
}

#[test]
fn what_cannot_run_is_refused() {
    let mut model = model("llama");
    let context = model.decoder.context;
    let size = SamplerSize { cache_tokens: 64, ..SIZE };
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, size);
    let mut refused = |request: SampleRequest| sampler.submit(request).unwrap_err().to_string();
    assert!(refused(request(1, vec![], 5)).contains("at least one token"));
    assert!(refused(request(1, vec![1], 0)).contains("at least one token"));
    assert!(refused(request(1, vec![97], 5)).contains("97"));
    let hot = SampleRequest { temperature: f64::NAN, ..request(1, vec![1], 5) };
    assert!(refused(hot).contains("temperature"));
    let error = refused(request(1, vec![1; context], 5));
    assert!(error.contains(&context.to_string()), "{error}");
    let error = refused(request(1, vec![1; 40], 30));
    assert!(error.contains("64"), "{error}");
    assert!(sampler.is_idle());
}

#[test]
fn a_cancelled_request_leaves_its_room() {
    let mut model = model("llama");
    let size = SamplerSize { max_running: 4, max_rows: 16, cache_tokens: 96 };
    let mut sampler = Sampler::new(model.device.as_mut(), &model.decoder, size);
    // Both share a prefix that only the first one begins to read.
    let shared: Vec<u32> = (0..40).collect();
    sampler.submit(request(1, shared.clone(), 8)).unwrap();
    sampler.submit(request(2, shared.clone(), 8)).unwrap();
    sampler.submit(request(3, vec![9; 20], 60)).unwrap();
    sampler.step(model.device.as_mut(), &model.decoder, model.weights);
    assert!(sampler.cancel(1));
    assert!(sampler.cancel(3));
    assert!(!sampler.cancel(3));
    let mut tokens = Vec::new();
    for _ in 0..40 {
        let events = sampler.step(model.device.as_mut(), &model.decoder, model.weights);
        assert!(events.iter().all(|event| event.id == 2));
        tokens.extend(events.iter().map(|event| event.token));
    }
    assert!(sampler.is_idle());
    assert_eq!(tokens, sample(&mut model, vec![request(2, shared, 8)]).remove(0).0);
    assert_eq!(sampler.load(), (0, 0, 0.0));
}
