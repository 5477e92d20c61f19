//! Judges whose word is trained on.

use stateset_train::config::{Format, JudgeKind, JudgeSettings, Rubric};

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
fn what_does_not_go_together_is_said() {
    let refused = [
        ("algorithm = 'rlaif'", "rlaif without a judge"),
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
