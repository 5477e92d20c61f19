//! Attacks every reward of wording and writes what was found: `cargo xtask attack [--write]`.
//!
//! Climbers look for texts that pay, starting from nothing, from keywords and from honest replies to
//! something else. The program fails where a text that does not read like English earns more than nine
//! tenths of the honest replies do. With `--write` the table goes to `docs/rewards-attacks.md`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

#[path = "../tests/attack/mod.rs"]
mod attack;

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use attack::climb::{Find, Finds};
use attack::english::English;
use attack::honest::{Exchange, honest, real};
use attack::{Judge, TARGETS, Target, climb, degenerate, quantile};

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

fn main() -> ExitCode {
    let (all, real) = (honest(), real());
    let texts: Vec<&str> = all.iter().chain(&real).map(|one| one.reply.as_str()).collect();
    let english = English::learn(&texts);
    let rows: Vec<Row> = TARGETS.iter().map(|target| row(target, &all, &real, &english)).collect();
    let page = page(&rows, texts.len());
    println!("{page}");
    if std::env::args().any(|argument| argument == "--write") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rewards-attacks.md");
        if let Err(error) = std::fs::write(&path, page) {
            println!("failed to write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    let broken: Vec<&str> = rows.iter().filter(|row| !row.holds()).map(|row| row.name).collect();
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
        let _ = write!(page, "\n`{}`, {:.2}{}\n\n", row.name, find.score, shown(find));
    }
    page
}

fn shown(find: &Find) -> String {
    let plain = |text: &str| text.replace(['`', '\n'], " ");
    format!("\n\n> User: {}\n>\n> `{}`", plain(&find.user), plain(&find.text))
}
