//! Turns dialogues of Taskmaster-4 into scenarios for `train` and conversations for `sft`.
//!
//!     cargo run --release --example convert_taskmaster -- FOLDER --scenarios scenarios.jsonl \
//!         --conversations conversations.jsonl [--max N]
//!
//! FOLDER holds files such as `data_00.json`, each a list of dialogues (Google's Taskmaster-4, coffee
//! orders, CC-BY-4.0); single files will do too. A scenario has the customer's lines in order, as a
//! scripted user says them whatever the agent answers. A conversation has the lines of both, up to the
//! last one of the assistant. Both have the same instructions, so that a model tuned on the one knows
//! the other. The calls of the ordering system that the dialogues are annotated with are left out: no
//! tool answers them here.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const USAGE: &str = "\
usage: convert_taskmaster INPUT.. --scenarios FILE --conversations FILE [--max N]
  INPUT            files of dialogues, or folders of them (*.json)
  --scenarios      scenarios for `train`, JSONL
  --conversations  conversations for `sft`, JSONL
  --max            convert at most so many dialogues";

/// Instructions for the agent, in scenarios and conversations alike.
const SYSTEM_PROMPT: &str =
    "You work at a coffee bar. Take the order, confirm it, and answer questions, all briefly.";

/// A dialogue as the corpus has it; other fields are passed over.
#[derive(Deserialize)]
struct Dialogue {
    conversation_id: String,
    vertical: String,
    /// Name of the template it was written to, such as "Auto template 8 order hot tea no mods".
    scenario: String,
    utterances: Vec<Utterance>,
}

#[derive(Deserialize)]
struct Utterance {
    speaker: Speaker,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Speaker {
    User,
    Assistant,
}

/// What was made of a corpus.
#[derive(Debug, Default)]
struct Converted {
    scenarios: Vec<Value>,
    conversations: Vec<Value>,
    n_dialogues: usize,
}

struct Arguments {
    inputs: Vec<PathBuf>,
    scenarios: PathBuf,
    conversations: PathBuf,
    max: Option<usize>,
}

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("error: {error:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(converted) => {
            println!(
                "{} dialogues: {} scenarios, {} conversations",
                converted.n_dialogues,
                converted.scenarios.len(),
                converted.conversations.len()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(given: impl IntoIterator<Item = String>) -> Result<Arguments> {
    let (mut inputs, mut scenarios, mut conversations, mut max) = (Vec::new(), None, None, None);
    let mut given = given.into_iter();
    while let Some(word) = given.next() {
        let mut value = || given.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--scenarios" => scenarios = Some(PathBuf::from(value()?)),
            "--conversations" => conversations = Some(PathBuf::from(value()?)),
            "--max" => {
                let text = value()?;
                let number = text.parse().with_context(|| format!("--max {text} is no number"));
                max = Some(number?);
            }
            flag if flag.starts_with("--") => bail!("there is no flag {flag}"),
            path => inputs.push(PathBuf::from(path)),
        }
    }
    if inputs.is_empty() {
        bail!("no input is given");
    }
    Ok(Arguments {
        inputs,
        scenarios: scenarios.context("--scenarios is missing")?,
        conversations: conversations.context("--conversations is missing")?,
        max,
    })
}

fn run(arguments: &Arguments) -> Result<Converted> {
    let mut dialogues = Vec::new();
    for file in files(&arguments.inputs)? {
        let bytes =
            fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?;
        let found: Vec<Dialogue> = serde_json::from_slice(&bytes)
            .with_context(|| format!("failed to find a list of dialogues in {}", file.display()))?;
        dialogues.extend(found);
    }
    dialogues.truncate(arguments.max.unwrap_or(usize::MAX));
    let converted = convert(&dialogues);
    write(&arguments.scenarios, &converted.scenarios)?;
    write(&arguments.conversations, &converted.conversations)?;
    Ok(converted)
}

/// The files meant, those of a folder in order of their names.
fn files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            files.push(input.clone());
            continue;
        }
        let entries =
            fs::read_dir(input).with_context(|| format!("failed to list {}", input.display()))?;
        let paths: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
        let is_json = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
        let mut found: Vec<PathBuf> = paths.into_iter().filter(is_json).collect();
        found.sort();
        if found.is_empty() {
            bail!("there is no .json file in {}", input.display());
        }
        files.extend(found);
    }
    Ok(files)
}

