//! Guards before a real connection: refusals, outages and the way back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stateset_connect::{
    Breaker, BreakerSettings, BreakerState, Clock, Guarded, Guards, RemotePolicy,
    RemotePolicySettings, Retry, RetrySettings,
};
use stateset_core::Policy;

use super::policy::request;
use super::stand_in::{Reply, StandIn, says, status};

/// Waits without waiting.
#[derive(Default)]
struct Waits(Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for Waits {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }

    async fn sleep(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}

fn guarded(server: &StandIn, clock: Arc<Waits>, breaker: Option<Arc<Breaker>>) -> impl Policy {
    let policy = RemotePolicy::new(RemotePolicySettings::new(&server.base, "m")).unwrap();
    let retry = Retry::new(RetrySettings { jitter: 0.0, max_retries: 2, ..Default::default() });
    let guards =
        Guards { retry: Some(Arc::new(retry)), breaker, clock, ..Guards::none(policy.who()) };
    Guarded::new(policy, guards)
}

#[tokio::test]
async fn a_busy_server_is_waited_for_as_long_as_it_asks() {
    let busy = Reply::Say(429, vec![("retry-after", "7".into())], String::new());
    let server = StandIn::with(vec![busy, status(503, ""), says("ok")]).await;
    let clock = Arc::new(Waits::default());
    let policy = guarded(&server, clock.clone(), None);
    assert_eq!(policy.generate(request("q")).await.unwrap().message.content, "ok");
    assert_eq!(*clock.0.lock().unwrap(), [7, 1].map(Duration::from_secs));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn attempts_end_and_wrong_requests_are_not_repeated() {
    let server = StandIn::with(vec![status(500, "ill")]).await;
    let policy = guarded(&server, Arc::default(), None);
    let error = policy.generate(request("q")).await.unwrap_err();
    assert!(error.to_string().contains("status 500 (ill)"), "{error}");
    assert_eq!(server.asked().len(), 3);
    let server = StandIn::with(vec![status(400, "wrong")]).await;
    let policy = guarded(&server, Arc::default(), None);
    assert!(policy.generate(request("q")).await.is_err());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_breaker_opens_and_finds_the_way_back() {
    let replies = vec![status(500, ""), status(500, ""), status(500, ""), says("back")];
    let server = StandIn::with(replies).await;
    let clock = Arc::new(Waits::default());
    let cool_down = Duration::from_secs(60);
    let breaker = Arc::new(Breaker::new(BreakerSettings { max_faults: 2, cool_down }));
    let policy = guarded(&server, clock.clone(), Some(breaker.clone()));
    assert!(policy.generate(request("q")).await.is_err());
    assert_eq!(server.asked().len(), 2, "it opened after the second fault");
    let error = policy.generate(request("q")).await.unwrap_err();
    assert!(error.to_string().contains("left alone for another"), "{error}");
    assert_eq!(server.asked().len(), 2, "nobody is asked while it is open");
    clock.sleep(cool_down).await;
    assert_eq!(breaker.state(clock.now()), BreakerState::HalfOpen);
    assert!(policy.generate(request("q")).await.is_err());
    assert_eq!(server.asked().len(), 3, "the trial failed, and it is open again");
    clock.sleep(cool_down).await;
    assert_eq!(policy.generate(request("q")).await.unwrap().message.content, "back");
    assert_eq!(breaker.state(clock.now()), BreakerState::Closed);
}
