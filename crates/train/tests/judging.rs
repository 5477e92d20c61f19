//! Rewards made of judges' answers.
//!
//! 1. A preference for a place changes no reward.
//! 2. What cannot be read is counted, asked again, and in the end unscorable.
//! 3. Equal samples have equal rewards, and nobody is asked to compare them.
//! 4. A judge that changes its mind with the order is reported.
//! 5. The same group and stream give the same questions.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stateset_algo::Strengths;
use stateset_core::{
    ConversationTurn, GroupJudgement, GroupReward, Judge, JudgeRequest, Message, PolicyError,
    Purpose, Reward, RewardContext, RunSeed, Scenario, Score, StreamKey, Trajectory, Verdict,
};
use stateset_env::judging::{Asker, ScorePrompt};
use stateset_train::{
    DirectJudging, ORDER_DISAGREEMENT, PairReward, PairwiseJudging, RelativeJudging,
};

/// A judge that is a function of the question. Candidates are numbers, their quality.
struct Rule {
    answers: Box<dyn Fn(&JudgeRequest) -> Verdict + Send + Sync>,
    asked: Mutex<Vec<JudgeRequest>>,
}

#[async_trait]
impl Judge for Rule {
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
        let verdict = (self.answers)(&request);
        self.asked.lock().expect("no test panicked").push(request);
        Ok(verdict)
    }
}

fn rule(answers: impl Fn(&JudgeRequest) -> Verdict + Send + Sync + 'static) -> Arc<Rule> {
    Arc::new(Rule { answers: Box::new(answers), asked: Mutex::default() })
}

/// What the agents of the question said, in order.
fn qualities(request: &JudgeRequest) -> Vec<f64> {
    let lines = request.question.lines().filter_map(|line| line.strip_prefix("> Agent: "));
    lines.map(|quality| quality.parse().expect("a number")).collect()
}

fn said(text: impl Into<String>) -> Verdict {
    Verdict { text: text.into(), option_logprobs: None }
}

/// Prefers what is better, and whatever stands first by `bias`.
fn probable(bias: f64) -> Arc<Rule> {
    rule(move |request| {
        let found = qualities(request);
        Verdict { option_logprobs: Some(vec![found[0] + bias, found[1]]), ..said("") }
    })
}

fn sample(quality: impl ToString) -> Trajectory {
    let said = [Message::user("Hi."), Message::assistant(quality.to_string())];
    let turns = said.into_iter().map(ConversationTurn::new).collect();
    Trajectory { turns, ..Trajectory::default() }
}

async fn judged<T: ToString>(reward: &dyn GroupReward, qualities: &[T]) -> GroupJudgement {
    let group: Vec<Trajectory> =
        qualities.iter().map(|quality| sample(quality.to_string())).collect();
    let group: Vec<&Trajectory> = group.iter().collect();
    let stream = RunSeed(5).stream(Purpose::Reward, StreamKey::default());
    let scenario = Scenario::new("s");
    reward.judge_group(&group, RewardContext { scenario: &scenario }, stream).await
}

fn rewards(judgement: &GroupJudgement) -> Vec<f64> {
    judgement.results.iter().map(|result| result.total.value().expect("a score")).collect()
}

fn reasons(judgement: &GroupJudgement) -> Vec<Option<&str>> {
    judgement
        .results
        .iter()
        .map(|result| match &result.total {
            Score::Unscorable { why } => Some(why.as_str()),
            Score::Scored { .. } => None,
        })
        .collect()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-9, "{found:?} {expected:?}");
    }
}

#[tokio::test]
async fn win_rates_are_those_of_a_plain_loop() {
    let qualities = [0.0, 1.5, -2.0, 0.25];
    let judge = probable(0.0);
    let judgement = judged(&PairwiseJudging::new(Asker::new(judge.clone())), &qualities).await;
    let beats = |a: f64, b: f64| 1.0 / (1.0 + (b - a).exp());
    let rate = |i: usize| {
        let others = (0..4).filter(|j| *j != i);
        others.map(|j| beats(qualities[i], qualities[j])).sum::<f64>() / 3.0
    };
    close(&rewards(&judgement), &[rate(0), rate(1), rate(2), rate(3)]);
    assert_eq!(judge.asked.lock().unwrap().len(), 12);
    assert_eq!(judgement.figures["judge/asked"], 12.0);
    assert_eq!(judgement.figures[ORDER_DISAGREEMENT], 0.0);
    // The strengths of a judge that follows the model are the qualities, centred.
    let strengths = PairwiseJudging {
        reward: PairReward::Strength(Strengths { prior: 0.0, ..Strengths::default() }),
        ..PairwiseJudging::new(Asker::new(judge))
    };
    let mean = qualities.iter().sum::<f64>() / 4.0;
    let found = rewards(&judged(&strengths, &qualities).await);
    assert!(found.iter().zip(qualities).all(|(f, q)| (f - (q - mean)).abs() < 1e-6), "{found:?}");
}

