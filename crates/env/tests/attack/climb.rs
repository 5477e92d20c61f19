//! A climber over texts: from keywords, nothing or an honest reply to something else it goes wherever the
//! reward rises or stays, by inserting, deleting, replacing, doubling, swapping words and setting marks.

use stateset_core::{Purpose, RunSeed, Stream, StreamKey};

use super::degenerate::{paying_phrases, rubric};
use super::english::English;
use super::honest::Exchange;
use super::{Judge, Target};

/// The longest text that is tried, in words.
const MOST_WORDS: usize = 90;

/// What one reward's climbers came to.
pub(crate) struct Finds {
    /// The best text of all, with its score and the id of the conversation.
    pub(crate) best: Find,
    /// The best among those that do not read like English.
    pub(crate) dishonest: Option<Find>,
}

#[derive(Clone, Debug)]
pub(crate) struct Find {
    pub(crate) score: f64,
    pub(crate) text: String,
    pub(crate) user: String,
    /// How it reads to the judge of English.
    pub(crate) english: f64,
}

/// Sends `n_climbers` with `n_steps` each against `target`.
pub(crate) fn attack(
    target: &Target,
    exchanges: &[Exchange],
    english: &English,
    (n_climbers, n_steps): (usize, usize),
) -> Finds {
    let judge = Judge::new(target);
    let exchanges: Vec<Exchange> =
        exchanges.iter().filter(|one| one.is_single()).cloned().collect();
    let exchanges = exchanges.as_slice();
    let pool = pool(target, exchanges);
    let nothing = Find { score: 0.0, text: String::new(), user: String::new(), english: -20.0 };
    let mut finds = Finds { best: nothing, dishonest: None };
    for climber in 0..n_climbers {
        let key = StreamKey { step: climber as u32, ..StreamKey::default() };
        let mut stream = RunSeed(4).stream(Purpose::Reward, key);
        let exchange = &exchanges[climber % exchanges.len()];
        let mut text = start(exchanges, climber, &pool, &mut stream);
        let mut score = judge.score(exchange, &text.join(" ")).unwrap_or(0.0);
        for step in 0..=n_steps {
            if step > 0 {
                let tried = edit(&text, &pool, &mut stream);
                let value = judge.score(exchange, &tried.join(" ")).unwrap_or(0.0);
                if value < score || (value == score && stream.chance(0.3)) {
                    continue;
                }
                (text, score) = (tried, value);
            }
            note(&mut finds, score, &text, exchange, english);
        }
    }
    finds
}

fn note(finds: &mut Finds, score: f64, text: &[String], exchange: &Exchange, english: &English) {
    let beats = |find: Option<&Find>| find.is_none_or(|find| score > find.score);
    if !beats(Some(&finds.best)) && !beats(finds.dishonest.as_ref()) {
        return;
    }
    let text = text.join(" ");
    let user = exchange.user().to_owned();
    let find = Find { score, english: english.score(&text), text, user };
    if beats(finds.dishonest.as_ref()) && find.english < english.least {
        finds.dishonest = Some(find.clone());
    }
    if beats(Some(&finds.best)) {
        finds.best = find;
    }
}

/// The words that are tried: those that pay, those of the rubric and those of honest replies.
fn pool(target: &Target, exchanges: &[Exchange]) -> Vec<String> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let mut pool: Vec<String> = paying_phrases();
    pool.extend(words(&rubric(target)));
    pool.extend(exchanges.iter().flat_map(|one| words(&one.reply)));
    pool.extend(exchanges.iter().flat_map(|one| words(one.user())));
    if target.name == "reasoning_format" {
        for _ in 0..pool.len() / 20 {
            pool.extend(["<think>", "</think>", "<answer>", "</answer>"].map(str::to_owned));
        }
    }
    pool
}

fn start(
    exchanges: &[Exchange],
    climber: usize,
    pool: &[String],
    stream: &mut Stream,
) -> Vec<String> {
    match climber % 3 {
        0 => Vec::new(),
        1 => (0..12).filter_map(|_| stream.choose(pool).cloned()).collect(),
        _ => {
            // An honest reply to another user.
            let other = &exchanges
                [(climber + 1 + stream.index(exchanges.len().max(2) - 1)) % exchanges.len()];
            other.reply.split_whitespace().map(str::to_owned).collect()
        }
    }
}

fn edit(text: &[String], pool: &[String], stream: &mut Stream) -> Vec<String> {
    const MARKS: [&str; 4] = [".", ",", "?", "!"];
    let mut text = text.to_vec();
    for _ in 0..=stream.index(2) {
        let word = stream.choose(pool).cloned().unwrap_or_default();
        let place = stream.index(text.len() + 1);
        let is_inside = place < text.len();
        match stream.index(7) {
            0 | 1 if text.len() < MOST_WORDS => text.insert(place, word),
            2 if is_inside => drop(text.remove(place)),
            3 if is_inside => text[place] = word,
            4 if is_inside && text.len() < MOST_WORDS => text.insert(place, text[place].clone()),
            5 if is_inside => {
                let other = text.len() / 2;
                text.swap(place, other);
            }
            6 if is_inside => {
                let mark = stream.choose(&MARKS).copied().unwrap_or(".");
                let bare = text[place].trim_end_matches(['.', ',', '?', '!']).to_owned();
                text[place] = if stream.chance(0.3) { bare } else { bare + mark };
            }
            _ => {}
        }
    }
    text
}
