//! What is promised of a method, and whether it holds.

use anyhow::Result;

use super::outcome::Outcome;
use super::summary::Summary;

/// A promise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Claim {
    /// The mean over seeds of what held-out items are worth rises by so much or more.
    Gain(f64),
    /// The 95 % intervals before and after do not overlap: those of the mean over seeds, and those of
    /// every seed.
    Apart,
    /// A figure is above a number for every seed.
    Above(&'static str, f64),
    /// A figure is at least a number for every seed.
    AtLeast(&'static str, f64),
    /// A figure is higher after training than before, for every seed: names with `_before`, `_after`.
    Rises(&'static str),
    /// Every run takes so many seconds or fewer. Where other programs had the processors, its
    /// processor time counts, which is never less than the time it would have taken alone.
    Seconds(f64),
}

/// A promise and what was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) holds: bool,
    /// The promise and what was found, in words.
    pub(super) text: String,
}

impl Claim {
    /// Whether it holds for these outcomes of one row.
    pub(super) fn check(self, outcomes: &[Outcome]) -> Result<Verdict> {
        let least = |of: &dyn Fn(&Outcome) -> f64| {
            outcomes
                .iter()
                .map(of)
                .fold(f64::INFINITY, |a, b| if b < a || b.is_nan() { b } else { a })
        };
        let figure = |name: &str| least(&|o| o.figure(name));
        Ok(match self {
            Claim::Gain(by) => {
                let all = Summary::of(outcomes)?;
                let gain = all.after.estimate - all.before.estimate;
                verdict(gain >= by, format!("gain {gain:.3}, promised {by}"))
            }
            Claim::Apart => {
                let all = Summary::of(outcomes)?;
                let n = outcomes.len();
                let holds = all.after.low > all.before.high && all.n_apart == n;
                let text = format!(
                    "intervals [{:.3}, {:.3}] and [{:.3}, {:.3}], apart for {} of {n} seeds",
                    all.before.low, all.before.high, all.after.low, all.after.high, all.n_apart
                );
                verdict(holds, text)
            }
            Claim::Above(name, than) => {
                let found = figure(name);
                verdict(found > than, format!("{name} {found:.4}, promised above {than}"))
            }
            Claim::AtLeast(name, than) => {
                let found = figure(name);
                verdict(found >= than, format!("{name} {found:.3}, promised at least {than}"))
            }
            Claim::Rises(name) => {
                let (before, after) = (format!("{name}_before"), format!("{name}_after"));
                let rise = least(&|o| o.figure(&after) - o.figure(&before));
                verdict(rise > 0.0, format!("{name} rises by {rise:.3}, promised above 0"))
            }
            Claim::Seconds(most) => {
                let longest = outcomes.iter().map(|o| o.wall_secs.min(o.cpu_secs));
                let longest = longest.fold(0.0, f64::max);
                verdict(longest <= most, format!("{longest:.0} s, promised at most {most:.0}"))
            }
        })
    }
}

fn verdict(holds: bool, text: String) -> Verdict {
    Verdict { holds, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(after: f64, clip: f64) -> Outcome {
        Outcome {
            before: vec![0.1, 0.2, 0.3, 0.2],
            after: vec![after; 4],
            wall_secs: 100.0,
            cpu_secs: 80.0,
            figures: [("clip_share".to_owned(), clip)].into(),
            ..Outcome::default()
        }
    }

    fn holds(claim: Claim, outcomes: &[Outcome]) -> bool {
        claim.check(outcomes).expect("it can be checked").holds
    }

    #[test]
    fn promises_are_held_by_every_seed() {
        let good = [outcome(0.9, 0.1), outcome(0.8, 0.2)];
        for claim in [
            Claim::Gain(0.6),
            Claim::Apart,
            Claim::Above("clip_share", 0.0),
            Claim::AtLeast("clip_share", 0.1),
            Claim::Seconds(80.0),
        ] {
            assert!(holds(claim, &good), "{claim:?}");
        }
        assert!(!holds(Claim::Gain(0.7), &good));
        assert!(!holds(Claim::Seconds(79.0), &good));
        assert!(!holds(Claim::Apart, &[outcome(0.9, 0.1), outcome(0.2, 0.1)]));
        assert!(!holds(Claim::Above("clip_share", 0.0), &[outcome(0.9, 0.1), outcome(0.9, 0.0)]));
    }

    #[test]
    fn a_figure_that_was_not_measured_holds_no_promise() {
        assert!(!holds(Claim::Above("value", 0.0), &[outcome(0.9, 0.1)]));
        assert!(!holds(Claim::Rises("clip_share"), &[outcome(0.9, 0.1)]));
    }
}
