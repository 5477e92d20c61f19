//! Better policies earn more, degenerate ones less.

use std::cell::RefCell;
use std::collections::HashMap;

use stateset_core::{Message, Stream};
use stateset_env::customer::Split;

use super::interval::{assert_below, assert_rising, held_out, interval};
use super::play::{Policy, View, keywords, named, nothing, text};
use super::{cross_sell, fraud, fulfilment, pricing, returns};

const IDLE: [(&str, Policy<'static>); 2] = [("keywords", &keywords), ("nothing", &nothing)];

#[test]
fn returns_desk() {
    let world = named("returns_desk");
    let world = world.as_ref();
    assert_rising(
        world,
        &[
            ("random", &returns::random),
            ("naive", &returns::naive),
            ("sensible", &returns::sensible),
        ],
    );
    let scenarios = world.scenarios(Split::HeldOut);
    let best = |(index, scenario)| returns::best(world, scenario, 100 * index as u64);
    let best: Vec<f64> = scenarios.iter().enumerate().map(best).collect();
    let (best, sensible) = (interval(&best), held_out(world, &returns::sensible));
    println!("returns_desk     best         {:.3} [{:.3}, {:.3}]", best.mean, best.low, best.high);
    assert!(sensible.high < best.low, "{sensible:?} against {best:?}");
    let refund = returns::always("refund");
    let refuse = returns::always("refuse");
    let keep = returns::always("refund_without_return");
    let credit = returns::always("store_credit");
    let exchange = returns::always("exchange");
    assert_below(
        world,
        &returns::sensible,
        &[
            ("refund", &refund),
            ("refuse", &refuse),
            ("keep", &keep),
            ("credit", &credit),
            ("exchange", &exchange),
        ],
    );
    assert_below(world, &returns::sensible, &IDLE);
}

#[test]
fn dynamic_pricing() {
    let world = named("dynamic_pricing");
    let world = world.as_ref();
    let plans: RefCell<HashMap<String, pricing::Plan>> = RefCell::default();
    let optimal = |view: &View<'_>, _: &mut Stream| -> Message {
        let mut plans = plans.borrow_mut();
        let key = format!("{} {}", text(view.spec, "product"), view.spec["list"]);
        plans.entry(key).or_insert_with(|| pricing::Plan::new(view.spec)).act(view)
    };
    assert_rising(
        world,
        &[
            ("random", &pricing::random),
            ("naive", &pricing::naive),
            ("sensible", &pricing::sensible),
            ("optimal", &optimal),
        ],
    );
    let (zero, half, double) = (pricing::fixed(0.0), pricing::fixed(0.5), pricing::fixed(2.0));
    assert_below(
        world,
        &pricing::sensible,
        &[("zero", &zero), ("half", &half), ("double", &double), ("greedy", &pricing::greedy)],
    );
    assert_below(world, &pricing::sensible, &IDLE);
}

#[test]
fn fulfilment() {
    let world = named("fulfilment");
    let world = world.as_ref();
    assert_rising(
        world,
        &[
            ("random", &fulfilment::random),
            ("naive", &fulfilment::naive),
            ("sensible", &fulfilment::sensible),
        ],
    );
    let (cancel, backorder) = (fulfilment::always("cancel"), fulfilment::always("backorder"));
    assert_below(
        world,
        &fulfilment::sensible,
        &[("cancel", &cancel), ("backorder", &backorder), ("close", &fulfilment::only_close)],
    );
    assert_below(world, &fulfilment::sensible, &IDLE);
}

#[test]
fn cross_sell() {
    let world = named("cross_sell");
    let world = world.as_ref();
    assert_rising(
        world,
        &[
            ("random", &cross_sell::random),
            ("naive", &cross_sell::naive),
            ("sensible", &cross_sell::sensible),
        ],
    );
    assert_below(
        world,
        &cross_sell::sensible,
        &[("greedy", &cross_sell::greedy), ("silent", &cross_sell::silent)],
    );
    assert_below(world, &cross_sell::sensible, &IDLE);
}

#[test]
fn fraud_review() {
    let world = named("fraud_review");
    let world = world.as_ref();
    assert_rising(
        world,
        &[
            ("random", &fraud::random),
            ("naive", &fraud::naive),
            ("sensible", &fraud::sensible),
            ("optimal", &fraud::optimal),
        ],
    );
    let (approve, block) = (fraud::always("approve"), fraud::always("block"));
    assert_below(
        world,
        &fraud::sensible,
        &[("approve", &approve), ("block", &block), ("verify", &fraud::verify_all)],
    );
    assert_below(world, &fraud::sensible, &IDLE);
}
