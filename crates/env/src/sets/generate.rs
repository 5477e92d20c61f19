//! Makes scenarios out of the customers' grammar.
//!
//! A set is a function of its domain and split and of nothing else, so it needs no file and no seed,
//! and two programs mean the same scenario by the same id. Issues take turns, so that each has the
//! same share; the combinations of an issue come in a shuffled order, each as often as the others.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, json};
use stateset_core::{Purpose, RunSeed, Scenario, Stream, StreamKey};

use crate::customer::grammar::{person, value};
use crate::customer::{
    Combination, CustomerSpec, Domain, Issue, OpeningStyle, Slot, Split, text_seed,
};

/// The first `n` scenarios of a split.
pub(super) fn scenarios(domain: Domain, split: Split, n: usize) -> Vec<Scenario> {
    let name = format!("{domain}-{split}");
    let mut stream = RunSeed(text_seed(&name)).stream(Purpose::Data, StreamKey::default());
    let combinations = combinations_by_issue(domain, split, &mut stream);
    let mut used_numbers = HashSet::new();
    (0..n)
        .map(|index| {
            let of_issue = &combinations[index % combinations.len()];
            let combination = &of_issue[index / combinations.len() % of_issue.len()];
            let spec = unused(combination, split, &mut used_numbers, &mut stream);
            customer_scenario(format!("{name}-{index:03}"), &spec)
        })
        .collect()
}

/// A customer of `combination` with facts drawn from `stream`; order numbers are those of `split`.
///
/// Every customer has a name beside the facts of the issue, and up to one turn of patience more than
/// the mood usually has.
pub fn draw_customer(combination: &Combination, split: Split, stream: &mut Stream) -> CustomerSpec {
    let issue = combination.issue;
    let name = person(stream);
    let mut facts: BTreeMap<Slot, String> = combination
        .fact_order
        .iter()
        .map(|slot| (*slot, value(issue, *slot, split, &name, stream)))
        .collect();
    facts.entry(Slot::Name).or_insert(name);
    CustomerSpec {
        issue,
        facts,
        fact_order: combination.fact_order.clone(),
        n_opening_facts: combination.n_opening_facts,
        mood: combination.mood,
        patience: combination.mood.usual_patience() + u32::from(stream.chance(0.5)),
        opening_style: opening_style(combination, stream),
    }
}

/// The scenario of one customer.
pub fn customer_scenario(id: impl Into<String>, spec: &CustomerSpec) -> Scenario {
    let mut metadata = Map::new();
    metadata.insert("domain".to_owned(), json!(spec.domain()));
    metadata.insert("mood".to_owned(), json!(spec.mood));
    metadata.insert("split".to_owned(), json!(Split::of(&spec.combination())));
    Scenario {
        id: id.into(),
        topic: spec.issue.name().to_owned(),
        context: format!("A customer writes about this issue: {}.", words(spec.issue)),
        customer: Some(spec.to_value()),
        metadata,
        ..Scenario::default()
    }
}

fn words(issue: Issue) -> String {
    issue.name().replace('_', " ")
}

/// A name that the agent would have to ask for must not open the conversation.
fn opening_style(combination: &Combination, stream: &mut Stream) -> OpeningStyle {
    let told = combination.fact_order.iter().take(combination.n_opening_facts);
    let tells_name = told.into_iter().any(|slot| *slot == Slot::Name);
    let needs_name = combination.fact_order.contains(&Slot::Name);
    let style = stream.choose(OpeningStyle::ALL).copied().unwrap_or(OpeningStyle::Direct);
    if style == OpeningStyle::Introduction && needs_name && !tells_name {
        OpeningStyle::Greeting
    } else {
        style
    }
}

fn combinations_by_issue(
    domain: Domain,
    split: Split,
    stream: &mut Stream,
) -> Vec<Vec<Combination>> {
    let all = Combination::of_domain(domain);
    Issue::of_domain(domain)
        .map(|issue| {
            let is_ours = |c: &&Combination| c.issue == issue && Split::of(c) == split;
            let mut ours: Vec<Combination> = all.iter().filter(is_ours).cloned().collect();
            stream.shuffle(&mut ours);
            ours
        })
        .collect()
}

/// A customer whose order number no other one of the set has.
fn unused(
    combination: &Combination,
    split: Split,
    used_numbers: &mut HashSet<String>,
    stream: &mut Stream,
) -> CustomerSpec {
    loop {
        let spec = draw_customer(combination, split, stream);
        match spec.fact(Slot::OrderNumber) {
            Some(number) if !used_numbers.insert(number.to_owned()) => {}
            _ => return spec,
        }
    }
}
