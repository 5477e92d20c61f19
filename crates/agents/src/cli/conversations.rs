//! Conversations to judge: JSONL, a line is `{"id":.., "messages": [..], "context": {..}}`, or a
//! trajectory as runs record them (`evaluations/after.jsonl` of a run folder).
//!
//! In `context` stands what rewards compare with: `expected` (or `answer`), `goal_reached` and
//! `completed_actions` as an environment would say them, and anything else under the name that the
//! reward asks for. Instructions in front of the conversation are the agent's and are not judged. Every
//! line is checked before anything is judged, and every bad one is named.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use stateset_core::{
    ConversationTurn, EnvironmentState, Message, MessageRecord, Role, Scenario, Trajectory,
    TrajectoryRecord,
};

use super::error::{CliError, Outcome};
use super::lines::{json_problem, refused};

/// Largest input, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// Longest line, in bytes.
const MAX_LINE_BYTES: usize = 16 << 20;
/// Most conversations of one input.
const MAX_CONVERSATIONS: usize = 500_000;
/// Most messages of one conversation.
const MAX_MESSAGES: usize = 10_000;
/// What an environment would have said of the episode.
const OF_ENVIRONMENT: [&str; 2] = ["goal_reached", "completed_actions"];

/// A conversation that is ready to be judged.
pub(crate) struct Conversation {
    /// Its id, or the number of its line.
    pub(crate) id: Value,
    /// What was said.
    pub(crate) trajectory: Trajectory,
    /// What it is compared with.
    pub(crate) scenario: Scenario,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LineRecord {
    id: Option<Value>,
    messages: Vec<MessageRecord>,
    #[serde(default)]
    context: Map<String, Value>,
}

/// Reads every conversation of a file, or of the standard input where `path` is `-`.
pub(crate) fn read_conversations(path: &Path) -> Outcome<Vec<Conversation>> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "the standard input".to_owned() } else { path.display().to_string() };
    let bytes = match is_stdin {
        true => read_limited(std::io::stdin().lock(), &name),
        false => match File::open(path) {
            Ok(file) => read_limited(file, &name),
            Err(error) => Err(CliError::bad(format!("read {name}: {error}"))),
        },
    }?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let (mut conversations, mut problems) = (Vec::new(), Vec::new());
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    for (index, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let number = index + 1;
        match parse_line(line, number) {
            Ok(conversation) => conversations.push(conversation),
            Err(problem) => problems.push(format!("line {number}: {problem}")),
        }
        if conversations.len() > MAX_CONVERSATIONS {
            problems.push(format!("line {number}: more than {MAX_CONVERSATIONS} conversations"));
            break;
        }
    }
    match problems.is_empty() {
        true if conversations.is_empty() => {
            Err(CliError::bad(format!("read {name}: it holds no conversation")))
        }
        true => Ok(conversations),
        false => Err(refused(&name, &problems)),
    }
}

fn read_limited(reader: impl Read, name: &str) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| CliError::bad(format!("read {name}: {error}")))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(CliError::bad(format!("read {name}: it is larger than {MAX_BYTES} bytes"))),
        false => Ok(bytes),
    }
}

fn parse_line(line: &[u8], number: usize) -> Result<Conversation, String> {
    if line.len() > MAX_LINE_BYTES {
        return Err(format!("{} bytes are more than the limit of {MAX_LINE_BYTES}", line.len()));
    }
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8".to_owned())?;
    let value: Value = serde_json::from_str(text).map_err(|error| json_problem(&error))?;
    let conversation = match value.get("turns") {
        Some(_) => recorded(value, number)?,
        None => conversation(text, number)?,
    };
    let n_messages = conversation.trajectory.turns.len();
    match n_messages {
        0 => Err("it has no messages but instructions, allowed is one or more".to_owned()),
        n if n > MAX_MESSAGES => Err(format!("{n} messages are more than {MAX_MESSAGES}")),
        _ => Ok(conversation),
    }
}

fn recorded(value: Value, number: usize) -> Result<Conversation, String> {
    let record: TrajectoryRecord =
        serde_json::from_value(value).map_err(|error| error.to_string())?;
    let trajectory = Trajectory::try_from(record).map_err(|error| format!("failed to {error}"))?;
    let scenario = Scenario::new(&trajectory.scenario_id);
    let id = match trajectory.scenario_id.is_empty() {
        true => number.into(),
        false => format!("{} {}", trajectory.scenario_id, trajectory.id).into(),
    };
    Ok(Conversation { id, trajectory, scenario })
}

