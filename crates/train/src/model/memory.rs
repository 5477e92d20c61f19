//! How much memory a run takes, by part, for people to read before it starts.

use std::fmt;

/// One part of the engine's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPart {
    /// What it is for.
    pub name: &'static str,
    /// Its size.
    pub bytes: u64,
}

impl MemoryPart {
    /// A part of so many single-precision numbers.
    pub(super) fn of(name: &'static str, numbers: usize) -> MemoryPart {
        MemoryPart { name, bytes: 4 * numbers as u64 }
    }
}

/// Every part. What is here is allocated before the first step and does not grow; the program itself,
/// conversations and files come on top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryPlan {
    /// In the order of a run.
    pub parts: Vec<MemoryPart>,
}

impl MemoryPlan {
    /// Size of the part called `name`, where there is one.
    pub fn bytes_of(&self, name: &str) -> Option<u64> {
        self.parts.iter().find(|part| part.name == name).map(|part| part.bytes)
    }

    /// The sum.
    pub fn total_bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }
}

impl fmt::Display for MemoryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            writeln!(f, "{:>12}  {}", size(part.bytes), part.name)?;
        }
        write!(f, "{:>12}  in all", size(self.total_bytes()))
    }
}

/// Bytes as people write them.
fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    if megabytes >= 1000.0 {
        format!("{:.2} GB", megabytes / 1e3)
    } else {
        format!("{megabytes:.1} MB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_reads_well() {
        let plan = MemoryPlan {
            parts: vec![MemoryPart::of("weights", 2_000_000), MemoryPart::of("cache", 500_000_000)],
        };
        let text = plan.to_string();
        assert_eq!(text, "      8.0 MB  weights\n     2.00 GB  cache\n     2.01 GB  in all");
    }
}
