//! Attacks every reward of wording and writes what was found: `cargo xtask attack [--write]`.
//!
//! Climbers look for texts that pay, starting from nothing, from keywords and from honest replies to
//! something else. `--learned FILE` adds what policies came to say that learned from one reward alone.
//! The program fails where a text that does not read like English earns more than nine tenths of the
//! honest replies do. With `--write` the table goes to `docs/rewards-attacks.md`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

#[path = "../tests/attack/mod.rs"]
mod attack;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use attack::climb::Finds;
use attack::english::English;
use attack::honest::{Exchange, honest, real};
use attack::{Judge, TARGETS, Target, climb, degenerate, quantile};
use serde::Deserialize;

const CLIMBERS: usize = 10;
const STEPS: usize = 1_000;

struct Row {
    name: &'static str,
    n: usize,
    median: f64,
    most: f64,
    real: Option<f64>,
    degenerate: (f64, &'static str),
    finds: Finds,
}

impl Row {
    fn holds(&self) -> bool {
        self.finds.dishonest.as_ref().is_none_or(|find| find.score <= self.most + 1e-9)
    }
}

/// What a policy came to that learned from one reward alone.
#[derive(Deserialize)]
struct Learned {
    reward: String,
    n_replies: usize,
    first: f64,
    last: f64,
    finds: Vec<Said>,
}

#[derive(Deserialize)]
struct Said {
    score: f64,
    user: String,
    text: String,
}

impl Learned {
    /// The best reply that is no English.
    fn dishonest(&self, english: &English) -> Option<&Said> {
        self.finds.iter().find(|said| !english.reads_well(&said.text))
    }

    fn holds(&self, rows: &[Row], english: &English) -> bool {
        let most = rows.iter().find(|row| row.name == self.reward).map_or(0.0, |row| row.most);
        self.dishonest(english).is_none_or(|said| said.score <= most + 1e-9)
    }
}

/// The lines of the file after `--learned`; none where it is not given.
fn learned() -> Result<Vec<Learned>, String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--learned");
    let Some(path) = arguments.nth(1) else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(&path).map_err(|error| format!("read {path}: {error}"))?;
    let read = |line: &str| serde_json::from_str(line).map_err(|error| format!("{path}: {error}"));
    text.lines().map(read).collect()
}

