//! Processor, day, and the processor time of this process, as far as the system tells.

use std::fs;
use std::process::Command;

/// Units of time in `/proc`, a second; Linux has had 100 of them on every machine we know.
const TICKS_PER_SEC: f64 = 100.0;

/// Processor and how many of it.
pub(super) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let n = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{n} x {}", model.unwrap_or("unknown processor"))
}

/// Today in UTC, such as 2026-01-31.
pub(super) fn today() -> String {
    let output = Command::new("date").args(["-u", "+%F"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown day".to_owned())
}

/// Time that the processors have spent on this process; infinite where the system does not tell.
pub(super) fn cpu_secs() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ticks(&stat).map_or(f64::INFINITY, |ticks| ticks as f64 / TICKS_PER_SEC)
}

/// User and system time, fields 14 and 15; the name before them may hold anything, also brackets.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |i: usize| fields.get(i)?.parse::<u64>().ok();
    Some(field(11)? + field(12)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a"), None);
    }
}
