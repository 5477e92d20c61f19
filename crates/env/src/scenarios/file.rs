//! Whole files: entries with unique ids, or everything that is wrong.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use stateset_core::Scenario;

use super::entries::{Entry, Format, MAX_FILE_BYTES, read_entries};
use super::prompt::read_prompt;
use super::scenario::read_scenario;
use crate::error::{EnvError, Problem};

/// Reads scenarios. `name` is the file's name, for messages and for the ids of entries without one.
///
/// # Errors
/// [`EnvError::TooLarge`], or [`EnvError::Entries`] with everything that does not fit.
pub fn scenarios_from_bytes(
    bytes: &[u8],
    format: Format,
    name: &str,
) -> Result<Vec<Scenario>, EnvError> {
    read_all(bytes, format, name, "scenarios", read_scenario)
}

/// Reads prompts, one JSON object in each line. `name` is the file's name.
///
/// # Errors
/// As [`scenarios_from_bytes`].
pub fn prompts_from_bytes(bytes: &[u8], name: &str) -> Result<Vec<Scenario>, EnvError> {
    read_all(bytes, Format::Jsonl, name, "prompts", read_prompt)
}

/// Reads the scenario file at `path`; its ending names its format.
///
/// # Errors
/// [`EnvError::Read`], [`EnvError::UnknownFormat`], or as [`scenarios_from_bytes`].
pub fn load_scenarios(path: &Path) -> Result<Vec<Scenario>, EnvError> {
    let format = Format::of_path(path)?;
    scenarios_from_bytes(&read(path)?, format, &file_name(path))
}

/// Reads the prompt file at `path`.
///
/// # Errors
/// [`EnvError::Read`], or as [`scenarios_from_bytes`].
pub fn load_prompts(path: &Path) -> Result<Vec<Scenario>, EnvError> {
    prompts_from_bytes(&read(path)?, &file_name(path))
}

type ReadEntry = fn(&Entry, &str) -> Result<Scenario, Vec<Problem>>;

