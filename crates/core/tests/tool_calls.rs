//! What is promised of call formats.
//!
//! 1. Calls that are written are read back equal, in every format.
//! 2. However an answer is cut into chunks, the same text and the same calls come out.
//! 3. An answer without a call passes unchanged.
//! 4. What was meant to be a call and cannot be read is said to be malformed, with the reason.
//! 5. Nothing makes a reader panic.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stateset_core::{CallFormat, CallParser, Piece, ReadReply, ToolCall, ToolSpec};

#[path = "../../../tests/support/data.rs"]
mod data;

fn call(n: usize, name: &str, arguments: Value) -> ToolCall {
    ToolCall { id: format!("call{n:05}"), name: name.to_owned(), arguments }
}

fn weather() -> ToolSpec {
    ToolSpec {
        name: "get_weather".to_owned(),
        description: "The weather in a city.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
        }),
    }
}

fn read(format: CallFormat, text: &str) -> ReadReply {
    format.read(text, &[weather()], 0)
}

/// Pieces with neighbouring texts put together.
fn pieces(format: CallFormat, chunks: &[&str]) -> Vec<Piece> {
    let mut parser = CallParser::new(format, &[weather()], 0);
    let mut all: Vec<Piece> = chunks.iter().flat_map(|chunk| parser.push(chunk)).collect();
    all.extend(parser.finish());
    let mut joined: Vec<Piece> = Vec::new();
    for piece in all {
        match (joined.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => joined.push(piece),
        }
    }
    joined
}

/// Answers as models of each family write them, and what they say.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, one case after the other")]
fn answers_of_each_family_are_read() {
    let paris = call(0, "get_weather", json!({"city": "Paris"}));
    let rome = call(1, "get_weather", json!({"city": "Rome", "days": 2}));
    let cases: [(CallFormat, &str, &str, usize); 17] = [
        (
            CallFormat::Hermes,
            "Let me look.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n\
             </tool_call>\n<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Rome\",\"days\":2}}\
             </tool_call>",
            "Let me look.",
            2,
        ),
        (
            CallFormat::Hermes,
            "<tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}",
            "",
            1,
        ),
        (
            CallFormat::Llama,
            "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}; \
             {\"name\": \"get_weather\", \"parameters\": {\"city\": \"Rome\", \"days\": 2}}",
            "",
            2,
        ),
        (
            CallFormat::Llama,
            "<|python_tag|>{\"type\": \"function\", \"name\": \"get_weather\", \
             \"parameters\": {\"city\": \"Paris\"}}",
            "",
            1,
        ),
        (
            CallFormat::Llama,
            "I will look. <|python_tag|> {\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            "I will look.",
            1,
        ),
        (
            CallFormat::Mistral,
            "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}, \
             \"id\": \"a1b2c3d4e\"}, {\"name\": \"get_weather\", \"arguments\": \
             {\"city\": \"Rome\", \"days\": 2}}]",
            "",
            2,
        ),
        (
            CallFormat::MistralArgs,
            "Now.[TOOL_CALLS]get_weather[ARGS]{\"city\": \"Paris\"}[TOOL_CALLS]get_weather[CALL_ID]123\
             [ARGS]{\"city\": \"Rome\", \"days\": 2}",
            "Now.",
            2,
        ),
        (CallFormat::Mistral, "[TOOL_CALLS]get_weather{\"city\": \"Paris\"}", "", 1),
        (
            CallFormat::QwenXml,
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n\
             </tool_call>\n<tool_call>\n<function=get_weather>\n<parameter=city>\nRome\n</parameter>\n\
             <parameter=days>\n2\n</parameter>\n</function>\n</tool_call>",
            "",
            2,
        ),
        (
            CallFormat::QwenXml,
            "Sure.\n<function=get_weather>\n<parameter=city>Paris</parameter></function>",
            "Sure.",
            1,
        ),
        (
            CallFormat::Pythonic,
            "[get_weather(city='Paris'), get_weather(city=\"Rome\", days=2)]",
            "",
            2,
        ),
        (CallFormat::Pythonic, "One moment.\n [get_weather(city='Paris')]\n", "One moment.", 1),
        (
            CallFormat::Json,
            "I look it up:\n```json\n{\"tool\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}\n```\n",
            "I look it up:",
            1,
        ),
        (
            CallFormat::Json,
            "I look. {\"tool\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            "I look.",
            1,
        ),
        (
            CallFormat::Json,
            "```\n[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}, \
             {\"name\": \"get_weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 2}}]\n```",
            "",
            2,
        ),
        (
            CallFormat::Json,
            "```json\n{\"tool\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            "",
            1,
        ),
        (
            CallFormat::Json,
            "```py\nx = {\"tool\": 1}\n```\n{\"tool\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            "```py\nx = {\"tool\": 1}\n```",
            1,
        ),
    ];
    for (format, text, content, n_calls) in cases {
        let expected: Vec<ToolCall> = [&paris, &rome].into_iter().take(n_calls).cloned().collect();
        let found = read(format, text);
        assert_eq!(found.calls, expected, "{format:?} {text}");
        assert_eq!(found.content, content, "{format:?} {text}");
    }
}