fn write(path: &Path, lines: &[Value]) -> Result<()> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(path, text).with_context(|| format!("failed to write {}", path.display()))
}

fn convert(dialogues: &[Dialogue]) -> Converted {
    let mut converted = Converted { n_dialogues: dialogues.len(), ..Converted::default() };
    for dialogue in dialogues {
        let turns = turns(dialogue);
        converted.scenarios.extend(scenario(dialogue, &turns));
        converted.conversations.extend(conversation(dialogue, &turns));
    }
    converted
}

/// Who said what; consecutive lines of the same speaker are one turn.
fn turns(dialogue: &Dialogue) -> Vec<(Speaker, String)> {
    let mut turns: Vec<(Speaker, String)> = Vec::new();
    for utterance in &dialogue.utterances {
        let text = utterance.text.trim();
        match turns.last_mut() {
            _ if text.is_empty() => {}
            Some((speaker, said)) if *speaker == utterance.speaker => {
                said.push(' ');
                said.push_str(text);
            }
            _ => turns.push((utterance.speaker, text.to_owned())),
        }
    }
    turns
}

/// The customer's side; `None` where the customer says nothing.
fn scenario(dialogue: &Dialogue, turns: &[(Speaker, String)]) -> Option<Value> {
    let lines: Vec<&str> = turns
        .iter()
        .filter(|(speaker, _)| *speaker == Speaker::User)
        .map(|(_, text)| text.as_str())
        .collect();
    if lines.is_empty() {
        return None;
    }
    let mut scenario = Map::new();
    scenario.insert("id".into(), json!(dialogue.conversation_id));
    scenario.insert("topic".into(), json!(dialogue.vertical.to_lowercase()));
    scenario.insert("context".into(), json!(task(&dialogue.scenario)));
    scenario.insert("system_prompt".into(), json!(SYSTEM_PROMPT));
    // Words of the assistant before the customer's first are an opening.
    if let Some((Speaker::Assistant, greeting)) = turns.first() {
        let opening = json!([{"role": "assistant", "content": greeting}]);
        scenario.insert("messages".into(), opening);
    }
    scenario.insert("user_responses".into(), json!(lines));
    scenario.insert("metadata".into(), json!({"source": "taskmaster-4"}));
    Some(Value::Object(scenario))
}

/// Both sides; `None` where the assistant answers nothing.
fn conversation(dialogue: &Dialogue, turns: &[(Speaker, String)]) -> Option<Value> {
    let last = turns.iter().rposition(|(speaker, _)| *speaker == Speaker::Assistant)?;
    let mut messages = vec![json!({"role": "system", "content": SYSTEM_PROMPT})];
    for (speaker, text) in &turns[..=last] {
        let role = match speaker {
            Speaker::User => "user",
            Speaker::Assistant => "assistant",
        };
        messages.push(json!({"role": role, "content": text}));
    }
    Some(json!({"id": dialogue.conversation_id, "messages": messages}))
}

/// What the customer is about, without the template's number: "order hot tea no mods".
fn task(template: &str) -> &str {
    let Some(rest) = template.strip_prefix("Auto template ") else { return template };
    rest.split_once(' ').map_or(rest, |(_, task)| task)
}

