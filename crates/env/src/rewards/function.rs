//! Closures as rewards.
//!
//! [`reward_fn`] takes one that answers at once, [`async_reward_fn`] one that waits for somebody. Both
//! may return a plain number, a `Result` whose error becomes the reason why there is no score, or a
//! [`Score`] with evidence. A number that is not finite is no score. The closure gets the context beside
//! the conversation, because a reward without its scenario can only judge manners.
//!
//! The asynchronous one returns a boxed future: the bound that a closure's own future may cross threads
//! cannot be written down otherwise.

use std::future::Future;
use std::pin::Pin;

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

/// What an asynchronous closure returns.
pub type ScoreFuture<'a, S> = Pin<Box<dyn Future<Output = S> + Send + 'a>>;

/// A closure that answers at once, as a reward.
struct Prompt<F> {
    name: String,
    judge: F,
}

/// A closure that has to wait, as a reward.
struct Waiting<F> {
    name: String,
    judge: F,
}

/// A reward called `name` that judges by `judge`.
///
/// # Example
/// ```
/// use stateset_core::Trajectory;
/// use stateset_env::rewards::{CompositeReward, SafetyReward, WeightedReward, reward_fn};
///
/// let asks = reward_fn("asks", |trajectory: &Trajectory, _| {
///     let n = trajectory.assistant_texts().filter(|text| text.contains('?')).count();
///     (n as f64 / 2.0).min(1.0)
/// });
/// let reward =
///     CompositeReward::new([WeightedReward::new(0.8, asks), SafetyReward::weighted(0.2)])?;
/// assert_eq!(reward.weights().count(), 2);
/// # Ok::<(), stateset_env::EnvError>(())
/// ```
pub fn reward_fn<F, S>(name: impl Into<String>, judge: F) -> impl Reward + 'static
where
    F: Fn(&Trajectory, RewardContext<'_>) -> S + Send + Sync + 'static,
    S: Into<Score> + 'static,
{
    Prompt { name: name.into(), judge }
}

/// A reward called `name` that judges by `judge` and waits for its answer.
///
/// # Example
/// ```
/// use stateset_core::{RewardContext, Trajectory};
/// use stateset_env::rewards::async_reward_fn;
///
/// async fn asked_elsewhere(text: &str) -> Result<f64, String> {
///     if text.is_empty() { Err("nothing was said".to_owned()) } else { Ok(0.5) }
/// }
///
/// let reward = async_reward_fn("elsewhere", |trajectory: &Trajectory, _: RewardContext<'_>| {
///     let text = trajectory.assistant_texts().last().unwrap_or_default().to_owned();
///     Box::pin(async move { asked_elsewhere(&text).await })
/// });
/// # use stateset_core::Reward;
/// assert_eq!(reward.name(), "elsewhere");
/// ```
pub fn async_reward_fn<F, S>(name: impl Into<String>, judge: F) -> impl Reward + 'static
where
    F: for<'a> Fn(&'a Trajectory, RewardContext<'a>) -> ScoreFuture<'a, S>,
    F: Send + Sync + 'static,
    S: Into<Score> + 'static,
{
    Waiting { name: name.into(), judge }
}

#[async_trait]
impl<F, S> Reward for Prompt<F>
where
    F: Fn(&Trajectory, RewardContext<'_>) -> S + Send + Sync,
    S: Into<Score>,
{
    fn name(&self) -> &str {
        &self.name
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(checked((self.judge)(trajectory, context).into()))
    }
}

#[async_trait]
impl<F, S> Reward for Waiting<F>
where
    F: for<'a> Fn(&'a Trajectory, RewardContext<'a>) -> ScoreFuture<'a, S>,
    F: Send + Sync,
    S: Into<Score>,
{
    fn name(&self) -> &str {
        &self.name
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(checked((self.judge)(trajectory, context).await.into()))
    }
}

/// A score that was put together by hand may hold anything.
fn checked(score: Score) -> Score {
    match score {
        Score::Scored { value, evidence } => Score::with_evidence(value, evidence),
        unscorable => unscorable,
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::chat;
    use super::*;
    use stateset_core::Scenario;

    async fn judged(reward: impl Reward) -> Score {
        let scenario = Scenario { expected: Some("yes".to_owned()), ..Scenario::new("s") };
        let trajectory = chat(&["Is it?", "yes"]);
        reward.score(&trajectory, RewardContext { scenario: &scenario }).await.total
    }

    #[tokio::test]
    async fn closures_may_return_numbers_results_and_scores() {
        let number = reward_fn("number", |t: &Trajectory, _| t.turns.len() as f64);
        assert_eq!(judged(number).await, Score::of(2.0));
        let equal = reward_fn("equal", |t: &Trajectory, context: RewardContext<'_>| {
            let expected = context.scenario.expected.as_deref().ok_or("nothing is expected")?;
            Ok::<f64, &str>(f64::from(u8::from(t.assistant_texts().last() == Some(expected))))
        });
        assert_eq!(judged(equal).await, Score::of(1.0));
        let failing = reward_fn("failing", |_: &Trajectory, _| Err::<f64, _>("no line"));
        assert_eq!(judged(failing).await, Score::unscorable("no line"));
        let odd = reward_fn("odd", |_: &Trajectory, _| Score::Scored {
            value: f64::NAN,
            evidence: String::new(),
        });
        assert_eq!(judged(odd).await.value(), None);
    }

    #[tokio::test]
    async fn closures_may_wait() {
        let waits = async_reward_fn("waits", |t: &Trajectory, context: RewardContext<'_>| {
            let expected = context.scenario.expected.clone();
            let said = t.assistant_texts().last().map(str::to_owned);
            Box::pin(async move {
                tokio::task::yield_now().await;
                f64::from(u8::from(said == expected))
            })
        });
        assert_eq!(waits.name(), "waits");
        assert_eq!(judged(waits).await, Score::of(1.0));
    }
}
