//! What `score` and `generate` read: JSONL, a line is `{"tokens": [..]}`, `{"prompt": ".."}` or
//! `{"messages": [..]}`. All of it is checked before anything is computed.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use stateset_core::{Message, MessageRecord, ToolSpec};

use super::error::{CliError, Outcome};

/// Bad lines that are reported; a file with more is something else.
const MAX_PROBLEMS: usize = 20;

/// Where lines come from.
#[derive(Args, Clone, Debug)]
pub(crate) struct LinesArgs {
    /// File of JSON lines; standard input where absent or -
    #[arg(value_name = "FILE")]
    input: Option<PathBuf>,
}

/// What one line asks about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LineInput {
    /// Tokens as they are.
    Tokens(Vec<u32>),
    /// A plain text, encoded as the tokenizer encodes texts by themselves.
    Prompt(String),
    /// A conversation, rendered by the chat template.
    Chat {
        /// In order; at least one.
        messages: Vec<Message>,
        /// Tools the assistant is told about.
        tools: Vec<ToolSpec>,
    },
}

/// A line with its number, from 1.
pub(crate) struct NumberedLine {
    /// For messages.
    pub(crate) number: usize,
    /// What it holds.
    pub(crate) input: LineInput,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRecord {
    tokens: Option<Vec<u32>>,
    prompt: Option<String>,
    messages: Option<Vec<MessageRecord>>,
    tools: Option<Vec<Value>>,
}

impl LinesArgs {
    /// Reads every line and makes something of it with `read`.
    ///
    /// Empty lines are passed over. Where lines cannot be used, all of them are named.
    pub(crate) fn read<T>(
        &self,
        read: impl Fn(&LineInput) -> Result<T, String>,
    ) -> Outcome<Vec<T>> {
        let path = self.input.as_deref().filter(|path| *path != Path::new("-"));
        let bytes = read_bytes(path)?;
        let name = path.map_or("the standard input".to_owned(), |path| path.display().to_string());
        let (mut values, mut problems) = (Vec::new(), Vec::new());
        for line in parse(&bytes) {
            match line.and_then(|line| {
                read(&line.input).map_err(|problem| format!("line {}: {problem}", line.number))
            }) {
                Ok(value) => values.push(value),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(values) } else { Err(refused(&name, &problems)) }
    }
}

/// Every bad line in one message.
pub(super) fn refused(name: &str, problems: &[String]) -> CliError {
    let n = problems.len();
    let what = if n == 1 { "1 line" } else { "some lines" };
    let mut text = format!("read {name}: {what} cannot be used");
    for problem in problems.iter().take(MAX_PROBLEMS) {
        text += &format!("\n  {problem}");
    }
    if n > MAX_PROBLEMS {
        text += &format!("\n  and {} more", n - MAX_PROBLEMS);
    }
    CliError::bad(text)
}

fn read_bytes(path: Option<&Path>) -> Outcome<Vec<u8>> {
    let Some(path) = path else {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        read.map_err(|error| CliError::failed(format!("read the standard input: {error}")))?;
        return Ok(bytes);
    };
    std::fs::read(path).map_err(|error| CliError::bad(format!("read {}: {error}", path.display())))
}

fn parse(bytes: &[u8]) -> impl Iterator<Item = Result<NumberedLine, String>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.filter(|(_, line)| !line.trim_ascii().is_empty()).map(|(index, line)| {
        let number = index + 1;
        let input = parse_line(line).map_err(|problem| format!("line {number}: {problem}"))?;
        Ok(NumberedLine { number, input })
    })
}

fn parse_line(line: &[u8]) -> Result<LineInput, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let record: LineRecord = serde_json::from_str(text).map_err(|error| json_problem(&error))?;
    match record {
        LineRecord { tokens: Some(tokens), prompt: None, messages: None, tools: None } => {
            Ok(LineInput::Tokens(tokens))
        }
        LineRecord { prompt: Some(prompt), tokens: None, messages: None, tools: None } => {
            Ok(LineInput::Prompt(prompt))
        }
        LineRecord { messages: Some(records), tools, tokens: None, prompt: None } => {
            chat(records, &tools.unwrap_or_default())
        }
        _ => Err("it needs one of `tokens`, `prompt` and `messages`; `tools` goes with `messages`"
            .to_owned()),
    }
}

fn chat(records: Vec<MessageRecord>, tools: &[Value]) -> Result<LineInput, String> {
    if records.is_empty() {
        return Err("`messages` is empty, allowed is one message or more".to_owned());
    }
    let message = |(i, record): (usize, MessageRecord)| {
        Message::try_from(record).map_err(|error| format!("failed to {error} of message {}", i + 1))
    };
    let messages = records.into_iter().enumerate().map(message).collect::<Result<_, _>>()?;
    let tools = tools.iter().map(tool).collect::<Result<_, _>>()?;
    Ok(LineInput::Chat { messages, tools })
}

/// A tool in OpenAI's layout, with or without its wrapping.
fn tool(value: &Value) -> Result<ToolSpec, String> {
    let function = value.get("function").unwrap_or(value);
    let name = function.get("name").and_then(Value::as_str);
    let text = |key| function.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(ToolSpec {
        name: name.ok_or("a tool has no `name`")?.to_owned(),
        description: text("description"),
        parameters: function.get("parameters").cloned().unwrap_or_default(),
    })
}

/// The parser's words without its line, which is always 1.
pub(super) fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line 1 column").next().unwrap_or(&text);
    format!("{text} (column {})", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: &str) -> String {
        parse_line(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn the_three_kinds_are_read_and_empty_lines_passed_over() {
        let text = "\u{feff}{\"tokens\": [1, 2]}\r\n\n{\"prompt\": \"a\"}\n\
            {\"messages\": [{\"role\": \"user\", \"content\": \"b\"}], \"tools\": [{\"name\": \"t\"}]}";
        let lines: Vec<NumberedLine> = parse(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(lines[0].input, LineInput::Tokens(vec![1, 2]));
        assert_eq!(lines[1].input, LineInput::Prompt("a".into()));
        let LineInput::Chat { messages, tools } = &lines[2].input else { panic!("no chat") };
        assert_eq!((messages[0].content.as_str(), tools[0].name.as_str()), ("b", "t"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (line, expected) in [
            ("{", "EOF"),
            ("{\"tokens\": [-1]}", "-1"),
            ("{\"token\": [1]}", "unknown field `token`"),
            ("{}", "needs one of"),
            ("{\"prompt\": \"a\", \"tokens\": []}", "needs one of"),
            ("{\"prompt\": \"a\", \"tools\": []}", "needs one of"),
            ("{\"messages\": []}", "empty"),
            ("{\"messages\": [{\"role\": \"usr\"}]}", "usr"),
            ("{\"messages\": [{\"role\": \"user\"}], \"tools\": [{}]}", "no `name`"),
        ] {
            assert!(problem(line).contains(expected), "{line}: {}", problem(line));
        }
        assert!(parse_line(b"\"\xff\"").unwrap_err().contains("UTF-8"));
    }
}
