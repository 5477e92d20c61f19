//! A SentencePiece `tokenizer.model` turned into a `tokenizer.json` value.
//!
//! Sources: `sentencepiece_model.proto`, and `LlamaConverter`, `GemmaConverter` and `SpmConverter`
//! of transformers 5.23. Two choices a reader would question. Merges are ordered by the *scores* of
//! the pieces (`generate_merges(vocab, scores)`), as SentencePiece itself merges, whereas
//! `AutoTokenizer` 5.23 orders them by id and so joins Llama 2's runs of spaces wrongly. And pieces
//! that SentencePiece never makes from text (unknown, control, byte) are left out of the merges, so
//! that text cannot spell them.

use std::collections::HashMap;

use prost::Message;
use serde_json::{Value, json};

use super::charsmap;
use super::config::TokenizerConfig;
use super::files::TextFiles;
use super::llama;
use crate::text_error::TextError;

const FILE: &str = "tokenizer.model";

/// Longest piece that is split into merges; SentencePiece's own default is 16 characters.
const MAX_PIECE_BYTES: usize = 1024;

#[derive(Clone, PartialEq, Message)]
struct ModelProto {
    #[prost(message, repeated, tag = "1")]
    pieces: Vec<Piece>,
    #[prost(message, optional, tag = "2")]
    trainer_spec: Option<TrainerSpec>,
    #[prost(message, optional, tag = "3")]
    normalizer_spec: Option<NormalizerSpec>,
}

#[derive(Clone, PartialEq, Message)]
struct Piece {
    #[prost(string, optional, tag = "1")]
    piece: Option<String>,
    #[prost(float, optional, tag = "2")]
    score: Option<f32>,
    #[prost(enumeration = "PieceType", optional, tag = "3")]
    r#type: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
enum PieceType {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

#[derive(Clone, PartialEq, Message)]
struct TrainerSpec {
    #[prost(int32, optional, tag = "3")]
    model_type: Option<i32>,
    #[prost(bool, optional, tag = "35")]
    byte_fallback: Option<bool>,
    #[prost(int32, optional, tag = "40")]
    unk_id: Option<i32>,
    #[prost(int32, optional, tag = "41")]
    bos_id: Option<i32>,
    #[prost(int32, optional, tag = "42")]
    eos_id: Option<i32>,
    #[prost(int32, optional, tag = "43")]
    pad_id: Option<i32>,
    #[prost(string, optional, tag = "45")]
    unk_piece: Option<String>,
    #[prost(string, optional, tag = "46")]
    bos_piece: Option<String>,
    #[prost(string, optional, tag = "47")]
    eos_piece: Option<String>,
    #[prost(string, optional, tag = "48")]
    pad_piece: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
struct NormalizerSpec {
    #[prost(bytes = "vec", optional, tag = "2")]
    precompiled_charsmap: Option<Vec<u8>>,
    #[prost(bool, optional, tag = "3")]
    add_dummy_prefix: Option<bool>,
}

impl Piece {
    fn text(&self) -> &str {
        self.piece.as_deref().unwrap_or_default()
    }