#[test]
fn answers_without_a_call_pass_unchanged() {
    let texts = [
        "",
        " \n",
        "Hello!  \n",
        "a < b and {c} [d] `e`",
        "{\"name\": \"Bob\", \"age\": 3}",
        "{\"answer\": [1, 2]}",
        "```json\n{\"name\": \"Bob\"}\n```\nDone.",
        "```rust\nfn f() {}\n```\n",
        "See [the list](above), or\n[see(above)] and [1].",
        "[not a call",
        "<tool_calls> <tool_cal",
        "[TOOL_CALL] x",
        "<|python_tag|>",
        "{\"na",
        "`` `",
    ];
    for format in CallFormat::ALL {
        for text in texts {
            let found = read(format, text);
            assert_eq!(
                (found.content.as_str(), found.calls.len()),
                (text, 0),
                "{format:?} {text:?}"
            );
        }
    }
}

#[test]
fn broken_calls_say_what_is_wrong() {
    let cases = [
        (CallFormat::Hermes, "<tool_call>{\"name\": \"f\"</tool_call>", "it is not JSON: EOF"),
        (CallFormat::Hermes, "<tool_call></tool_call>", "there is no call in it"),
        (CallFormat::Hermes, "<tool_call>{\"arguments\": {}}</tool_call>", "it has no `name`"),
        (CallFormat::Llama, "{\"name\": \"f\", \"parameters\": {", "the JSON object is not closed"),
        (CallFormat::Llama, "{\"name\": \"f\", \"parameters\": 3}", "its arguments are not"),
        (CallFormat::Llama, "<|python_tag|>print(1)", "after <|python_tag|> must stand"),
        (CallFormat::Mistral, "[TOOL_CALLS]", "nothing stands after"),
        (CallFormat::Mistral, "[TOOL_CALLS] [{\"name\": ", "the JSON after [TOOL_CALLS] is not"),
        (CallFormat::MistralArgs, "[TOOL_CALLS]f[ARGS]{\"a\"}", "its arguments are not JSON"),
        (CallFormat::MistralArgs, "[TOOL_CALLS]f", "after the name of the tool must stand"),
        (CallFormat::QwenXml, "<tool_call>{}</tool_call>", "a call begins with <function=NAME>"),
        (CallFormat::QwenXml, "<tool_call><function=f>", "</function> is missing"),
        (CallFormat::Pythonic, "[get_weather('Paris')]", "expected a name at byte 13"),
        (CallFormat::Pythonic, "[get_weather(city='Paris'", "the list of calls is not closed"),
        (CallFormat::Json, "```json\n{\"tool\": \"f\", \"parameters\": {\n```", "it is not JSON"),
        (CallFormat::Json, "{\"tool\": \"f\", \"parameters\": {", "the JSON object is not closed"),
    ];
    for (format, text, why) in cases {
        let found = read(format, text);
        let (_, said) = found.calls[0].as_malformed().expect(text);
        assert!(said.starts_with(why), "{format:?} {text}: {said}");
        assert_eq!(found.calls.len(), 1, "{format:?} {text}");
    }
}

#[test]
fn text_is_shown_before_the_answer_ends() {
    for format in CallFormat::ALL {
        let mut parser = CallParser::new(format, &[], 0);
        assert_eq!(parser.push("Hello "), [Piece::Text("Hello ".to_owned())], "{format:?}");
    }
}

#[test]
fn templates_tell_their_format() {
    for (source, format) in [
        ("<tool_call>\n<function=example><parameter=a>", CallFormat::QwenXml),
        ("'<tool_call>\\n{\"name\": \"'", CallFormat::Hermes),
        ("{{ '[TOOL_CALLS]' + name + '[ARGS]' }}", CallFormat::MistralArgs),
        ("{{ '[TOOL_CALLS] [' }}", CallFormat::Mistral),
        ("{{ '<|python_tag|>' }}", CallFormat::Llama),
        ("[func_name1(params_name1=params_value1)]", CallFormat::Pythonic),
        ("{{ message.content }}", CallFormat::Json),
    ] {
        assert_eq!(CallFormat::of_template(source), format, "{source}");
    }
    for format in CallFormat::ALL {
        assert_eq!(CallFormat::from_name(format.as_str()), Some(format));
    }
}

/// A schema of the function-calling leaderboard in the words of JSON Schema.
fn schema(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let name = value.as_str().filter(|_| key == "type");
                let value = match name {
                    Some("dict") => json!("object"),
                    Some("float") => json!("number"),
                    Some("tuple") => json!("array"),
                    _ => schema(value),
                };
                (key.clone(), value)
            };
            Value::Object(map.iter().map(entry).collect())
        }
        other => other.clone(),
    }
}

/// A call that the leaderboard accepts: the first acceptable value of each argument, nested ones too.
fn accepted(value: &Value) -> Value {
    let first = |value: &Value| value.as_array().and_then(|list| list.first()).cloned();
    let mut arguments = Map::new();
    for (key, values) in value.as_object().into_iter().flatten() {
        if let Some(value) = first(values).filter(|value| value != "") {
            arguments.insert(key.clone(), value);
        }
    }
    Value::Object(arguments)
}

