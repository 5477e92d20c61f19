//! Trajectories and messages on disk: JSON objects that say which schema they follow.
//!
//! The domain types carry no serde of their own; these do, so that a rename in the code cannot change
//! a file by accident. Messages use OpenAI's chat layout.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Border, ContentRecord, ConversationTurn, EnvironmentState, FinishReason, Message, Origin,
    PolicyVersion, RewardComponent, RewardResult, Role, RolloutError, Score, TokenTrace, ToolCall,
    Trajectory, TrajectoryId,
};

/// Newest layout that is read and written: 2 has pictures in messages. A record says the oldest version that
/// can hold it, so that what has no pictures is read by older programs. Readers refuse a newer one.
pub const SCHEMA_VERSION: u32 = 2;

/// Version of records without pictures.
const WITHOUT_IMAGES: u32 = 1;

/// Why a record could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The record is newer than this program.
    #[error("read a record of schema {found}: this version knows schemas up to {SCHEMA_VERSION}")]
    Schema {
        /// Version in the record.
        found: u32,
    },
    /// A field holds something impossible.
    #[error("read field `{field}`: {message}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
}

fn field(field: &'static str, message: impl ToString) -> RecordError {
    RecordError::Field { field, message: message.to_string() }
}

/// A message in OpenAI's layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRecord {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// The text, or texts and pictures; null counts as empty.
    #[serde(default)]
    pub content: Option<ContentRecord>,
    /// Reasoning text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Tool calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCallRecord>,
    /// For tool results: the call answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// For tool results: the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A tool call in OpenAI's layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCallRecord {
    /// Id of the call.
    #[serde(default)]
    pub id: String,
    /// Always `function`.
    #[serde(rename = "type", default = "function_kind")]
    pub kind: String,
    /// The call.
    pub function: FunctionRecord,
}

/// Name and arguments of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionRecord {
    /// Name of the tool.
    pub name: String,
    /// An object, or a string that holds one as JSON.
    pub arguments: Value,
}

fn function_kind() -> String {
    "function".to_owned()
}

impl From<&Message> for MessageRecord {
    fn from(message: &Message) -> Self {
        MessageRecord {
            role: message.role.as_str().to_owned(),
            content: Some(ContentRecord::of(&message.content, &message.images)),
            reasoning_content: message.reasoning.clone(),
            tool_calls: message.tool_calls.iter().map(ToolCallRecord::from).collect(),
            tool_call_id: message.tool_call_id.clone(),
            name: message.name.clone(),
        }
    }
}

impl From<&ToolCall> for ToolCallRecord {
    fn from(call: &ToolCall) -> Self {
        ToolCallRecord {
            id: call.id.clone(),
            kind: function_kind(),
            function: FunctionRecord { name: call.name.clone(), arguments: call.arguments.clone() },
        }
    }
}

impl TryFrom<MessageRecord> for Message {
    type Error = RecordError;

    fn try_from(record: MessageRecord) -> Result<Self, RecordError> {
        let role = Role::from_name(&record.role).ok_or_else(|| {
            let found = &record.role;
            field("role", format!("found {found:?}, allowed are system, user, assistant and tool"))
        })?;
        let content = record.content.map(ContentRecord::into_text_and_images);
        let (content, images) = content.unwrap_or_default();
        Ok(Message {
            role,
            content,
            images,
            reasoning: record.reasoning_content,
            tool_calls: record.tool_calls.into_iter().map(ToolCall::from).collect(),
            tool_call_id: record.tool_call_id,
            name: record.name,
        })
    }
}

impl From<ToolCallRecord> for ToolCall {
    fn from(record: ToolCallRecord) -> Self {
        let arguments = match record.function.arguments {
            Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            other => other,
        };
        ToolCall { id: record.id, name: record.function.name, arguments }
    }
}

/// A trajectory on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryRecord {
    /// Layout of this record.
    pub schema_version: u32,
    /// `[step, scenario, sample]`.
    pub id: (u32, u32, u16),
    /// The scenario played.
    pub scenario_id: String,
    /// Everything said.
    pub turns: Vec<TurnRecord>,
    /// The tokens behind it.
    pub segments: Vec<SegmentRecord>,
    /// What it was worth.
    pub reward: Option<RewardRecord>,
    /// The environment's last state.
    pub final_state: Option<EnvironmentState>,
    /// `[border, message]` where the episode ended early.
    pub error: Option<(String, String)>,
    /// Wall time.
    pub wall_secs: f64,
    /// Notes.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// A turn on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TurnRecord {
    /// What was said.
    pub message: MessageRecord,
    /// Reward of this turn.
    pub reward: Option<f64>,
    /// Why sampling ended.
    pub finish: Option<FinishReason>,
    /// Tokens sampled.
    pub n_tokens: usize,
}

/// A row of tokens on disk, as its spans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRecord {
    /// In order.
    pub spans: Vec<SpanRecord>,
}

