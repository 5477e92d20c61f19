//! Each conversation scored by itself, from -1 to 1.
//!
//! Where the judge tells probabilities, the reward is the expected score; otherwise the score it gives.
//! Both are mapped from 1..S onto -1..1. Works as a reward of single conversations and as one of
//! groups, which keeps the task's own reward beside it and scores equal samples once.
//!
//! Source: direct RLAIF, arXiv 2309.00267, section 2.2.2.

use async_trait::async_trait;
use stateset_algo::{OrderTally, centred_score, expected_score};
use stateset_core::{
    GroupJudgement, GroupReward, Reward, RewardContext, RewardResult, Scenario, Score, Stream,
    Trajectory,
};
use stateset_env::judging::{AskTally, Asker, ScoreAnswer, ScorePrompt};

use super::figures::judging_figures;
use super::samples::Samples;

/// Scores conversations one by one.
#[derive(Clone, Debug)]
pub struct DirectJudging {
    /// Who is asked.
    pub asker: Asker,
    /// How.
    pub prompt: ScorePrompt,
}

impl DirectJudging {
    /// Scores from 1 to 10.
    pub fn new(asker: Asker) -> DirectJudging {
        DirectJudging { asker, prompt: ScorePrompt::default() }
    }

    /// What the judge is shown of `trajectory`: what is known of the scenario, and the conversation,
    /// quoted.
    pub fn shown(trajectory: &Trajectory, scenario: &Scenario) -> String {
        whole(&Samples::new(&[trajectory], scenario), 0)
    }

    async fn scored(&self, conversation: &str, tally: &mut AskTally) -> Score {
        let n = self.prompt.n_scores.max(2);
        let answer = self.prompt.ask(&self.asker, conversation, tally).await;
        let score = answer.and_then(|answer| match answer {
            ScoreAnswer::Logprobs(logprobs) => {
                expected_score(&logprobs).map_err(|error| error.to_string())
            }
            ScoreAnswer::Score(score) => Ok(score),
        });
        match score {
            Ok(score) => {
                Score::with_evidence(centred_score(score, n), format!("{score:.2} of {n}"))
            }
            Err(why) => Score::unscorable(why),
        }
    }
}

fn whole(samples: &Samples, text: usize) -> String {
    let parts = [samples.context.as_str(), samples.texts[text].as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

#[async_trait]
impl Reward for DirectJudging {
    fn name(&self) -> &str {
        "direct"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let mut tally = AskTally::default();
        let shown = DirectJudging::shown(trajectory, context.scenario);
        RewardResult::single(self.scored(&shown, &mut tally).await)
    }
}

#[async_trait]
impl GroupReward for DirectJudging {
    fn name(&self) -> &str {
        "direct"
    }

    async fn judge_group(
        &self,
        group: &[&Trajectory],
        context: RewardContext<'_>,
        _: Stream,
    ) -> GroupJudgement {
        let samples = Samples::new(group, context.scenario);
        let mut asked = AskTally::default();
        let mut scores = Vec::with_capacity(samples.texts.len());
        for text in 0..samples.texts.len() {
            scores.push(self.scored(&whole(&samples, text), &mut asked).await);
        }
        let result = |text: &usize| RewardResult::single(scores[*text].clone());
        GroupJudgement {
            results: samples.of.iter().map(result).collect(),
            figures: judging_figures(&asked, &OrderTally::default()),
        }
    }
}