#[test]
fn the_leaderboards_examples_are_read_back() {
    let mut n_examples = 0;
    for name in ["simple_python", "parallel"] {
        let Some(questions) = data::test_data(&format!("bfcl-examples/{name}.jsonl")) else {
            return;
        };
        let Some(answers) = data::test_data(&format!("bfcl-examples/{name}.answers.jsonl")) else {
            return;
        };
        let [questions, answers] =
            [questions, answers].map(|path| std::fs::read_to_string(path).unwrap());
        for (question, answer) in questions.lines().zip(answers.lines()) {
            let question: Value = serde_json::from_str(question).unwrap();
            let answer: Value = serde_json::from_str(answer).unwrap();
            assert_eq!(question["id"], answer["id"]);
            let tool = |tool: &Value| ToolSpec {
                name: tool["name"].as_str().unwrap().to_owned(),
                description: tool["description"].as_str().unwrap().to_owned(),
                parameters: schema(&tool["parameters"]),
            };
            let tools: Vec<ToolSpec> =
                question["function"].as_array().unwrap().iter().map(tool).collect();
            let entries = answer["ground_truth"].as_array().unwrap();
            let calls = entries.iter().flat_map(|entry| entry.as_object().unwrap());
            let calls: Vec<ToolCall> = calls
                .enumerate()
                .map(|(n, (name, arguments))| call(n, name, accepted(arguments)))
                .collect();
            for format in CallFormat::ALL {
                let text = format.render(&calls);
                let found = format.read(&text, &tools, 0);
                assert_eq!(found.calls, calls, "{format:?} {text}");
                assert_eq!(found.content, "", "{format:?} {text}");
            }
            n_examples += 1;
        }
    }
    assert!(n_examples >= 40, "{n_examples}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|x: f64| Value::from(x)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Text with everything in it that means something in a format.
fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(FRAGMENTS.to_vec()).prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

const FRAGMENTS: [&str; 46] = [
    "<tool_call>",
    "</tool_call>",
    "<function=get_weather>",
    "<function=f>",
    "</function>",
    "<parameter=city>",
    "</parameter>",
    "[TOOL_CALLS]",
    "[ARGS]",
    "[CALL_ID]",
    "<|python_tag|>",
    "```",
    "```json\n",
    "\n```",
    "`",
    "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"x\"}}",
    "{\"tool\": \"f\", \"parameters\": {}}",
    "{\"name\": \"f\"",
    "\"parameters\"",
    "\"arguments\": ",
    "get_weather(city='x')",
    "[get_weather(city='x')]",
    "[f(a=1)]",
    "get_weather",
    "f(",
    "a=",
    "1",
    "-2.5",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "\\",
    ",",
    ";",
    ":",
    "=",
    " ",
    "\n",
    "**",
    "é",
    "word",
];

fn any_answer() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(FRAGMENTS.to_vec()), 0..14).prop_map(|p| p.concat())
}

fn any_format() -> impl Strategy<Value = CallFormat> {
    prop::sample::select(CallFormat::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn chunks_do_not_matter(
        format in any_format(),
        answer in any_answer(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let whole = pieces(format, &[&answer]);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(answer.len() + 1)).collect();
        at.extend([0, answer.len()]);
        at.retain(|at| answer.is_char_boundary(*at));
        at.sort_unstable();
        let chunks: Vec<&str> = at.windows(2).map(|w| &answer[w[0]..w[1]]).collect();
        prop_assert_eq!(&pieces(format, &chunks), &whole);
        let letters: Vec<String> = answer.chars().map(String::from).collect();
        let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
        prop_assert_eq!(&pieces(format, &letters), &whole);
        let has_call = whole.iter().any(|piece| !matches!(piece, Piece::Text(_)));
        if !has_call {
            let expected: Vec<Piece> =
                Some(answer).filter(|a| !a.is_empty()).map(Piece::Text).into_iter().collect();
            prop_assert_eq!(whole, expected);
        }
    }

    #[test]
    fn written_calls_are_read_back(
        format in any_format(),
        arguments in prop::collection::vec(
            prop::collection::vec((any_text(), any_json()), 0..4), 1..4),
    ) {
        // Bare text has no way to write its own closing tag, nor a type without a schema.
        prop_assume!(format != CallFormat::QwenXml);
        let names = ["get_weather", "shop.find_item", "f2"];
        let calls: Vec<ToolCall> = arguments
            .into_iter()
            .enumerate()
            .map(|(n, entries)| call(n, names[n % 3], Value::Object(entries.into_iter().collect())))
            .collect();
        let text = format.render(&calls);
        let found = format.read(&text, &[], 0);
        prop_assert_eq!(&found.calls, &calls, "{}", text);
        prop_assert_eq!(found.content, "");
    }

    #[test]
    fn bare_text_is_read_back(value in "[^<>]{0,20}") {
        let calls = [call(0, "get_weather", json!({"city": value}))];
        let text = CallFormat::QwenXml.render(&calls);
        prop_assert_eq!(read(CallFormat::QwenXml, &text).calls, calls);
    }
}