    fn kind(&self) -> PieceType {
        self.r#type.and_then(|t| PieceType::try_from(t).ok()).unwrap_or(PieceType::Normal)
    }
}

/// The tokenizer as a `tokenizer.json` value; `None` where the file is not there.
pub(super) fn from_model(
    files: &TextFiles,
    config: &mut TokenizerConfig,
) -> Result<Option<Value>, TextError> {
    let Some(bytes) = files.get(FILE) else { return Ok(None) };
    let bad = |field: &str, why: String| TextError::bad_file(files.label(FILE), field, why);
    let proto = ModelProto::decode(bytes).map_err(|e| bad("protobuf", e.to_string()))?;
    let spec = proto.trainer_spec.clone().unwrap_or_default();
    check_pieces(&proto.pieces).map_err(|(field, why)| bad(&field, why))?;
    set_special(&spec, config);
    let normalizer = proto.normalizer_spec.unwrap_or_default();
    let mut value = match spec.model_type.unwrap_or(1) {
        1 => unigram(&proto.pieces, &spec, &normalizer)
            .map_err(|why| bad("normalizer_spec.precompiled_charsmap", why.to_string()))?,
        2 => bpe(&proto.pieces, &spec, &normalizer, config),
        other => {
            return Err(bad(
                "trainer_spec.model_type",
                format!("found {other}, expected 1 (unigram) or 2 (BPE)"),
            ));
        }
    };
    value["added_tokens"] = added_tokens(&proto.pieces, &spec);
    Ok(Some(value))
}

fn check_pieces(pieces: &[Piece]) -> Result<(), (String, String)> {
    let mut seen = HashMap::new();
    if pieces.is_empty() {
        return Err(("pieces".into(), "there are none".into()));
    }
    for (id, piece) in pieces.iter().enumerate() {
        let field = || format!("pieces[{id}]");
        if piece.text().is_empty() || piece.text().len() > MAX_PIECE_BYTES {
            return Err((field(), format!("has {} bytes", piece.text().len())));
        }
        if piece.score.is_some_and(|score| !score.is_finite()) {
            return Err((field(), "has a score that is not a number".into()));
        }
        if let Some(first) = seen.insert(piece.text(), id) {
            return Err((field(), format!("is {:?}, like pieces[{first}]", piece.text())));
        }
    }
    Ok(())
}

fn set_special(spec: &TrainerSpec, config: &mut TokenizerConfig) {
    let named = [
        ("unk_token", spec.unk_id.unwrap_or(0), &spec.unk_piece, "<unk>"),
        ("bos_token", spec.bos_id.unwrap_or(1), &spec.bos_piece, "<s>"),
        ("eos_token", spec.eos_id.unwrap_or(2), &spec.eos_piece, "</s>"),
        ("pad_token", spec.pad_id.unwrap_or(-1), &spec.pad_piece, "<pad>"),
    ];
    for (role, id, piece, default) in named {
        if id >= 0 {
            config.special.set_default(role, piece.as_deref().unwrap_or(default));
        }
    }
}

fn bpe(
    pieces: &[Piece],
    spec: &TrainerSpec,
    normalizer: &NormalizerSpec,
    config: &TokenizerConfig,
) -> Value {
    let vocab: serde_json::Map<String, Value> =
        pieces.iter().enumerate().map(|(id, p)| (p.text().to_string(), json!(id))).collect();
    let is_gemma = config.class.as_deref() == Some("GemmaTokenizer");
    let has_prefix =
        !is_gemma && config.add_prefix_space.or(normalizer.add_dummy_prefix).unwrap_or(true);
    let (normalize, split) = if is_gemma {
        let split = json!({
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": false,
        });
        (json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"}), split)
    } else {
        (Value::Null, llama::metaspace(llama::scheme(has_prefix, config.legacy), false))
    };
    json!({
        "version": "1.0",
        "normalizer": normalize,
        "pre_tokenizer": split,
        "decoder": llama::decoder(has_prefix),
        "model": {
            "type": "BPE",
            "vocab": vocab,
            "merges": merges_from_scores(pieces),
            "unk_token": spec.unk_piece.as_deref().filter(|_| is_gemma),
            "fuse_unk": true,
            "byte_fallback": spec.byte_fallback.unwrap_or(false),
        },
    })
}

/// Every way to write a piece as two pieces, best score first; `generate_merges` of transformers.
fn merges_from_scores(pieces: &[Piece]) -> Vec<[&str; 2]> {
    let can_merge =
        |p: &Piece| !matches!(p.kind(), PieceType::Unknown | PieceType::Control | PieceType::Byte);
    let ids: HashMap<&str, usize> = pieces
        .iter()
        .enumerate()
        .filter(|(_, p)| can_merge(p))
        .map(|(id, p)| (p.text(), id))
        .collect();
    let mut merges = Vec::new();
    for piece in pieces.iter().filter(|p| can_merge(p)) {
        let text = piece.text();
        let mut ways: Vec<(usize, usize, &str, &str)> = text
            .char_indices()
            .skip(1)
            .filter_map(|(at, _)| {
                let (left, right) = text.split_at(at);
                Some((*ids.get(left)?, *ids.get(right)?, left, right))
            })
            .collect();
        ways.sort_by_key(|&(left, right, ..)| (left, right));
        let score = piece.score.unwrap_or(0.0);
        merges.extend(ways.into_iter().map(|(.., left, right)| (score, left, right)));
    }
    // Scores are finite, checked above; the sort is stable, like Python's reversed one.
    let length = |text: &str| text.chars().count();
    merges.sort_by(|a, b| {
        let by_score = b.0.total_cmp(&a.0);
        by_score.then_with(|| (length(b.1), length(b.2)).cmp(&(length(a.1), length(a.2))))
    });
    merges.into_iter().map(|(_, left, right)| [left, right]).collect()
}

fn unigram(
    pieces: &[Piece],
    spec: &TrainerSpec,
    normalizer: &NormalizerSpec,
) -> Result<Value, &'static str> {
    let vocab: Vec<Value> =
        pieces.iter().map(|p| json!([p.text(), f64::from(p.score.unwrap_or(0.0))])).collect();
    let mut steps = vec![
        json!({"type": "Strip", "strip_left": false, "strip_right": true}),
        json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}),
    ];
    if let Some(map) = normalizer.precompiled_charsmap.as_ref().filter(|map| !map.is_empty()) {
        charsmap::check(map)?;
        let map = json!({"type": "Precompiled", "precompiled_charsmap": charsmap::to_base64(map)});
        steps.insert(0, map);
    }
    let has_prefix = normalizer.add_dummy_prefix.unwrap_or(true);
    let spaces = llama::metaspace(llama::scheme(has_prefix, true), true);
    let byte_fallback = spec.byte_fallback.unwrap_or(false);
    let mut decoders = vec![spaces.clone()];
    if byte_fallback {
        decoders.push(json!({"type": "ByteFallback"}));
    }
    Ok(json!({
        "version": "1.0",
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": spaces,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "Unigram",
            "unk_id": spec.unk_id.unwrap_or(0),
            "vocab": vocab,
            "byte_fallback": byte_fallback,
        },
    }))
}

