//! What programs that train agents use most, for `use stateset_agents::prelude::*`.

pub use async_trait::async_trait;
pub use stateset_core::{
    Border, ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening,
    Reward, RewardComponent, RewardContext, RewardResult, RolloutError, Sampling, Scenario, Score,
    StepOutcome, Stream, Tool, ToolError, ToolSpec, Trajectory,
};
pub use stateset_env::conversation::ConversationEnvironment;
pub use stateset_env::prompts::PromptEnvironment;
pub use stateset_env::rewards::{
    ActionOrientedReward, Adaptation, AdaptiveReward, Combine, CompositeReward, ConcisenessReward,
    ContainsReward, CorrectnessReward, CustomerServiceReplyReward, DiversityReward,
    DomainSpecificReward, EmpathyReward, EngagementReward, ExactNumberReward, HelpfulnessReward,
    LengthReward, MultiObjectiveReward, Objective, ProfessionalismReward, ReasoningFormatReward,
    RegexReward, SafetyReward, SalesReplyReward, SimilarityAwareReward, SimilarityReward,
    TaskCompletionReward, TechnicalSupportReplyReward, ToolUseReward, VerifiedReward,
    WeightedReward, async_reward_fn, create_adaptive_reward, create_customer_service_reward,
    create_domain_reward, create_helpful_agent_reward, create_task_agent_reward,
    create_tutoring_reward, parse_reward, reward_fn,
};
pub use stateset_env::sets::{CONVERSATION_CONFIGS, conversation_config};
pub use stateset_env::tools::{ToolRegistry, WithTools};
pub use stateset_train::{
    Callback, EvaluationSummary, Flow, PreferenceData, PreferenceGoal, PreferenceSettings,
    ProgressStyle, RunFolder, RunSummary, StopSignal, TrainError,
};

pub use crate::{
    AutoTrainer, ChatAgent, Trained, Training, train, train_on_pairs, train_on_prompts,
};