fn conversation(text: &str, number: usize) -> Result<Conversation, String> {
    let record: LineRecord = serde_json::from_str(text).map_err(|error| json_problem(&error))?;
    let id = match record.id {
        None | Some(Value::Null) => Value::from(number),
        Some(id @ (Value::String(_) | Value::Number(_))) => id,
        Some(_) => return Err("`id` is neither a text nor a number".to_owned()),
    };
    let message = |(i, record): (usize, MessageRecord)| {
        Message::try_from(record).map_err(|error| format!("failed to {error} of message {}", i + 1))
    };
    let messages: Vec<Message> =
        record.messages.into_iter().enumerate().map(message).collect::<Result<_, _>>()?;
    let n_instructions = messages.iter().take_while(|message| message.role == Role::System).count();
    let mut scenario = Scenario::new(id.as_str().unwrap_or_default());
    let instructions: Vec<&str> =
        messages[..n_instructions].iter().map(|message| message.content.as_str()).collect();
    scenario.system_prompt = (n_instructions > 0).then(|| instructions.join("\n"));
    let mut state = EnvironmentState::new(&scenario.id);
    read_context(record.context, &mut scenario, &mut state)?;
    let has_state = !state.metadata.is_empty();
    let turns = messages.into_iter().skip(n_instructions).map(ConversationTurn::new).collect();
    let trajectory = Trajectory {
        scenario_id: scenario.id.clone(),
        turns,
        final_state: has_state.then_some(state),
        ..Trajectory::default()
    };
    Ok(Conversation { id, trajectory, scenario })
}

fn read_context(
    context: Map<String, Value>,
    scenario: &mut Scenario,
    state: &mut EnvironmentState,
) -> Result<(), String> {
    for (key, value) in context {
        match key.as_str() {
            "expected" | "answer" => {
                let text = match value {
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    _ => return Err(format!("`context.{key}` is neither a text nor a number")),
                };
                if scenario.expected.replace(text).is_some() {
                    return Err("`context` has both expected and answer, allowed is one".to_owned());
                }
            }
            "topic" => match value {
                Value::String(topic) => scenario.topic = topic,
                _ => return Err("`context.topic` is no text".to_owned()),
            },
            key if OF_ENVIRONMENT.contains(&key) => {
                state.metadata.insert(key.to_owned(), value);
            }
            _ => {
                scenario.metadata.insert(key, value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Conversation, String> {
        parse_line(line.as_bytes(), 7)
    }

    #[test]
    fn a_line_becomes_a_conversation_and_its_scenario() {
        let line = r#"{"id": "a", "messages": [{"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}],
            "context": {"answer": 4, "goal_reached": true, "goal_keywords": ["x"], "topic": "t"}}"#;
        let read = read(&line.replace('\n', " ")).unwrap();
        assert_eq!(read.id, "a");
        assert_eq!(read.trajectory.turns.len(), 2);
        assert_eq!(read.scenario.system_prompt.as_deref(), Some("Be kind."));
        assert_eq!(read.scenario.expected.as_deref(), Some("4"));
        assert_eq!(read.scenario.topic, "t");
        assert_eq!(read.scenario.metadata["goal_keywords"][0], "x");
        assert_eq!(read.trajectory.final_state.unwrap().metadata["goal_reached"], true);
    }

    #[test]
    fn what_a_run_recorded_is_read_too() {
        let turns = vec![ConversationTurn::new(Message::user("Hi"))];
        let played = Trajectory { scenario_id: "s".into(), turns, ..Trajectory::default() };
        let line = serde_json::to_string(&TrajectoryRecord::from(&played)).unwrap();
        let conversation = read(&line).unwrap();
        assert_eq!(conversation.id, "s 0.0.0");
        assert_eq!(conversation.trajectory.turns, played.turns);
        let nobody = Trajectory { scenario_id: String::new(), ..played };
        let line = serde_json::to_string(&TrajectoryRecord::from(&nobody)).unwrap();
        assert_eq!(read(&line).unwrap().id, 7);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let user = r#"{"role": "user", "content": "x"}"#;
        for (line, expected) in [
            ("{".to_owned(), "EOF"),
            ("3".to_owned(), "invalid type"),
            ("{}".to_owned(), "missing field `messages`"),
            (r#"{"messages": []}"#.to_owned(), "no messages but instructions"),
            (r#"{"messages": [{"role": "system", "content": "x"}]}"#.to_owned(), "no messages but"),
            (r#"{"messages": [{"role": "usr"}]}"#.to_owned(), "usr"),
            (format!(r#"{{"messages": [{user}], "id": []}}"#), "`id` is neither"),
            (format!(r#"{{"messages": [{user}], "contxt": {{}}}}"#), "unknown field `contxt`"),
            (format!(r#"{{"messages": [{user}], "context": 3}}"#), "expected a map"),
            (
                format!(r#"{{"messages": [{user}], "context": {{"answer": []}}}}"#),
                "`context.answer`",
            ),
            (
                format!(r#"{{"messages": [{user}], "context": {{"answer": 1, "expected": 1}}}}"#),
                "both expected and answer",
            ),
            (format!(r#"{{"messages": [{user}], "context": {{"topic": 1}}}}"#), "`context.topic`"),
            (r#"{"turns": 3}"#.to_owned(), "expected a sequence"),
            (
                format!(r#"{{"messages": [{}{user}]}}"#, format!("{user},").repeat(10_000)),
                "10001 messages",
            ),
        ] {
            let told = read(&line).err().unwrap_or_default();
            assert!(told.contains(expected), "{}: {told}", &line[..line.len().min(80)]);
        }
        let long = format!("\"{}\"", "x".repeat(MAX_LINE_BYTES));
        assert!(read(&long).err().unwrap().contains("more than the limit"));
        assert!(parse_line(b"\"\xff\"", 1).err().unwrap().contains("UTF-8"));
        let read = read_limited(std::io::repeat(b'x'), "it").err();
        assert!(matches!(read, Some(CliError::BadInput(text)) if text.contains("larger than")));
    }
}
