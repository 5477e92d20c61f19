//! An agent that a program talks to.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value};
use stateset_core::{
    AgentRequest, CallFormat, Completion, GenerateRequest, Message, PolicyError, Purpose, RunSeed,
    Sampling, StreamKey,
};
use stateset_env::agents::compression::CompressionConfig;
use stateset_env::agents::memory::ConversationMemory;
use stateset_env::agents::planning::{PlanningConfig, PlanningManager};
use stateset_env::agents::reasoning::{ReasoningSplitter, ReasoningTags};
use stateset_env::agents::{Reading, Surroundings};
use stateset_env::tools::ToolRegistry;
use stateset_nn::SamplerSize;
use stateset_train::{
    EngineSpec, LocalPolicy, ModelSource, MultiTurnAgent, StubPolicy, ToolAgent, TrainError,
    chat_format, token_counter,
};

use crate::hub::download;

/// Conversations that an agent answers at the same time.
const MAX_RUNNING: usize = 16;
/// Longest conversation, in tokens, where the model reads more.
const MAX_CONTEXT: usize = 4096;
/// Tokens that are read in one pass.
const MAX_PASS: usize = 1024;
/// Rounds of calls before an answer is taken as it is.
const MAX_TOOL_ROUNDS: usize = 8;

/// Answers conversations with a model, or with canned sentences.
#[derive(Clone)]
pub struct ChatAgent {
    pub(super) model: Option<String>,
    pub(super) inner: MultiTurnAgent,
    pub(super) policy: Option<LocalPolicy>,
    pub(super) tools: ToolRegistry,
    format: CallFormat,
    seed: RunSeed,
    n_answers: Arc<AtomicU32>,
}

impl ChatAgent {
    /// Loads a model: `builtin:tiny`, a folder (of a model, an adapter, a checkpoint or a run), or the
    /// name of a repository on the model hub, which is downloaded where it is not in the cache.
    ///
    /// # Errors
    /// [`TrainError`] that says what was looked for, or what is wrong with which file.
    pub async fn load(model: &str) -> Result<ChatAgent, TrainError> {
        let name = model.to_owned();
        let opened = tokio::task::spawn_blocking(move || open_model(&name)).await;
        let source = opened.map_err(|error| TrainError::Invalid {
            what: "load the model",
            message: error.to_string(),
        })??;
        let format = chat_format(&source, None)?;
        let saved = source.agent_config.clone();
        let context = source.files.decoder.max_positions.min(MAX_CONTEXT);
        let spec = EngineSpec {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            path: stateset_nn::Path::best(),
            context,
            sampler: SamplerSize {
                max_running: MAX_RUNNING,
                max_rows: context.clamp(MAX_RUNNING, MAX_PASS),
                cache_tokens: MAX_RUNNING * context,
            },
            training: None,
            scorer_tokens: None,
        };
        let settings = saved.as_ref().map(|saved| saved.surroundings()).transpose()?;
        let surroundings = settings.map(|settings| settings.build()).unwrap_or_default();
        let surroundings = surroundings.with_counter(token_counter(&format));
        let policy = LocalPolicy::new(spec.start(source)?, format);
        let inner = MultiTurnAgent {
            policy: Arc::new(policy.clone()),
            system_prompt: saved.as_ref().and_then(|saved| saved.system_prompt.clone()),
            surroundings,
            sampling: saved.map_or_else(Sampling::default, |saved| saved.sampling()),
        };
        Ok(ChatAgent::of(Some(model.to_owned()), inner, Some(policy)))
    }

    /// An agent that says these sentences in turn: for trying out everything around a model.
    pub fn stub<T: Into<String>>(replies: impl IntoIterator<Item = T>) -> ChatAgent {
        let replies = replies.into_iter().map(Into::into).collect();
        let inner = MultiTurnAgent::new(Arc::new(StubPolicy::new(replies)));
        ChatAgent::of(None, inner, None)
    }

    pub(super) fn of(
        model: Option<String>,
        inner: MultiTurnAgent,
        policy: Option<LocalPolicy>,
    ) -> ChatAgent {
        let of_model = policy.as_ref().map(|policy| policy.format().call_format());
        let (tools, format) = (ToolRegistry::new(), of_model.unwrap_or(CallFormat::Json));
        let n_answers = Arc::default();
        ChatAgent { model, inner, policy, tools, format, seed: RunSeed(0), n_answers }
    }

