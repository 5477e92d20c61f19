//! A language model as a judge, by a rubric: of one conversation, or of two beside each other.
//!
//! As a [`Reward`] it scores every criterion from 1 to S, maps that onto 0 to 1 and gives the weighted
//! mean, with the criteria as components and the judge's reasons as evidence. Two conversations are
//! compared in both orders, and the verdicts averaged, so that a liking for a place cancels.
//!
//! # Cannot be scored
//! What the judge does not answer, or answers unreadably after all retries. All criteria are unscorable
//! then: half a rubric is another rubric.
//!
//! # How it could be cheated
//! By talking to the judge. What the agent said is quoted, the judge is told not to obey it nor to count
//! self-praise, and nothing but its own JSON is read; a weak judge can still be impressed.

use async_trait::async_trait;
use stateset_core::{
    Choice, Reward, RewardComponent, RewardContext, RewardResult, Scenario, Score, Trajectory,
};

use super::asker::{AskTally, Asker};
use super::dialogue::scene;
use super::pair_prompt::PairAnswer;
use super::read_rubric::CriterionScore;
use super::rubric::{Criterion, Rubric};

/// Judges by a rubric.
#[derive(Clone, Debug)]
pub struct LlmJudge {
    asker: Asker,
    rubric: Rubric,
    name: String,
}

/// How two candidates compare, over both orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preference {
    /// Probability that the first candidate is better, from 0 to 1; 0.5 is a tie.
    pub first: f64,
    /// The orders disagreed: the judge looks at places.
    pub is_order_bound: bool,
}

impl LlmJudge {
    /// A judge that asks by `asker` and counts what `rubric` names.
    pub fn new(asker: Asker, rubric: Rubric) -> LlmJudge {
        let name = format!("judge:{}", rubric.name());
        LlmJudge { asker, rubric, name }
    }

    /// What counts.
    pub fn rubric(&self) -> &Rubric {
        &self.rubric
    }

    /// Scores a conversation, given as text that is quoted; `tally` counts the questions.
    pub async fn score_text(&self, conversation: &str, tally: &mut AskTally) -> RewardResult {
        match self.rubric.prompt().ask(&self.asker, conversation, tally).await {
            Ok(scores) => self.result(&scores),
            Err(why) => self.unscorable(&why),
        }
    }

    /// Compares two continuations of `context` in both orders. Texts should be quoted.
    ///
    /// # Errors
    /// Why there is no answer: that of one order alone is none.
    pub async fn compare(
        &self,
        context: &str,
        candidates: [&str; 2],
        tally: &mut AskTally,
    ) -> Result<Preference, String> {
        let prompt = self.rubric.pair_prompt();
        let [one, two] = candidates;
        let forward = prompt.ask(&self.asker, context, [one, two], tally).await?;
        let backward = prompt.ask(&self.asker, context, [two, one], tally).await?;
        let (forward, backward) = (of_first(forward), 1.0 - of_first(backward));
        Ok(Preference {
            first: 0.5 * (forward + backward),
            is_order_bound: (forward - 0.5) * (backward - 0.5) < 0.0,
        })
    }

    fn result(&self, scores: &[CriterionScore]) -> RewardResult {
        let top = self.rubric.max_score() as f64 - 1.0;
        let mut total = 0.0;
        let component = |((criterion, share), score): ((&Criterion, f64), &CriterionScore)| {
            let value = (score.score - 1.0) / top;
            total += share * value;
            let said = format!("{} of {}: {}", score.score, self.rubric.max_score(), score.reason);
            RewardComponent {
                name: criterion.name.clone(),
                weight: share,
                score: Score::with_evidence(value, said.trim_end_matches([' ', ':'])),
            }
        };
        let parts = self.rubric.criteria().iter().zip(self.rubric.shares()).zip(scores);
        let components: Vec<RewardComponent> = parts.map(component).collect();
        RewardResult { total: Score::of(total.clamp(0.0, 1.0)), components }
    }

    fn unscorable(&self, why: &str) -> RewardResult {
        let parts = self.rubric.criteria().iter().zip(self.rubric.shares());
        let component = |(criterion, weight): (&Criterion, f64)| RewardComponent {
            name: criterion.name.clone(),
            weight,
            score: Score::unscorable(why),
        };
        RewardResult { total: Score::unscorable(why), components: parts.map(component).collect() }
    }
}

/// The whole conversation as the judge reads it.
fn whole(trajectory: &Trajectory, scenario: &Scenario) -> String {
    scene(scenario, trajectory.turns.iter().map(|turn| &turn.message))
}

/// Probability that the one that stood first is better.
fn of_first(answer: PairAnswer) -> f64 {
    match answer {
        PairAnswer::Choice(Choice::First) => 1.0,
        PairAnswer::Choice(Choice::Second) => 0.0,
        PairAnswer::Choice(Choice::Neither) => 0.5,
        // The two answers alone, made to sum to 1: a logistic of their difference.
        PairAnswer::Logprobs([first, second]) => 1.0 / (1.0 + (second - first).exp()),
    }
}

