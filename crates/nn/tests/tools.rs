//! What tools promise about conversations and tokens:
//!
//! 1. after a call and its result the row goes on, in whatever words the model called, for every known
//!    template; what was sampled stays sampled and results are given tokens;
//! 2. an answer whose calls were edited starts a new row;
//! 3. a template without tools gets them in words: described to the agent, called in the answer's text,
//!    answered as the user;
//! 4. templates that refuse several calls get them in words too;
//! 5. descriptions of tools cannot write control tokens;
//! 6. the call format is that which the template shows.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

mod text_support;

use serde_json::{Map, json};
use stateset_core::{
    CallFormat, GivenTokens, Message, Origin, PolicyVersion, TokenTrace, ToolCall, ToolSpec,
};
use stateset_nn::{ChatFormat, ChatTemplate, TextFiles, Tokenizer};
use text_support::{data, tokenizer};

/// Each template, the way it teaches to call, and whether a later user turn rewrites what was read.
const TEMPLATES: [(&str, CallFormat, bool); 7] = [
    ("llama3_1", CallFormat::Llama, false),
    ("qwen2_5", CallFormat::Hermes, false),
    ("qwen2_5_training", CallFormat::Hermes, false),
    // It drops the thought of the turn before.
    ("qwen3", CallFormat::Hermes, true),
    // The line end behind a result moves when the result is no longer last.
    ("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", CallFormat::Hermes, true),
    ("gemma3", CallFormat::Json, false),
    ("minimind", CallFormat::Hermes, false),
];

/// A tokenizer whose answers end as the template `name` ends them. That of the data has ChatML's tokens
/// around turns; for templates with others, these get their names.
fn tokenizer_for(name: &str) -> Option<Tokenizer> {
    let (start, end) = match name {
        "llama3_1" => ("<|start_header_id|>", "<|eot_id|>"),
        "gemma3" => ("<start_of_turn>", "<end_of_turn>"),
        _ => return tokenizer("minimind"),
    };
    let folder = data("tokenizers/minimind")?;
    let files = ["tokenizer.json", "tokenizer_config.json"].map(|file| {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let text = text.replace("<|im_start|>", start).replace("<|im_end|>", end);
        (file, text.into_bytes().into())
    });
    Some(Tokenizer::load(&TextFiles::from_memory(name, files).unwrap()).unwrap())
}

fn format_of(name: &str) -> Option<ChatFormat> {
    let tokenizer = tokenizer_for(name)?;
    let template = if name == "minimind" {
        text_support::template("tokenizer:tokenizers/minimind")?
    } else {
        let path = data(&format!("chat-templates/{name}.jinja"))?;
        ChatTemplate::from_source(name, &std::fs::read_to_string(path).unwrap()).unwrap()
    };
    Some(ChatFormat::new(tokenizer, template, None, Map::new()))
}

fn weather() -> ToolSpec {
    ToolSpec {
        name: "get_weather".to_owned(),
        description: "The weather in a city.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"city": {"type": "string", "description": "Its name."}},
            "required": ["city"],
        }),
    }
}

/// One and the same call in words that no template writes.
fn own_words(format: CallFormat, city: &str) -> String {
    match format {
        CallFormat::Hermes => format!(
            "<tool_call>\n{{\"arguments\":{{\"city\":\"{city}\"}}, \"name\":\"get_weather\"}}</tool_call>"
        ),
        CallFormat::Llama => {
            format!("{{\"name\":\"get_weather\",\"parameters\":{{ \"city\":\"{city}\" }}}}")
        }
        _ => {
            format!("```\n{{\"name\":\"get_weather\",\"arguments\":{{\"city\":\"{city}\"}}}}\n```")
        }
    }
}

/// A conversation as it is played: what is read, and what is said.
struct Talk {
    format: ChatFormat,
    messages: Vec<Message>,
    trace: TokenTrace,
    /// Tokens of each answer.
    sampled: Vec<Vec<u32>>,
    restarts: usize,
}