    /// The same agent with other instructions.
    pub fn with_system_prompt(mut self, prompt: impl Into<String>) -> ChatAgent {
        self.inner.system_prompt = Some(prompt.into());
        self
    }

    /// The same agent, drawing tokens another way.
    pub fn with_sampling(mut self, sampling: Sampling) -> ChatAgent {
        self.inner.sampling = sampling;
        self
    }

    /// The same agent, reading only the last `n` messages beside instructions.
    pub fn with_memory_window(mut self, n: usize) -> ChatAgent {
        self.inner.surroundings.memory_window = Some(n);
        self
    }

    /// The same agent with a memory: of what it no longer reads it knows a summary, facts and names.
    pub fn with_memory(mut self, memory: ConversationMemory) -> ChatAgent {
        let counter = self.inner.surroundings.counter.clone();
        self.inner.surroundings.memory = Some(memory.with_counter(counter));
        self
    }

    /// The same agent, reading long conversations in a shorter form.
    pub fn with_compression(mut self, compression: CompressionConfig) -> ChatAgent {
        self.inner.surroundings.compression = Some(compression);
        self
    }

    /// The same agent with plans.
    pub fn with_planning(mut self, planning: PlanningConfig) -> ChatAgent {
        self.inner.surroundings.planning =
            PlanningManager::new(PlanningConfig { enabled: true, ..planning });
        self
    }

    /// The same agent, whose thoughts between these tags are no part of what it says.
    pub fn with_reasoning(mut self, tags: ReasoningTags) -> ChatAgent {
        self.inner.surroundings.reasoning = Some(tags);
        self
    }

    /// The same agent with all of this at once.
    pub fn with_surroundings(mut self, surroundings: Surroundings) -> ChatAgent {
        self.inner.surroundings = surroundings;
        self
    }

    /// The same agent with tools. It calls them before it answers, and in training episodes too.
    pub fn with_tools(mut self, tools: ToolRegistry) -> ChatAgent {
        self.tools = tools;
        self
    }

    /// The same agent with another start of its randomness; two agents with the same seed answer the
    /// same calls alike.
    pub fn with_seed(mut self, seed: u64) -> ChatAgent {
        self.seed = RunSeed(seed);
        self.n_answers = Arc::default();
        self
    }

    /// Instructions it begins every conversation with.
    pub fn system_prompt(&self) -> Option<&str> {
        self.inner.system_prompt.as_deref()
    }

    /// Answers a conversation, which ends with the message to answer.
    ///
    /// # Errors
    /// [`PolicyError`] where the conversation does not fit, cannot be rendered, or the engine fails.
    pub async fn generate_response(&self, messages: &[Message]) -> Result<String, PolicyError> {
        if !self.tools.is_empty() {
            let said = self.answer_with_tools(messages).await?;
            return Ok(said.into_iter().next_back().map_or_else(String::new, |last| last.content));
        }
        let answer = self.answer(messages, &Map::new(), &mut Map::new()).await?;
        Ok(answer.content)
    }

    /// As [`ChatAgent::generate_response`], for an agent with plans, memory or thoughts: `context` tells it what is not
    /// said (`plan_goal`, `plan_update`), and `notes`, empty at first, is what it keeps from turn to turn.
    ///
    /// # Errors
    /// As [`ChatAgent::generate_response`].
    pub async fn answer(
        &self,
        messages: &[Message],
        context: &Map<String, Value>,
        notes: &mut Map<String, Value>,
    ) -> Result<Message, PolicyError> {
        let (reading, request) = self.read(messages, context, notes).await?;
        let completion = self.inner.policy.generate(request).await?;
        Ok(self.settle(reading, completion, notes))
    }

    /// As [`ChatAgent::generate_response`], and gives everything that was said on the way: calls of
    /// tools, their results, and the answer, which is last.
    ///
    /// # Errors
    /// As [`ChatAgent::generate_response`].
    pub async fn answer_with_tools(
        &self,
        messages: &[Message],
    ) -> Result<Vec<Message>, PolicyError> {
        let key = self.next_key();
        let stream = self.seed.stream(Purpose::Sampling, key);
        let request = AgentRequest::new(messages.to_vec(), stream);
        let said = self.tool_agent().answer(request, (self.seed, key), MAX_TOOL_ROUNDS).await;
        said.map_err(|error| PolicyError::Failed(error.to_string()))
    }

