//! Preference data as JSON lines, in the layouts that TRL documents.
//!
//! | line | what |
//! |---|---|
//! | `{"prompt": P, "chosen": A, "rejected": A}` | a pair; `margin` (0 or more) and `tools` may be added |
//! | `{"chosen": A, "rejected": A}` | a pair whose prompt is what both begin with |
//! | `{"prompt": P, "completion": A, "label": true}` | an answer judged by itself |
//!
//! P and A are lists of messages or texts. A text as prompt is a user's message, one as answer the
//! assistant's; where both answers are texts and there is no prompt, they are texts without a template.
//! Answers that repeat the prompt are read as what follows it.

use serde_json::{Map, Value};
use stateset_core::{Message, MessageRecord, Role, ToolSpec};

use super::dialogue::{Chat, Dialogue};
use crate::sft::tool;

/// Two answers to one prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct PairExample {
    /// The better one.
    pub chosen: Dialogue,
    /// The worse one.
    pub rejected: Dialogue,
    /// By how much it should win at least, for reward models; 0 where nothing is known.
    pub margin: f64,
}

/// An answer that is judged by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedExample {
    /// Prompt and answer.
    pub chat: Chat,
    /// It is a good one.
    pub desirable: bool,
}

/// Keys that data sets carry and nothing reads.
const IGNORED: [&str; 9] = [
    "id",
    "metadata",
    "source",
    "prompt_id",
    "messages",
    "score_chosen",
    "score_rejected",
    "chosen_score",
    "rejected_score",
];

/// Reads pairs from JSON lines; empty lines are skipped.
///
/// # Errors
/// Every bad line, with its number.
pub fn read_pairs(jsonl: &str) -> Result<Vec<PairExample>, Vec<String>> {
    read(jsonl, pair)
}

/// Reads answers judged by themselves from JSON lines; empty lines are skipped.
///
/// # Errors
/// Every bad line, with its number.
pub fn read_judged(jsonl: &str) -> Result<Vec<JudgedExample>, Vec<String>> {
    read(jsonl, judged)
}

fn read<T>(
    jsonl: &str,
    parse: impl Fn(&Map<String, Value>) -> Result<T, String>,
) -> Result<Vec<T>, Vec<String>> {
    let (mut examples, mut problems) = (Vec::new(), Vec::new());
    for (i, line) in jsonl.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let object = serde_json::from_str::<Map<String, Value>>(line);
        match object.map_err(|error| error.to_string()).and_then(|object| parse(&object)) {
            Ok(example) => examples.push(example),
            Err(problem) => problems.push(format!("line {}: {problem}", i + 1)),
        }
    }
    if examples.is_empty() && problems.is_empty() {
        problems.push("there is no line with data".to_owned());
    }
    if problems.is_empty() { Ok(examples) } else { Err(problems) }
}

fn pair(line: &Map<String, Value>) -> Result<PairExample, String> {
    known_keys(line, &["prompt", "chosen", "rejected", "margin", "tools"])?;
    let (chosen, rejected) = (needed(line, "chosen")?, needed(line, "rejected")?);
    if chosen == rejected {
        return Err("`chosen` equals `rejected`, so there is nothing to prefer".to_owned());
    }
    let margin = match line.get("margin").filter(|value| !value.is_null()) {
        None => 0.0,
        Some(value) => value
            .as_f64()
            .filter(|m| m.is_finite() && *m >= 0.0)
            .ok_or_else(|| format!("`margin` is {value}, allowed is a number from 0 up"))?,
    };
    let tools = tools(line)?;
    let prompt = line.get("prompt").filter(|value| !value.is_null());
    if let (Value::String(chosen), Value::String(rejected), None) = (chosen, rejected, prompt) {
        let (chosen, rejected) = texts(chosen, rejected)?;
        return Ok(PairExample { chosen, rejected, margin });
    }
    let prompt = prompt.map_or(Ok(Vec::new()), |value| messages("prompt", value, Role::User))?;
    let whole = |key: &str, value: &Value| -> Result<Vec<Message>, String> {
        let answer = messages(key, value, Role::Assistant)?;
        let rest = answer.strip_prefix(prompt.as_slice()).unwrap_or(&answer);
        if !prompt.is_empty() && rest.first().is_some_and(|m| m.role != Role::Assistant) {
            return Err(format!("`{key}` begins with another prompt than `prompt`"));
        }
        Ok(prompt.iter().chain(rest).cloned().collect())
    };
    let (chosen, rejected) = (whole("chosen", chosen)?, whole("rejected", rejected)?);
    let n_prompt = chosen.iter().zip(&rejected).take_while(|(a, b)| a == b).count();
    check_parting(&chosen, &rejected, n_prompt)?;
    let side = |key: &str, messages: Vec<Message>| -> Result<Dialogue, String> {
        let chat = Chat { messages, n_prompt, tools: tools.clone() };
        if !chat.has_answer() {
            return Err(format!("the answer of `{key}` is empty"));
        }
        Ok(Dialogue::Chat(chat))
    };
    Ok(PairExample {
        chosen: side("chosen", chosen)?,
        rejected: side("rejected", rejected)?,
        margin,
    })
}

