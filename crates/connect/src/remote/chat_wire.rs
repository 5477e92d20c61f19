//! Requests and answers of `/v1/chat/completions`, OpenAI's layout.
//!
//! Source: OpenAI's API reference, "Create chat completion"; `top_k`, `min_p` and
//! `repetition_penalty` are names that vLLM and SGLang add, and are sent only where they say something.
//! Arguments of a call that are not JSON stay the text they are: whoever runs the tool then refuses
//! them with a message that the agent reads.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use stateset_core::{Completion, FinishReason, GenerateRequest, Message, Role, Sampling, ToolCall};

/// Tokens that a server counted for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read, those from the server's cache included.
    pub input_tokens: u64,
    /// Of those, tokens that the server had read before.
    pub cached_tokens: u64,
    /// Tokens written, reasoning included.
    pub output_tokens: u64,
}

#[derive(Deserialize)]
struct AnswerWire {
    #[serde(default)]
    choices: Vec<ChoiceWire>,
    #[serde(default)]
    usage: Option<UsageWire>,
}

#[derive(Deserialize)]
struct ChoiceWire {
    message: MessageWire,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct MessageWire {
    #[serde(default)]
    content: Value,
    #[serde(default, alias = "reasoning")]
    reasoning_content: Option<String>,
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallWire>>,
}

#[derive(Deserialize)]
struct CallWire {
    #[serde(default)]
    id: Option<String>,
    function: FunctionWire,
}

#[derive(Deserialize)]
struct FunctionWire {
    name: String,
    #[serde(default)]
    arguments: Value,
}

#[derive(Deserialize)]
struct UsageWire {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<DetailsWire>,
}

#[derive(Deserialize)]
struct DetailsWire {
    #[serde(default)]
    cached_tokens: u64,
}

/// The body of a request. `seed` makes servers that know it repeatable.
pub(super) fn body(model: &str, request: &GenerateRequest, extra: &Map<String, Value>) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), model.into());
    body.insert("messages".into(), request.messages.iter().map(message).collect());
    sampling(&request.sampling, &mut body);
    let seed = request.stream.clone().next_u32() >> 1;
    body.insert("seed".into(), seed.into());
    if !request.tools.is_empty() {
        body.insert("tools".into(), request.tools.iter().map(|tool| tool.to_openai()).collect());
    }
    // What the user adds wins; null takes a field away that a server does not know.
    for (key, value) in extra {
        if value.is_null() {
            body.remove(key);
        } else {
            body.insert(key.clone(), value.clone());
        }
    }
    Value::Object(body)
}

fn sampling(sampling: &Sampling, body: &mut Map<String, Value>) {
    let temperature = if sampling.greedy { 0.0 } else { sampling.temperature };
    body.insert("temperature".into(), temperature.into());
    body.insert("max_tokens".into(), sampling.max_new_tokens.into());
    if !sampling.greedy {
        let mut put = |key: &str, value: Value, says_something: bool| {
            if says_something {
                body.insert(key.into(), value);
            }
        };
        put("top_p", sampling.top_p.into(), sampling.top_p < 1.0);
        put("top_k", sampling.top_k.into(), sampling.top_k > 0);
        put("min_p", sampling.min_p.into(), sampling.min_p > 0.0);
    }
    if sampling.repetition_penalty != 1.0 {
        body.insert("repetition_penalty".into(), sampling.repetition_penalty.into());
    }
    if !sampling.stop.is_empty() {
        body.insert("stop".into(), sampling.stop.clone().into());
    }
}

/// A message as it is sent. Reasoning is not: servers refuse it or ignore it.
fn message(message: &Message) -> Value {
    let mut wire = json!({"role": message.role.as_str(), "content": message.content});
    if !message.tool_calls.is_empty() {
        wire["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    if let Some(id) = &message.tool_call_id {
        wire["tool_call_id"] = id.as_str().into();
    }
    if let (Some(name), Role::User | Role::Assistant | Role::System) = (&message.name, message.role)
    {
        wire["name"] = name.as_str().into();
    }
    wire
}

fn call(call: &ToolCall) -> Value {
    let arguments = match &call.arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    })
}

/// The completion in an answer, and what it used, where the server says.
///
/// # Errors
/// What keeps the answer from being understood.
pub(super) fn read(text: &str) -> Result<(Completion, Option<Usage>), String> {
    let answer: AnswerWire =
        serde_json::from_str(text).map_err(|error| format!("it cannot be read ({error})"))?;
    let usage = answer.usage.map(|usage| Usage {
        input_tokens: usage.prompt_tokens,
        cached_tokens: usage
            .prompt_tokens_details
            .map_or(0, |details| details.cached_tokens)
            .min(usage.prompt_tokens),
        output_tokens: usage.completion_tokens,
    });
    let choice = answer.choices.into_iter().next().ok_or("it holds no choice")?;
    let tool_calls: Vec<ToolCall> =
        choice.message.tool_calls.unwrap_or_default().into_iter().enumerate().map(called).collect();
    let finish = match (choice.finish_reason.as_deref(), tool_calls.is_empty()) {
        (_, false) => FinishReason::ToolCalls,
        (Some("length"), true) => FinishReason::Length,
        _ => FinishReason::Stop,
    };
    let content = match (written(&choice.message.content)?, choice.message.refusal) {
        (content, Some(refusal)) if content.is_empty() => refusal,
        (content, _) => content,
    };
    let message = Message {
        reasoning: choice.message.reasoning_content.filter(|text| !text.is_empty()),
        tool_calls,
        ..Message::assistant(content)
    };
    Ok((Completion { message, sampled: None, finish }, usage))
}