/// Control pieces are special tokens, pieces a user defined are added ones; the unknown piece is
/// special too, so that a reader of the tokens can skip it.
fn added_tokens(pieces: &[Piece], spec: &TrainerSpec) -> Value {
    let unknown = spec.unk_id.unwrap_or(0);
    let tokens = pieces.iter().enumerate().filter_map(|(id, piece)| {
        let special = match piece.kind() {
            PieceType::Control | PieceType::Unknown => true,
            PieceType::UserDefined => false,
            _ if i32::try_from(id) == Ok(unknown) => true,
            _ => return None,
        };
        Some(json!({
            "id": id, "content": piece.text(), "special": special, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false,
        }))
    });
    Value::Array(tokens.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, score: f32, kind: PieceType) -> Piece {
        Piece { piece: Some(text.into()), score: Some(score), r#type: Some(kind as i32) }
    }

    #[test]
    fn merges_follow_scores_and_never_spell_a_control_piece() {
        let pieces = [
            piece("<s>", 0.0, PieceType::Control),
            piece("<", -5.0, PieceType::Normal),
            piece("s>", -6.0, PieceType::Normal),
            piece("aa", -2.0, PieceType::Normal),
            piece("ab", -1.0, PieceType::Normal),
            piece("a", -3.0, PieceType::Normal),
            piece("b", -4.0, PieceType::Normal),
        ];
        assert_eq!(merges_from_scores(&pieces), [["a", "b"], ["a", "a"]]);
    }

    #[test]
    fn a_repeated_piece_is_named() {
        let twice = [piece("a", 0.0, PieceType::Normal), piece("a", 0.0, PieceType::Normal)];
        assert_eq!(check_pieces(&twice).unwrap_err().0, "pieces[1]");
    }
}