fn read_all(
    bytes: &[u8],
    format: Format,
    name: &str,
    list_key: &str,
    read_entry: ReadEntry,
) -> Result<Vec<Scenario>, EnvError> {
    let read = read_entries(bytes, format, name, list_key)?;
    let mut problems = read.problems;
    let mut scenarios = Vec::with_capacity(read.entries.len());
    let mut places: HashMap<String, &str> = HashMap::new();
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    for (index, entry) in read.entries.iter().enumerate() {
        match read_entry(entry, &format!("{stem}-{index}")) {
            Ok(scenario) => {
                if let Some(first) = places.insert(scenario.id.clone(), &entry.place) {
                    problems.push(twice(entry, &scenario.id, first));
                }
                scenarios.push(scenario);
            }
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(scenarios)
    } else {
        Err(EnvError::Entries { name: name.to_owned(), problems })
    }
}

fn twice(entry: &Entry, id: &str, first: &str) -> Problem {
    Problem {
        place: entry.place.clone(),
        key: "id".to_owned(),
        found: format!("{id:?} again"),
        allowed: "an id that no other entry has".to_owned(),
        hint: Some(format!("it is also at {first}")),
    }
}

/// The whole file, or one byte more than is allowed.
fn read(path: &Path) -> Result<Vec<u8>, EnvError> {
    let failed = |source| EnvError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::scenario_to_object;
    use proptest::prelude::*;
    use serde_json::json;
    use stateset_core::{Message, Role};

    fn read(text: &str, format: Format) -> Vec<Scenario> {
        match scenarios_from_bytes(text.as_bytes(), format, "shop.x") {
            Ok(scenarios) => scenarios,
            Err(error) => panic!("{error}"),
        }
    }

    fn problems(text: &str, format: Format) -> Vec<String> {
        match scenarios_from_bytes(text.as_bytes(), format, "shop.x") {
            Ok(scenarios) => panic!("it was accepted: {scenarios:?}"),
            Err(EnvError::Entries { problems, .. }) => {
                problems.iter().map(Problem::to_string).collect()
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn all_formats_mean_the_same() {
        let list = r#"[{"id": "a", "topic": "refunds", "user_responses": ["Hi", "no"], "task_id": 7,
                        "answer": 42, "metadata": {"x": true}},
                       {"prompt": "Two and two?", "system_prompt": "Be brief."}]"#;
        let value: serde_json::Value = serde_json::from_str(list).unwrap();
        let lines: Vec<String> = value.as_array().unwrap().iter().map(|v| v.to_string()).collect();
        let yaml = "scenarios:\n- id: a\n  topic: refunds\n  user_responses: [Hi, no]\n  task_id: 7\n  \
                    answer: 42\n  metadata: {x: true}\n- prompt: Two and two?\n  system_prompt: Be brief.\n";
        let expected = read(list, Format::Json);
        let objects = expected.iter().map(|scenario| scenario_to_object(scenario).into());
        let written = serde_json::Value::Array(objects.collect()).to_string();
        assert_eq!(read(&written, Format::Json), expected);
        assert_eq!(read(&format!("{{\"scenarios\": {list}}}"), Format::Json), expected);
        assert_eq!(read(&format!("\u{feff}{}\n\n", lines.join("\n")), Format::Jsonl), expected);
        assert_eq!(read(yaml, Format::Yaml), expected);
        let [first, second] = expected.as_slice() else { panic!("two scenarios") };
        assert_eq!(first.user_responses, ["Hi", "no"]);
        assert_eq!(first.expected.as_deref(), Some("42"));
        assert_eq!(first.metadata["task_id"], json!(7));
        assert_eq!(second.id, "shop-1");
        assert_eq!(second.messages, [Message::user("Two and two?")]);
        assert_eq!(second.system_prompt.as_deref(), Some("Be brief."));
    }

    #[test]
    fn every_problem_of_a_file_is_reported() {
        let text = r#"{"id": "a", "user_responses": ["Hi"]}
{"id": "a", "user_responses": ["Hi"]}
{"topik": "x", "user_responses": []}
{not json}
17
{"topic": 5, "prompt": "a", "messages": [{"role": "user", "content": "b"}], "expected": "1", "answer": "2"}
{"messages": [{"role": "usr", "content": "b"}, {"role": "user", "contents": "b"}, 3]}
{"context": "nobody speaks"}
{"customer": {"issue": "refnd"}, "user_responses": ["Hi"]}
{"user_responses": "Hi", "metadata": [], "difficulty": "easy"}
"#;
        let found = problems(text, Format::Jsonl);
        for expected in [
            "shop.x line 2: `id`: found \"a\" again, allowed is an id that no other entry has; it is also at shop.x line 1",
            "shop.x line 3: `topik`: found an unknown key",
            "shop.x line 3: `user_responses`: found an empty list, allowed is one line or more",
            "shop.x line 4: found key must be a string",
            "shop.x line 5: found a number, allowed is an object",
            "shop.x line 6: `prompt`: found both prompt and messages, allowed is one of them",
            "shop.x line 6: `answer`: found both expected and answer, allowed is one of them",
            "shop.x line 7: `messages[0]`: found read field `role`",
            "shop.x line 7: `messages[1]`: found the unknown key `contents` (did you mean `content`?)",
            "shop.x line 7: `messages[2]`: found a number, allowed is a message with role and content",
            "shop.x line 8: `user_responses`: found nobody who speaks first",
            "shop.x line 9: `customer.issue`: found \"refnd\"",
            "shop.x line 9: `user_responses`: found both a customer and a script",
            "shop.x line 10: `user_responses`: found a text, allowed is a list of texts",
            "shop.x line 10: `metadata`: found a list, allowed is an object",
        ] {
            assert!(found.iter().any(|p| p.starts_with(expected)), "{expected}\n{found:#?}");
        }
        assert_eq!(found.len(), 15, "{found:#?}");
    }

    #[test]
    fn files_without_scenarios_are_refused() {
        assert_eq!(
            problems("[]", Format::Json),
            ["shop.x: found no entries, allowed is one entry or more"]
        );
        assert_eq!(problems("\n\n", Format::Jsonl).len(), 1);
        assert_eq!(
            problems("3", Format::Json),
            [
                "shop.x: found a number, allowed is a list, or an object with a list under `scenarios`"
            ]
        );
        assert!(problems("[1,", Format::Json)[0].starts_with("shop.x line 1: found EOF"));
        assert!(problems("a: [1\nb: 2", Format::Yaml)[0].starts_with("shop.x line"));
        assert!(
            problems("{\"scenario\": []}", Format::Json)[0].contains("did you mean `scenarios`?")
        );
        let error = scenarios_from_bytes(&[b'"', 0xff], Format::Json, "x").unwrap_err();
        assert!(error.to_string().contains("no UTF-8 after byte 1"), "{error}");
    }

    #[test]
    fn a_customer_is_checked_and_completed() {
        let text = r#"[{"customer": {"issue": "refund", "facts": {"order_number": 4821, "reason": "it broke"}}}]"#;
        let scenario = &read(text, Format::Json)[0];
        let spec = crate::customer::CustomerSpec::from_value(scenario.customer.as_ref().unwrap());
        assert_eq!(spec.unwrap().patience, 4);
        let both = text.replacen('{', "{\"prompt\": \"Hi\", ", 1);
        assert_eq!(
            problems(&both, Format::Json),
            [
                "shop.x entry 0: `prompt`: found last words of the user, allowed is none, because the \
             customer speaks first"
            ]
        );
    }

    #[test]
    fn numbers_that_lost_their_text_are_refused() {
        let yaml =
            "- answer: 2.5\n  customer: {issue: no_sound, facts: {device: tv, version: 4.10}}\n";
        assert_eq!(
            problems(yaml, Format::Yaml),
            [
                "shop.x entry 0: `customer.facts.version`: found a number, allowed is text; put it in quotes"
            ]
        );
        assert!(!problems("- user_responses: [0482]\n", Format::Yaml).is_empty());
        assert_eq!(read("- user_responses: [482]\n", Format::Yaml)[0].user_responses, ["482"]);
    }

    #[test]
    fn limits_hold() {
        let long = "x".repeat(super::super::MAX_TEXT_CHARS + 1);
        let found = problems(&json!([{"prompt": long}]).to_string(), Format::Json);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("100001 characters"), "{found:?}");
        let lines: Vec<&str> = vec!["x"; 1001];
        let found = problems(&json!([{"user_responses": lines}]).to_string(), Format::Json);
        assert!(found[0].contains("1001 entries"), "{found:?}");
        let deep = "[".repeat(100_000);
        assert!(problems(&deep, Format::Json)[0].contains("recursion limit"));
        assert!(!problems(&deep, Format::Yaml).is_empty());
    }

    #[test]
    fn prompts_are_read() {
        let text = "{\"prompt\": \"1+1?\", \"answer\": 2}\n{\"id\": \"b\", \"messages\": \
                    [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"u\"}]}\n";
        let prompts = prompts_from_bytes(text.as_bytes(), "sums.jsonl").unwrap();
        assert_eq!((prompts[0].id.as_str(), prompts[0].expected.as_deref()), ("sums-0", Some("2")));
        assert_eq!((prompts[1].id.as_str(), prompts[1].messages[0].role), ("b", Role::System));
        let bad = "{\"queston\": \"1+1?\"}\n{\"messages\": [{\"role\": \"assistant\", \"content\": \"a\"}]}";
        let error = prompts_from_bytes(bad.as_bytes(), "sums.jsonl").unwrap_err().to_string();
        assert_eq!(
            error,
            "load sums.jsonl: 3 problems\n  \
             sums.jsonl line 1: `queston`: found an unknown key, allowed is prompt, question, messages, \
             answer, expected, id, check, choices, answers, pattern and schema; did you mean `question`?\n  \
             sums.jsonl line 1: `prompt`: found nothing to answer, allowed is a prompt, or a list of \
             messages\n  \
             sums.jsonl line 2: `messages`: found a last message of nobody who asks, allowed is one of \
             the user or a tool"
        );
    }

    #[test]
    fn answers_that_cannot_be_checked_are_named_with_their_lines() {
        let good = json!({"question": "Which?", "choices": ["a b", "c"], "answer": "B"});
        let read = prompts_from_bytes(good.to_string().as_bytes(), "p.jsonl").unwrap();
        assert_eq!(read[0].messages, [Message::user("Which?")]);
        assert_eq!(read[0].metadata["choices"], json!(["a b", "c"]));
        let bad = [
            json!({"prompt": "?", "question": "?", "answer": "x"}),
            json!({"prompt": "?", "choices": ["a b", "c"], "answer": "D"}),
            json!({"prompt": "?", "check": "nubmer", "answer": 3}),
            json!({"prompt": "?", "schema": {"type": "objet"}}),
            json!({"prompt": "?", "schema": {}, "answer": {"a": 1}}),
        ];
        let text = bad.map(|entry| entry.to_string()).join("\n");
        let error = prompts_from_bytes(text.as_bytes(), "p.jsonl").unwrap_err().to_string();
        for expected in [
            "load p.jsonl: 4 problems",
            "p.jsonl line 1: `question`: found both prompt and question, allowed is one of them",
            "p.jsonl line 2: `answer`: found \"D\", allowed is a letter or the text of a choice",
            "p.jsonl line 3: `check`: found \"nubmer\", allowed is number, numbers, choice,",
            "did you mean \"number\"?",
            "p.jsonl line 4: `schema`: found",
        ] {
            assert!(error.contains(expected), "{expected}\n{error}");
        }
    }

    #[test]
    fn paths_name_their_format() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late orders.yaml");
        std::fs::write(&path, "- user_responses: [Hi]\n").unwrap();
        assert_eq!(load_scenarios(&path).unwrap()[0].id, "late orders-0");
        let missing = load_scenarios(&folder.path().join("none.json")).unwrap_err().to_string();
        assert!(missing.starts_with("read ") && missing.contains("none.json"), "{missing}");
        let error = load_scenarios(&folder.path().join("a.txt")).unwrap_err().to_string();
        assert!(error.contains("its ending is not one of"), "{error}");
        let prompts = folder.path().join("p.jsonl");
        std::fs::write(&prompts, "{\"prompt\": \"Hi\"}").unwrap();
        assert_eq!(load_prompts(&prompts).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for format in [Format::Json, Format::Jsonl, Format::Yaml] {
                let _ = scenarios_from_bytes(&bytes, format, "x");
            }
        }

        #[test]
        fn any_small_document_is_read(text in "[-{}\\[\\]:,\" a-z\n&*]{0,60}") {
            for format in [Format::Json, Format::Jsonl, Format::Yaml] {
                let _ = scenarios_from_bytes(text.as_bytes(), format, "x");
            }
        }
    }
}