#[tokio::test]
async fn a_preference_for_a_place_moves_nobody() {
    let qualities = [1.0, 2.0, 3.0];
    for bias in [-5.0, 5.0] {
        let reward = PairwiseJudging::new(Asker::new(probable(bias)));
        let judgement = judged(&reward, &qualities).await;
        let found = rewards(&judgement);
        assert!(found[0] < found[1] && found[1] < found[2], "{found:?}");
        assert!((found[0] + found[2] - 1.0).abs() < 1e-9 && (found[1] - 0.5).abs() < 1e-9);
        // It is a poor judge all the same, and that is said.
        assert_eq!(judgement.figures[ORDER_DISAGREEMENT], 1.0);
        let first = judgement.figures["judge/first_place"];
        assert!((first > 0.9) == (bias > 0.0), "{first}");
        let Score::Scored { evidence, .. } = &judgement.results[0].total else { panic!() };
        assert!(
            evidence.ends_with("the judge changed its mind in 3 of 3 comparisons"),
            "{evidence}"
        );
    }
    // Verdicts without probabilities: nobody wins where the place decides.
    let first = PairwiseJudging::new(Asker::new(rule(|_| said("1"))));
    close(&rewards(&judged(&first, &qualities).await), &[0.5, 0.5, 0.5]);
    let better = rule(|request| {
        let found = qualities_of_pair(request);
        said(if found.0 > found.1 { "1" } else { "Answer: 2" })
    });
    let better = PairwiseJudging::new(Asker::new(better));
    close(&rewards(&judged(&better, &qualities).await), &[0.0, 0.5, 1.0]);
}

fn qualities_of_pair(request: &JudgeRequest) -> (f64, f64) {
    let found = qualities(request);
    (found[0], found[1])
}

#[tokio::test]
async fn babble_is_unscorable_and_counted() {
    // No word about the sample of quality 7; everything else is judged.
    let judge = rule(|request| {
        let (first, second) = qualities_of_pair(request);
        if first == 7.0 || second == 7.0 {
            return said("Both have their merits, I could not possibly choose between the two.");
        }
        said(if first > second { "1" } else { "2" })
    });
    let asker = Asker { judge: judge.clone(), max_retries: 1 };
    let judgement = judged(&PairwiseJudging::new(asker), &[1.0, 7.0, 2.0]).await;
    assert_eq!(judgement.results[0].total.value(), Some(0.0));
    assert_eq!(judgement.results[2].total.value(), Some(1.0));
    let reasons = reasons(&judgement);
    let why = reasons[1].unwrap();
    assert!(why.contains("asked 2 times") && why.contains("does not say 1 or 2"), "{why}");
    // Two comparisons are given up in their first order, after two attempts each.
    assert_eq!(judgement.figures["judge/unreadable"], 4.0);
    assert_eq!(judgement.figures["judge/given_up"], 2.0);
    assert_eq!(judgement.figures["judge/asked"], 6.0);
    let asked = judge.asked.lock().unwrap();
    let n_again = asked.iter().filter(|r| r.question.contains("could not be used: it does not"));
    assert_eq!(n_again.count(), 2);
}

