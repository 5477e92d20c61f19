//! All samples of a group scored in one question, as RULER does.
//!
//! Samples with the same text are shown once. A call shows the attempts in an order drawn by the
//! group's stream; every second call reverses the order of the one before, so that a liking that grows
//! evenly from front to back cancels exactly in the mean of the two. A group whose scores are not
//! complete in every call is unscorable as a whole.
//!
//! Scores mean something inside their group only: use them with group-relative advantages.

use std::cmp::Ordering;

use async_trait::async_trait;
use stateset_algo::{Comparison, OrderTally};
use stateset_core::{
    Choice, GroupJudgement, GroupReward, RewardContext, RewardResult, Score, Stream, Trajectory,
};
use stateset_env::judging::{AskTally, Asker, GroupPrompt, GroupScore, Rubric};

use super::figures::{judging_figures, warning};
use super::samples::Samples;

/// Scores the samples of a group beside each other.
#[derive(Clone, Debug)]
pub struct RelativeJudging {
    /// Who is asked.
    pub asker: Asker,
    /// How.
    pub prompt: GroupPrompt,
    /// Calls that are averaged, at least 1; an even number exchanges places fairly.
    pub n_calls: usize,
}

/// [`RelativeJudging`] by the name of its scheme.
pub type Ruler = RelativeJudging;

impl RelativeJudging {
    /// Two calls, in opposite orders; what `rubric` names counts.
    pub fn by(asker: Asker, rubric: &Rubric) -> RelativeJudging {
        RelativeJudging { prompt: rubric.group_prompt(), ..RelativeJudging::new(asker) }
    }

    /// Two calls, in opposite orders, with the usual rubric.
    pub fn new(asker: Asker) -> RelativeJudging {
        RelativeJudging { asker, prompt: GroupPrompt::default(), n_calls: 2 }
    }

    /// Scores of each text, one list for each call.
    async fn scores(
        &self,
        samples: &Samples,
        stream: &mut Stream,
        tally: &mut AskTally,
    ) -> Result<Vec<Vec<GroupScore>>, String> {
        let mut order: Vec<usize> = (0..samples.texts.len()).collect();
        let mut calls = Vec::with_capacity(self.n_calls);
        for call in 0..self.n_calls.max(1) {
            if call % 2 == 0 {
                stream.shuffle(&mut order);
            } else {
                order.reverse();
            }
            let attempts: Vec<&str> = order.iter().map(|i| samples.texts[*i].as_str()).collect();
            let found = self.prompt.ask(&self.asker, &samples.context, &attempts, tally).await?;
            let mut placed: Vec<(usize, GroupScore)> = order.iter().copied().zip(found).collect();
            placed.sort_by_key(|(text, _)| *text);
            calls.push(placed.into_iter().map(|(_, score)| score).collect());
        }
        Ok(calls)
    }
}

#[async_trait]
impl GroupReward for RelativeJudging {
    fn name(&self) -> &str {
        "relative"
    }

    async fn judge_group(
        &self,
        group: &[&Trajectory],
        context: RewardContext<'_>,
        mut stream: Stream,
    ) -> GroupJudgement {
        let samples = Samples::new(group, context.scenario);
        let mut asked = AskTally::default();
        if group.is_empty() {
            return GroupJudgement::default();
        }
        let scores = self.scores(&samples, &mut stream, &mut asked).await;
        let orders = scores.as_deref().map(order_tally).unwrap_or_default();
        let result = |text: &usize| {
            RewardResult::single(match &scores {
                Ok(calls) => mean_of(calls, *text, &warning(&orders)),
                Err(why) => Score::unscorable(why),
            })
        };
        GroupJudgement {
            results: samples.of.iter().map(result).collect(),
            figures: judging_figures(&asked, &orders),
        }
    }
}

fn mean_of(calls: &[Vec<GroupScore>], text: usize, warning: &str) -> Score {
    let scores = || calls.iter().map(|call| &call[text]);
    let mean = scores().map(|score| score.score).sum::<f64>() / calls.len() as f64;
    let each: Vec<String> =
        scores().map(|s| format!("{:.2} {}", s.score, s.explanation).trim().to_owned()).collect();
    Score::with_evidence(mean, each.join("; ") + warning)
}

/// How often two consecutive calls put two attempts into different orders. Which place is favoured
/// cannot be told from scores, so only agreement is counted.
fn order_tally(calls: &[Vec<GroupScore>]) -> OrderTally {
    let mut tally = OrderTally::default();
    for pair in calls.chunks_exact(2) {
        for i in 0..pair[0].len() {
            for j in 0..i {
                let side = |call: &[GroupScore]| call[i].score.partial_cmp(&call[j].score);
                let (one, two) = (choice(side(&pair[0])), choice(side(&pair[1])));
                tally.add(&Comparison::from_choices(one, exchanged(two)));
            }
        }
    }
    tally
}

fn choice(side: Option<Ordering>) -> Choice {
    match side {
        Some(Ordering::Greater) => Choice::First,
        Some(Ordering::Less) => Choice::Second,
        Some(Ordering::Equal) | None => Choice::Neither,
    }
}

fn exchanged(choice: Choice) -> Choice {
    match choice {
        Choice::First => Choice::Second,
        Choice::Second => Choice::First,
        Choice::Neither => Choice::Neither,
    }
}
