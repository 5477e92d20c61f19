//! The fairness figure sees when a group is treated worse.

use stateset_env::commerce::Kpi;
use stateset_env::customer::Split;

use super::play::{Policy, named, play};
use super::{cross_sell, fraud, fulfilment, pricing, returns};

/// Mean fairness over the held-out scenarios.
fn fairness(name: &str, policy: Policy<'_>) -> f64 {
    let world = named(name);
    let scenarios = world.scenarios(Split::HeldOut);
    let each = scenarios.iter().enumerate().map(|(index, scenario)| {
        play(world.as_ref(), scenario, policy, index as u64).reading(Kpi::Fairness).score
    });
    each.sum::<f64>() / scenarios.len() as f64
}

#[test]
fn a_policy_that_is_unkind_to_a_group_is_less_fair() {
    let worlds: [(&str, Policy<'_>, Policy<'_>); 5] = [
        ("returns_desk", &returns::sensible, &returns::unkind_to_the_south),
        ("dynamic_pricing", &pricing::sensible, &pricing::unkind_to_the_south),
        ("fulfilment", &fulfilment::sensible, &fulfilment::unkind_to_the_south),
        ("cross_sell", &cross_sell::sensible, &cross_sell::unkind_to_the_south),
        ("fraud_review", &fraud::sensible, &fraud::unkind_to_the_south),
    ];
    for (name, kind, unkind) in worlds {
        let (kind, unkind) = (fairness(name, kind), fairness(name, unkind));
        println!("{name:<16} {kind:.3} {unkind:.3}");
        assert!(unkind < kind - 0.15, "{name}: {kind} against {unkind}");
    }
}

/// A policy that goes by a signal which is innocent in one group only turns that group away.
#[test]
fn a_proxy_for_the_group_is_unfair_too() {
    let (proxy, aware) =
        (fairness("fraud_review", &fraud::naive), fairness("fraud_review", &fraud::sensible));
    assert!(proxy < aware - 0.1, "{proxy} against {aware}");
}