/// A run of tokens on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpanRecord {
    /// `given`, `sampled` or `target`.
    pub origin: String,
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Log-prob of each, for sampled tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logprobs: Vec<f32>,
    /// Whose weights sampled them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<PolicyVersion>,
}

/// A reward on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RewardRecord {
    /// The value trained on.
    pub total: ScoreRecord,
    /// Its parts.
    pub components: Vec<ComponentRecord>,
}

/// A part of a reward on disk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentRecord {
    /// Name of the part.
    pub name: String,
    /// Its share.
    pub weight: f64,
    /// What it said.
    pub score: ScoreRecord,
}

/// A score on disk: a value, or null with the reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRecord {
    /// The value; null where unscorable.
    pub value: Option<f64>,
    /// Evidence, or why there is no value.
    pub note: String,
}

impl From<&Score> for ScoreRecord {
    fn from(score: &Score) -> Self {
        match score {
            Score::Scored { value, evidence } => {
                ScoreRecord { value: Some(*value), note: evidence.clone() }
            }
            Score::Unscorable { why } => ScoreRecord { value: None, note: why.clone() },
        }
    }
}

impl From<ScoreRecord> for Score {
    fn from(record: ScoreRecord) -> Self {
        match record.value {
            Some(value) => Score::with_evidence(value, record.note),
            None => Score::unscorable(record.note),
        }
    }
}

impl From<&Trajectory> for TrajectoryRecord {
    fn from(trajectory: &Trajectory) -> Self {
        let id = trajectory.id;
        let error = trajectory.error.as_ref();
        let has_images = trajectory.turns.iter().any(|turn| !turn.message.images.is_empty());
        TrajectoryRecord {
            schema_version: if has_images { SCHEMA_VERSION } else { WITHOUT_IMAGES },
            id: (id.step, id.scenario, id.sample),
            scenario_id: trajectory.scenario_id.clone(),
            turns: trajectory.turns.iter().map(TurnRecord::from).collect(),
            segments: segment_records(&trajectory.trace),
            reward: trajectory.reward.as_ref().map(RewardRecord::from),
            final_state: trajectory.final_state.clone(),
            error: error.map(|e| (e.border.as_str().to_owned(), e.message.clone())),
            wall_secs: trajectory.wall_secs,
            metadata: trajectory.metadata.clone(),
        }
    }
}

impl From<&ConversationTurn> for TurnRecord {
    fn from(turn: &ConversationTurn) -> Self {
        TurnRecord {
            message: MessageRecord::from(&turn.message),
            reward: turn.reward,
            finish: turn.finish,
            n_tokens: turn.n_tokens,
        }
    }
}

impl From<&RewardResult> for RewardRecord {
    fn from(result: &RewardResult) -> Self {
        let component = |c: &RewardComponent| ComponentRecord {
            name: c.name.clone(),
            weight: c.weight,
            score: ScoreRecord::from(&c.score),
        };
        RewardRecord {
            total: ScoreRecord::from(&result.total),
            components: result.components.iter().map(component).collect(),
        }
    }
}

impl From<RewardRecord> for RewardResult {
    fn from(record: RewardRecord) -> Self {
        let component = |c: ComponentRecord| RewardComponent {
            name: c.name,
            weight: c.weight,
            score: c.score.into(),
        };
        RewardResult {
            total: record.total.into(),
            components: record.components.into_iter().map(component).collect(),
        }
    }
}

impl TryFrom<TrajectoryRecord> for Trajectory {
    type Error = RecordError;

    fn try_from(record: TrajectoryRecord) -> Result<Self, RecordError> {
        if record.schema_version > SCHEMA_VERSION {
            return Err(RecordError::Schema { found: record.schema_version });
        }
        let (step, scenario, sample) = record.id;
        let turns = record.turns.into_iter().map(ConversationTurn::try_from);
        Ok(Trajectory {
            id: TrajectoryId { step, scenario, sample },
            scenario_id: record.scenario_id,
            turns: turns.collect::<Result<_, _>>()?,
            trace: trace_from(record.segments)?,
            reward: record.reward.map(RewardResult::from),
            final_state: record.final_state,
            error: record.error.map(error_from).transpose()?,
            wall_secs: record.wall_secs,
            metadata: record.metadata,
        })
    }
}

impl TryFrom<TurnRecord> for ConversationTurn {
    type Error = RecordError;

    fn try_from(record: TurnRecord) -> Result<Self, RecordError> {
        Ok(ConversationTurn {
            message: record.message.try_into()?,
            reward: record.reward,
            finish: record.finish,
            n_tokens: record.n_tokens,
        })
    }
}

fn segment_records(trace: &TokenTrace) -> Vec<SegmentRecord> {
    let mut records = Vec::new();
    for segment in trace.segments() {
        let span_record = |span: &crate::Span| {
            let sampled = span.origin == Origin::Sampled;
            let range = span.start..span.end;
            SpanRecord {
                origin: origin_name(span.origin).to_owned(),
                tokens: segment.tokens()[range.clone()].to_vec(),
                logprobs: if sampled { segment.logprobs()[range].to_vec() } else { Vec::new() },
                version: span.version,
            }
        };
        records.push(SegmentRecord { spans: segment.spans().iter().map(span_record).collect() });
    }
    records
}