/// Where two dialogues part, the assistant must be speaking in both.
fn check_parting(chosen: &[Message], rejected: &[Message], at: usize) -> Result<(), String> {
    if chosen == rejected {
        return Err("`chosen` equals `rejected`, so there is nothing to prefer".to_owned());
    }
    let sides = [("chosen", chosen), ("rejected", rejected)];
    for (key, messages) in sides {
        let Some(message) = messages.get(at) else {
            return Err(format!("the answer of `{key}` is empty: it ends where the other goes on"));
        };
        if message.role != Role::Assistant {
            let (n, role) = (at + 1, message.role);
            return Err(format!(
                "the prompts differ within the pair: message {n} of `{key}` is the {role}'s and not \
                 the same in both"
            ));
        }
    }
    Ok(())
}

/// Texts without a template. The prompt ends before the last space that both have, so that no word is
/// divided.
fn texts(chosen: &str, rejected: &str) -> Result<(Dialogue, Dialogue), String> {
    let same = chosen.char_indices().zip(rejected.chars()).take_while(|((_, a), b)| a == b);
    let common = same.last().map_or("", |((at, c), _)| &chosen[..at + c.len_utf8()]);
    let end = common.rfind(char::is_whitespace).unwrap_or(0);
    let prompt = &chosen[..end];
    if prompt.trim().is_empty() {
        return Err("`chosen` and `rejected` begin with no common prompt".to_owned());
    }
    let side = |key: &str, text: &str| {
        let answer = &text[end..];
        match answer.trim().is_empty() {
            true => Err(format!("the answer of `{key}` is empty")),
            false => Ok(Dialogue::Text { prompt: prompt.to_owned(), answer: answer.to_owned() }),
        }
    };
    Ok((side("chosen", chosen)?, side("rejected", rejected)?))
}

fn judged(line: &Map<String, Value>) -> Result<JudgedExample, String> {
    known_keys(line, &["prompt", "completion", "label", "tools"])?;
    let label = needed(line, "label")?;
    let desirable =
        label.as_bool().ok_or_else(|| format!("`label` is {label}, allowed are true and false"))?;
    let prompt = messages("prompt", needed(line, "prompt")?, Role::User)?;
    let answer = messages("completion", needed(line, "completion")?, Role::Assistant)?;
    let chat = Chat::new(prompt, answer, tools(line)?);
    if chat.answer().first().is_some_and(|m| m.role != Role::Assistant) {
        return Err("`completion` does not begin with the assistant".to_owned());
    }
    if !chat.has_answer() {
        return Err("`completion` is empty".to_owned());
    }
    Ok(JudgedExample { chat, desirable })
}

fn known_keys(line: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    let is_known = |key: &str| known.contains(&key) || IGNORED.contains(&key);
    match line.keys().find(|key| !is_known(key)) {
        Some(key) => Err(format!("`{key}` is not known; expected are {}", known.join(", "))),
        None => Ok(()),
    }
}

fn needed<'a>(line: &'a Map<String, Value>, key: &str) -> Result<&'a Value, String> {
    line.get(key).filter(|value| !value.is_null()).ok_or_else(|| format!("`{key}` is missing"))
}

/// A list of messages, or a text that `speaker` says.
fn messages(key: &str, value: &Value, speaker: Role) -> Result<Vec<Message>, String> {
    match value {
        Value::String(text) => Ok(vec![Message::new(speaker, text)]),
        Value::Array(list) => list.iter().map(|one| message(key, one)).collect(),
        _ => Err(format!("`{key}` is neither a text nor a list of messages")),
    }
}

fn message(key: &str, value: &Value) -> Result<Message, String> {
    let record: MessageRecord = serde_json::from_value(value.clone())
        .map_err(|error| format!("a message of `{key}`: {error}"))?;
    Message::try_from(record).map_err(|error| format!("a message of `{key}`: {error}"))
}

