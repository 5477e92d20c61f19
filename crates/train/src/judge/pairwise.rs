//! Samples of a group compared two by two: the share of wins, or Bradley-Terry strengths, as reward.
//!
//! Each pair is asked about in both orders and averaged ([`stateset_algo::Comparison`]). All pairs of a
//! group of G are G(G-1)/2; with `opponents` set, each sample meets that many others, drawn by the
//! group's stream. Samples with the same text are ties without anybody being asked. A comparison that
//! got no answer is left out, and a sample without any is unscorable.
//!
//! Source: RLAIF, arXiv 2309.00267, section 2.1.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_algo::{Comparison, OrderTally, Strengths, Wins};
use stateset_core::{
    Choice, GroupJudgement, GroupReward, RewardContext, RewardResult, Score, Stream, Trajectory,
};
use stateset_env::judging::{AskTally, Asker, PairAnswer, PairPrompt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::figures::{judging_figures, warning};
use super::samples::Samples;

/// What wins become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PairReward {
    /// The share of wins, from 0 to 1.
    WinRate,
    /// Log-strengths of mean 0.
    Strength(Strengths),
}

/// Compares the samples of a group two by two.
#[derive(Clone, Debug)]
pub struct PairwiseJudging {
    /// Who is asked.
    pub asker: Asker,
    /// How.
    pub prompt: PairPrompt,
    /// Others that each sample is compared with, at least 1; all where `None`. Three or more are
    /// advised.
    pub opponents: Option<usize>,
    /// What wins become.
    pub reward: PairReward,
    /// Comparisons under way at the same time, for judges that answer many at once.
    pub concurrency: usize,
}

impl PairwiseJudging {
    /// All pairs, and the share of wins as reward.
    pub fn new(asker: Asker) -> PairwiseJudging {
        PairwiseJudging {
            asker,
            prompt: PairPrompt::default(),
            opponents: None,
            reward: PairReward::WinRate,
            concurrency: 8,
        }
    }

