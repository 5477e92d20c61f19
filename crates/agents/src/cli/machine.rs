//! What the machine has, as far as the system says.

use std::fs;

/// Name of the processor.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// Memory of the machine in bytes: all of it, and what new programs can have.
pub(crate) fn memory_bytes() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    Some((field(&text, "MemTotal:")?, field(&text, "MemAvailable:")?))
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

/// Bytes as people write them.
pub(crate) fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes >= 1000.0 {
        format!("{:.1} GB", megabytes / 1e3)
    } else {
        format!("{megabytes:.1} MB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_bytes() {
        let text = "MemTotal:       16000 kB\nMemFree:  10 kB\nMemAvailable:    8000 kB\n";
        assert_eq!(field(text, "MemTotal:"), Some(16_384_000));
        assert_eq!(field(text, "Swap:"), None);
        assert_eq!((size(2_500_000), size(2_500_000_000)), ("2.5 MB".into(), "2.5 GB".into()));
    }
}
