//! [`ChatTemplate`]: a conversation as the text a model was trained on.
//!
//! Renders the Jinja templates of Hugging Face models to the bytes that `transformers` gives
//! (golden tests), with limits on time, nesting and memory because a template is a program out of a
//! downloaded file. The choice a reader would question: on an error the conversation is rendered
//! again, shorter and shorter, to name the turn at fault.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::thread;

use minijinja::{Environment, ErrorKind, Value};
use serde_json::{Map, Value as Json};
use stateset_core::{CallFormat, Message, ToolSpec};

use super::control::{ControlTokens, Speaker, Unmarked, unmark};
use super::date::Date;
use super::environment::{Raised, environment};
use super::guard::{Guarded, guard};
use super::lexer::TOO_LONG;
use super::messages::{Inputs, plain as plain_value};
use super::meter::{MAX_OUTPUT_BYTES, Meter, VARIABLE};
use super::plain;
use crate::text_error::TextError;
use crate::tokenizer::{SpecialTokens, TextFiles};

/// Longest template that is parsed, in bytes; the longest known ones have 30,000.
pub const MAX_TEMPLATE_BYTES: usize = 256 << 10;

/// Most prefixes of a conversation that are tried to name the turn at fault.
const MAX_TRIALS: usize = 256;

/// Stack of the thread that parses templates; only what is used of it becomes memory.
const PARSER_STACK_BYTES: usize = 128 << 20;

const DEFAULT: &str = "default";
const TOOL_USE: &str = "tool_use";

/// What a conversation is rendered with, beside its messages.
#[derive(Clone, Debug, Default)]
pub struct RenderOptions {
    /// Tools the model is told of.
    pub tools: Vec<ToolSpec>,
    /// Ends with the beginning of an assistant turn.
    pub add_generation_prompt: bool,
    /// What `strftime_now` answers; a template that asks without it fails.
    pub date: Option<Date>,
    /// Further variables of the template, such as `enable_thinking`. They win over special tokens
    /// of the same name.
    pub kwargs: Map<String, Json>,
    /// Special tokens of the tokenizer.
    pub special_tokens: SpecialTokens,
}

/// A rendered conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Byte ranges of the text inside `{% generation %}`; empty where the template has none.
    pub generated: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Source {
    label: String,
    text: String,
    marks_generation: bool,
}

/// The chat format of one model: its Jinja templates, or plain lines where it has none.
#[derive(Debug)]
pub struct ChatTemplate {
    env: Environment<'static>,
    sources: BTreeMap<String, Source>,
}

impl ChatTemplate {
    /// Plain lines: `System: ..`, `User: ..`, `Assistant: ..`, `Tool: ..`.
    pub fn plain() -> ChatTemplate {
        ChatTemplate { env: Environment::empty(), sources: BTreeMap::new() }
    }