fn trace_from(records: Vec<SegmentRecord>) -> Result<TokenTrace, RecordError> {
    let mut trace = TokenTrace::new();
    for segment in records {
        trace.start_segment();
        for span in segment.spans {
            match span.origin.as_str() {
                "given" => trace.append_given(&span.tokens),
                "target" => trace.append_target(&span.tokens),
                "sampled" => {
                    let version = span.version.ok_or_else(|| field("version", "missing"))?;
                    trace
                        .append_sampled(&span.tokens, &span.logprobs, version)
                        .map_err(|error| field("logprobs", error))?;
                }
                other => return Err(field("origin", format!("unknown origin {other:?}"))),
            }
        }
    }
    Ok(trace)
}

fn error_from((border, message): (String, String)) -> Result<RolloutError, RecordError> {
    let border = Border::from_name(&border)
        .ok_or_else(|| field("error", format!("unknown border {border:?}")))?;
    Ok(RolloutError { border, message })
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Given => "given",
        Origin::Sampled => "sampled",
        Origin::Target => "target",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ImageContent;

    fn example() -> Trajectory {
        let call = ToolCall {
            id: "c1".into(),
            name: "look_up".into(),
            arguments: serde_json::json!({"order": 7}),
        };
        let mut asks = Message::assistant("");
        asks.tool_calls.push(call.clone());
        let mut trace = TokenTrace::new();
        trace.append_given(&[1, 2, 3]);
        trace.append_sampled(&[4, 5], &[-0.25, -1.0e-7], PolicyVersion(3)).unwrap();
        trace.start_segment();
        trace.append_given(&[1]);
        trace.append_target(&[9]);
        Trajectory {
            id: TrajectoryId { step: 1, scenario: 2, sample: 3 },
            scenario_id: "refund".into(),
            turns: vec![
                ConversationTurn::new(Message::user("Where is my order?")),
                ConversationTurn { reward: Some(0.5), ..ConversationTurn::new(asks) },
                ConversationTurn::new(Message::tool_result(&call, "{}")),
            ],
            trace,
            reward: Some(RewardResult {
                total: Score::with_evidence(0.5, "half"),
                components: vec![RewardComponent {
                    name: "judge".into(),
                    weight: 0.5,
                    score: Score::unscorable("no reply"),
                }],
            }),
            final_state: Some(EnvironmentState::new("e1")),
            error: Some(RolloutError::new(Border::Reward, "timed out")),
            wall_secs: 0.25,
            metadata: Map::new(),
        }
    }

    #[test]
    fn trajectories_survive_the_disk() {
        let trajectory = example();
        let json = serde_json::to_string(&TrajectoryRecord::from(&trajectory)).unwrap();
        let record: TrajectoryRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(Trajectory::try_from(record).unwrap(), trajectory);
    }

    #[test]
    fn pictures_survive_the_disk_under_a_version_of_their_own() {
        let mut trajectory = example();
        assert_eq!(TrajectoryRecord::from(&trajectory).schema_version, 1);
        let image = ImageContent { at: 5, ..ImageContent::new("https://shop.example/a.png") };
        trajectory.turns[0].message.images.push(image);
        let json = serde_json::to_value(TrajectoryRecord::from(&trajectory)).unwrap();
        assert_eq!(json["schema_version"], 2);
        assert_eq!(json["turns"][0]["message"]["content"][1]["type"], "image_url");
        let record: TrajectoryRecord = serde_json::from_value(json).unwrap();
        assert_eq!(Trajectory::try_from(record).unwrap(), trajectory);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut record = TrajectoryRecord::from(&example());
        record.schema_version = SCHEMA_VERSION + 1;
        assert!(matches!(Trajectory::try_from(record), Err(RecordError::Schema { .. })));
    }

    #[test]
    fn impossible_fields_are_named() {
        let mut record = TrajectoryRecord::from(&example());
        record.segments[0].spans[1].logprobs.pop();
        let error = Trajectory::try_from(record).unwrap_err().to_string();
        assert!(error.contains("logprobs"), "{error}");

        let record =
            MessageRecord { role: "customer".into(), ..MessageRecord::from(&Message::user("x")) };
        let error = Message::try_from(record).unwrap_err().to_string();
        assert!(error.contains("customer") && error.contains("assistant"), "{error}");
    }

    #[test]
    fn arguments_given_as_text_are_parsed() {
        let json = r#"{"role":"assistant","content":null,
            "tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"x\":1}"}}]}"#;
        let record: MessageRecord = serde_json::from_str(json).unwrap();
        let message = Message::try_from(record).unwrap();
        assert_eq!(message.tool_calls[0].arguments, serde_json::json!({"x": 1}));
    }
}
