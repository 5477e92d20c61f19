//! Single operations against other people's code: AdamW with clipping against torch, warping and
//! drawing against `transformers`, and the real TinyStories model where it is at hand.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../../tests/support/data.rs"]
mod data;

use common::{Golden, golden, load, request, sample};
use serde_json::Value;
use stateset_nn::*;

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden(name)).unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
}

/// The matrix decays, the vector does not; `atol` and `rtol` are those torch's own variants need.
#[test]
fn adamw_follows_torch() {
    let json = json("adamw.json");
    let cases = json["cases"].as_object().unwrap();
    assert!(cases.len() >= 4);
    for (name, case) in cases {
        for which in 0..2 {
            let mut device: Box<dyn Backend> = if which == 0 {
                Box::new(Plain::default())
            } else {
                Box::new(Cpu::new(Path::best()))
            };
            check_adamw(name, case, &json, device.as_mut());
        }
    }
}

fn check_adamw(name: &str, case: &Value, json: &Value, device: &mut dyn Backend) {
    let parts = ["matrix", "vector"];
    let mut buffers = Vec::new();
    for part in parts {
        let start = floats(&json["start"][part]);
        let [w, g, m, v] = [(); 4].map(|()| Stretch::of(device.alloc(start.len()), start.len()));
        device.write(w, &start);
        buffers.push([w, g, m, v]);
    }
    let settings = &case["settings"];
    let number = |key: &str| settings[key].as_f64().unwrap();
    for (i, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let mut squares = 0.0;
        for (part, [_, g, ..]) in parts.iter().zip(&buffers) {
            device.write(*g, &floats(&json["gradients"][i][part]));
            squares += device.sum_squares(*g);
        }
        let norm = squares.sqrt();
        let expected = step["grad_norm"].as_f64().unwrap();
        assert!((norm - expected).abs() <= 1e-6 * expected.max(1e-3), "{name}: {norm} {expected}");
        let max_norm = settings["max_norm"].as_f64().unwrap_or(f64::INFINITY);
        for (part, [w, g, m, v]) in parts.iter().zip(&buffers) {
            let step = AdamwStep {
                learning_rate: step["lr"].as_f64().unwrap(),
                beta1: settings["betas"][0].as_f64().unwrap(),
                beta2: settings["betas"][1].as_f64().unwrap(),
                eps: number("eps"),
                weight_decay: if *part == "matrix" { number("weight_decay") } else { 0.0 },
                step: i as u64 + 1,
                gradient_factor: (max_norm / (norm + 1e-6)).min(1.0),
            };
            device.adamw(*w, *g, *m, *v, step);
        }
        for (part, [w, _, m, v]) in parts.iter().zip(&buffers) {
            for (key, x) in [("parameters", w), ("first_moment", m), ("second_moment", v)] {
                let mut ours = vec![0.0; x.len];
                device.read(*x, &mut ours);
                for (a, b) in ours.iter().zip(floats(&step[key][part])) {
                    let limit = 1e-7 + 1e-5 * b.abs();
                    assert!((a - b).abs() <= limit, "{name}, step {i}, {key}: {a} and {b}");
                }
            }
        }
    }
}