    /// The templates of a model; plain lines where it has none.
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] naming file and line, and the errors of reading the files.
    pub fn load(files: &TextFiles) -> Result<ChatTemplate, TextError> {
        let found = files.chat_templates()?;
        if found.is_empty() {
            return Ok(ChatTemplate::plain());
        }
        let mut template = ChatTemplate { env: environment(), sources: BTreeMap::new() };
        for file in found {
            template.add(file.name, file.label, file.source)?;
        }
        Ok(template)
    }

    /// One template, called `label` in errors.
    ///
    /// # Errors
    /// [`TextError::TemplateSyntax`] and [`TextError::FileTooLarge`].
    pub fn from_source(label: &str, source: &str) -> Result<ChatTemplate, TextError> {
        let mut template = ChatTemplate { env: environment(), sources: BTreeMap::new() };
        template.add(DEFAULT.to_string(), label.to_string(), source.to_string())?;
        Ok(template)
    }

    /// True for plain lines.
    pub fn is_plain(&self) -> bool {
        self.sources.is_empty()
    }

    /// Texts that end an answer: the role lines of plain conversations. Jinja templates end answers
    /// with tokens.
    pub fn stop_texts(&self) -> Vec<String> {
        let stops = if self.is_plain() { &plain::STOPS[..] } else { &[] };
        stops.iter().map(|stop| (*stop).to_string()).collect()
    }

    /// True where the template for these options marks generated text.
    ///
    /// # Errors
    /// [`TextError::UnknownTemplate`].
    pub fn marks_generation(&self, options: &RenderOptions) -> Result<bool, TextError> {
        Ok(!self.is_plain() && self.choose(options)?.1.marks_generation)
    }

    /// The conversation as text, byte for byte what `apply_chat_template` of transformers gives.
    ///
    /// # Errors
    /// The template variants of [`TextError`], with the turn.
    pub fn render(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<String, TextError> {
        Ok(self.render_marked(messages, options, &ControlTokens::default(), false)?.text)
    }

    /// The conversation as text, and where the template says that it is generated.
    ///
    /// # Errors
    /// The template variants of [`TextError`], with the turn.
    pub fn render_with_spans(
        &self,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, TextError> {
        let found = self.render_marked(messages, options, &ControlTokens::default(), true)?;
        Ok(Rendered { text: found.text, generated: found.generated })
    }

    /// The text with the places of users' control tokens, and of generated text if wanted.
    pub(super) fn render_marked(
        &self,
        messages: &[Message],
        options: &RenderOptions,
        control: &ControlTokens,
        wants_spans: bool,
    ) -> Result<Unmarked, TextError> {
        // No template here knows pictures; most would write their list of parts out as it is.
        if let Some(turn) = messages.iter().position(|message| !message.images.is_empty()) {
            let n_images = messages[turn].images.len();
            return Err(TextError::ImageContent { turn, n_images });
        }
        if self.is_plain() {
            let text = plain::render(messages, options.add_generation_prompt);
            return Ok(plain_marks(text, control));
        }
        let (name, source) = self.choose(options)?;
        let run = |messages: &[Message], add_generation_prompt: bool| {
            self.run(name, source, messages, options, add_generation_prompt, control, wants_spans)
        };
        run(messages, options.add_generation_prompt).map_err(|error| {
            let last = messages.len().saturating_sub(1);
            if let Some(limit) = reached_limit(&error) {
                return TextError::TemplateLimit { file: source.label.clone(), turn: last, limit };
            }
            let turn = turn_at_fault(messages, &error, |prefix| run(prefix, false).err());
            failed(source, turn.unwrap_or(last), &error)
        })
    }

    /// How the template teaches its model to call tools.
    pub(super) fn call_format(&self) -> CallFormat {
        let of_tools = self.sources.get(TOOL_USE);
        let all = self.sources.values().map(|source| source.text.as_str()).collect::<String>();
        CallFormat::of_template(of_tools.map_or(&all, |source| &source.text))
    }

    /// True where some template's source holds `text`.
    pub(super) fn mentions(&self, text: &str) -> bool {
        self.sources.values().any(|source| source.text.contains(text))
    }

    fn add(&mut self, name: String, label: String, text: String) -> Result<(), TextError> {
        if text.len() > MAX_TEMPLATE_BYTES {
            let (bytes, limit) = (text.len() as u64, MAX_TEMPLATE_BYTES as u64);
            return Err(TextError::FileTooLarge { file: label, bytes, limit });
        }
        let file = label.clone();
        let guarded = deep(&file, || self.compile(&name, &label, &text))??;
        self.sources
            .insert(name, Source { label, text, marks_generation: guarded.marks_generation });
        Ok(())
    }

    fn compile(&mut self, name: &str, label: &str, text: &str) -> Result<Guarded, TextError> {
        let syntax = |line: usize, message: String| TextError::TemplateSyntax {
            file: label.to_string(),
            line,
            message,
        };
        let guarded = guard(text);
        // The engine's words for a bad template are better than ours, so it looks at the original
        // first.
        if guarded.as_ref().is_err_and(|e| e.why != TOO_LONG)
            && let Err(error) = environment().template_from_str(text)
        {
            return Err(syntax(error.line().unwrap_or(0), words(&error)));
        }
        let guarded = guarded.map_err(|e| syntax(line_of(text, e.at), e.why.to_string()))?;
        self.env
            .add_template_owned(name.to_string(), guarded.source.clone())
            .map_err(|error| syntax(error.line().unwrap_or(0), words(&error)))?;
        Ok(guarded)
    }

    /// With tools the template `tool_use` where there is one, else `default`, else the only one.
    fn choose(&self, options: &RenderOptions) -> Result<(&str, &Source), TextError> {
        let wanted = if options.tools.is_empty() { DEFAULT } else { TOOL_USE };
        let only = self.sources.iter().next().filter(|_| self.sources.len() == 1);
        self.sources
            .get_key_value(wanted)
            .or_else(|| self.sources.get_key_value(DEFAULT))
            .or(only)
            .map(|(name, source)| (name.as_str(), source))
            .ok_or_else(|| TextError::UnknownTemplate {
                file: self
                    .sources
                    .values()
                    .next()
                    .map_or_else(String::new, |source| source.label.clone()),
                wanted: wanted.to_string(),
                known: self.sources.keys().cloned().collect::<Vec<_>>().join(", "),
            })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one private call with everything a rendering depends on"
    )]
    fn run(
        &self,
        name: &str,
        source: &Source,
        messages: &[Message],
        options: &RenderOptions,
        add_generation_prompt: bool,
        control: &ControlTokens,
        wants_spans: bool,
    ) -> Result<Unmarked, minijinja::Error> {
        let inputs = Inputs { messages, tools: &options.tools, kwargs: &options.kwargs, control };
        let marks = inputs.marks(&source.text);
        let (messages, tools) = inputs.values(marks);
        let mut variables: BTreeMap<&str, Value> = options
            .special_tokens
            .iter()
            .map(|(role, token)| (role, Value::from(token)))
            .chain(options.kwargs.iter().map(|(name, value)| (name.as_str(), plain_value(value))))
            .collect();
        variables.insert("messages", messages);
        variables.insert("tools", tools);
        variables.insert("documents", Value::from(()));
        variables.insert("add_generation_prompt", Value::from(add_generation_prompt));
        variables
            .insert(VARIABLE, Value::from_object(Meter::new(options.date, marks, wants_spans)));
        let mut out = LimitedText::default();
        let template = self.env.get_template(name)?;
        template.render_captured_to(Value::from_pairs(variables), &mut out)?;
        Ok(unmark(&String::from_utf8_lossy(&out.bytes), marks, control))
    }
}

