//! `chat`: a conversation with a model, answer by answer.

use std::io::BufRead;

use clap::Args;
use serde_json::{Map, Value};
use stateset_core::{
    Completion, GenerateRequest, GivenTokens, Message, Policy, PolicyError, Purpose, RunSeed,
    Sampling, StreamKey, TokenTrace,
};
use stateset_env::agents::Surroundings;
use stateset_env::agents::reasoning::{ReasoningSplitter, ReasoningTags};
use stateset_train::config::RunConfig;
use stateset_train::{LocalPolicy, ModelSource, StubPolicy, chat_format, token_counter};

use super::engine::{runtime, sampling_spec};
use super::error::{CliError, Outcome};
use super::model::MachineArgs;
use super::output::{Output, is_interactive, say};
use super::sampling::SamplingArgs;
use super::sources::{ConfigArgs, Flags, Prepared};
use super::stops::StopFilter;

/// Tokens of a conversation where nobody says otherwise.
const CONTEXT_TOKENS: usize = 8192;

/// Talk with a model
///
/// Reads a message from each line of standard input and streams the answer; /reset forgets the
/// conversation, /quit or the end of the input ends it.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) agent: AgentArgs,
    #[command(flatten)]
    pub(crate) talk: TalkArgs,
}

/// Whom to talk with.
#[derive(Args, Clone, Debug)]
pub(crate) struct AgentArgs {
    /// The model: builtin:tiny (the default), a folder (of a model, an adapter, a checkpoint or a run),
    /// or a name on the model hub such as owner/name
    #[arg(long, visible_alias = "checkpoint", value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Folder of a PEFT adapter to put onto the model
    #[arg(long, value_name = "DIR")]
    pub(crate) adapter: Option<std::path::PathBuf>,
    /// Instructions for the agent
    #[arg(long, value_name = "TEXT")]
    pub(crate) system: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// How to talk.
#[derive(Args, Clone, Debug)]
pub(crate) struct TalkArgs {
    /// What the randomness starts from
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) sampling: SamplingArgs,
}

impl AgentArgs {
    /// The flags that are keys of the configuration.
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = Flags::default();
        flags.add("--model", "agent.model_name", self.model.as_ref());
        flags.add_path("--adapter", "agent.peft_path", self.adapter.as_deref());
        flags.add("--system", "agent.system_prompt", self.system.as_ref());
        flags.add("--threads", "training.threads", self.machine.threads());
        flags
    }
}

/// Talks until the input ends.
pub(crate) fn run(args: ChatArgs) -> Outcome {
    let prepared = args.agent.config.prepare(args.agent.flags())?;
    prepared.warn();
    let talk = Talk::new(prepared, &args.agent, &args.talk)?;
    converse(talk)
}

/// A conversation on standard input and output.
pub(crate) fn converse(mut talk: Talk) -> Outcome {
    let runtime = runtime()?;
    let shows_prompts = is_interactive();
    if shows_prompts {
        say("Type a message and press Enter. /reset begins anew, /quit ends.");
    }
    let mut output = Output::new();
    loop {
        if shows_prompts {
            output.text("\n> ")?;
            output.flush()?;
        }
        let Some(line) = next_line()? else { break };
        match line.trim() {
            "" => {}
            "/quit" | "/exit" => break,
            "/reset" => {
                talk.reset();
                say("The conversation begins anew.");
            }
            message => runtime.block_on(answer(&mut talk, message, &mut output))?,
        }
    }
    output.flush()
}

async fn answer(talk: &mut Talk, message: &str, output: &mut Output) -> Outcome {
    let mut written = Ok(());
    let said = talk
        .reply(message, |piece| {
            if written.is_ok() {
                written = output.text(piece).and_then(|()| output.flush());
            }
        })
        .await;
    written?;
    match said {
        Ok(_) => output.line(""),
        Err(error @ PolicyError::ContextFull { .. }) => {
            say(format_args!("failed to {error}; /reset begins anew"));
            output.line("")
        }
        Err(error) => return Err(CliError::failed(error)),
    }?;
    output.flush()
}

