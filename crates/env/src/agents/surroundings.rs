//! What a policy reads in the place of the bare conversation.
//!
//! At each turn: the instructions, with blocks for what was handed over, summarised, known, recalled and planned; then
//! the part of the conversation that is left after the cuts of window, memory and compression, of which the
//! deepest counts. The choice a reader would question: blocks go into the first system message and nowhere
//! else, because many chat templates know one system message only and refuse others.
//!
//! What a turn must know of the last one is in its notes. Without them a turn is taken as if the conversation had been
//! read at one go: cuts fall where they fell, and only a model's summaries and a plan's changes are lost.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use stateset_core::{
    Border, Completion, Embedder, GivenTokens, Message, PolicyError, Purpose, Role, RolloutError,
    RunSeed, Stream, StreamKey,
};

use super::compression::CompressionConfig;
use super::context::{PolicySummary, TokenCounter, start_of_last, summarise};
use super::memory::{ConversationMemory, cosine};
use super::planning::{PlanState, PlanningManager};
use super::reasoning::ReasoningTags;
use super::team::BRIEFING;
use crate::error::EnvError;

/// Angles wider than this have nothing to do with each other.
const MIN_COSINE: f64 = 0.3;
const NOTE_CUT: &str = "cut";
const NOTE_SHOWN: &str = "shown";
const NOTE_SUMMARY: &str = "summary";
const NOTE_PLAN: &str = "plan";
const NOTE_THOUGHT: &str = "thought";

/// What stands around a policy. By default nothing does, and it reads conversations as they are.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// Messages beside instructions that are kept; all where absent.
    pub memory_window: Option<usize>,
    /// What is known before the conversation begins, with the settings of the memory.
    pub memory: Option<ConversationMemory>,
    /// When and how long conversations are made shorter.
    pub compression: Option<CompressionConfig>,
    /// Plans.
    pub planning: PlanningManager,
    /// Tags between which the model thinks; where absent, answers are left as the policy gives them.
    pub reasoning: Option<ReasoningTags>,
    /// Who summarises; the conversation's own sentences where absent.
    pub summary: Option<PolicySummary>,
    /// What recalls by; shared words where absent.
    pub embedder: Option<Arc<dyn Embedder>>,
    /// Counts tokens for budgets.
    pub counter: TokenCounter,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("memory_window", &self.memory_window)
            .field("memory", &self.memory.as_ref().map(ConversationMemory::config))
            .field("compression", &self.compression)
            .field("planning", &self.planning)
            .field("reasoning", &self.reasoning)
            .field("summary", &self.summary.as_ref().map(|_| "by a policy"))
            .field("embedder", &self.embedder.as_ref().map(|_| "given"))
            .finish_non_exhaustive()
    }
}

/// What the policy reads at a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Instructions and conversation.
    pub messages: Vec<Message>,
    /// What the next turn must know.
    pub notes: Map<String, Value>,
    /// What is otherwise than at the last turn: why tokens that were read then do not stand any more.
    pub changes: Vec<String>,
}

/// Where the conversation is cut.
#[derive(Default)]
struct Cut {
    start: usize,
    by: &'static str,
    /// Tokens that a summary of what was cut may take.
    summary_tokens: usize,
}

