//! Answers with calls of tools, in every format. The first byte chooses the format and the second where
//! the answer is cut; in two chunks it must read as it does whole, nothing is lost where there is no
//! call, and what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::json;
use stateset_core::{CallFormat, CallParser, Piece, ToolSpec};

fn pieces(format: CallFormat, tools: &[ToolSpec], chunks: &[&str]) -> Vec<Piece> {
    let mut parser = CallParser::new(format, tools, 0);
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

fuzz_target!(|input: (u8, u8, &str)| {
    let (format, cut, answer) = input;
    let format = CallFormat::ALL[usize::from(format) % CallFormat::ALL.len()];
    let tool = ToolSpec {
        name: "f".to_owned(),
        description: String::new(),
        parameters: json!({"properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}),
    };
    let tools = [tool];
    let whole = pieces(format, &tools, &[answer]);
    let at = answer.len() * usize::from(cut) / 255;
    if answer.is_char_boundary(at) {
        assert_eq!(pieces(format, &tools, &[&answer[..at], &answer[at..]]), whole);
    }
    let reply = format.read(answer, &tools, 0);
    if reply.calls.is_empty() {
        assert_eq!(reply.content, answer);
    }
    let _ = format.read(&format.render(&reply.calls), &tools, 0);
});