    fn pairs(&self, n: usize, stream: &mut Stream) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        for i in 0..n {
            let mut others: Vec<usize> = (0..n).filter(|j| *j != i).collect();
            if let Some(k) = self.opponents {
                stream.shuffle(&mut others);
                others.truncate(k.max(1));
            }
            pairs.extend(others.into_iter().map(|j| (i.min(j), i.max(j))));
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// The comparisons in the order of `pairs`.
    async fn compared(&self, samples: &Samples, pairs: &[(usize, usize)]) -> Vec<Compared> {
        let places = Arc::new(Semaphore::new(self.concurrency.max(1)));
        let shared = Arc::new((self.asker.clone(), self.prompt.clone(), samples.clone()));
        let mut tasks = JoinSet::new();
        for (index, (i, j)) in pairs.iter().copied().enumerate() {
            let (places, shared) = (places.clone(), shared.clone());
            tasks.spawn(async move {
                // The semaphore is never closed; without a place the answer would still be right.
                let _place = places.acquire().await;
                let (asker, prompt, samples) = shared.as_ref();
                let texts = [samples.texts[i].as_str(), samples.texts[j].as_str()];
                let mut tally = AskTally::default();
                let answer = compare(asker, prompt, &samples.context, texts, &mut tally).await;
                (index, Compared { answer, tally })
            });
        }
        let lost = || Compared {
            answer: Err("the judge panicked".to_owned()),
            tally: AskTally { n_given_up: 1, ..AskTally::default() },
        };
        let mut compared: Vec<Compared> = pairs.iter().map(|_| lost()).collect();
        while let Some(done) = tasks.join_next().await {
            if let Ok((index, result)) = done {
                compared[index] = result;
            }
        }
        compared
    }

    fn rewards(&self, wins: &Wins) -> Result<Vec<Option<f64>>, String> {
        match &self.reward {
            PairReward::WinRate => Ok(wins.rates()),
            PairReward::Strength(fit) => fit.strengths(wins).map_err(|error| error.to_string()),
        }
    }
}

struct Compared {
    answer: Result<Comparison, String>,
    tally: AskTally,
}

/// Asks in both orders which of two texts is better. The probability is that of the first.
///
/// # Errors
/// Why there is no answer to one of the two.
pub async fn compare(
    asker: &Asker,
    prompt: &PairPrompt,
    context: &str,
    [a, b]: [&str; 2],
    tally: &mut AskTally,
) -> Result<Comparison, String> {
    let a_in_front = prompt.ask(asker, context, [a, b], tally).await?;
    let b_in_front = prompt.ask(asker, context, [b, a], tally).await?;
    match (a_in_front, b_in_front) {
        (PairAnswer::Logprobs(front), PairAnswer::Logprobs(behind)) => {
            Comparison::from_logprobs(front, behind).map_err(|error| error.to_string())
        }
        (front, behind) => Ok(Comparison::from_choices(choice(front), choice(behind))),
    }
}

fn choice(answer: PairAnswer) -> Choice {
    match answer {
        PairAnswer::Choice(choice) => choice,
        PairAnswer::Logprobs([first, second]) if first > second => Choice::First,
        PairAnswer::Logprobs([first, second]) if first < second => Choice::Second,
        PairAnswer::Logprobs(_) => Choice::Neither,
    }
}

/// Wins between samples, from comparisons of their texts.
fn wins(
    samples: &Samples,
    pairs: &[(usize, usize)],
    compared: &[Compared],
) -> Result<Wins, String> {
    let n = samples.of.len();
    let mut wins = Wins::new(n);
    for a in 0..n {
        for b in a + 1..n {
            let (i, j) = (samples.of[a], samples.of[b]);
            let found = pairs.binary_search(&(i.min(j), i.max(j))).ok();
            let probability = match found.map(|index| &compared[index].answer) {
                _ if i == j => Comparison::of_equals().probability,
                Some(Ok(comparison)) if i < j => comparison.probability,
                Some(Ok(comparison)) => 1.0 - comparison.probability,
                Some(Err(_)) | None => continue,
            };
            wins.add(a, b, probability).map_err(|error| error.to_string())?;
        }
    }
    Ok(wins)
}

#[async_trait]
impl GroupReward for PairwiseJudging {
    fn name(&self) -> &str {
        "pairwise"
    }

    async fn judge_group(
        &self,
        group: &[&Trajectory],
        context: RewardContext<'_>,
        mut stream: Stream,
    ) -> GroupJudgement {
        let samples = Samples::new(group, context.scenario);
        let pairs = self.pairs(samples.texts.len(), &mut stream);
        let compared = self.compared(&samples, &pairs).await;
        let (mut asked, mut orders) = (AskTally::default(), OrderTally::default());
        let mut missing = String::new();
        for compared in &compared {
            asked.add(&compared.tally);
            match &compared.answer {
                Ok(comparison) => orders.add(comparison),
                Err(why) => missing.clone_from(why),
            }
        }
        let wins = wins(&samples, &pairs, &compared);
        let rewards = wins.as_ref().map_err(String::clone).and_then(|wins| self.rewards(wins));
        let n = group.len();
        let result = |sample: usize| match (&wins, &rewards) {
            (Ok(wins), Ok(rewards)) => {
                let Some(reward) = rewards[sample] else {
                    let alone = "there is no other sample to compare with";
                    return Score::unscorable(if n < 2 { alone } else { &missing });
                };
                let met = |j: &usize| *j != sample && wins.n_compared(sample, *j) > 0.0;
                let n_met = (0..n).filter(met).count();
                let rate = wins.rates()[sample].unwrap_or(f64::NAN);
                let share = format!("wins {rate:.2} of its comparisons with {n_met} others");
                Score::with_evidence(reward, share + &warning(&orders))
            }
            (Err(why), _) | (_, Err(why)) => Score::unscorable(why),
        };
        GroupJudgement {
            results: (0..n).map(|sample| RewardResult::single(result(sample))).collect(),
            figures: judging_figures(&asked, &orders),
        }
    }
}
