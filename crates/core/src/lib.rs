//! What the rest of the system talks about: conversations, token-exact traces, trajectories, rewards
//! and seeds, and the small traits ([`Policy`], [`Agent`], [`Environment`], [`Reward`], [`Judge`],
//! [`Tool`], [`Embedder`]) at which crates meet.
//!
//! This crate does no IO, reads no clock and holds no randomness of its own: time, seeds and paths
//! come in as arguments.

mod agent;
mod content;
mod embedder;
mod environment;
mod error;
mod group;
mod group_reward;
mod image;
mod judge;
mod message;
mod policy;
mod record;
mod reward;
mod scenario;
mod score;
mod seed;
mod state;
mod tool;
mod tool_calls;
mod trace;
mod trajectory;
mod weighing;

pub use agent::{Agent, AgentReply, AgentRequest, PLAN_GOAL, PLAN_UPDATE};
pub use content::{ContentRecord, ImageUrlRecord, PartRecord};
pub use embedder::Embedder;
pub use environment::{Environment, Opening, StepOutcome};
pub use error::{Border, PolicyError, RolloutError};
pub use group::TrajectoryGroup;
pub use group_reward::{GroupJudgement, GroupReward};
pub use image::ImageContent;
pub use judge::{Choice, Judge, JudgeRequest, Verdict};
pub use message::{MALFORMED_CALL, Message, Role, ToolCall, ToolSpec};
pub use policy::{
    Completion, FinishReason, GenerateRequest, GivenTokens, Policy, PolicyVersion, SampledTokens,
    Sampling,
};
pub use record::{MessageRecord, RecordError, SCHEMA_VERSION, TrajectoryRecord};
pub use reward::{Reward, RewardContext};
pub use scenario::Scenario;
pub use score::{RewardComponent, RewardResult, Score};
pub use seed::{Purpose, RunSeed, Stream, StreamKey};
pub use state::{EnvironmentState, EpisodeStatus};
pub use tool::{Tool, ToolError};
pub use tool_calls::{CallFormat, CallParser, Piece, ReadReply};
pub use trace::{Origin, Segment, Span, TokenTrace, TraceError};
pub use trajectory::{ConversationTurn, Trajectory, TrajectoryId};
pub use weighing::Weighing;