    /// As [`ChatAgent::generate_response`], and hands over each piece of text as soon as it is certain;
    /// with tools, which may be called in any piece, the answer as a whole.
    ///
    /// # Errors
    /// As [`ChatAgent::generate_response`].
    pub async fn stream_response(
        &self,
        messages: &[Message],
        mut say: impl FnMut(&str) + Send,
    ) -> Result<String, PolicyError> {
        if !self.tools.is_empty() {
            let answer = self.generate_response(messages).await?;
            say(&answer);
            return Ok(answer);
        }
        let mut notes = Map::new();
        Ok(self.stream_answer(messages, &Map::new(), &mut notes, say).await?.content)
    }

    /// As [`ChatAgent::answer`], and hands over each piece of text as soon as it is certain. Thoughts are not handed
    /// over.
    ///
    /// # Errors
    /// As [`ChatAgent::generate_response`].
    pub async fn stream_answer(
        &self,
        messages: &[Message],
        context: &Map<String, Value>,
        notes: &mut Map<String, Value>,
        mut say: impl FnMut(&str) + Send,
    ) -> Result<Message, PolicyError> {
        let Some(policy) = &self.policy else {
            let answer = self.answer(messages, context, notes).await?;
            say(&answer.content);
            return Ok(answer);
        };
        let (reading, request) = self.read(messages, context, notes).await?;
        let Some(mut tags) = self.inner.surroundings.reasoning.clone() else {
            let completion = policy.generate_streaming(request, say).await?;
            return Ok(self.settle(reading, completion, notes));
        };
        tags.begins_inside |= policy.opens_thought(&request, &tags.open);
        let mut splitter = ReasoningSplitter::new(tags);
        let pieces = |piece: &str| say(&splitter.push(piece));
        let completion = policy.generate_streaming(request, pieces).await?;
        let (rest, _) = splitter.finish();
        if !rest.is_empty() {
            say(&rest);
        }
        Ok(self.settle(reading, completion, notes))
    }

    /// The agent as episodes need it.
    pub(super) fn tool_agent(&self) -> ToolAgent {
        ToolAgent::new(self.inner.clone(), self.format).with_tools(self.tools.clone())
    }

    fn next_key(&self) -> StreamKey {
        let step = self.n_answers.fetch_add(1, Ordering::Relaxed);
        StreamKey { step, ..StreamKey::default() }
    }

    async fn read(
        &self,
        messages: &[Message],
        context: &Map<String, Value>,
        notes: &Map<String, Value>,
    ) -> Result<(Reading, GenerateRequest), PolicyError> {
        let stream = self.seed.stream(Purpose::Sampling, self.next_key());
        let request = AgentRequest {
            context: context.clone(),
            notes: notes.clone(),
            ..AgentRequest::new(messages.to_vec(), stream)
        };
        let read = self.inner.read(&request).await;
        let mut reading = read.map_err(|error| PolicyError::Failed(error.message))?;
        let messages = std::mem::take(&mut reading.messages);
        Ok((reading, self.inner.generate_request(request, messages)))
    }

    fn settle(
        &self,
        mut reading: Reading,
        mut completion: Completion,
        notes: &mut Map<String, Value>,
    ) -> Message {
        self.inner.surroundings.settle(&mut reading, &mut completion);
        *notes = reading.notes;
        completion.message
    }
}

/// Finds a model; one of the hub is downloaded without a word.
pub(crate) fn open_model(name: &str) -> Result<ModelSource, TrainError> {
    ModelSource::open(name, &fetch)
}

fn fetch(id: &str) -> Result<PathBuf, TrainError> {
    download(id, &mut |_| {}).map_err(|error| TrainError::Invalid {
        what: "fetch the model",
        message: error.to_string(),
    })
}

/// A folder for a run as an option of the configuration: where runs lie, and the run's name.
pub(super) fn split_folder(folder: &Path) -> (PathBuf, String) {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let name = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    (parent.unwrap_or(Path::new(".")).to_owned(), name)
}