fn tools(line: &Map<String, Value>) -> Result<Vec<ToolSpec>, String> {
    match line.get("tools").filter(|value| !value.is_null()) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(tool).collect(),
        Some(_) => Err("`tools` is not a list".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(dialogue: &Dialogue) -> &Chat {
        match dialogue {
            Dialogue::Chat(chat) => chat,
            Dialogue::Text { .. } => panic!("a conversation was expected"),
        }
    }

    #[test]
    fn plain_and_conversational_pairs_are_the_same() {
        let jsonl = r#"
            {"prompt": "2+2?", "chosen": "4", "rejected": "5", "margin": 0.5}
            {"prompt": [{"role": "user", "content": "2+2?"}], "chosen": [{"role": "assistant", "content": "4"}], "rejected": [{"role": "assistant", "content": "5"}], "margin": 0.5, "id": 3}
            {"chosen": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}], "rejected": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "5"}], "margin": 0.5}
            {"prompt": "2+2?", "chosen": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}], "rejected": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "5"}], "margin": 0.5}
        "#;
        let pairs = read_pairs(jsonl).unwrap();
        assert_eq!(pairs.len(), 4);
        assert!(pairs.iter().all(|pair| *pair == pairs[0]));
        assert_eq!(chat(&pairs[0].chosen).n_prompt, 1);
        assert_eq!(chat(&pairs[0].rejected).answer()[0].content, "5");
    }

    #[test]
    fn dialogues_part_at_the_first_message_that_differs() {
        let jsonl = r#"{"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}, {"role": "user", "content": "e"}, {"role": "assistant", "content": "f"}], "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "x"}]}"#;
        let pairs = read_pairs(jsonl).unwrap();
        assert_eq!(chat(&pairs[0].chosen).n_prompt, 3);
        assert_eq!(chat(&pairs[0].chosen).answer().len(), 3);
        assert_eq!(chat(&pairs[0].rejected).answer().len(), 1);
    }

    #[test]
    fn texts_without_a_prompt_share_their_beginning_up_to_a_word() {
        let jsonl = r#"{"chosen": "Q: 2+2? A: 4", "rejected": "Q: 2+2? A: 45"}"#;
        let pair = read_pairs(jsonl).unwrap().remove(0);
        let text = |answer: &str| Dialogue::Text {
            prompt: "Q: 2+2? A:".to_owned(),
            answer: answer.to_owned(),
        };
        assert_eq!((pair.chosen, pair.rejected), (text(" 4"), text(" 45")));
    }

    #[test]
    fn every_bad_pair_is_named() {
        let jsonl = r#"{"prompt": "a", "chosen": "b", "rejected": "c"}
{"prompt": "a", "chosen": "b", "rejected": "b"}
{"prompt": "a", "chosen": "b"}
{"prompt": "a", "chosen": "b", "rejected": " "}
{"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": [{"role": "user", "content": "z"}, {"role": "assistant", "content": "c"}]}
{"prompt": "a", "chosen": [{"role": "user", "content": "z"}, {"role": "assistant", "content": "b"}], "rejected": "c"}
{"prompt": "a", "chosen": "b", "rejected": "c", "margin": -1}
{"prompt": "a", "chosen": "b", "rejected": "c", "chosen_text": 1}
{"chosen": "b", "rejected": "c"}
not json
{"prompt": "a", "chosen": [], "rejected": "c"}
{"prompt": "a", "chosen": [{"role": "robot", "content": "b"}], "rejected": "c"}"#;
        let problems = read_pairs(jsonl).unwrap_err();
        let parts = [
            "equals",
            "`rejected` is missing",
            "`rejected` is empty",
            "prompts differ",
            "another prompt",
            "`margin` is -1",
            "`chosen_text`",
            "no common prompt",
            "expected",
            "`chosen` is empty",
            "robot",
        ];
        assert_eq!(problems.len(), parts.len(), "{problems:#?}");
        for ((problem, part), line) in problems.iter().zip(parts).zip(2..) {
            assert!(problem.starts_with(&format!("line {line}:")), "{problem}");
            assert!(problem.contains(part), "{problem} lacks {part}");
        }
        assert_eq!(read_pairs("\n").unwrap_err(), ["there is no line with data"]);
    }

    #[test]
    fn judged_answers_need_a_label_that_is_one() {
        let jsonl = r#"{"prompt": "a", "completion": "b", "label": true}
{"prompt": [{"role": "user", "content": "a"}], "completion": [{"role": "assistant", "content": "b"}], "label": false}"#;
        let judged = read_judged(jsonl).unwrap();
        assert_eq!(judged[0].chat, judged[1].chat);
        assert_eq!((judged[0].desirable, judged[1].desirable), (true, false));
        let bad = r#"{"prompt": "a", "completion": "b", "label": 1}
{"prompt": "a", "completion": "", "label": true}
{"prompt": "a", "label": true}
{"prompt": "a", "completion": [{"role": "user", "content": "b"}], "label": true}"#;
        let problems = read_judged(bad).unwrap_err();
        let parts = ["`label` is 1", "empty", "`completion` is missing", "does not begin"];
        for (problem, part) in problems.iter().zip(parts) {
            assert!(problem.contains(part), "{problem} lacks {part}");
        }
    }

    #[test]
    fn tools_and_calls_are_read() {
        let jsonl = r#"{"prompt": "weather?", "chosen": [{"role": "assistant", "tool_calls": [{"function": {"name": "weather", "arguments": "{}"}}]}], "rejected": "No idea.", "tools": [{"type": "function", "function": {"name": "weather", "parameters": {}}}]}"#;
        let pair = read_pairs(jsonl).unwrap().remove(0);
        assert_eq!(chat(&pair.chosen).answer()[0].tool_calls[0].name, "weather");
        assert_eq!(chat(&pair.rejected).tools[0].name, "weather");
    }
}