/// Walks through the golden distribution: at the middle of each token's share of the unit interval
/// that token is drawn, so tokens that were removed never are.
#[test]
fn warped_distributions_are_those_of_transformers() {
    let json = json("sampling.json");
    let seen: Vec<u32> = json["previous_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_u64().unwrap() as u32)
        .collect();
    let cases = json["cases"].as_array().unwrap();
    assert!(cases.len() > 20);
    let mut n_drawn = 0;
    for case in cases {
        let logits = floats(&json["logits"][case["logits"].as_str().unwrap()]);
        let settings = &case["settings"];
        let number = |key: &str, neutral: f64| settings[key].as_f64().unwrap_or(neutral);
        let mut below = 0.0;
        for (token, p) in floats(&case["probabilities"]).into_iter().enumerate() {
            let p = f64::from(p);
            let unit = below + 0.5 * p;
            below += p;
            if p < 1e-5 {
                continue;
            }
            let row = DrawRow {
                temperature: number("temperature", 1.0),
                top_k: number("top_k", 0.0) as usize,
                top_p: number("top_p", 1.0),
                min_p: number("min_p", 0.0),
                repetition_penalty: number("repetition_penalty", 1.0),
                seen: seen.clone(),
                ..DrawRow::plain(unit)
            };
            for path in Path::available() {
                let mut cpu = Cpu::new(path);
                let buf = cpu.alloc(logits.len());
                cpu.write(Stretch::of(buf, logits.len()), &logits);
                let mat = Mat::dense(buf, 1, logits.len());
                let drawn = cpu.draw(mat, None, std::slice::from_ref(&row));
                assert_eq!(drawn[0].token as usize, token, "{case:#}");
                n_drawn += 1;
            }
        }
    }
    assert!(n_drawn > 300);
}

/// The logits of `transformers` are a linear image of its last hidden states, so those of the mean
/// state are the mean of the logits.
#[test]
fn embeddings_are_the_mean_of_the_states_of_transformers() {
    let folder = golden("families").join("llama");
    let golden = Golden::open(&folder.join("golden.safetensors"));
    let mut model = load(&folder, Box::new(Cpu::new(Path::best())), 224);
    let mut scorer =
        Scorer::without_logits(model.device.as_mut(), &model.decoder, PassKind::Forward, 64);
    let head = Golden::open(&folder.join("model.safetensors")).floats("lm_head.weight");
    let (hidden, vocab) = (model.decoder.config.hidden_size, model.decoder.config.vocab_size);
    let logits = golden.floats("logits");
    let mut logits = logits.chunks_exact(vocab);
    for tokens in golden.sequences() {
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let mean = scorer.embed(device, decoder, model.weights, &[&tokens]).unwrap().remove(0);
        let rows: Vec<&[f32]> = logits.by_ref().take(tokens.len()).collect();
        for (token, weights) in head.chunks_exact(hidden).enumerate() {
            let ours: f32 = weights.iter().zip(&mean).map(|(w, x)| w * x).sum();
            let sum: f32 = rows.iter().map(|row| row[token]).sum();
            let theirs = sum / tokens.len() as f32;
            assert!((ours - theirs).abs() < 1e-4, "{token}: {ours} and {theirs}");
        }
    }
}

#[test]
fn tinystories_is_read_as_transformers_reads_it() {
    let Some(folder) = data::test_data("tinystories-656k") else { return };
    let json = json("tinystories.json");
    let mut model = load(&folder, Box::new(Cpu::new(Path::best())), 512);
    let mut scorer = Scorer::new(model.device.as_mut(), &model.decoder, PassKind::Forward, 1024);
    for story in json["stories"].as_array().unwrap() {
        let ids = |value: &Value| -> Vec<u32> {
            value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
        };
        let tokens = ids(&story["ids"]);
        let mask: Vec<bool> = (0..tokens.len()).map(|i| i > 0).collect();
        let row = TokenRow::new(&tokens, &mask);
        let wants = Wants { moments: true, ..Wants::default() };
        let (device, decoder) = (model.device.as_mut(), &model.decoder);
        let scores = scorer.score(device, decoder, model.weights, &[row], 1.0, wants).unwrap();
        for (key, ours) in
            [("next_logprobs", &scores[0].logprobs), ("entropies", &scores[0].entropies)]
        {
            for (a, b) in ours.iter().zip(floats(&story[key])) {
                assert!((a - b).abs() < 1e-4, "{key}: {a} and {b}");
            }
        }
    }
    let greedy = &json["greedy"];
    let ids = |key: &str| -> Vec<u32> {
        greedy[key].as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as u32).collect()
    };
    let (prompt, expected) = (ids("prompt_ids"), ids("ids"));
    let request = SampleRequest { greedy: true, ..request(1, prompt, expected.len()) };
    assert_eq!(sample(&mut model, vec![request]).remove(0).0, expected);
}
