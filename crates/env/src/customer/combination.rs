//! What a held-out customer combines in a way that no training customer does.
//!
//! A policy that merely remembers its training conversations fails on customers whose issue, mood and
//! order of facts it has never met together. [`Split::of`] decides where each combination belongs, so
//! that scenario sets and text corpora made from the same grammar cannot leak into each other.

use super::{Domain, Issue, Mood, Slot};
use crate::names::named_enum;

/// Issue, mood, and the order in which facts come out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Combination {
    /// Why the customer writes.
    pub issue: Issue,
    /// How they feel.
    pub mood: Mood,
    /// The order of the facts that the issue needs.
    pub fact_order: Vec<Slot>,
    /// How many of them the first message tells.
    pub n_opening_facts: usize,
}

named_enum! {
    /// What a customer may be used for.
    pub enum Split {
        /// Training, and any text a model is trained on.
        Train => "train",
        /// Choices made during training.
        Validation => "validation",
        /// The final judgement.
        HeldOut => "held_out",
    }
}

impl Combination {
    /// Every combination of `domain` that leaves the agent something to ask for.
    pub fn of_domain(domain: Domain) -> Vec<Combination> {
        Issue::of_domain(domain)
            .flat_map(|issue| Mood::ALL.iter().map(move |mood| (issue, *mood)))
            .flat_map(|(issue, mood)| Combination::of_issue_and_mood(issue, mood))
            .collect()
    }

    /// Every combination of one issue and one mood.
    pub fn of_issue_and_mood(issue: Issue, mood: Mood) -> Vec<Combination> {
        let slots = issue.required_slots();
        (0..slots.len())
            .flat_map(|n_opening_facts| {
                permutations(slots).into_iter().map(move |fact_order| Combination {
                    issue,
                    mood,
                    fact_order,
                    n_opening_facts,
                })
            })
            .collect()
    }

    /// A number that depends on every part and on nothing else (FNV-1a over the names).
    fn fingerprint(&self) -> u64 {
        let order = self.fact_order.iter().map(|slot| slot.name());
        let names = [self.issue.name(), self.mood.name()].into_iter().chain(order);
        let hash = names.fold(FNV_OFFSET, |hash, name| fnv(fnv(hash, name.as_bytes()), b"/"));
        mixed(fnv(hash, &[self.n_opening_facts as u8]))
    }
}

impl Split {
    /// Where `combination` belongs.
    ///
    /// Of the orders that one issue and one mood have (4 with two facts, 18 with three), a quarter is
    /// held out, an eighth but at least one is for validation, and the rest is for training: each
    /// split meets every issue in every mood, and none meets another's combinations. Combinations that
    /// tell everything in the opening are for training.
    pub fn of(combination: &Combination) -> Split {
        let all = Combination::of_issue_and_mood(combination.issue, combination.mood);
        if !all.contains(combination) {
            return Split::Train;
        }
        let key = (combination.fingerprint(), combination);
        let rank = all.iter().filter(|other| (other.fingerprint(), *other) < key).count();
        let n_held_out = all.len() / 4;
        let n_validation = (all.len() / 8).max(1);
        if rank < n_held_out {
            Split::HeldOut
        } else if rank < n_held_out + n_validation {
            Split::Validation
        } else {
            Split::Train
        }
    }

    /// Where an order number belongs: customers of different splits never share one. Three fifths of
    /// all numbers are for training, one fifth each for the others.
    pub fn of_order_number(number: &str) -> Split {
        match text_seed(number) % 5 {
            0..=2 => Split::Train,
            3 => Split::Validation,
            _ => Split::HeldOut,
        }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a (Fowler, Noll, Vo). The result is part of the sets' definition and must not change.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// A number made of a text alone, for choices that must not depend on anything else.
pub(crate) fn text_seed(text: &str) -> u64 {
    mixed(fnv(FNV_OFFSET, text.as_bytes()))
}

/// Spreads a hash over all its bits (the finaliser of MurmurHash3): the last byte that goes into
/// FNV-1a reaches only some of them.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

fn permutations(slots: &[Slot]) -> Vec<Vec<Slot>> {
    if slots.len() <= 1 {
        return vec![slots.to_vec()];
    }
    let mut all = Vec::new();
    for (index, first) in slots.iter().enumerate() {
        let mut rest = slots.to_vec();
        rest.remove(index);
        for tail in permutations(&rest) {
            all.push([&[*first], tail.as_slice()].concat());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_split_meets_every_issue_in_every_mood() {
        for issue in Issue::ALL {
            for mood in Mood::ALL {
                let mut n: HashMap<Split, usize> = HashMap::new();
                for combination in Combination::of_issue_and_mood(*issue, *mood) {
                    *n.entry(Split::of(&combination)).or_default() += 1;
                }
                for split in Split::ALL {
                    assert!(n.get(split) >= Some(&1), "{issue}, {mood}: {n:?}");
                }
                assert!(n[&Split::Train] >= n[&Split::HeldOut], "{issue}, {mood}: {n:?}");
            }
        }
    }

    #[test]
    fn combinations_differ_from_each_other() {
        for domain in Domain::ALL {
            let all = Combination::of_domain(*domain);
            let different: std::collections::HashSet<_> = all.iter().collect();
            assert_eq!(all.len(), different.len());
        }
        assert_eq!(Combination::of_issue_and_mood(Issue::Exchange, Mood::Calm).len(), 18);
        assert_eq!(Combination::of_domain(Domain::TechnicalSupport).len(), (6 * 4 + 18) * 5);
    }

    #[test]
    fn order_numbers_are_shared_out_evenly() {
        let n = (1000..10_000)
            .filter(|number| Split::of_order_number(&number.to_string()) == Split::Train)
            .count();
        assert!((5000..5800).contains(&n), "{n} of 9000");
    }

    /// The sets and every corpus made so far depend on these.
    #[test]
    fn the_split_is_pinned() {
        let combination = |n_opening_facts| Combination {
            issue: Issue::Refund,
            mood: Mood::Angry,
            fact_order: vec![Slot::Reason, Slot::OrderNumber],
            n_opening_facts,
        };
        assert_eq!(Split::of(&combination(2)), Split::Train);
        let pinned: Vec<Split> = (0..2).map(|n| Split::of(&combination(n))).collect();
        assert_eq!(pinned, [Split::Train, Split::Validation]);
        assert_eq!(Split::of_order_number("4821"), Split::Train);
    }
}
