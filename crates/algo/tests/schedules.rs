//! Learning-rate multipliers are those of transformers (`tests/golden/schedules_transformers.py`),
//! rtol 1e-12 and atol 1e-12, up to the last step; after it ours stay where they ended.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

mod common;

use std::path::Path;

use common::assert_close;
use serde::Deserialize;
use serde_json::{Map, Value};
use stateset_algo::{Ramp, Schedule, ScheduleShape};

#[derive(Deserialize)]
struct Golden {
    learning_rate: f64,
    total_steps: u64,
    steps: Vec<u64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    arguments: Map<String, Value>,
    warmup_steps: u64,
    multipliers: Vec<f64>,
}

/// The shape with transformers' arguments.
fn shape(case: &Case, learning_rate: f64) -> ScheduleShape {
    let mut shape = ScheduleShape::from_name(&case.name).unwrap();
    for (key, value) in &case.arguments {
        let number = value.as_f64();
        match (&mut shape, key.as_str()) {
            (ScheduleShape::Cosine { n_cycles }, "num_cycles") => *n_cycles = number.unwrap(),
            (ScheduleShape::CosineWithRestarts { n_cycles }, "num_cycles") => {
                *n_cycles = value.as_u64().unwrap() as u32;
            }
            (ScheduleShape::Polynomial { end_ratio, .. }, "lr_end") => {
                *end_ratio = number.unwrap() / learning_rate;
            }
            (ScheduleShape::Polynomial { power, .. }, "power") => *power = number.unwrap(),
            (ScheduleShape::InverseSqrt { timescale_steps }, "timescale") => {
                *timescale_steps = value.as_u64();
            }
            (ScheduleShape::CosineWithMinLr { min_ratio, .. }, "min_lr_rate")
            | (ScheduleShape::CosineWarmupWithMinLr { min_ratio, .. }, "min_lr_rate")
            | (ScheduleShape::WarmupStableDecay { min_ratio, .. }, "min_lr_ratio") => {
                *min_ratio = number.unwrap();
            }
            (ScheduleShape::CosineWarmupWithMinLr { start_ratio, .. }, "warmup_lr_rate") => {
                *start_ratio = number;
            }
            (ScheduleShape::WarmupStableDecay { decay_steps, .. }, "num_decay_steps") => {
                *decay_steps = value.as_u64();
            }
            (ScheduleShape::WarmupStableDecay { warmup, .. }, "warmup_type") => {
                *warmup = ramp(value);
            }
            (ScheduleShape::WarmupStableDecay { decay, .. }, "decay_type") => *decay = ramp(value),
            (shape, key) => panic!("{shape:?} has no {key}"),
        }
    }
    shape
}

fn ramp(value: &Value) -> Ramp {
    match value.as_str().unwrap() {
        "linear" => Ramp::Linear,
        "cosine" => Ramp::Cosine,
        "1-sqrt" => Ramp::OneMinusSqrt,
        other => panic!("ramp {other}"),
    }
}

#[test]
fn multipliers_are_those_of_transformers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/schedules_transformers.json");
    let golden: Golden = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let names: std::collections::BTreeSet<&str> =
        golden.cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ScheduleShape::NAMES.into_iter().collect());
    for case in &golden.cases {
        let schedule = Schedule {
            shape: shape(case, golden.learning_rate),
            warmup_steps: case.warmup_steps,
            total_steps: golden.total_steps,
        };
        assert_eq!(schedule.validate(), []);
        // The one that begins a step early also ends a step early.
        let is_early = case.name == "cosine_warmup_with_min_lr";
        let last = golden.total_steps - u64::from(is_early);
        for (&step, &wanted) in golden.steps.iter().zip(&case.multipliers) {
            if step <= last {
                assert_close(schedule.multiplier(step), wanted, 1e-12, 1e-12);
            }
        }
    }
}
