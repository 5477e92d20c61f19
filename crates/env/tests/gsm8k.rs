//! The extractor of numbers on real reference answers: in every one of GSM8K's it finds the number
//! after the mark, and the reward pays for the reference solution and not for another number.

use std::path::PathBuf;

use stateset_core::{ConversationTurn, Message, Scenario, Trajectory};
use stateset_env::prompts::Check;
use stateset_env::rewards::{ExactNumberReward, final_number};
use stateset_env::scenarios::prompts_from_bytes;

fn data(file: &str) -> Option<String> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("STATESET_TEST_DATA").map_or(default, PathBuf::from);
    std::fs::read_to_string(folder.join(file)).ok()
}

#[test]
fn every_reference_answer_is_found() {
    let Some(text) = data("gsm8k/train.jsonl") else {
        println!("SKIPPED: gsm8k/train.jsonl is not here");
        return;
    };
    let mut n = 0;
    for line in text.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let answer = entry["answer"].as_str().unwrap();
        let reference = answer.rsplit("####").next().unwrap().trim().replace(',', "");
        assert_eq!(final_number(answer), Some(reference.clone()), "{answer}");

        let scenario = Scenario { expected: Some(answer.to_owned()), ..Scenario::new("s") };
        let judged = |reply: &str| {
            let turns = [Message::user("?"), Message::assistant(reply)].map(ConversationTurn::new);
            let trajectory = Trajectory { turns: turns.into(), ..Trajectory::default() };
            ExactNumberReward.judge(&trajectory, &scenario).value()
        };
        assert_eq!(judged(answer), Some(1.0));
        assert_eq!(judged(&format!("The answer is {reference}.")), Some(1.0));
        assert_eq!(judged(&format!("The answer is {reference}1.")), Some(0.0));
        n += 1;
    }
    assert_eq!(n, 7_473);
}

#[test]
fn the_file_is_a_prompt_file_whose_answers_are_checked_as_numbers() {
    let Some(text) = data("gsm8k/train.jsonl") else {
        println!("SKIPPED: gsm8k/train.jsonl is not here");
        return;
    };
    let scenarios = prompts_from_bytes(text.as_bytes(), "train.jsonl").unwrap();
    assert_eq!(scenarios.len(), 7_473);
    for scenario in &scenarios {
        let check = Check::of(scenario).unwrap().unwrap();
        assert!(matches!(check, Check::Number(_)), "{scenario:?}");
        let solution = scenario.expected.as_deref().unwrap();
        let number = final_number(solution).unwrap();
        assert!(check.judge(solution).is_right, "{solution}");
        assert!(check.judge(&format!("So that makes {number} in all.")).is_right, "{number}");
        assert!(check.judge(&format!("\\boxed{{{}}}", separated(&number))).is_right, "{number}");
        assert!(!check.judge(&format!("{number} or 3{number}")).is_right, "{number}");
        assert!(!check.judge("I do not know.").is_right);
    }
}

/// A whole number with separators of thousands.
fn separated(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(w, p)| (w, Some(p)));
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(c);
    }
    match part {
        Some(part) => format!("{sign}{out}.{part}"),
        None => format!("{sign}{out}"),
    }
}
