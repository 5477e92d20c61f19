//! Forms, with a model that knows nothing of JSON:
//!
//! 1. what was drawn under a schema and ended by itself is JSON that the schema allows;
//! 2. expressions and grammars are kept, and forced calls are calls of the tool with its arguments, in
//!    every format that has a grammar;
//! 3. log-probs are those of the model all the same, and the answer says that it was steered;
//! 4. what is no schema, expression or grammar, or cannot be kept, is refused with its place.

use std::sync::Arc;

use serde_json::{Value, json};
use stateset_core::{CallFormat, FinishReason, Message, ToolSpec};
use stateset_serve::ServedModel;
use stateset_serve::answer::{AnswerRequest, Form, Prompt};
use stateset_serve::models::Voice;
use stateset_train::LocalPolicy;

use super::support::{chat, hear, policy, tiny};

fn formed(form: Form, seed: u64) -> AnswerRequest {
    let mut request = AnswerRequest { form, seed: Some(seed), ..chat(300) };
    request.sampling.temperature = 1.5;
    request
}

fn schemas() -> Vec<Value> {
    vec![
        json!({"type": "object", "properties": {
            "name": {"type": "string", "maxLength": 12},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
        }, "required": ["name", "age"], "additionalProperties": false}),
        json!({"type": "array", "items": {"enum": ["red", "green", 3, null]}, "minItems": 2, "maxItems": 4}),
        json!({"type": "object", "properties": {
            "kind": {"const": "refund"},
            "lines": {"type": "array", "maxItems": 2, "items": {"$ref": "#/$defs/line"}},
        }, "required": ["kind", "lines"], "additionalProperties": false, "$defs": {
            "line": {"type": "object", "properties": {
                "sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
                "is_open": {"type": "boolean"},
            }, "required": ["sku", "is_open"], "additionalProperties": false},
        }}),
        json!({"anyOf": [{"type": "boolean"}, {"type": "string", "maxLength": 5}]}),
    ]
}

#[tokio::test]
async fn answers_under_a_schema_are_valid() {
    let model = Arc::new(tiny(0));
    let mut n_whole = 0;
    for schema in schemas() {
        let validator = jsonschema::validator_for(&schema).unwrap();
        for seed in 0..4 {
            let heard = hear(&model, formed(Form::JsonSchema(schema.clone()), seed)).await.unwrap();
            assert!(
                heard.answer.is_steered && heard.answer.tokens.iter().all(|t| t.logprob <= 0.0)
            );
            if heard.answer.finish != FinishReason::Stop {
                continue;
            }
            let text = &heard.answer.message.content;
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(validator.is_valid(&value), "{text} under {schema}");
            n_whole += 1;
        }
    }
    assert!(n_whole >= 12, "only {n_whole} of 16 ended by themselves");
}

#[tokio::test]
async fn objects_expressions_and_grammars_are_kept() {
    let model = Arc::new(tiny(0));
    let object = hear(&model, formed(Form::JsonObject, 3)).await.unwrap().answer;
    assert!(object.message.content.starts_with('{'), "{}", object.message.content);
    let regex = Form::Regex("[A-C]{2}-[0-9]{4}".to_owned());
    let answer = hear(&model, formed(regex, 1)).await.unwrap().answer;
    let text = answer.message.content.as_bytes();
    assert!(text.len() == 7 && text[2] == b'-', "{}", answer.message.content);
    let lark = Form::Lark("start: (\"yes\" | \"no\") \"!\"\n".to_owned());
    let answer = hear(&model, formed(lark, 1)).await.unwrap().answer;
    assert!(["yes!", "no!"].contains(&answer.message.content.as_str()));
    assert_eq!(answer.finish, FinishReason::Stop);
}

fn tools() -> Vec<ToolSpec> {
    let tool = |name: &str, parameters| ToolSpec {
        name: name.to_owned(),
        description: "a tool".to_owned(),
        parameters,
    };
    let id = json!({"type": "object", "properties": {"id": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["id"], "additionalProperties": false});
    let note = json!({"type": "object", "properties": {"note": {"enum": ["late", "lost"]}},
        "required": ["note"], "additionalProperties": false});
    vec![tool("find_order", id), tool("add_note", note)]
}

fn calling(name: Option<&str>, seed: u64) -> AnswerRequest {
    let messages = vec![Message::user("Where is my order?")];
    AnswerRequest {
        prompt: Prompt::Chat { messages, tools: tools() },
        ..formed(Form::Calls(name.map(str::to_owned)), seed)
    }
}

/// The embedded model with another way to call tools.
fn with_format(format: CallFormat) -> Arc<ServedModel> {
    let mut model = tiny(0);
    let old = policy(&model);
    let new = LocalPolicy::new(old.engine().clone(), old.format().clone().with_call_format(format));
    model.voice = Voice::Local(Box::new(new));
    Arc::new(model)
}

#[tokio::test]
async fn forced_calls_are_calls() {
    let schemas: Vec<_> = tools().into_iter().map(|tool| (tool.name, tool.parameters)).collect();
    for format in [
        CallFormat::Json,
        CallFormat::Hermes,
        CallFormat::Llama,
        CallFormat::Mistral,
        CallFormat::MistralArgs,
    ] {
        let model = with_format(format);
        for (name, seed) in [(None, 1), (None, 2), (Some("add_note"), 3)] {
            let answer = hear(&model, calling(name, seed)).await.unwrap().answer;
            let calls = &answer.message.tool_calls;
            assert!(!calls.is_empty(), "{format:?}: {answer:?}");
            if answer.finish != FinishReason::Length {
                assert_eq!(answer.finish, FinishReason::ToolCalls);
                assert_eq!(answer.message.content, "", "{format:?}");
            }
            if let Some(name) = name {
                assert_eq!((calls.len(), calls[0].name.as_str()), (1, name));
            }
            for call in calls {
                let (_, schema) = schemas.iter().find(|(name, _)| *name == call.name).unwrap();
                assert!(jsonschema::is_valid(schema, &call.arguments), "{format:?}: {call:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_form_is_refused_with_its_place() {
    let model = Arc::new(tiny(0));
    let schema = |schema| formed(Form::JsonSchema(schema), 0);
    let nested = json!({"type": "object", "properties": {"a": {"type": "wrong"}}});
    let field = "response_format.json_schema.schema";
    let unknown =
        AnswerRequest { form: Form::Calls(Some("nothing".to_owned())), ..calling(None, 0) };
    let no_tools = formed(Form::Calls(None), 0);
    let reference = json!({"$ref": "https://example.com/other.json"});
    for (request, code, place) in [
        (schema(nested), "invalid_schema", "response_format.json_schema.schema.properties.a.type"),
        (schema(json!(3)), "invalid_schema", field),
        (schema(reference), "invalid_schema", field),
        (formed(Form::Regex("[a".to_owned()), 0), "invalid_regex", "response_format.regex"),
        (
            formed(Form::Lark("begin: 3".to_owned()), 0),
            "invalid_grammar",
            "response_format.grammar",
        ),
        (unknown, "invalid_value", "tool_choice"),
        (no_tools, "invalid_value", "tool_choice"),
    ] {
        let error = hear(&model, request).await.err().unwrap();
        assert_eq!((error.status.as_u16(), error.code), (400, code), "{error:?}");
        assert_eq!(error.field.as_deref(), Some(place), "{error:?}");
    }
    let error = hear(&with_format(CallFormat::Pythonic), calling(None, 0)).await.err().unwrap();
    assert_eq!((error.code, error.field.as_deref()), ("unsupported_form", Some("tool_choice")));
}
