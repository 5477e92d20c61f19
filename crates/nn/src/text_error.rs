//! Errors of the text side of the engine: tokenizer files, chat templates, continuation.
//!
//! Every variant names the file and the field, or the turn of the conversation. The choice a reader
//! would question: template errors carry the *turn*, found by rendering shorter conversations,
//! because the line of a template says little to someone who wrote a conversation.

use std::io;
use std::path::PathBuf;

/// Why text could not be turned into tokens, or a conversation into text.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A folder holds nothing that a tokenizer can be loaded from.
    #[error("find a tokenizer in {origin}: none of {looked_for} is there")]
    NoTokenizer {
        /// Folder, or the name given to files in memory.
        origin: String,
        /// The files looked for.
        looked_for: &'static str,
    },
    /// A file could not be read.
    #[error("read {path}: {source}", path = path.display())]
    ReadFile {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("write {path}: {source}", path = path.display())]
    WriteFile {
        /// Path of the file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than any honest one.
    #[error("read {file}: it has {bytes} bytes, at most {limit} are read")]
    FileTooLarge {
        /// Name of the file.
        file: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A file is damaged or says something that cannot be.
    #[error("read {file}: {field}: {message}")]
    BadFile {
        /// Name of the file.
        file: String,
        /// Field, line or part of it.
        field: String,
        /// What is wrong, and what is allowed.
        message: String,
    },
    /// A text is longer than any that is tokenized.
    #[error("tokenize a text of {bytes} bytes: at most {limit} are allowed")]
    TextTooLong {
        /// Bytes of the text.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The tokenizer refused a text.
    #[error("tokenize a text: {message}")]
    Encode {
        /// What it said.
        message: String,
    },
    /// The tokenizer refused token ids.
    #[error("turn tokens into text: {message}")]
    Decode {
        /// What it said.
        message: String,
    },
    /// The tokenizer knows a token that the model has no row for.
    #[error(
        "match the tokenizer to the model: token {token:?} has id {id}, the model has {model_vocab_size} tokens"
    )]
    VocabMismatch {
        /// The token.
        token: String,
        /// Its id.
        id: u32,
        /// Rows of the model's embedding.
        model_vocab_size: usize,
    },
    /// A chat template is not a valid template.
    #[error("parse the chat template {file}, line {line}: {message}")]
    TemplateSyntax {
        /// Where the template comes from.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A chat template refused the conversation by `raise_exception`.
    #[error("render turn {turn} with {file}: the template refuses it: {message}")]
    TemplateRaised {
        /// Where the template comes from.
        file: String,
        /// Index of the message.
        turn: usize,
        /// The template's own words.
        message: String,
    },
    /// A chat template failed on the conversation.
    #[error("render turn {turn} with {file}, line {line}: {message}")]
    TemplateFailed {
        /// Where the template comes from.
        file: String,
        /// Line, from 1; 0 where unknown.
        line: usize,
        /// Index of the message.
        turn: usize,
        /// What went wrong.
        message: String,
    },
    /// A chat template ran too long, nested too deep or wrote too much.
    #[error("render turn {turn} with {file}: {limit}")]
    TemplateLimit {
        /// Where the template comes from.
        file: String,
        /// Index of the last message.
        turn: usize,
        /// Which limit was reached.
        limit: String,
    },
    /// The model has several chat templates, and none of the wanted name.
    #[error("choose the chat template {wanted:?} of {file}: it has {known}")]
    UnknownTemplate {
        /// Where the templates come from.
        file: String,
        /// The wanted name.
        wanted: String,
        /// The names there are.
        known: String,
    },
    /// A date is not written as it must be.
    #[error("read the date {found:?}: expected YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS")]
    BadDate {
        /// The text found.
        found: String,
    },
    /// A message holds pictures, and the model reads text only.
    #[error("read turn {turn}: it holds {n_images} image(s), and this model reads text only")]
    ImageContent {
        /// Index of the message.
        turn: usize,
        /// Pictures in it.
        n_images: usize,
    },
    /// A turn can neither be appended to the tokens read so far nor rendered anew.
    #[error("continue the conversation at turn {turn}: {why}")]
    CannotContinue {
        /// Index of the message.
        turn: usize,
        /// What stands in the way.
        why: String,
    },
}

impl TextError {
    /// Index of the message at fault, where the error knows one.
    pub fn turn(&self) -> Option<usize> {
        match self {
            TextError::TemplateRaised { turn, .. }
            | TextError::TemplateFailed { turn, .. }
            | TextError::TemplateLimit { turn, .. }
            | TextError::ImageContent { turn, .. }
            | TextError::CannotContinue { turn, .. } => Some(*turn),
            _ => None,
        }
    }

    pub(crate) fn bad_file(
        file: impl Into<String>,
        field: impl Into<String>,
        message: impl ToString,
    ) -> Self {
        TextError::BadFile { file: file.into(), field: field.into(), message: message.to_string() }
    }
}
