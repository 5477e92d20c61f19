//! What the rounds came to: a table for people, JSON for programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::parity::Parity;
use super::settings::Settings;
use super::statistics::Spread;
use super::works::{Figures, Measure, Work};

/// All rounds of one piece of work.
pub(super) struct Comparison<'a> {
    work: &'a Work,
    settings: &'a Settings,
    pub(super) parity: Option<Parity>,
    pub(super) ours: Vec<Figures>,
    pub(super) theirs: Vec<Figures>,
}

/// One measure of both sides.
struct Row<'a> {
    measure: &'a Measure,
    ours: Option<Spread>,
    theirs: Option<Spread>,
    /// How many times better ours is, round by round.
    ratio: Option<Spread>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(work: &'a Work, settings: &'a Settings) -> Comparison<'a> {
        Comparison { work, settings, parity: None, ours: Vec::new(), theirs: Vec::new() }
    }

    /// Medians with the distance of their quartiles, and the ratio.
    pub(super) fn table(&self) -> String {
        let mut text = format!("{}: {}\n", self.work.name, self.work.about);
        if let Some(parity) = self.parity {
            text += &format!(
                "parity: loss {:.6} and {:.6}, {} greedy tokens equal\n",
                parity.our_loss, parity.their_loss, parity.n_equal_tokens
            );
        }
        text += &line("", "ours", "theirs", "ours is better by");
        for row in self.rows() {
            let name = format!("{} {}", row.measure.name, row.measure.unit);
            let cell =
                |spread: Option<Spread>| spread.map_or("-".to_owned(), |s| cell(s, row.measure));
            let ratio = row.ratio.map_or("-".to_owned(), |ratio| {
                format!("{:.2}x ({:.2} to {:.2})", ratio.median, ratio.low, ratio.high)
            });
            text += &line(name.trim(), &cell(row.ours), &cell(row.theirs), &ratio);
        }
        text += &format!(
            "medians of {} rounds, spread is the distance of the quartiles\n",
            self.ours.len()
        );
        text
    }

    /// Writes `NAME.json` into `folder`; gives its path.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.json", self.work.name));
        let text = serde_json::to_string_pretty(&self.json())?;
        fs::write(&path, text + "\n")
            .with_context(|| format!("failed to write {}", path.display()))?;
        Ok(path)
    }

    fn json(&self) -> Value {
        let measure = |row: Row<'_>| {
            json!({
                "name": row.measure.name,
                "unit": if row.measure.unit == "MB" { "bytes" } else { row.measure.unit },
                "more_is_better": row.measure.is_rate,
                "ours": row.ours,
                "theirs": row.theirs,
                "ratio": row.ratio,
            })
        };
        json!({
            "work": self.work.name,
            "about": self.work.about,
            "machine": machine(),
            "threads": self.settings.n_threads,
            "cpus": self.settings.cpus,
            "parity": self.parity,
            "measures": self.rows().map(measure).collect::<Vec<_>>(),
            "rounds": { "ours": self.ours, "theirs": self.theirs },
        })
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.work.measures.iter().map(|measure| {
            let of = |side: &[Figures]| -> Vec<f64> {
                side.iter().filter_map(|figures| figures.get(measure.name).copied()).collect()
            };
            let (ours, theirs) = (of(&self.ours), of(&self.theirs));
            let better = |(ours, theirs): (&f64, &f64)| {
                if measure.is_rate { ours / theirs } else { theirs / ours }
            };
            let ratios: Vec<f64> = ours.iter().zip(&theirs).map(better).collect();
            Row {
                measure,
                ours: Spread::of(&ours),
                theirs: Spread::of(&theirs),
                ratio: Spread::of(&ratios),
            }
        })
    }
}

fn line(name: &str, ours: &str, theirs: &str, ratio: &str) -> String {
    format!("  {name:<22} {ours:>18} {theirs:>18}   {ratio}\n").trim_end().to_owned() + "\n"
}

fn cell(spread: Spread, measure: &Measure) -> String {
    let value = match measure.unit {
        "MB" => format!("{:.0}", spread.median / 1e6),
        "tok/s" => format!("{:.0}", spread.median),
        _ => format!("{:.4}", spread.median),
    };
    format!("{value} ± {:.0} %", 100.0 * spread.relative())
}

/// The processor, how many of it, and the day, as far as the system tells.
fn machine() -> Value {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let n_cores = std::thread::available_parallelism().map_or(0, usize::from);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    json!({
        "processor": model,
        "n_processors": n_cores,
        "unix_secs": now.map_or(0, |since| since.as_secs()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::works::WORKS;
    use super::*;

    #[test]
    fn ratios_say_how_much_better_ours_is() {
        let words = ["decode", "--ours-only"].map(str::to_owned);
        let settings = Settings::read(&words).expect("it can be read");
        let mut comparison = Comparison::new(&WORKS[1], &settings);
        let figures =
            |speed, bytes| Figures::from([("tokens_per_sec", speed), ("peak_rss_bytes", bytes)]);
        comparison.ours = vec![figures(300.0, 1e8), figures(330.0, 1e8)];
        comparison.theirs = vec![figures(100.0, 4e8), figures(110.0, 4e8)];
        let json = comparison.json();
        assert_eq!(json["measures"][0]["ratio"]["median"], 3.0);
        assert_eq!(json["measures"][1]["ratio"]["median"], 4.0);
        let table = comparison.table();
        assert!(table.contains("315 ± 5 %") && table.contains("3.00x (3.00 to 3.00)"), "{table}");
    }
}