/// Blocks after the instructions: title, and text that may be empty.
type Blocks = [(&'static str, String); 5];

impl Surroundings {
    /// True where the policy reads conversations as they are.
    pub fn is_empty(&self) -> bool {
        self.memory_window.is_none()
            && self.memory.is_none()
            && self.compression.is_none()
            && !self.planning.config.enabled
            && self.reasoning.is_none()
    }

    /// The same with another way to count tokens.
    pub fn with_counter(mut self, counter: TokenCounter) -> Self {
        self.memory = self.memory.map(|memory| memory.with_counter(counter.clone()));
        self.counter = counter;
        self
    }

    /// What the policy reads of `messages`, which begin with its instructions.
    ///
    /// # Errors
    /// [`RolloutError`] where a summary or an embedding fails, or the context says something impossible.
    pub async fn read(
        &self,
        messages: Vec<Message>,
        context: &Map<String, Value>,
        notes: &Map<String, Value>,
        stream: &Stream,
    ) -> Result<Reading, RolloutError> {
        let n_head = messages.iter().take_while(|message| message.role == Role::System).count();
        let (head, body) = messages.split_at(n_head);
        let mut memory = self.memory.clone();
        let cut = self.cut(body, memory.as_mut());
        let mut written = Map::new();
        let summary = self.summarised(body, &cut, notes, &mut written, stream).await?;
        let (known, recalled) = match &memory {
            Some(memory) => self.known_and_recalled(memory, body).await?,
            None => Default::default(),
        };
        let plan = self.plan(body, context, notes, &mut written)?;
        let briefing = context.get(BRIEFING).and_then(Value::as_str).unwrap_or_default();
        let blocks: Blocks = [
            ("", briefing.to_owned()),
            ("Earlier in this conversation:", summary),
            ("Known so far:", known),
            ("Said earlier, perhaps about the same:", recalled),
            ("", plan),
        ];
        let changes = changes(&cut, &blocks, notes, &mut written);
        let mut messages = with_blocks(head, &blocks);
        let cut_off = body[..cut.start].iter().filter(|message| message.role == Role::System);
        messages.extend(cut_off.chain(&body[cut.start..]).cloned());
        Ok(Reading { messages, notes: written, changes })
    }

    /// What becomes of the answer: thoughts are set apart, and where its tokens begin a new segment the reasons of the
    /// reading are told with the policy's own.
    pub fn settle(&self, reading: &mut Reading, completion: &mut Completion) {
        if let Some(tags) = &self.reasoning
            && tags.separate(&mut completion.message)
        {
            reading.notes.insert(NOTE_THOUGHT.to_owned(), true.into());
        }
        let given = completion.sampled.as_mut().map(|sampled| &mut sampled.given);
        if let Some(GivenTokens::Restart { why, .. }) = given
            && !reading.changes.is_empty()
        {
            *why = format!("{}; {why}", reading.changes.join(", "));
        }
    }

    /// The deepest of the cuts. The memory takes the conversation in and lets go of what is cut.
    fn cut(&self, body: &[Message], memory: Option<&mut ConversationMemory>) -> Cut {
        let mut cut = Cut::default();
        let mut deepen = |start: usize, by: &'static str, summary_tokens: usize| {
            if start > cut.start {
                cut = Cut { start, by, summary_tokens };
            }
        };
        if let Some(n) = self.memory_window {
            deepen(start_of_last(body, n), "the memory window moved on", 0);
        }
        if let Some(config) = &self.compression {
            let start = config.n_cut(body, &self.counter);
            deepen(start, "the context was compressed", config.summary_tokens());
        }
        let n_counted = |messages: &[Message]| {
            messages.iter().filter(|message| message.role != Role::System).count()
        };
        if let Some(memory) = memory {
            memory.end_conversation();
            body.iter().for_each(|message| memory.observe(message));
            let n_kept = n_counted(memory.recent());
            let start = (0..=body.len()).find(|start| n_counted(&body[*start..]) <= n_kept);
            let wants = memory.config().enable_summarization;
            let tokens = if wants { memory.summary_tokens() } else { 0 };
            deepen(start.unwrap_or(0), "the memory let go", tokens);
            memory.keep_last(n_counted(&body[cut.start..]));
        }
        cut
    }

    /// The summary of what was cut; of earlier conversations where nothing was.
    async fn summarised(
        &self,
        body: &[Message],
        cut: &Cut,
        notes: &Map<String, Value>,
        written: &mut Map<String, Value>,
        stream: &Stream,
    ) -> Result<String, RolloutError> {
        let earlier: Vec<Message> = self.before_this_conversation();
        let of_earlier = self.memory.as_ref().filter(|_| !earlier.is_empty());
        let tokens = match (cut.start, of_earlier) {
            (0, Some(memory)) if memory.config().enable_summarization => memory.summary_tokens(),
            (0, _) => 0,
            _ => cut.summary_tokens,
        };
        if tokens == 0 {
            return Ok(String::new());
        }
        let (mut old, mut before, mut from) = (earlier, None, 0);
        let Some(summary) = &self.summary else {
            old.extend_from_slice(&body[..cut.start]);
            let decay = self.memory.as_ref().map_or(1.0, |m| m.config().importance_decay);
            return Ok(summarise(&old, tokens, decay, &self.counter));
        };
        let note = notes.get(NOTE_SUMMARY);
        let of_note = |key: &str| note.and_then(|note| note.get(key));
        if let (Some(upto), Some(text)) = (
            of_note("upto").and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()),
            of_note("text").and_then(Value::as_str),
        ) && upto <= cut.start
        {
            (before, from) = (Some(text), upto);
            old.clear();
        }
        old.extend_from_slice(&body[from..cut.start]);
        let text = match before {
            Some(text) if old.is_empty() => text.to_owned(),
            before => {
                let asked = summary.summarise(before, &old, tokens, &self.counter, aside(stream));
                asked.await.map_err(|error| failed("summarise", &error))?
            }
        };
        let note = serde_json::json!({"upto": cut.start, "text": text});
        written.insert(NOTE_SUMMARY.to_owned(), note);
        Ok(text)
    }

    fn before_this_conversation(&self) -> Vec<Message> {
        let Some(memory) = &self.memory else { return Vec::new() };
        memory.left().chain(memory.recent()).filter(|m| m.role != Role::System).cloned().collect()
    }

    async fn known_and_recalled(
        &self,
        memory: &ConversationMemory,
        body: &[Message],
    ) -> Result<(String, String), RolloutError> {
        let asked = body.iter().rev().find(|message| message.role == Role::User);
        let query = asked.map_or("", |message| message.content.as_str());
        let n = memory.config().retrieval_top_k;
        let recalled = match &self.embedder {
            Some(embedder) if n > 0 && memory.left().next().is_some() => {
                let texts = memory.left().map(|message| message.content.clone());
                let texts: Vec<String> = std::iter::once(query.to_owned()).chain(texts).collect();
                let vectors = embedder.embed(&texts).await.map_err(|e| failed("recall", &e))?;
                let query = vectors.first().map_or(&[][..], Vec::as_slice);
                let of_rest = vectors.iter().skip(1);
                let scores: Vec<f64> =
                    of_rest.map(|vector| cosine(query, vector) - MIN_COSINE).collect();
                memory.best(&scores, n)
            }
            _ => memory.recall(query, n),
        };
        let told = memory.told(&recalled);
        Ok((told.known, told.recalled))
    }

    fn plan(
        &self,
        body: &[Message],
        context: &Map<String, Value>,
        notes: &Map<String, Value>,
        written: &mut Map<String, Value>,
    ) -> Result<String, RolloutError> {
        let impossible = |error: EnvError| RolloutError::new(Border::Environment, error);
        // Notes of something else are as good as none.
        let before: Option<PlanState> =
            notes.get(NOTE_PLAN).and_then(|note| serde_json::from_value(note.clone()).ok());
        let Some(state) = self.planning.next(before, body, context).map_err(impossible)? else {
            return Ok(String::new());
        };
        if let Ok(note) = serde_json::to_value(&state) {
            written.insert(NOTE_PLAN.to_owned(), note);
        }
        Ok(state.shown)
    }
}