#[cfg(test)]
#[path = "../../../tests/support/data.rs"]
mod data;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn dialogue(lines: &[(&str, &str)]) -> Dialogue {
        let utterances: Vec<Value> =
            lines.iter().map(|(who, text)| json!({"speaker": who, "text": text})).collect();
        let value = json!({
            "conversation_id": "dlg-1",
            "vertical": "Coffee",
            "scenario": "Auto template 4b order a coffee drink",
            "instructions": null,
            "utterances": utterances,
        });
        serde_json::from_value(value).expect("it is a dialogue")
    }

    fn words(text: &str) -> Result<Arguments> {
        arguments(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_dialogue_becomes_a_script_and_a_conversation() {
        let dialogue = dialogue(&[
            ("user", "Hi. "),
            ("user", "A latte, please."),
            ("assistant", "Is the order right?"),
            ("user", "Yes."),
        ]);
        let made = convert(&[dialogue]);
        assert_eq!(made.scenarios[0]["user_responses"], json!(["Hi. A latte, please.", "Yes."]));
        assert_eq!(made.scenarios[0]["context"], "order a coffee drink");
        assert_eq!(made.scenarios[0].get("messages"), None);
        let messages = &made.conversations[0]["messages"];
        assert_eq!(messages.as_array().map(Vec::len), Some(3), "nobody answers the last line");
        assert_eq!(messages[2], json!({"role": "assistant", "content": "Is the order right?"}));
    }

    #[test]
    fn a_greeting_opens_the_scenario() {
        let made = convert(&[dialogue(&[("assistant", "Welcome!"), ("user", "One tea.")])]);
        let opening = json!([{"role": "assistant", "content": "Welcome!"}]);
        assert_eq!(made.scenarios[0]["messages"], opening);
    }

    #[test]
    fn one_side_alone_makes_no_half_of_the_other() {
        let made = convert(&[dialogue(&[("user", "Hello?")]), dialogue(&[("assistant", "Hi.")])]);
        assert_eq!((made.n_dialogues, made.scenarios.len(), made.conversations.len()), (2, 1, 1));
        assert_eq!(made.conversations[0]["messages"][1]["role"], "assistant");
    }

    #[test]
    fn the_call_is_checked() {
        let error = |text| words(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error("--scenarios a --conversations b"), "no input is given");
        assert_eq!(error("in --scenarios a"), "--conversations is missing");
        assert_eq!(error("in --max"), "--max needs a value");
        assert_eq!(error("in --max many"), "--max many is no number");
        assert_eq!(error("in --size 3"), "there is no flag --size");
    }

    #[test]
    fn the_corpus_is_read_by_train_and_sft() {
        let Some(folder) = data::test_data("taskmaster-4/data") else { return };
        let temp = tempfile::tempdir().expect("a folder for the files");
        let arguments = Arguments {
            inputs: vec![folder],
            scenarios: temp.path().join("scenarios.jsonl"),
            conversations: temp.path().join("conversations.jsonl"),
            max: None,
        };
        let made = run(&arguments).expect("it converts");
        assert_eq!((made.n_dialogues, made.scenarios.len()), (2000, 2000));

        let scenarios = stateset_env::scenarios::load_scenarios(&arguments.scenarios)
            .expect("the scenarios can be read");
        assert_eq!(scenarios.len(), made.scenarios.len());
        let ids: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.id.as_str()).collect();
        assert_eq!(ids.len(), 2000);
        assert!(scenarios.iter().all(|scenario| scenario.topic == "coffee"));
        let n_lines: usize = scenarios.iter().map(|scenario| scenario.user_responses.len()).sum();
        assert_eq!(n_lines, 3758);

        let jsonl = fs::read_to_string(&arguments.conversations).expect("it was written");
        let examples = stateset_train::read_examples(&jsonl).expect("sft can read it");
        assert_eq!(examples.len(), made.conversations.len());
        let n_answers = jsonl.matches(r#""role":"assistant""#).count();
        assert_eq!(n_answers, 3720);
    }

    #[test]
    fn no_more_than_asked_for() {
        let Some(file) = data::test_data("taskmaster-4/data/data_01.json") else { return };
        let temp = tempfile::tempdir().expect("a folder for the files");
        let (scenarios, conversations) = (temp.path().join("s"), temp.path().join("c"));
        let arguments = Arguments { inputs: vec![file], scenarios, conversations, max: Some(25) };
        assert_eq!(run(&arguments).expect("it converts").scenarios.len(), 25);
    }
}