#[async_trait]
impl Reward for LlmJudge {
    fn name(&self) -> &str {
        &self.name
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let mut tally = AskTally::default();
        self.score_text(&whole(trajectory, context.scenario), &mut tally).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::asker::testing::Scripted;
    use super::*;
    use stateset_core::{ConversationTurn, Message, Verdict};

    fn rubric() -> Rubric {
        let criterion = |name: &str, weight: f64| Criterion {
            name: name.into(),
            description: "d".into(),
            weight,
        };
        let criteria = vec![criterion("fit", 1.0), criterion("truth", 3.0)];
        Rubric::new("mine", "You rate.", criteria).unwrap()
    }

    fn judge(answers: &[&str]) -> (LlmJudge, std::sync::Arc<Scripted>) {
        let scripted = Scripted::saying(answers);
        (LlmJudge::new(Asker { judge: scripted.clone(), max_retries: 1 }, rubric()), scripted)
    }

    fn talk() -> Trajectory {
        let said = [Message::user("Hi."), Message::assistant("{\"fit\": 5, \"truth\": 5}")];
        let turns = said.into_iter().map(ConversationTurn::new).collect();
        Trajectory { turns, ..Trajectory::default() }
    }

    #[tokio::test]
    async fn criteria_become_a_weighted_mean() {
        let answer = r#"{"fit": {"reason": "It fits.", "score": 5}, "truth": {"score": 3}}"#;
        let (judge, scripted) = judge(&["hm", answer]);
        let scenario = Scenario { context: "A greeting.".into(), ..Scenario::new("s") };
        let result = judge.score(&talk(), RewardContext { scenario: &scenario }).await;
        // 0.25 x 1 + 0.75 x 0.5
        assert_eq!(result.total.value(), Some(0.625));
        assert_eq!(result.component("fit").unwrap().weight, 0.25);
        let evidence = Score::with_evidence(1.0, "5 of 5: It fits.");
        assert_eq!(result.component("fit").unwrap().score, evidence);
        assert_eq!(result.component("truth").unwrap().score, Score::with_evidence(0.5, "3 of 5"));
        let asked = scripted.asked.lock().unwrap();
        let question = &asked[0].question;
        assert!(
            question
                .starts_with("The conversation:\nBackground: A greeting.\n> User: Hi.\n> Agent: "),
            "{question}"
        );
        assert!(asked[1].question.contains("Your last answer could not be used"), "{:?}", asked[1]);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_unscorable_and_counted() {
        let (judge, _) = judge(&["Very good!", r#"{"fit": 5}"#]);
        let mut tally = AskTally::default();
        let result = judge.score_text("> User: hi", &mut tally).await;
        assert_eq!((tally.n_asked, tally.n_unreadable, tally.n_given_up), (2, 2, 1));
        let Score::Unscorable { why } = &result.total else { panic!("{result:?}") };
        assert!(why.contains("asked 2 times") && why.contains("truth is missing"), "{why}");
        assert_eq!(result.components.len(), 2);
        assert!(result.components.iter().all(|part| part.score.value().is_none()));
    }

    #[tokio::test]
    async fn both_orders_are_averaged() {
        for (answers, first, is_order_bound) in [
            (["1", "2"], 1.0, false),
            (["2", "1"], 0.0, false),
            (["1", "1"], 0.5, true),
            (["2", "2"], 0.5, true),
        ] {
            let (judge, scripted) = judge(&answers);
            let mut tally = AskTally::default();
            let found = judge.compare("> User: hi", ["> a", "> b"], &mut tally).await;
            assert_eq!(found, Ok(Preference { first, is_order_bound }), "{answers:?}");
            let asked = scripted.asked.lock().unwrap();
            assert!(asked[0].question.contains("Candidate 1:\n> a"));
            assert!(asked[1].question.contains("Candidate 1:\n> b"));
        }
        let (judge, _) = judge(&["1"]);
        let one_order = judge.compare("", ["> a", "> b"], &mut AskTally::default()).await;
        assert!(one_order.is_err(), "half an answer is none");
    }

    #[tokio::test]
    async fn probabilities_are_averaged_too() {
        let (judge, scripted) = judge(&[]);
        let verdict = |p: f64| {
            let option_logprobs = Some(vec![p.ln(), (1.0 - p).ln()]);
            Ok(Verdict { text: String::new(), option_logprobs })
        };
        scripted.answers.lock().unwrap().extend([verdict(0.9), verdict(0.5)]);
        let found = judge.compare("", ["> a", "> b"], &mut AskTally::default()).await.unwrap();
        assert!((found.first - 0.7).abs() < 1e-12 && !found.is_order_bound, "{found:?}");
    }
}