#[tokio::test]
async fn nobody_is_asked_about_equals() {
    let judge = rule(|_| said("1"));
    let reward = PairwiseJudging::new(Asker::new(judge.clone()));
    close(&rewards(&judged(&reward, &[3, 3, 3]).await), &[0.5, 0.5, 0.5]);
    assert!(judge.asked.lock().unwrap().is_empty());
    let alone = judged(&reward, &[3]).await;
    assert_eq!(reasons(&alone), [Some("there is no other sample to compare with")]);
    assert_eq!(judged(&reward, &[0; 0]).await.results, []);
    // Two equal ones and a worse one: one pair of texts is asked about.
    let better = rule(|request| {
        let (first, second) = qualities_of_pair(request);
        said(if first > second { "1" } else { "2" })
    });
    let reward = PairwiseJudging::new(Asker::new(better.clone()));
    close(&rewards(&judged(&reward, &[3, 1, 3]).await), &[0.75, 0.0, 0.75]);
    assert_eq!(better.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn opponents_are_drawn() {
    let qualities: Vec<f64> = (0..12).map(f64::from).collect();
    let few =
        |judge| PairwiseJudging { opponents: Some(3), ..PairwiseJudging::new(Asker::new(judge)) };
    let (one, two) = (probable(0.0), probable(0.0));
    let judgement = judged(&few(one.clone()), &qualities).await;
    let n_asked = one.asked.lock().unwrap().len();
    // From 18 pairs, if all choices are mutual, to 36; in two orders each.
    assert!((36..=72).contains(&n_asked), "{n_asked}");
    let found = rewards(&judgement);
    assert!(found[0] < 0.4 && found[11] > 0.6, "{found:?}");
    assert_eq!(judged(&few(two.clone()), &qualities).await, judgement);
    let questions = |judge: &Rule| {
        let asked = judge.asked.lock().unwrap();
        let mut questions: Vec<String> = asked.iter().map(|r| r.question.clone()).collect();
        questions.sort();
        questions
    };
    assert_eq!(questions(&one), questions(&two));
}

/// Scores attempts by quality, plus `per_place` for each place from the front.
fn scorer(per_place: f64) -> Arc<Rule> {
    rule(move |request| {
        let entry = |(place, quality): (usize, f64)| {
            let score = quality + per_place * place as f64;
            format!("{{\"id\": {}, \"explanation\": \"ok\", \"score\": {score}}}", place + 1)
        };
        let entries: Vec<String> = qualities(request).into_iter().enumerate().map(entry).collect();
        said(format!("```json\n[{}]\n```", entries.join(", ")))
    })
}

#[tokio::test]
async fn groups_are_scored_in_two_orders() {
    let qualities = [0.5, 0.1, 0.3, 0.1];
    let judge = scorer(0.0);
    let judgement = judged(&RelativeJudging::new(Asker::new(judge.clone())), &qualities).await;
    close(&rewards(&judgement), &qualities);
    let asked = judge.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    let orders: Vec<Vec<f64>> = asked.iter().map(self::qualities).collect();
    assert_eq!(orders[0].len(), 3, "the equal samples are shown once");
    assert_eq!(orders[0], orders[1].iter().rev().copied().collect::<Vec<_>>());
    assert!(asked[0].question.starts_with("All attempts begin with this:\n> User: Hi.\n"));
    // What grows evenly with the place cancels.
    let biased = judged(&RelativeJudging::new(Asker::new(scorer(0.05))), &qualities).await;
    close(&rewards(&biased), &qualities.map(|quality| quality + 0.05));
    assert_eq!(biased.figures[ORDER_DISAGREEMENT], 0.0);
    let strong = judged(&RelativeJudging::new(Asker::new(scorer(0.25))), &qualities).await;
    assert!(strong.figures[ORDER_DISAGREEMENT] > 0.3, "{:?}", strong.figures);
    let Score::Scored { evidence, .. } = &strong.results[0].total else { panic!() };
    assert!(evidence.contains("; careful: "), "{evidence}");
}

#[tokio::test]
async fn equal_attempts_are_scored_as_one() {
    let judge = scorer(0.0);
    let judgement = judged(&RelativeJudging::new(Asker::new(judge.clone())), &[0.5, 0.5]).await;
    close(&rewards(&judgement), &[0.5, 0.5]);
    let asked = judge.asked.lock().unwrap();
    assert!(asked.iter().all(|request| qualities(request) == [0.5]));
}

#[tokio::test]
async fn too_few_scores_are_none() {
    let judge = rule(|_| said("[{\"id\": 1, \"score\": 0.9}]"));
    let asker = Asker { judge, max_retries: 2 };
    let judgement = judged(&RelativeJudging::new(asker), &[0.5, 0.1, 0.3]).await;
    for why in reasons(&judgement) {
        assert!(why.unwrap().contains("asked 3 times"), "{why:?}");
        assert!(why.unwrap().contains("the score of 2 is missing"), "{why:?}");
    }
    assert_eq!(judgement.figures["judge/unreadable"], 3.0);
    assert_eq!(judgement.figures["judge/given_up"], 1.0);
    assert!(!judgement.figures.contains_key(ORDER_DISAGREEMENT), "nothing was compared");
}

#[tokio::test]
async fn single_conversations_are_scored() {
    let judge = rule(|_| Verdict {
        option_logprobs: Some([0.05, 0.1, 0.2, 0.4, 0.25].map(f64::ln).to_vec()),
        ..said("4")
    });
    let prompt = ScorePrompt { n_scores: 5, ..ScorePrompt::default() };
    let reward = DirectJudging { prompt, ..DirectJudging::new(Asker::new(judge.clone())) };
    close(&rewards(&judged(&reward, &[1, 2, 1]).await), &[0.35, 0.35, 0.35]);
    assert_eq!(judge.asked.lock().unwrap().len(), 2);
    let scenario = Scenario::new("s");
    let context = RewardContext { scenario: &scenario };
    let result = reward.score(&sample(1), context).await;
    assert!((result.total.value().unwrap() - 0.35).abs() < 1e-12);
    let asked = judge.asked.lock().unwrap()[2].question.clone();
    assert!(asked.starts_with("The conversation:\n> User: Hi.\n> Agent: 1\n\nHow well"), "{asked}");

    let words = DirectJudging::new(Asker::new(rule(|_| said("Score: 10/10"))));
    assert_eq!(rewards(&judged(&words, &[1]).await), [1.0]);
    let babble = DirectJudging::new(Asker::new(rule(|_| said("It is fine."))));
    assert!(reasons(&judged(&babble, &[1]).await)[0].unwrap().contains("it holds no number"));
}