impl Talk {
    fn new(format: ChatFormat) -> Talk {
        let messages = vec![Message::system("Be brief."), Message::user("How is it in Paris?")];
        Talk { format, messages, trace: TokenTrace::new(), sampled: Vec::new(), restarts: 0 }
    }

    /// The agent says `text`, which is read as an agent reads it.
    fn say(&mut self, text: &str) -> usize {
        let tools = [weather()];
        match self.format.continuation(&self.messages, &tools, &self.trace).unwrap() {
            GivenTokens::Continue(tokens) => self.trace.append_given(&tokens),
            GivenTokens::Restart { tokens, .. } => {
                self.restarts += 1;
                self.trace.start_segment();
                self.trace.append_given(&tokens);
            }
        }
        let mut tokens = self.format.tokenizer().encode_after(None, text).unwrap();
        tokens.extend(self.format.end_ids().last());
        let zeros = vec![0.0; tokens.len()];
        self.trace.append_sampled(&tokens, &zeros, PolicyVersion(0)).unwrap();
        let mut message = self.format.reply(&tokens, &[]).unwrap();
        self.sampled.push(tokens);
        let n_earlier = self.messages.iter().map(|m| m.tool_calls.len()).sum();
        let read = self.format.call_format().read(&message.content, &tools, n_earlier);
        (message.content, message.tool_calls) = (read.content, read.calls);
        let n_calls = message.tool_calls.len();
        self.messages.push(message);
        n_calls
    }

    fn answer_calls(&mut self) {
        let calls = self.messages.last().unwrap().tool_calls.clone();
        assert!(!calls.is_empty());
        self.messages.extend(calls.iter().map(|call| Message::tool_result(call, "rainy")));
    }

    fn read_text(&self) -> String {
        let row = self.trace.current().unwrap();
        self.format.tokenizer().decode(row.tokens(), false).unwrap()
    }
}

#[test]
fn rows_go_on_after_calls_in_any_words() {
    for (name, call_format, is_rewritten) in TEMPLATES {
        let Some(format) = format_of(name) else { return };
        assert_eq!(format.call_format(), call_format, "{name}");
        let mut talk = Talk::new(format);
        assert_eq!(talk.say(&own_words(call_format, "Paris")), 1, "{name}");
        talk.answer_calls();
        assert_eq!(talk.say(&own_words(call_format, "Lyon")), 1, "{name}");
        assert_eq!(talk.restarts, 0, "{name}");
        talk.answer_calls();
        assert_eq!(talk.say("It rains."), 0, "{name}");
        // Hermes's template moves a line end already when one result follows another.
        let moves = name.contains("Hermes");
        assert_eq!(talk.restarts, usize::from(moves), "{name}: {}", talk.read_text());
        if is_rewritten {
            continue;
        }
        talk.messages.push(Message::user("Thanks."));
        talk.say("You are welcome.");
        assert_eq!(talk.restarts, 0, "{name}: {}", talk.read_text());
        let row = talk.trace.current().unwrap();
        let spans = row.sampled_spans().map(|span| row.tokens()[span.start..span.end].to_vec());
        assert_eq!(spans.collect::<Vec<_>>(), talk.sampled, "{name}");
        // What the loss sees is what was sampled; results are given.
        let mask = row.mask(Origin::Sampled);
        let given: Vec<u32> =
            row.tokens().iter().zip(&mask).filter(|(_, m)| !**m).map(|(t, _)| *t).collect();
        let given = talk.format.tokenizer().decode(&given, false).unwrap();
        assert_eq!(given.matches("rainy").count(), 2, "{name}: {given}");
    }
}

#[test]
fn edited_calls_start_a_new_row() {
    for (name, call_format, _) in TEMPLATES {
        let Some(format) = format_of(name) else { return };
        let mut talk = Talk::new(format);
        talk.say(&own_words(call_format, "Paris"));
        talk.answer_calls();
        talk.messages[2].tool_calls[0].arguments = json!({"city": "Rome"});
        talk.say("It rains.");
        assert_eq!(talk.restarts, 1, "{name}");
        assert!(talk.read_text().contains("Rome"), "{name}");
        // In the new row the call stands as the template writes it, and the row goes on.
        talk.say("It still rains.");
        if !name.contains("qwen3") && !name.contains("Hermes") {
            assert_eq!(talk.restarts, 1, "{name}: {}", talk.read_text());
        }
    }
}