/// A text, or the texts of a list of parts.
fn written(content: &Value) -> Result<String, String> {
    match content {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => Ok(parts.iter().filter_map(|part| part["text"].as_str()).collect()),
        other => Err(format!("its content is {other}, allowed is a text or a list of parts")),
    }
}

fn called((index, call): (usize, CallWire)) -> ToolCall {
    let arguments = match call.function.arguments {
        Value::String(text) if text.trim().is_empty() => Value::Object(Map::new()),
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        Value::Null => Value::Object(Map::new()),
        other => other,
    };
    let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{index}"));
    ToolCall { id, name: call.function.name, arguments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stateset_core::{Purpose, RunSeed, StreamKey, TokenTrace, ToolSpec};

    fn request(messages: Vec<Message>, sampling: Sampling) -> GenerateRequest {
        GenerateRequest {
            messages,
            tools: Vec::new(),
            trace: TokenTrace::new(),
            sampling,
            stream: RunSeed(1).stream(Purpose::Sampling, StreamKey::default()),
        }
    }

    #[test]
    fn a_request_says_what_was_asked() {
        let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: json!({"a": 1}) };
        let mut calls = Message::assistant("");
        calls.tool_calls.push(call.clone());
        let sampling =
            Sampling { top_k: 5, stop: vec!["END".into()], temperature: 0.5, ..Default::default() };
        let mut asked = request(
            vec![Message::system("s"), Message::user("u"), calls, Message::tool_result(&call, "r")],
            sampling,
        );
        asked.tools.push(ToolSpec {
            name: "f".into(),
            description: "d".into(),
            parameters: json!({"type": "object"}),
        });
        let mut sent = body("m", &asked, &Map::new());
        assert!(sent["seed"].as_u64().unwrap() < 1 << 31);
        sent.as_object_mut().unwrap().remove("seed");
        assert_eq!(
            sent,
            json!({
                "model": "m",
                "messages": [
                    {"role": "system", "content": "s"},
                    {"role": "user", "content": "u"},
                    {"role": "assistant", "content": "", "tool_calls": [
                        {"id": "c1", "type": "function",
                         "function": {"name": "f", "arguments": "{\"a\":1}"}}]},
                    {"role": "tool", "content": "r", "tool_call_id": "c1"},
                ],
                "temperature": 0.5, "max_tokens": 64, "top_k": 5, "stop": ["END"],
                "tools": [{"type": "function", "function":
                    {"name": "f", "description": "d", "parameters": {"type": "object"}}}],
            })
        );
    }

    #[test]
    fn what_the_user_adds_wins() {
        let greedy = Sampling { greedy: true, top_p: 0.5, ..Sampling::default() };
        let extra = json!({"seed": null, "reasoning_effort": "low", "max_tokens": null});
        let sent = body("m", &request(vec![], greedy), extra.as_object().unwrap());
        let expected =
            json!({"model": "m", "messages": [], "temperature": 0.0, "reasoning_effort": "low"});
        assert_eq!(sent, expected);
    }

    #[test]
    fn answers_are_read() {
        let text = r#"{"choices": [{"finish_reason": "length", "message": {"content": "Hi"}}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11,
                      "prompt_tokens_details": {"cached_tokens": 4}}}"#;
        let (completion, usage) = read(text).unwrap();
        assert_eq!(completion.message, Message::assistant("Hi"));
        assert_eq!(completion.finish, FinishReason::Length);
        assert_eq!(usage, Some(Usage { input_tokens: 9, cached_tokens: 4, output_tokens: 2 }));
        let text = r#"{"choices": [{"message": {"content": null, "reasoning": "hm", "tool_calls": [
            {"function": {"name": "f", "arguments": "{\"a\": 1}"}},
            {"id": "x", "function": {"name": "g", "arguments": "{oops"}}]}}]}"#;
        let (completion, usage) = read(text).unwrap();
        let calls = completion.message.tool_calls;
        assert_eq!((completion.finish, usage), (FinishReason::ToolCalls, None));
        assert_eq!((calls[0].id.as_str(), &calls[0].arguments), ("call_0", &json!({"a": 1})));
        assert_eq!((calls[1].id.as_str(), &calls[1].arguments), ("x", &json!("{oops")));
        assert_eq!(completion.message.reasoning.as_deref(), Some("hm"));
        let parts = r#"{"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"text": "b"}]}}]}"#;
        assert_eq!(read(parts).unwrap().0.message.content, "ab");
        let refusal = r#"{"choices": [{"message": {"content": null, "refusal": "No."}}]}"#;
        assert_eq!(read(refusal).unwrap().0.message.content, "No.");
    }

    #[test]
    fn what_is_no_answer_is_not_read() {
        assert_eq!(read(r#"{"choices": []}"#).unwrap_err(), "it holds no choice");
        assert!(read("oops").unwrap_err().starts_with("it cannot be read"));
        let number = r#"{"choices": [{"message": {"content": 3}}]}"#;
        assert!(read(number).unwrap_err().contains("its content is 3"));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "(\\PC|choices|message|content|[{}\\[\\]\":,0-9]){0,60}") {
            let _ = read(&text);
        }
    }
}
