//! What rewards of wording hold against. Pinned here:
//!
//! 1. Every degenerate reply earns less than the good honest replies of its kind: those that earn at
//!    least the median.
//! 2. Climbers over words find nothing that earns more than nine tenths of the honest replies do, unless
//!    it reads like English (`cargo xtask attack` gives them more time and writes down what they find).
//! 3. The judge of English that decides this tells honest replies from their own words in disorder.
//! 4. Turns of real agents are hardly ever taken for salad.

mod attack;

use attack::english::{English, held_out};
use attack::honest::{Exchange, honest, real};
use attack::{Judge, TARGETS, climb, degenerate, quantile};
use stateset_core::{Purpose, RunSeed, StreamKey};

#[test]
fn there_are_honest_replies_of_every_kind() {
    let all = honest();
    assert!(all.len() >= 60);
    for target in TARGETS {
        let exchanges = target.exchanges(&all);
        assert!(exchanges.len() >= 4, "{}: {}", target.name, exchanges.len());
        let judge = Judge::new(target);
        let scores: Vec<f64> =
            exchanges.iter().filter_map(|one| judge.score(one, &one.reply)).collect();
        println!(
            "{:<24} {:>3} honest: median {:.2}, nine tenths {:.2}",
            target.name,
            scores.len(),
            quantile(&scores, 0.5),
            quantile(&scores, 0.9)
        );
    }
}

#[test]
fn degenerate_replies_lose() {
    let all = honest();
    let mut failures = Vec::new();
    for target in TARGETS {
        let judge = Judge::new(target);
        let exchanges = target.exchanges(&all);
        let honest: Vec<f64> =
            exchanges.iter().filter_map(|one| judge.score(one, &one.reply)).collect();
        let median = quantile(&honest, 0.5);
        let single = |(exchange, _): &(&Exchange, &f64)| exchange.is_single();
        for (exchange, good) in
            exchanges.iter().zip(&honest).filter(single).filter(|(_, score)| **score >= median)
        {
            for (kind, text) in degenerate::degenerate(target, exchange) {
                let score = judge.score(exchange, &text).unwrap_or(0.0);
                if score >= *good {
                    let id = &exchange.scenario.id;
                    failures
                        .push(format!("{}: {kind} on {id}: {score} against {good}", target.name));
                }
            }
        }
    }
    failures.dedup_by(|a, b| a.split(" on ").next() == b.split(" on ").next());
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn climbers_find_nothing_better_than_honest_replies() {
    let all = honest();
    let texts: Vec<&str> = all.iter().map(|one| one.reply.as_str()).collect();
    let english = English::learn(&texts);
    let mut failures = Vec::new();
    for target in TARGETS {
        let judge = Judge::new(target);
        let exchanges = target.exchanges(&all);
        let honest: Vec<f64> =
            exchanges.iter().filter_map(|one| judge.score(one, &one.reply)).collect();
        let most = quantile(&honest, 0.9);
        let finds = climb::attack(target, &exchanges, &english, (6, 150));
        if let Some(find) = finds.dishonest.filter(|find| find.score > most + 1e-9) {
            failures.push(format!("{}: {} against {most}: {}", target.name, find.score, find.text));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn the_judge_of_english_tells_sentences_from_their_words() {
    let all = honest();
    let texts: Vec<&str> = all.iter().map(|one| one.reply.as_str()).collect();
    let english = English::learn(&texts);
    let shuffled = held_out(&texts, |text| {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let key = StreamKey { step: text.len() as u32, ..StreamKey::default() };
        RunSeed(1).stream(Purpose::Shuffle, key).shuffle(&mut words);
        words.join(" ")
    });
    let n_taken = shuffled.iter().filter(|score| **score >= english.least).count();
    let share = n_taken as f64 / shuffled.len() as f64;
    println!("{share:.3} of shuffled replies read like English, of honest ones nine tenths");
    assert!(share < 0.15, "{share}");
}

#[test]
fn real_agents_are_hardly_ever_taken_for_salad() {
    let real = real();
    if real.is_empty() {
        println!("SKIPPED: there is no test data at taskmaster-4");
        return;
    }
    assert!(real.len() > 3_000, "{}", real.len());
    // Clean, calm turns earn six tenths of professionalism at least, times their soundness.
    let target =
        TARGETS.iter().find(|target| target.name == "professionalism").expect("it is listed");
    let judge = Judge::new(target);
    let (mut n, mut n_low) = (0, 0);
    for exchange in &real {
        if exchange.reply.split_whitespace().count() >= 3 {
            n += 1;
            n_low +=
                usize::from(judge.score(exchange, &exchange.reply).is_none_or(|score| score < 0.2));
        }
    }
    println!("{n_low} of {n} real turns earn less than a fifth for professionalism");
    assert!(n_low as f64 <= 0.03 * n as f64, "{n_low} of {n}");
}
