//! What a monitor says of a step.
//!
//! A finding carries the number, the limit it was held against and two sentences: what the number
//! means and what to do. Findings that are fine are part of a report, so that "not listed" always
//! means "not measured".

use std::fmt;

use super::Signal;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Within its limits.
    Ok,
    /// Worth a look; nothing needs to change yet.
    Warn,
    /// Something should change now.
    Act,
}

impl Level {
    /// `ok`, `warn` or `act`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Act => "act",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a trainer can do at once, without changing a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Leave the remaining passes over this batch out.
    EndEpochs,
    /// Leave this optimiser step out.
    SkipStep,
    /// Go back to the last checkpoint.
    RestoreCheckpoint,
    /// Learn nothing from this batch.
    DiscardBatch,
    /// Train only the critic for now.
    FreezePolicy,
    /// End the run and keep the best checkpoint.
    StopRun,
}

/// One signal of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What was watched.
    pub signal: Signal,
    /// How bad it is.
    pub level: Level,
    /// What was measured.
    pub value: f64,
    /// The limit that was crossed, or, where none was, the one that comes first. In units of `value`.
    pub threshold: f64,
    /// What the limit was made from: the initial entropy, the median norm, the best evaluation.
    pub reference: Option<f64>,
    /// What the number says.
    pub meaning: &'static str,
    /// What to do; empty where nothing is to be done.
    pub advice: &'static str,
    /// What a trainer can do at once.
    pub action: Option<Action>,
}

impl Finding {
    /// A finding within its limits.
    pub(super) fn ok(signal: Signal, value: f64, threshold: f64, meaning: &'static str) -> Finding {
        Finding {
            signal,
            level: Level::Ok,
            value,
            threshold,
            reference: None,
            meaning,
            advice: "",
            action: None,
        }
    }

    /// The same, with a limit crossed.
    pub(super) fn crossed(
        self,
        level: Level,
        threshold: f64,
        meaning: &'static str,
        advice: &'static str,
    ) -> Finding {
        Finding { level, threshold, meaning, advice, ..self }
    }

    /// The same, with something to do at once.
    pub(super) fn with_action(self, action: Action) -> Finding {
        Finding { action: Some(action), ..self }
    }

    /// The same, with what the limit was made from.
    pub(super) fn with_reference(self, reference: f64) -> Finding {
        Finding { reference: Some(reference), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { signal, level, value, threshold, meaning, advice, .. } = self;
        write!(f, "{level}: {signal} {value:.4}, limit {threshold:.4}: {meaning}")?;
        if advice.is_empty() { Ok(()) } else { write!(f, "; {advice}") }
    }
}

/// All signals of one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthReport {
    /// The step.
    pub step: u64,
    /// One finding for each signal that was measured, the most urgent first.
    pub findings: Vec<Finding>,
}

impl HealthReport {
    /// The worst level; ok where nothing was measured.
    pub fn level(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// The finding of a signal.
    pub fn get(&self, signal: Signal) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.signal == signal)
    }

    /// Findings that are not fine.
    pub fn troubles(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.level > Level::Ok)
    }

    /// What a trainer can do at once.
    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        self.findings.iter().filter_map(|finding| finding.action)
    }
}

impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}: {}", self.step, self.level())?;
        for finding in self.troubles() {
            write!(f, "\n  {finding}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_report_is_ok() {
        assert_eq!(HealthReport::default().level(), Level::Ok);
        assert_eq!(HealthReport::default().to_string(), "step 0: ok");
    }

    #[test]
    fn a_report_is_as_bad_as_its_worst_finding_and_prints_only_troubles() {
        let fine = Finding::ok(Signal::Entropy, 2.0, 0.6, "the policy still explores");
        let bad = Finding::ok(Signal::Truncation, 0.5, 0.2, "")
            .crossed(Level::Warn, 0.2, "half is cut off", "raise the limit")
            .with_action(Action::StopRun);
        let report = HealthReport { step: 7, findings: vec![fine.clone(), bad] };
        assert_eq!(report.level(), Level::Warn);
        assert_eq!(report.get(Signal::Entropy), Some(&fine));
        assert_eq!(report.actions().collect::<Vec<_>>(), [Action::StopRun]);
        assert_eq!(
            report.to_string(),
            "step 7: warn\n  warn: truncation 0.5000, limit 0.2000: half is cut off; raise the limit"
        );
    }
}
