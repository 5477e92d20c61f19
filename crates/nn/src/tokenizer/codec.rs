//! [`Tokenizer`]: text to tokens and back, exactly as `transformers` does it for the same files.
//!
//! Works over the `tokenizers` crate. The choice a reader would question: besides
//! [`Tokenizer::encode`] there is [`Tokenizer::encode_after`], which encodes a text *in the middle*
//! of a sequence. A conversation is continued by appending tokens, and many tokenizers treat the
//! start of a text specially (a leading `▁`), so encoding the appended text alone would give other
//! tokens than encoding the whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tokenizers::{
    Model, NormalizedString, Normalizer, OffsetType, PreTokenizedString, PreTokenizer,
};

use super::assemble::assemble;
use super::config::{SpecialTokens, TokenizerConfig};
use super::decode_stream::Streaming;
use super::fidelity::{Fidelity, SpaceLoss};
use super::files::TextFiles;
use super::token_bytes::Spelling;
use crate::text_error::TextError;

/// Longest text that is tokenized at once, in bytes.
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// Tokens that end a turn in the chat formats of well-known models; each counts as an end of
/// generation where the vocabulary has it and the chat template writes it.
const TURN_ENDS: [&str; 12] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<end_of_turn>",
    "<|end|>",
    "<|end_of_turn|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|return|>",
    "<|END_OF_TURN_TOKEN|>",
    "<｜end▁of▁sentence｜>",
    "</s>",
];

/// Texts that stand before another text when it is encoded as if it were not the first.
const ANCHORS: [&str; 3] = ["\n", ".", "1"];

/// A token outside the learned vocabulary, or one that the vocabulary keeps whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownToken {
    pub(crate) id: u32,
    pub(crate) content: String,
    pub(crate) is_special: bool,
}

/// Turns text into token ids and back.
#[derive(Debug)]
pub struct Tokenizer {
    pub(super) inner: tokenizers::Tokenizer,
    pub(super) files: TextFiles,
    special: SpecialTokens,
    end_ids: Vec<u32>,
    added: BTreeMap<u32, KnownToken>,
    start_matters: bool,
    streaming: Streaming,
    spelling: Spelling,
    fidelity: Fidelity,
    /// A token whose text is [`CONTEXT`], for decoding what is not at the start of a text.
    context_id: Option<u32>,
}

impl Tokenizer {
    /// Loads the tokenizer of a model folder: `tokenizer.json`, else `vocab.json` + `merges.txt`
    /// (or their older names), else a SentencePiece `tokenizer.model`.
    ///
    /// # Errors
    /// Any loading variant of [`TextError`], naming file and field.
    pub fn from_folder(folder: &Path) -> Result<Tokenizer, TextError> {
        Tokenizer::load(&TextFiles::from_folder(folder)?)
    }

    /// Loads a tokenizer from files that are already read.
    ///
    /// # Errors
    /// Any loading variant of [`TextError`], naming file and field.
    pub fn load(files: &TextFiles) -> Result<Tokenizer, TextError> {
        let mut config = TokenizerConfig::read(files)?;
        let inner = assemble(files, &mut config)?;
        let added = inner
            .get_added_tokens_decoder()
            .into_iter()
            .map(|(id, token)| {
                (id, KnownToken { id, content: token.content, is_special: token.special })
            })
            .collect();
        let start_matters = start_matters(&inner);
        let decoder = serde_json::to_value(inner.get_decoder()).unwrap_or_default();
        let fidelity = Fidelity::of(&inner, start_matters);
        let mut tokenizer = Tokenizer {
            inner,
            files: files.clone(),
            special: config.special,
            end_ids: Vec::new(),
            added,
            start_matters,
            streaming: Streaming::of(&decoder),
            spelling: Spelling::of(&decoder),
            fidelity,
            context_id: None,
        };
        tokenizer.end_ids = tokenizer.find_end_ids(&config.model_end_ids)?;
        tokenizer.context_id = tokenizer.find_context()?;
        Ok(tokenizer)
    }

