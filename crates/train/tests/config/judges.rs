//! Judges whose word is trained on.

use stateset_train::config::{Format, JudgeKind, JudgeSettings, RemoteJudgeSettings, Rubric};

use crate::common::{problems, resolved, warnings, with_file};

fn judge(text: &str) -> Option<JudgeSettings> {
    resolved(&with_file(Format::Toml, text)).config.reward.judge
}

#[test]
fn a_model_makes_a_judge() {
    assert_eq!(judge(""), None);
    let usual = judge("algorithm = 'rlaif'\nreward.judge_model = 'builtin:tiny'").expect("a judge");
    let pairwise = JudgeKind::Pairwise {
        opponents: None,
        fits_strengths: false,
        asks_reasons: false,
        is_short: false,
    };
    assert_eq!(
        usual,
        JudgeSettings {
            model: "builtin:tiny".into(),
            remote: None,
            kind: pairwise,
            rubric: None,
            n_retries: 2,
            context_tokens: 4096,
        }
    );
    let all = "reward = { judge_model = 'a', judge_opponents = 3, judge_wins = 'strength', \
               judge_reasons = true, judge_prompt = 'short', judge_rubric = 'Be kind.' }";
    let found = judge(all).expect("a judge");
    let pairwise = JudgeKind::Pairwise {
        opponents: Some(3),
        fits_strengths: true,
        asks_reasons: true,
        is_short: true,
    };
    assert_eq!((found.kind, found.rubric), (pairwise, Some(Rubric::Text("Be kind.".into()))));
}

#[test]
fn other_ways_to_ask_have_names_of_their_own() {
    let kind =
        |more: &str| judge(&format!("reward = {{ judge_model = 'a', {more} }}")).map(|j| j.kind);
    let score = kind("judge_kind = 'direct', judge_max_score = 5");
    assert_eq!(score, Some(JudgeKind::Score { max_score: 5 }));
    let relative = kind("judge_kind = 'ruler', judge_calls = 4");
    assert_eq!(relative, Some(JudgeKind::Relative { n_calls: 4 }));
    let file = judge("reward = { judge_model = 'a', judge_rubric_file = 'b' }").expect("a judge");
    assert_eq!(file.rubric, Some(Rubric::File("b".into())));
}

#[test]
fn a_server_has_a_judge_with_limits() {
    let found = judge(
        "reward = { judge_model = 'm', judge_url = 'https://api.example/v1', judge_api_key_env = 'KEY', \
         judge_requests_per_minute = 30, judge_cache = 'kept', judge_prices = 'p.toml', \
         judge_budget = 2.5, judge_budget_tokens = 1000, judge_ledger = 'l.json' }",
    )
    .expect("a judge");
    assert_eq!(
        found.remote,
        Some(RemoteJudgeSettings {
            url: "https://api.example/v1".into(),
            api_key_env: Some("KEY".into()),
            timeout_secs: 120.0,
            max_attempts: 5,
            max_running: 16,
            requests_per_minute: Some(30.0),
            cache: Some("kept".into()),
            ledger: Some("l.json".into()),
            prices: Some("p.toml".into()),
            budget: Some(2.5),
            budget_tokens: Some(1000),
        })
    );
    let usual = judge("reward.judge_model = 'm'").expect("a judge");
    assert_eq!((usual.remote, usual.context_tokens), (None, 4096));
}

#[test]
fn a_reward_can_ask_the_judge_instead() {
    let asked = |spec: &str| {
        let text = format!("reward = {{ judge_model = 'm', spec = '{spec}' }}");
        let judge = judge(&text).expect("a judge");
        (judge.kind, judge.rubric)
    };
    assert_eq!(asked("judge:sales"), (JudgeKind::AsReward, None));
    assert_eq!(asked("judge:sales=0.7,safety=0.3"), (JudgeKind::AsReward, None));
    let named = Some(Rubric::Named("sales".into()));
    assert_eq!(asked("ruler:sales"), (JudgeKind::Relative { n_calls: 2 }, named));
    assert!(matches!(asked("safety").0, JudgeKind::Pairwise { .. }));
}

#[test]
fn what_does_not_go_together_is_said() {
    let refused = [
        ("algorithm = 'rlaif'", "rlaif without a judge"),
        ("reward.spec = 'judge:sales'", "a reward that asks a judge"),
        ("reward.weights = { 'judge:sales' = 1, safety = 1 }", "a reward that asks a judge"),
        (
            "reward = { judge_model = 'a', judge_rubric = 'b', judge_rubric_file = 'c' }",
            "2 sources",
        ),
        (
            "algorithm = 'reinforce'\nreward.judge_model = 'a'\n\
             training = { num_generations = 1, batch_size = 4 }",
            "1",
        ),
    ];
    for (text, found) in refused {
        let all = problems(&with_file(Format::Toml, text));
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        assert_eq!(all[0].found, found, "{text}");
    }
    let odd = [
        ("reward.judge_kind = 'score'", "reward.judge_kind: no effect without judge_model"),
        (
            "reward = { judge_model = 'a', judge_calls = 4 }",
            "reward.judge_calls: no effect on a judge that is asked by pairwise",
        ),
        (
            "reward = { judge_model = 'a', judge_cache = 'b' }",
            "reward.judge_cache: no effect without judge_url",
        ),
        (
            "reward = { judge_model = 'a', judge_url = 'http://h', judge_context_length = 512 }",
            "reward.judge_context_length: no effect on a judge at judge_url",
        ),
        (
            "reward = { judge_model = 'a', spec = 'judge:code', judge_kind = 'score' }",
            "reward.judge_kind: no effect where the reward is judge:RUBRIC",
        ),
        (
            "algorithm = 'ppo'\nreward.judge_model = 'a'",
            "reward.judge_kind and training.advantage: what is said of samples beside each other means \
             nothing across scenarios, which this advantage compares; score is judged alone",
        ),
        (
            "algorithm = 'orpo'\ntraining.pairs_file = 'a'\nreward.judge_model = 'b'",
            "reward.judge_model: no effect on a method that learns from pairs",
        ),
    ];
    for (text, warning) in odd {
        assert_eq!(warnings(text).join("; "), warning, "{text}");
    }
}
