//! Pictures in messages.
//!
//! Layout of OpenAI's chat interface: a content is a list of parts, each a text or an image. The choice a reader
//! would question: a [`crate::Message`] keeps its text as one string, because all that reads conversations
//! reads texts, and its pictures beside it, each with the place in that text where it stands.

use std::fmt;

/// One picture of a message.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageContent {
    /// Where it is: an address, or the picture itself as a `data:` URL. Nothing here loads it.
    pub url: String,
    /// How closely a model is to look (`auto`, `low`, `high`), where somebody says so.
    pub detail: Option<String>,
    /// Byte of the message's text before which it stands; the length of the text where it is last.
    pub at: usize,
}

impl ImageContent {
    /// A picture before everything that is said.
    pub fn new(url: impl Into<String>) -> Self {
        ImageContent { url: url.into(), detail: None, at: 0 }
    }
}

/// Pictures inside a `data:` URL are long; the beginning says what they are.
impl fmt::Debug for ImageContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.url.chars().take(64).collect();
        let mark = if shown.len() < self.url.len() { ".." } else { "" };
        f.debug_struct("ImageContent")
            .field("url", &format_args!("{shown}{mark}"))
            .field("detail", &self.detail)
            .field("at", &self.at)
            .finish()
    }
}