    /// Tokens of `text`. Special tokens written in the text become their ids, as in `transformers`;
    /// `add_special` also adds those that begin or end every text of this model.
    ///
    /// # Errors
    /// [`TextError::TextTooLong`] and [`TextError::Encode`].
    pub fn encode(&self, text: &str, add_special: bool) -> Result<Vec<u32>, TextError> {
        check_length(text)?;
        let encoding = self
            .inner
            .encode_fast(text, add_special)
            .map_err(|e| TextError::Encode { message: e.to_string() })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Tokens of `text` as they continue a sequence whose last token is `previous`; `None` begins
    /// one. After a special token this equals encoding the whole text; after an ordinary token
    /// nothing is joined across the border, because the tokens before it are fixed.
    ///
    /// # Errors
    /// [`TextError::TextTooLong`] and [`TextError::Encode`].
    pub fn encode_after(&self, previous: Option<u32>, text: &str) -> Result<Vec<u32>, TextError> {
        let Some(previous) = previous.filter(|_| !text.is_empty()) else {
            return self.encode(text, false);
        };
        if let Some(token) = self.added.get(&previous) {
            let mut ids = self.encode(&format!("{}{text}", token.content), false)?;
            if let Some(at) = ids.iter().take(2).position(|&id| id == previous) {
                return Ok(ids.split_off(at + 1));
            }
        }
        self.encode_in_middle(text, |text| self.encode(text, false))
    }

    /// Tokens of `text` as ordinary text: no special or added token is recognised in it, and none
    /// can be spelled by it. Only the token for unknown characters may stand in it.
    ///
    /// # Errors
    /// [`TextError::TextTooLong`] and [`TextError::Encode`].
    pub fn encode_spelled(&self, previous: Option<u32>, text: &str) -> Result<Vec<u32>, TextError> {
        let in_middle = |text: &str| self.encode_in_middle(text, |text| self.encode_plain(text));
        let at_start = |text: &str| match previous {
            Some(_) => in_middle(text),
            None => self.encode_plain(text),
        };
        let is_plain = |id: &u32| {
            let is_control = |token: &KnownToken| token.is_special || token.content == text;
            self.is_unknown(*id) || !self.added.get(id).is_some_and(is_control)
        };
        let ids = at_start(text)?;
        if ids.iter().all(is_plain) {
            return Ok(ids);
        }
        // Some vocabularies merge plain letters into a special token; single characters are too
        // short for that, save a special token of one character, which is left out.
        let mut ids = Vec::new();
        for (at, c) in text.char_indices() {
            let one = &text[at..at + c.len_utf8()];
            ids.extend(if at == 0 { at_start(one)? } else { in_middle(one)? });
        }
        ids.retain(is_plain);
        Ok(ids)
    }

    /// Text of `ids`. Ids that no token has (rows that pad a model's embedding) give no text.
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String, TextError> {
        self.inner
            .decode(ids, skip_special)
            .map_err(|e| TextError::Decode { message: e.to_string() })
    }

    /// Text of `ids` where they continue a text, with the leading space that decoding alone would
    /// drop.
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn decode_after(&self, ids: &[u32], skip_special: bool) -> Result<String, TextError> {
        let Some(context) = self.context_id() else {
            return self.decode(ids, skip_special);
        };
        let mut all = Vec::with_capacity(ids.len() + 1);
        all.push(context);
        all.extend_from_slice(ids);
        let text = self.decode(&all, skip_special)?;
        Ok(match text.strip_prefix(CONTEXT) {
            Some(rest) => rest.to_string(),
            None => self.decode(ids, skip_special)?,
        })
    }

    /// Number of ids, counting added tokens: one above the highest id.
    pub fn vocab_size(&self) -> usize {
        let highest = self.inner.get_vocab(true).into_values().max();
        highest.map_or(0, |id| id as usize + 1)
    }

    /// Checks that the model has a row for every token.
    ///
    /// # Errors
    /// [`TextError::VocabMismatch`] with the lowest id that is out of range.
    pub fn check_vocab(&self, model_vocab_size: usize) -> Result<(), TextError> {
        let outside = self
            .inner
            .get_vocab(true)
            .into_iter()
            .filter(|(_, id)| *id as usize >= model_vocab_size)
            .min_by_key(|(_, id)| *id);
        match outside {
            Some((token, id)) => Err(TextError::VocabMismatch { token, id, model_vocab_size }),
            None => Ok(()),
        }
    }

    /// Text form of one token, as the vocabulary writes it; `None` for an id without a token.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Id of the token that the vocabulary writes as `token`.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Id of the token that begins a text.
    pub fn bos_id(&self) -> Option<u32> {
        self.role_id("bos_token")
    }

    /// Id of the token that ends a text.
    pub fn eos_id(&self) -> Option<u32> {
        self.role_id("eos_token")
    }

    /// Id of the token that fills rows.
    pub fn pad_id(&self) -> Option<u32> {
        self.role_id("pad_token")
    }

    /// Ids at which generation ends, ascending: `eos_token_id` of the model's configuration, the
    /// tokenizer's end token, and the end-of-turn tokens that its chat template writes.
    pub fn end_ids(&self) -> &[u32] {
        &self.end_ids
    }

    /// The special tokens by role, as chat templates read them.
    pub fn special_tokens(&self) -> &SpecialTokens {
        &self.special
    }

    /// True for a token that decoding can skip.
    pub fn is_special(&self, id: u32) -> bool {
        self.added.get(&id).is_some_and(|token| token.is_special)
    }

    /// The files this tokenizer was loaded from.
    pub fn files(&self) -> &TextFiles {
        &self.files
    }

    /// Special and added tokens by id.
    pub(crate) fn added(&self) -> impl Iterator<Item = &KnownToken> {
        self.added.values()
    }

    /// A token to put before others when their text does not begin a text; `None` where that is the
    /// same.
    pub(super) fn context_id(&self) -> Option<u32> {
        self.context_id.filter(|_| self.start_matters)
    }

    pub(super) fn is_added(&self, id: u32) -> bool {
        self.added.contains_key(&id)
    }

    pub(super) fn spelling(&self) -> Spelling {
        self.spelling
    }

    pub(super) fn streaming(&self) -> Streaming {
        self.streaming
    }

    /// White space that decoding may lose or add.
    pub(crate) fn space_loss(&self) -> SpaceLoss {
        self.fidelity.space_loss
    }

    /// `text` with its characters changed as encoding changes them; `None` where it changes none.
    pub(crate) fn characters_of(&self, text: &str) -> Option<String> {
        self.fidelity.characters_of(text)
    }

    /// Encodes without the added vocabulary: normalise, split, merge.
    fn encode_plain(&self, text: &str) -> Result<Vec<u32>, TextError> {
        check_length(text)?;
        let failed = |e: tokenizers::Error| TextError::Encode { message: e.to_string() };
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = self.inner.get_normalizer() {
            normalizer.normalize(&mut normalized).map_err(failed)?;
        }
        let mut pieces = PreTokenizedString::from(normalized);
        if let Some(splitter) = self.inner.get_pre_tokenizer() {
            splitter.pre_tokenize(&mut pieces).map_err(failed)?;
        }
        let model = self.inner.get_model();
        pieces.tokenize(|piece| model.tokenize(piece.get())).map_err(failed)?;
        let encoding = pieces.into_encoding(None, 0, OffsetType::None).map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Encodes behind an anchor and removes the anchor's tokens again.
    fn encode_in_middle(
        &self,
        text: &str,
        encode: impl Fn(&str) -> Result<Vec<u32>, TextError>,
    ) -> Result<Vec<u32>, TextError> {
        if self.start_matters {
            for anchor in ANCHORS {
                let head = encode(anchor)?;
                let mut ids = encode(&format!("{anchor}{text}"))?;
                if !head.is_empty() && ids.starts_with(&head) {
                    return Ok(ids.split_off(head.len()));
                }
            }
        }
        encode(text)
    }

    /// True for the token of unknown characters, where it is none that ends or begins texts.
    fn is_unknown(&self, id: u32) -> bool {
        let has_role = |role: &str| self.role_id(role) == Some(id);
        has_role("unk_token") && !has_role("bos_token") && !self.end_ids.contains(&id)
    }

    fn role_id(&self, role: &str) -> Option<u32> {
        self.inner.token_to_id(self.special.get(role)?)
    }

    /// End-of-turn tokens of well-known chat formats that are in the vocabulary and that
    /// `is_written` says the model's template writes.
    pub(crate) fn turn_ends(&self, is_written: impl Fn(&str) -> bool) -> Vec<u32> {
        let ends = TURN_ENDS.iter().filter(|end| is_written(end));
        ends.filter_map(|end| self.added_id(end)).collect()
    }

    fn find_end_ids(&self, model_end_ids: &[u32]) -> Result<Vec<u32>, TextError> {
        let templates = self.files.chat_templates()?;
        let is_written = |token: &str| templates.iter().any(|t| t.source.contains(token));
        let mut ids: BTreeSet<u32> = model_end_ids.iter().copied().collect();
        ids.extend(self.eos_id());
        ids.extend(self.turn_ends(is_written));
        Ok(ids.into_iter().collect())
    }

    fn added_id(&self, content: &str) -> Option<u32> {
        self.added.values().find(|token| token.content == content).map(|token| token.id)
    }

    fn find_context(&self) -> Result<Option<u32>, TextError> {
        for &id in &self.encode_plain(CONTEXT)? {
            if self.decode(&[id], false)? == CONTEXT {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// The text that stands before tokens when they are decoded as if they were not the first.
const CONTEXT: &str = "a";

fn check_length(text: &str) -> Result<(), TextError> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(TextError::TextTooLong { bytes: text.len(), limit: MAX_TEXT_BYTES });
    }
    Ok(())
}

/// True where the first characters of a text are encoded unlike later ones.
fn start_matters(inner: &tokenizers::Tokenizer) -> bool {
    let as_json = |part: Option<String>| part.unwrap_or_default();
    let normalizer = as_json(inner.get_normalizer().and_then(|n| serde_json::to_string(n).ok()));
    let splitter = as_json(inner.get_pre_tokenizer().and_then(|p| serde_json::to_string(p).ok()));
    normalizer.contains("\"Prepend\"")
        || splitter.contains("\"prepend_scheme\":\"first\"")
        || splitter.contains("\"prepend_scheme\":\"always\"")
        || splitter.contains("\"add_prefix_space\":true")
}
