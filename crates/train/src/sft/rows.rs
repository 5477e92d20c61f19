//! Supervised data as token rows: conversations whose assistant turns are targets, and plain texts
//! that are targets throughout.

use serde::Deserialize;
use stateset_core::{Message, MessageRecord, Origin, ToolSpec};
use stateset_nn::{ChatFormat, TextError, TokenRow};

/// One row to learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct SftRow {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// True at each token that is learned.
    pub mask: Vec<bool>,
}

impl SftRow {
    /// The row as a learner reads it.
    pub fn token_row(&self) -> TokenRow<'_> {
        TokenRow::new(&self.tokens, &self.mask)
    }

    /// Tokens that are learned.
    pub fn n_targets(&self) -> usize {
        self.mask.iter().filter(|target| **target).count()
    }

    /// The row up to its last target among the first `max_tokens`; `None` where there is none.
    pub(crate) fn cut(mut self, max_tokens: usize) -> Option<SftRow> {
        self.tokens.truncate(max_tokens);
        self.mask.truncate(max_tokens);
        let last = self.mask.iter().rposition(|target| *target)?;
        self.tokens.truncate(last + 1);
        self.mask.truncate(last + 1);
        Some(self)
    }
}

/// One example.
#[derive(Clone, Debug, PartialEq)]
pub enum SftExample {
    /// A conversation; the assistant's turns are learned.
    Chat {
        /// In order.
        messages: Vec<Message>,
        /// Tools the assistant was told about.
        tools: Vec<ToolSpec>,
    },
    /// A text; all of it is learned.
    Text(String),
}

impl SftExample {
    /// Token rows of the example; none where nothing of it is learned. Rows are cut at `max_tokens`.
    ///
    /// # Errors
    /// [`TextError`] where the template cannot render it or the tokenizer cannot encode it.
    pub fn rows(&self, format: &ChatFormat, max_tokens: usize) -> Result<Vec<SftRow>, TextError> {
        let rows = match self {
            SftExample::Chat { messages, tools } => {
                let trace = format.supervised(messages, tools)?;
                let row = |segment: &stateset_core::Segment| SftRow {
                    tokens: segment.tokens().to_vec(),
                    mask: segment.mask(Origin::Target),
                };
                trace.segments().iter().map(row).collect()
            }
            SftExample::Text(text) => {
                let tokenizer = format.tokenizer();
                let mut tokens = tokenizer.encode(text, true)?;
                tokens.extend(tokenizer.eos_id());
                let mask = (0..tokens.len()).map(|i| i > 0).collect();
                vec![SftRow { tokens, mask }]
            }
        };
        Ok(rows.into_iter().filter_map(|row| row.cut(max_tokens)).collect())
    }
}

/// A line of a data file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    messages: Option<Vec<MessageRecord>>,
    tools: Option<Vec<serde_json::Value>>,
    text: Option<String>,
    prompt: Option<String>,
    completion: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted, for people and other programs")]
    id: Option<serde_json::Value>,
    #[serde(default)]
    #[expect(dead_code, reason = "accepted, for people and other programs")]
    metadata: Option<serde_json::Value>,
}

/// Reads JSONL: a line is `{"messages": [..]}`, `{"text": ".."}` or `{"prompt": "..", "completion":
/// ".."}`; empty lines are skipped.
///
/// # Errors
/// Every bad line, with its number.
pub fn read_examples(jsonl: &str) -> Result<Vec<SftExample>, Vec<String>> {
    let (mut examples, mut problems) = (Vec::new(), Vec::new());
    for (i, line) in jsonl.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match read_line(line) {
            Ok(example) => examples.push(example),
            Err(problem) => problems.push(format!("line {}: {problem}", i + 1)),
        }
    }
    if examples.is_empty() && problems.is_empty() {
        problems.push("there is no line with data".to_owned());
    }
    if problems.is_empty() { Ok(examples) } else { Err(problems) }
}

fn read_line(line: &str) -> Result<SftExample, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match line {
        Line {
            messages: Some(messages),
            tools,
            text: None,
            prompt: None,
            completion: None,
            ..
        } => {
            let messages: Result<Vec<Message>, _> =
                messages.into_iter().map(Message::try_from).collect();
            let messages = messages.map_err(|error| error.to_string())?;
            if !messages.iter().any(|m| m.role == stateset_core::Role::Assistant) {
                return Err("no message is the assistant's, so nothing could be learned".to_owned());
            }
            let tools = tools.unwrap_or_default().iter().map(tool).collect::<Result<_, _>>()?;
            Ok(SftExample::Chat { messages, tools })
        }
        Line { text: Some(text), messages: None, prompt: None, completion: None, .. } => {
            Ok(SftExample::Text(text))
        }
        Line {
            prompt: Some(prompt),
            completion: Some(completion),
            messages: None,
            text: None,
            ..
        } => {
            let messages = vec![Message::user(prompt), Message::assistant(completion)];
            Ok(SftExample::Chat { messages, tools: Vec::new() })
        }
        _ => Err("expected one of `messages`, `text`, or `prompt` with `completion`".to_owned()),
    }
}

/// A tool in OpenAI's layout, or its function alone.
pub(crate) fn tool(value: &serde_json::Value) -> Result<ToolSpec, String> {
    let function = value.get("function").unwrap_or(value);
    let name = function["name"].as_str().ok_or("a tool has no `name`")?;
    Ok(ToolSpec {
        name: name.to_owned(),
        description: function["description"].as_str().unwrap_or_default().to_owned(),
        parameters: function.get("parameters").cloned().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds_of_lines_are_read() {
        let jsonl = r#"
            {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
            {"text": "once upon a time", "id": 7}
            {"prompt": "2+2?", "completion": "4"}
        "#;
        let examples = read_examples(jsonl).unwrap();
        assert_eq!(examples.len(), 3);
        assert_eq!(examples[1], SftExample::Text("once upon a time".into()));
        assert!(matches!(&examples[2], SftExample::Chat { messages, .. } if messages.len() == 2));
    }

    #[test]
    fn every_bad_line_is_named() {
        let jsonl = "{\"text\": \"fine\"}\nnot json\n{\"text\": 3}\n{\"txt\": \"x\"}\n\
            {\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}\n{\"prompt\": \"x\"}";
        let problems = read_examples(jsonl).unwrap_err();
        assert_eq!(problems.len(), 5);
        for (problem, line) in problems.iter().zip(2..) {
            assert!(problem.starts_with(&format!("line {line}:")), "{problem}");
        }
        assert!(problems[2].contains("txt"), "{}", problems[2]);
        assert!(read_examples("\n\n").is_err());
    }

    #[test]
    fn rows_are_cut_after_their_last_target() {
        let row =
            SftRow { tokens: vec![1, 2, 3, 4, 5], mask: vec![false, true, false, true, false] };
        assert_eq!(row.clone().cut(9).unwrap().tokens, [1, 2, 3, 4]);
        assert_eq!(row.clone().cut(3).unwrap().tokens, [1, 2]);
        assert_eq!(row.cut(1), None);
    }
}