/// Marks every control token of a plain conversation: the format itself writes none.
fn plain_marks(text: String, control: &ControlTokens) -> Unmarked {
    Unmarked { spelled: control.find(&text, Speaker::Outside), text, generated: Vec::new() }
}

#[derive(Default)]
struct LimitedText {
    bytes: Vec<u8>,
}

impl Write for LimitedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT_BYTES {
            return Err(io::Error::other("too much text"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What limit a rendering reached, if that is why it failed.
fn reached_limit(error: &minijinja::Error) -> Option<String> {
    chain(error)
        .find_map(|e| match (e.kind(), e.detail()) {
            (ErrorKind::OutOfFuel, what) => Some(what.unwrap_or("the template runs too long")),
            (ErrorKind::WriteFailure, _) => Some("the template writes more than 16 MiB"),
            (ErrorKind::InvalidOperation, Some("recursion limit exceeded")) => {
                Some("the template nests calls too deep")
            }
            _ => None,
        })
        .map(str::to_string)
}

/// The error and the engine's errors that caused it, outermost first.
fn chain(error: &minijinja::Error) -> impl Iterator<Item = &minijinja::Error> {
    std::iter::successors(Some(error), |error| {
        std::error::Error::source(*error)?.downcast_ref::<minijinja::Error>()
    })
}

fn is_raised(error: &minijinja::Error) -> bool {
    chain(error).any(|e| std::error::Error::source(e).is_some_and(|source| source.is::<Raised>()))
}

fn words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

fn failed(source: &Source, turn: usize, error: &minijinja::Error) -> TextError {
    let file = source.label.clone();
    let innermost = chain(error).last().unwrap_or(error);
    if is_raised(error) {
        let message = innermost.detail().unwrap_or_default().to_string();
        return TextError::TemplateRaised { file, turn, message };
    }
    TextError::TemplateFailed {
        file,
        line: innermost.line().unwrap_or(0),
        turn,
        message: words(innermost),
    }
}

/// Index of the last message of the shortest conversation that fails in the same way.
fn turn_at_fault(
    messages: &[Message],
    error: &minijinja::Error,
    fails: impl Fn(&[Message]) -> Option<minijinja::Error>,
) -> Option<usize> {
    let last = messages.len().min(MAX_TRIALS);
    (1..=last)
        .find(|&n| {
            fails(&messages[..n])
                .is_some_and(|e| words(&e) == words(error) && e.line() == error.line())
        })
        .map(|n| n - 1)
}

/// Runs the parser on a stack of its own: it recurses once for every bracket and operator, and the
/// stack of a worker thread would end the program.
fn deep<T: Send>(file: &str, work: impl FnOnce() -> T + Send) -> Result<T, TextError> {
    thread::scope(|scope| {
        let parser =
            thread::Builder::new().stack_size(PARSER_STACK_BYTES).spawn_scoped(scope, work);
        let failed = |why: &str| TextError::bad_file(file, "chat template", why);
        let parser = parser.map_err(|e| failed(&e.to_string()))?;
        parser.join().map_err(|_| failed("the parser gave up on it"))
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at.min(text.len())].matches('\n').count() + 1
}
