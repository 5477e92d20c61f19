//! A judge behind a server whose answers are kept and paid for.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use stateset_connect::{Budget, CachedJudge, Ledger, Prices, RemotePolicy, RemotePolicySettings};
use stateset_core::{Judge, JudgeRequest, Policy, PolicyError, Verdict};

use super::policy::request;
use super::stand_in::{StandIn, says, status};

/// The judge that a policy is.
struct Asks(RemotePolicy);

#[async_trait]
impl Judge for Asks {
    async fn judge(&self, asked: JudgeRequest) -> Result<Verdict, PolicyError> {
        let completion = self.0.generate(request(&asked.question)).await?;
        Ok(Verdict { text: completion.message.content, option_logprobs: None })
    }
}

const PRICES: &str = "[models.m]\ninput_per_million = 1000\noutput_per_million = 2000";

/// An answer costs 0.02 (10 tokens in, 5 out).
fn judge(server: &StandIn, folder: &Path, max_money: f64) -> CachedJudge<Asks> {
    let budget = Budget { max_money: Some(max_money), max_tokens: None };
    let prices = Prices::parse(PRICES, false).unwrap();
    let ledger = Arc::new(Ledger::open(prices, budget, &folder.join("ledger.json")).unwrap());
    let policy = RemotePolicy::new(RemotePolicySettings::new(&server.base, "m")).unwrap();
    let policy = policy.charged_to(ledger).unwrap();
    CachedJudge::new(Asks(policy), "m", &folder.join("kept")).unwrap()
}

fn question(text: &str) -> JudgeRequest {
    JudgeRequest { instructions: String::new(), question: text.into(), options: Vec::new() }
}

#[tokio::test]
async fn the_budget_ends_the_spending_and_kept_answers_cost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = StandIn::with(vec![says("1"), says("2"), says("3")]).await;
    let first = judge(&server, folder.path(), 0.04);
    assert_eq!(first.judge(question("a")).await.unwrap().text, "1");
    // Another program goes on.
    let later = judge(&server, folder.path(), 0.04);
    assert_eq!(later.judge(question("a")).await.unwrap().text, "1", "after a restart");
    assert_eq!(later.judge(question("b")).await.unwrap().text, "2");
    let error = later.judge(question("c")).await.unwrap_err();
    assert!(matches!(&error, PolicyError::Refused { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("the budget is spent: 0.04 of 0.04 USD"), "{said}");
    assert_eq!(later.judge(question("b")).await.unwrap().text, "2", "what is kept is still there");
    assert_eq!(server.asked().len(), 2);
    let more = judge(&server, folder.path(), 0.05);
    assert_eq!(more.judge(question("c")).await.unwrap().text, "3");
}

#[tokio::test]
async fn tokens_that_are_not_counted_are_estimated() {
    let text = r#"{"choices": [{"message": {"content": "123456789"}}]}"#;
    let server = StandIn::with(vec![status(200, text)]).await;
    let ledger = Arc::new(Ledger::new(Prices::default(), Budget::default()));
    let policy = RemotePolicy::new(RemotePolicySettings::new(&server.base, "m")).unwrap();
    let policy = policy.charged_to(ledger.clone()).unwrap();
    policy.generate(request("hi")).await.unwrap();
    let account = ledger.accounts()["m"];
    // [{"role":"user","content":"hi"}] has 32 bytes.
    assert_eq!((account.n_estimated, account.input_tokens, account.output_tokens), (1, 11, 3));
}

#[tokio::test]
async fn failures_cost_nothing() {
    let server = StandIn::with(vec![status(500, "")]).await;
    let ledger = Arc::new(Ledger::new(Prices::default(), Budget::default()));
    let policy = RemotePolicy::new(RemotePolicySettings::new(&server.base, "m")).unwrap();
    let policy = policy.charged_to(ledger.clone()).unwrap();
    assert!(policy.generate(request("hi")).await.is_err());
    assert!(ledger.accounts().is_empty());
}