fn main() -> ExitCode {
    let (all, real) = (honest(), real());
    let texts: Vec<&str> = all.iter().chain(&real).map(|one| one.reply.as_str()).collect();
    let english = English::learn(&texts);
    let learned = match learned() {
        Ok(learned) => learned,
        Err(error) => {
            println!("failed to {error}");
            return ExitCode::FAILURE;
        }
    };
    let rows: Vec<Row> = TARGETS.iter().map(|target| row(target, &all, &real, &english)).collect();
    let mut page = page(&rows, texts.len());
    if !learned.is_empty() {
        page.push_str(&learned_page(&learned, &rows, &english));
    }
    println!("{page}");
    if std::env::args().any(|argument| argument == "--write") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rewards-attacks.md");
        if let Err(error) = std::fs::write(&path, page) {
            println!("failed to write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    let climbed = rows.iter().filter(|row| !row.holds()).map(|row| row.name);
    let beaten = learned.iter().filter(|learned| !learned.holds(&rows, &english));
    let broken: Vec<&str> = climbed.chain(beaten.map(|learned| learned.reward.as_str())).collect();
    if broken.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("beaten: {}", broken.join(", "));
    ExitCode::FAILURE
}

fn row(target: &Target, all: &[Exchange], real: &[Exchange], english: &English) -> Row {
    let judge = Judge::new(target);
    let exchanges = target.exchanges(all);
    let scores = |exchanges: &[Exchange]| -> Vec<f64> {
        exchanges.iter().filter_map(|one| judge.score(one, &one.reply)).collect()
    };
    let honest = scores(&exchanges);
    let of_real = scores(real);
    let mut worst = (0.0, "none");
    for exchange in exchanges.iter().filter(|one| one.is_single()) {
        for (kind, text) in degenerate::degenerate(target, exchange) {
            let score = judge.score(exchange, &text).unwrap_or(0.0);
            if score > worst.0 {
                worst = (score, kind);
            }
        }
    }
    Row {
        name: target.name,
        n: honest.len(),
        median: quantile(&honest, 0.5),
        most: quantile(&honest, 0.9),
        real: (!of_real.is_empty()).then(|| quantile(&of_real, 0.9)),
        degenerate: worst,
        finds: climb::attack(target, &exchanges, english, (CLIMBERS, STEPS)),
    }
}

fn page(rows: &[Row], n_texts: usize) -> String {
    let mut page = format!(
        "# Attacks on rewards\n\n\
         Written by `cargo xtask attack --write`. Each reward of wording was attacked by {CLIMBERS} climbers \
         of {STEPS} steps. A climber begins with nothing, with words that pay or with an honest reply to \
         something else, and inserts, deletes, replaces, doubles and swaps words and marks; it keeps what \
         earns no less. Whether a text reads like English is decided by a model of word triples that learned \
         from {n_texts} honest replies and knows nothing of the rewards; the bar is what nine tenths of unseen \
         honest replies reach.\n\n\
         The rule: no text that does not read like English earns more than nine tenths of the honest replies \
         of its kind (`tests/honest/`).\n\n\
         | reward | honest replies | median | nine tenths | real turns, nine tenths | best degenerate | best \
         find | best that is no English | holds |\n|---|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let dishonest = row.finds.dishonest.as_ref().map_or(0.0, |find| find.score);
        let _ = writeln!(
            page,
            "| `{}` | {} | {:.2} | {:.2} | {} | {:.2} ({}) | {:.2} | {dishonest:.2} | {} |",
            row.name,
            row.n,
            row.median,
            row.most,
            row.real.map_or("cannot be scored".to_owned(), |real| format!("{real:.2}")),
            row.degenerate.0,
            row.degenerate.1,
            row.finds.best.score,
            if row.holds() { "yes" } else { "no" },
        );
    }
    page.push_str(
        "\nRewards that pay in full for what a good reply has cannot tell a good reply from salad that has \
         it too and joins its words well: such finds come up to the honest ones, and none beyond. That is \
         why rewards of wording are parts of a composite and not the whole of one.\n\n\
         ## The best finds\n\nFor each reward the best text that is no English, and what the user had said.\n",
    );
    for row in rows {
        let find = row.finds.dishonest.as_ref().unwrap_or(&row.finds.best);
        let _ = write!(
            page,
            "\n`{}`, {:.2}{}\n\n",
            row.name,
            find.score,
            shown(&find.user, &find.text)
        );
    }
    page
}

fn learned_page(learned: &[Learned], rows: &[Row], english: &English) -> String {
    let mut page = String::from(
        "\n## What policies learn\n\nThe embedded model learned by GRPO from each reward \
         alone for 50 steps (a minute on two processors), with nothing that keeps it near its start, answering the users of the honest replies. \
         Every reply it tried was seen. The same rule holds for the best that is no English.\n\n\
         | reward | replies | mean, first tenth | mean, last tenth | best | best that is no \
         English | honest, nine tenths | holds |\n|---|---|---|---|---|---|---|---|\n",
    );
    for one in learned {
        let best = one.finds.first().map_or(0.0, |said| said.score);
        let dishonest = one.dishonest(english).map_or("none".into(), |s| format!("{:.2}", s.score));
        let most = rows.iter().find(|row| row.name == one.reward).map_or(f64::NAN, |row| row.most);
        let holds = if one.holds(rows, english) { "yes" } else { "no" };
        let _ = writeln!(
            page,
            "| `{}` | {} | {:.2} | {:.2} | {best:.2} | {dishonest} | {most:.2} | {holds} |",
            one.reward, one.n_replies, one.first, one.last,
        );
    }
    page.push_str("\nThe best reply of each that is no English, else its best:\n");
    for one in learned {
        if let Some(said) = one.dishonest(english).or(one.finds.first()) {
            let shown = shown(&said.user, &said.text);
            let _ = write!(page, "\n`{}`, {:.2}{shown}\n\n", one.reward, said.score);
        }
    }
    page
}

fn shown(user: &str, text: &str) -> String {
    let plain = |text: &str| text.replace(['`', '\n'], " ");
    format!("\n\n> User: {}\n>\n> `{}`", plain(user), plain(text))
}