/// The next line of the input; `None` at its end.
fn next_line() -> Outcome<Option<String>> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut bytes);
    let n = read.map_err(|error| CliError::failed(format!("read the standard input: {error}")))?;
    Ok((n > 0).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Who answers.
enum Voice {
    Local(Box<LocalPolicy>),
    Stub(StubPolicy),
}

/// A conversation with all that has been said in it.
pub(crate) struct Talk {
    voice: Voice,
    system: Option<String>,
    sampling: Sampling,
    seed: RunSeed,
    messages: Vec<Message>,
    trace: TokenTrace,
    surroundings: Surroundings,
    /// What the surroundings keep from turn to turn.
    notes: Map<String, Value>,
    /// Conversations before this one, and answers in it.
    place: StreamKey,
}

impl Talk {
    /// A conversation with the agent of a configuration.
    pub(crate) fn new(prepared: Prepared, agent: &AgentArgs, args: &TalkArgs) -> Outcome<Talk> {
        let Prepared { resolved, model } = prepared;
        let config = &resolved.config;
        let is_plain = agent.config.config.is_none();
        let (base, system) = manners(config, model.as_ref().filter(|_| is_plain));
        let sampling = args.sampling.over(base)?;
        let saved = model.as_ref().filter(|_| is_plain).and_then(|m| m.agent_config.as_ref());
        let settings = match saved {
            Some(saved) => saved.surroundings().map_err(CliError::loading)?,
            None => config.agent.surroundings.clone(),
        };
        let mut surroundings = settings.build();
        let voice = match model {
            Some(model) => {
                let format = chat_format(&model, agent.machine.date()).map_err(CliError::bad)?;
                let wanted = config.rollout.context_tokens.unwrap_or(CONTEXT_TOKENS);
                let context = wanted.min(model.files.decoder.max_positions);
                let spec = sampling_spec(config.compute.threads, 1, context);
                let engine = spec.start(model).map_err(CliError::loading)?;
                surroundings = surroundings.with_counter(token_counter(&format));
                Voice::Local(Box::new(LocalPolicy::new(engine, format)))
            }
            None => Voice::Stub(StubPolicy::new(config.agent.stub_responses.clone())),
        };
        let mut talk = Talk {
            voice,
            system,
            sampling,
            seed: RunSeed(args.seed),
            messages: Vec::new(),
            trace: TokenTrace::new(),
            surroundings,
            notes: Map::new(),
            place: StreamKey::default(),
        };
        talk.begin();
        Ok(talk)
    }

    /// Forgets everything but the instructions.
    pub(crate) fn reset(&mut self) {
        self.place = StreamKey { scenario: self.place.scenario + 1, ..StreamKey::default() };
        self.begin();
    }

    fn begin(&mut self) {
        self.trace = TokenTrace::new();
        self.notes = Map::new();
        self.messages = self.system.iter().map(Message::system).collect();
    }

    /// Answers a message, and says the answer piece by piece. Where that fails the message is
    /// forgotten.
    pub(crate) async fn reply(
        &mut self,
        message: &str,
        say: impl FnMut(&str) + Send,
    ) -> Result<Completion, PolicyError> {
        self.messages.push(Message::user(message));
        let answered = self.generate(say).await.and_then(|completion| {
            self.remember(&completion)?;
            Ok(completion)
        });
        if answered.is_err() {
            self.messages.pop();
        }
        answered
    }

    async fn generate(&mut self, say: impl FnMut(&str) + Send) -> Result<Completion, PolicyError> {
        let stream = self.seed.stream(Purpose::Sampling, self.place);
        let (messages, notes) = (self.messages.clone(), &self.notes);
        let read = self.surroundings.read(messages, &Map::new(), notes, &stream).await;
        let mut reading = read.map_err(|error| PolicyError::Failed(error.message))?;
        let request = GenerateRequest {
            messages: std::mem::take(&mut reading.messages),
            tools: Vec::new(),
            trace: self.trace.clone(),
            sampling: self.sampling.clone(),
            stream,
        };
        let mut completion = self.speak(request, say).await?;
        self.surroundings.settle(&mut reading, &mut completion);
        self.notes = reading.notes;
        Ok(completion)
    }

    /// Samples an answer and says what of it is no thought.
    async fn speak(
        &self,
        request: GenerateRequest,
        mut say: impl FnMut(&str) + Send,
    ) -> Result<Completion, PolicyError> {
        match &self.voice {
            Voice::Local(policy) => {
                let mut stops = policy.format().stop_texts();
                stops.extend(self.sampling.stop.iter().cloned());
                let mut filter = StopFilter::new(stops);
                let mut thoughts = self.surroundings.reasoning.clone().map(|tags| {
                    let begins_inside = policy.opens_thought(&request, &tags.open);
                    ReasoningSplitter::new(ReasoningTags { begins_inside, ..tags })
                });
                let mut visible = |piece: &str| match &mut thoughts {
                    Some(splitter) => splitter.push(piece),
                    None => piece.to_owned(),
                };
                let pieces = |piece: &str| say(&visible(&filter.push(piece)));
                let completion = policy.generate_streaming(request, pieces).await?;
                say(&visible(&filter.finish()));
                if let Some(splitter) = thoughts {
                    say(&splitter.finish().0);
                }
                Ok(completion)
            }
            Voice::Stub(policy) => {
                let completion = policy.generate(request).await?;
                match &self.surroundings.reasoning {
                    Some(tags) => say(&tags.split(&completion.message.content).1),
                    None => say(&completion.message.content),
                }
                Ok(completion)
            }
        }
    }

    fn remember(&mut self, completion: &Completion) -> Result<(), PolicyError> {
        if let Some(sampled) = &completion.sampled {
            match &sampled.given {
                GivenTokens::Continue(tokens) => self.trace.append_given(tokens),
                GivenTokens::Restart { tokens, .. } => {
                    self.trace.start_segment();
                    self.trace.append_given(tokens);
                }
            }
            self.trace
                .append_sampled(&sampled.tokens, &sampled.logprobs, sampled.version)
                .map_err(|error| PolicyError::Failed(error.to_string()))?;
        }
        self.messages.push(completion.message.clone());
        self.place = self.place.at_turn(usize::from(self.place.turn) + 1);
        Ok(())
    }
}

/// How the agent draws its words and what it is told: as its saved model says, else as the
/// configuration does.
fn manners(config: &RunConfig, model: Option<&ModelSource>) -> (Sampling, Option<String>) {
    let saved = model.and_then(|model| model.agent_config.as_ref());
    let sampling = saved.map_or_else(|| config.agent.sampling.clone(), |saved| saved.sampling());
    let system = config.agent.system_prompt.clone();
    (sampling, system.or_else(|| saved.and_then(|saved| saved.system_prompt.clone())))
}