/// What is otherwise than the notes of the last turn say; notes what is so now.
fn changes(
    cut: &Cut,
    blocks: &Blocks,
    notes: &Map<String, Value>,
    written: &mut Map<String, Value>,
) -> Vec<String> {
    const WHAT: [&str; 5] = [
        "the briefing changed",
        "the summary changed",
        "what is known changed",
        "other messages were recalled",
        "the plan changed",
    ];
    let mut changes = Vec::new();
    if cut.start > 0 {
        let before = notes.get(NOTE_CUT).and_then(Value::as_u64).unwrap_or(0);
        let now = cut.start as u64;
        if now > before {
            changes.push(format!("{} ({} messages)", cut.by, now - before));
        }
        written.insert(NOTE_CUT.to_owned(), now.into());
    }
    let texts: Vec<Value> = blocks.iter().map(|(_, text)| text.clone().into()).collect();
    let has_any = blocks.iter().any(|(_, text)| !text.is_empty());
    let shown = notes.get(NOTE_SHOWN).and_then(Value::as_array);
    for (index, text) in texts.iter().enumerate() {
        let before = shown.and_then(|shown| shown.get(index)?.as_str()).unwrap_or_default();
        if text.as_str() != Some(before) {
            changes.push(WHAT[index].to_owned());
        }
    }
    if has_any {
        written.insert(NOTE_SHOWN.to_owned(), texts.into());
    }
    if notes.get(NOTE_THOUGHT) == Some(&Value::Bool(true)) {
        changes.push("a thought was set apart from the answer".to_owned());
    }
    changes
}

/// The instructions with the blocks after them.
fn with_blocks(head: &[Message], blocks: &Blocks) -> Vec<Message> {
    let mut texts: Vec<String> = Vec::new();
    for (title, text) in blocks.iter().filter(|(_, text)| !text.is_empty()) {
        texts.push(if title.is_empty() { text.clone() } else { format!("{title}\n{text}") });
    }
    let mut head = head.to_vec();
    if texts.is_empty() {
        return head;
    }
    match head.last_mut() {
        Some(last) => {
            texts.insert(0, last.content.clone());
            last.content = texts.join("\n\n");
        }
        None => head.push(Message::system(texts.join("\n\n"))),
    }
    head
}

/// Randomness beside that of the answer.
fn aside(stream: &Stream) -> Stream {
    let mut stream = stream.clone();
    let seed = u64::from(stream.next_u32()) << 32 | u64::from(stream.next_u32());
    RunSeed(seed).stream(Purpose::Sampling, StreamKey::default())
}

fn failed(what: &str, error: &PolicyError) -> RolloutError {
    RolloutError::new(Border::Model, format!("{what} what was said earlier: {error}"))
}