#[test]
fn templates_without_tools_get_them_in_words() {
    let Some(format) = format_of("gemma3") else { return };
    let call = |city: &str, id: &str| ToolCall {
        id: id.to_owned(),
        name: "get_weather".to_owned(),
        arguments: json!({ "city": city }),
    };
    let calls = vec![call("Paris", "a"), call("Lyon", "b")];
    let messages = [
        Message::user("Weather?"),
        Message { tool_calls: calls.clone(), ..Message::assistant("I look.") },
        Message::tool_result(&calls[0], "rainy"),
        Message::tool_result(&calls[1], "sunny"),
    ];
    let tokens = format.prompt(&messages, &[weather()]).unwrap();
    let text = format.tokenizer().decode(&tokens, false).unwrap();
    for part in [
        "You can call these tools:\n- get_weather(city: string): The weather in a city.\n  city: Its name.",
        "I look.\n```json\n{\"tool\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}\n```\n```json",
        "Tool Output (get_weather): rainy\nTool Output (get_weather): sunny",
    ] {
        assert!(text.contains(part), "{part}\n---\n{text}");
    }
    let without = format.prompt(&[Message::user("Weather?")], &[]).unwrap();
    let without = format.tokenizer().decode(&without, false).unwrap();
    assert!(!without.contains("tools"), "{without}");
}

#[test]
fn plain_conversations_have_tools_too() {
    let Some(tokenizer) = tokenizer("minimind") else { return };
    let format = ChatFormat::new(tokenizer, ChatTemplate::plain(), None, Map::new())
        .with_call_format(CallFormat::Pythonic);
    let call = ToolCall {
        id: "a".into(),
        name: "get_weather".into(),
        arguments: json!({"city": "Paris"}),
    };
    let messages = [
        Message::system("Be brief."),
        Message::user("Weather?"),
        Message { tool_calls: vec![call.clone()], ..Message::assistant("") },
        Message::tool_result(&call, "rainy"),
    ];
    let tokens = format.prompt(&messages, &[weather()]).unwrap();
    let text = format.tokenizer().decode(&tokens, true).unwrap();
    let expected = "System: Be brief.\n\nYou can call these tools:\n\
        - get_weather(city: string): The weather in a city.\n  city: Its name.\n\n\
        To call one, write:\n[NAME(KEY=\"VALUE\")]\nUser: Weather?\n\
        Assistant: [get_weather(city=\"Paris\")]\nTool: rainy\nAssistant:";
    assert_eq!(text, expected);
}

#[test]
fn several_calls_are_rendered_where_the_template_refuses_them() {
    let Some(format) = format_of("llama3_1") else { return };
    let mut talk = Talk::new(format);
    let both = format!(
        "{}; {}",
        own_words(CallFormat::Llama, "Paris"),
        own_words(CallFormat::Llama, "Lyon")
    );
    assert_eq!(talk.say(&both), 2);
    talk.answer_calls();
    talk.say("It rains.");
    assert_eq!(talk.restarts, 0);
    // Without a row there are no words of the model's own.
    let tokens = talk.format.prompt(&talk.messages, &[weather()]).unwrap();
    let text = talk.format.tokenizer().decode(&tokens, false).unwrap();
    let written = "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}; {\"name\"";
    assert!(text.contains(written), "{text}");
}

#[test]
fn descriptions_write_no_control_tokens() {
    let Some(format) = format_of("gemma3") else { return };
    let tool = ToolSpec { description: "Bad <end_of_turn> words".to_owned(), ..weather() };
    let count = |tool: &ToolSpec| {
        let tokens = format.prompt(&[Message::user("Hi")], std::slice::from_ref(tool)).unwrap();
        let end = format.tokenizer().token_to_id("<end_of_turn>");
        tokens.iter().filter(|id| Some(**id) == end).count()
    };
    assert_eq!(count(&tool), count(&weather()));
}
