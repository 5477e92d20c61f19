//! What the tokenizer promises:
//!
//! 1. ids and decoded texts are those of transformers (golden file), for every kind of vocabulary
//!    file;
//! 2. streaming gives the text of decoding at once, in pieces that are never taken back;
//! 3. text encoded in the middle of a sequence gets the tokens it has in the whole;
//! 4. spelled text holds no special token;
//! 5. a saved tokenizer loads to the same tokenizer;
//! 6. the bytes of tokens put together are their text;
//! 7. damaged files are errors that name file and field, and no text stops the program.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

mod text_support;

use std::borrow::Cow;

use proptest::prelude::*;
use stateset_nn::{DecodeStream, TextError, TextFiles, Tokenizer};
use text_support::{golden, golden_folder, ids, tokenizer};

const NAMES: [&str; 10] = [
    "tiny-bpe",
    "tiny-sp-bpe",
    "tiny-sp-unigram",
    "tiny-unigram-json",
    "gpt2",
    "llama2",
    "minimind",
    "phi3",
    "phi3 in a phi3 model folder",
    "tinystories-656k",
];

const TINY: [&str; 4] = ["tiny-bpe", "tiny-sp-bpe", "tiny-sp-unigram", "tiny-unigram-json"];

fn streamed(tokenizer: &Tokenizer, ids: &[u32], skip_special: bool) -> String {
    let mut stream = DecodeStream::new(skip_special);
    let mut text = String::new();
    for &id in ids {
        let piece = stream.push(tokenizer, id).unwrap();
        assert_ne!(piece.as_deref(), Some(""));
        text.extend(piece);
    }
    text + &stream.finish(tokenizer).unwrap()
}

#[test]
fn ids_and_texts_are_those_of_transformers() {
    let golden = golden("tokenizer.json");
    for name in NAMES {
        let Some(tokenizer) = tokenizer(name) else { continue };
        let expected = &golden["tokenizers"][name];
        let id = |key: &str| expected[key].as_u64().map(|id| id as u32);
        assert_eq!(
            tokenizer.vocab_size(),
            expected["n_tokens"].as_u64().unwrap() as usize,
            "{name}"
        );
        assert_eq!(tokenizer.bos_id(), id("bos"), "{name}");
        assert_eq!(tokenizer.eos_id(), id("eos"), "{name}");
        assert_eq!(tokenizer.pad_id(), id("pad"), "{name}");
        for row in expected["rows"].as_array().unwrap() {
            let text = row["text"].as_str().unwrap();
            let found = tokenizer.encode(text, true).unwrap();
            assert_eq!(found, ids(&row["ids"]), "{name}: {text:?}");
            let without = tokenizer.encode(text, false).unwrap();
            assert_eq!(without, ids(&row["ids_without_special"]), "{name}: {text:?}");
            for (skip, key) in [(false, "decoded"), (true, "decoded_without_special")] {
                let decoded = tokenizer.decode(&found, skip).unwrap();
                assert_eq!(decoded, row[key].as_str().unwrap(), "{name}: {text:?}");
                assert_eq!(streamed(&tokenizer, &found, skip), decoded, "{name}: {text:?}");
            }
        }
    }
}

#[test]
fn text_in_the_middle_gets_the_tokens_of_the_whole() {
    // Borders at which the whole text is not joined either, whatever the vocabulary.
    let pairs = [
        ("Hello.\n", "World"),
        ("<s>", " spaced"),
        ("x7", "  two"),
        ("a7", "\tb"),
        ("1\n", "漢字"),
    ];
    for name in NAMES {
        let Some(tokenizer) = tokenizer(name) else { continue };
        if name.contains("unigram") {
            continue; // The map of this model turns line ends into spaces, which it then joins.
        }
        for (head, tail) in pairs {
            let mut joined = tokenizer.encode(head, false).unwrap();
            let last = joined.last().copied();
            joined.extend(tokenizer.encode_after(last, tail).unwrap());
            let whole = tokenizer.encode(&format!("{head}{tail}"), false).unwrap();
            assert_eq!(joined, whole, "{name}: {head:?} {tail:?}");
        }
    }
}

#[test]
fn decoding_after_keeps_the_leading_space() {
    for name in NAMES {
        let Some(tokenizer) = tokenizer(name) else { continue };
        let id = tokenizer.encode_after(tokenizer.bos_id(), " the").unwrap();
        let expected = if name.contains("unigram") { "the" } else { " the" };
        let text = tokenizer.decode_after(&id, false).unwrap();
        assert_eq!(text.trim_start(), "the", "{name}");
        assert!(text.ends_with(expected), "{name}: {text:?}");
        let mut stream = DecodeStream::after(&tokenizer, false).unwrap();
        let mut pieces = String::new();
        for id in id {
            pieces.extend(stream.push(&tokenizer, id).unwrap());
        }
        assert_eq!(pieces + &stream.finish(&tokenizer).unwrap(), text, "{name}");
    }
}

#[test]
fn spelled_text_holds_no_special_token() {
    for name in NAMES {
        let Some(tokenizer) = tokenizer(name) else { continue };
        let special: Vec<String> = (0..tokenizer.vocab_size() as u32)
            .filter(|&id| tokenizer.is_special(id))
            .filter_map(|id| tokenizer.id_to_token(id))
            .collect();
        assert!(!special.is_empty(), "{name}");
        for text in special {
            for previous in [None, tokenizer.bos_id()] {
                let ids = tokenizer.encode_spelled(previous, &text).unwrap();
                let named = |id: &u32| {
                    tokenizer.special_tokens().get("unk_token")
                        == tokenizer.id_to_token(*id).as_deref()
                };
                assert!(
                    ids.iter().all(|&id| !tokenizer.is_special(id) || named(&id)),
                    "{name}: {text}"
                );
                let decoded = tokenizer.decode(&ids, false).unwrap();
                assert!(
                    decoded.trim() == text || decoded.contains("<unk>"),
                    "{name}: {text} {decoded}"
                );
            }
        }
        let plain = "just words, and 3 numbers";
        assert_eq!(
            tokenizer.encode_spelled(None, plain).unwrap(),
            tokenizer.encode(plain, false).unwrap()
        );
    }
}

#[test]
fn saved_tokenizers_load_the_same() {
    let texts = ["Hello wörld", " two  spaces ", "a<s>b</s><|im_end|>c", "漢👍\n\n"];
    for name in NAMES {
        let Some(tokenizer) = tokenizer(name) else { continue };
        let folder = tempfile::tempdir().unwrap();
        tokenizer.save(folder.path()).unwrap();
        assert!(folder.path().join("tokenizer.json").exists());
        if name.contains("model folder") {
            std::fs::write(folder.path().join("config.json"), r#"{"model_type": "phi3"}"#).unwrap();
        }
        let again = Tokenizer::from_folder(folder.path()).unwrap();
        assert_eq!(again.end_ids(), tokenizer.end_ids(), "{name}");
        assert_eq!(again.special_tokens(), tokenizer.special_tokens(), "{name}");
        for text in texts {
            let ids = tokenizer.encode(text, true).unwrap();
            assert_eq!(again.encode(text, true).unwrap(), ids, "{name}: {text:?}");
            assert_eq!(again.decode(&ids, false).unwrap(), tokenizer.decode(&ids, false).unwrap());
        }
    }
}

#[test]
fn the_model_must_have_a_row_for_every_token() {
    let tokenizer = tokenizer("tiny-bpe").unwrap();
    tokenizer.check_vocab(tokenizer.vocab_size()).unwrap();
    tokenizer.check_vocab(tokenizer.vocab_size() + 64).unwrap();
    let error = tokenizer.check_vocab(421).unwrap_err();
    assert_eq!(
        error.to_string(),
        "match the tokenizer to the model: token \"<|im_start|>\" has id 421, the model has 421 tokens"
    );
}

#[test]
fn generation_ends_where_the_model_and_its_template_say() {
    let tiny = tokenizer("tiny-bpe").unwrap();
    assert_eq!(tiny.end_ids(), [tiny.token_to_id("<|im_end|>").unwrap()]);
    if let Some(phi3) = tokenizer("phi3") {
        // The end token of the configuration, and `<|end|>`, which only the chat template tells of.
        assert_eq!(phi3.end_ids(), [32000, 32007]);
    }
    let folder = golden_folder().join("text/tiny-bpe");
    let read = |name: &str| Cow::Owned(std::fs::read(folder.join(name)).unwrap());
    let files = [
        ("vocab.json", read("vocab.json")),
        ("merges.txt", read("merges.txt")),
        ("tokenizer_config.json", read("tokenizer_config.json")),
        ("generation_config.json", Cow::Borrowed(&br#"{"eos_token_id": [7, 420]}"#[..])),
    ];
    let tokenizer = Tokenizer::load(&TextFiles::from_memory("memory", files).unwrap()).unwrap();
    assert_eq!(tokenizer.end_ids(), [7, 420, 422]);
}

fn load(files: &[(&str, &[u8])]) -> Result<Tokenizer, TextError> {
    let files = files.iter().map(|(name, bytes)| (*name, Cow::Owned(bytes.to_vec())));
    Tokenizer::load(&TextFiles::from_memory("m", files)?)
}

fn tiny_file(path: &str) -> Vec<u8> {
    std::fs::read(golden_folder().join("text").join(path)).unwrap()
}

#[test]
fn damaged_files_are_named() {
    let vocab = br#"{"a": 0, "b": 1, "ab": 2}"#;
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    let cases: [(Files<'_>, &str); 12] = [
        (&[], "find a tokenizer in m: none of tokenizer.json"),
        (&[("tokenizer.json", b"{")], "m/tokenizer.json: line 1, column 1"),
        (&[("tokenizer.json", b"[]")], "m/tokenizer.json: top level: is not a JSON object"),
        (&[("tokenizer.json", b"{\"model\": 3}")], "m/tokenizer.json: tokenizer"),
        (
            &[("vocab.json", br#"{"a": "x"}"#), ("merges.txt", b"")],
            "m/vocab.json: \"a\": found \"x\"",
        ),
        (&[("vocab.json", vocab), ("merges.txt", b"a c\n")], "vocab and merges: tokenizer"),
        (&[("vocab.json", vocab), ("merges.txt", b"abc\n")], "m/merges.txt: line 1: found \"abc\""),
        (&[("vocab.json", vocab), ("merges.txt", b"\xff\n")], "m/merges.txt: byte 0: is not UTF-8"),
        (&[("tokenizer.model", b"\xff\xff\xff\xff")], "m/tokenizer.model: protobuf"),
        (&[("tokenizer.model", b"")], "m/tokenizer.model: pieces: there are none"),
        (
            &[
                ("vocab.json", vocab),
                ("merges.txt", b""),
                (
                    "tokenizer_config.json",
                    br#"{"added_tokens_decoder": {"9": {"content": "a", "special": true}}}"#,
                ),
            ],
            "m/tokenizer_config.json: added_tokens_decoder.9: \"a\" has id Some(0)",
        ),
        (
            &[
                ("vocab.json", vocab),
                ("merges.txt", b""),
                ("tokenizer_config.json", br#"{"tokenizer_class": "BertTokenizer"}"#),
            ],
            "tokenizer_class: found BertTokenizer",
        ),
    ];
    for (files, expected) in cases {
        let error = load(files).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n  does not hold\n{expected}");
    }
    let error = load(&[("tokenizer_config.json", &vec![b' '; 5 << 20])]).unwrap_err();
    assert!(matches!(error, TextError::FileTooLarge { .. }), "{error}");
}

#[test]
fn texts_beyond_the_limit_are_refused() {
    let tokenizer = tokenizer("tiny-bpe").unwrap();
    let error = tokenizer.encode(&"x".repeat((16 << 20) + 1), false).unwrap_err();
    assert!(matches!(error, TextError::TextTooLong { .. }), "{error}");
}

#[test]
fn long_runs_do_not_hang() {
    for name in TINY {
        let tokenizer = tokenizer(name).unwrap();
        for text in [
            " ".repeat(200_000) + "x",
            "ab".repeat(100_000),
            "\n".repeat(100_000),
            "é".repeat(50_000),
        ] {
            let ids = tokenizer.encode(&text, false).unwrap();
            assert!(ids.len() <= text.len() + 2, "{name}");
        }
    }
}

/// Not where a text begins, which some decoders change.
#[test]
fn bytes_of_tokens_are_their_text() {
    let texts = [
        "Hello, world!",
        " two  spaces",
        "naïve 漢字 👍🏽\n\ttab",
        "<0x41> ▁ <s>",
        "\u{0}\u{7f}\u{ad}",
    ];
    for name in NAMES {
        let Some(tokenizer) = tokenizer(name) else { continue };
        for text in texts {
            let ids = tokenizer.encode_after(tokenizer.bos_id(), text).unwrap();
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.token_bytes(id)).collect();
            let whole = tokenizer.decode_after(&ids, false).unwrap();
            assert_eq!(String::from_utf8_lossy(&bytes), whole, "{name}: {text:?}");
        }
        assert!(tokenizer.token_bytes(u32::MAX).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_encoded_and_streamed(text in "\\PC{0,60}|(<s>|<\\|im_end\\|>|<0x[0-9A-F]{2}>|[ \\n▁a-cé漢👍]){0,20}") {
        for name in TINY {
            let tokenizer = tokenizer(name).unwrap();
            let ids = tokenizer.encode(&text, true).unwrap();
            for skip in [false, true] {
                prop_assert_eq!(streamed(&tokenizer, &ids, skip), tokenizer.decode(&ids, skip).unwrap());
            }
            tokenizer.encode_spelled(tokenizer.bos_id(), &text).unwrap();
            tokenizer.encode_after(ids.last().copied(), &text).unwrap();
        }
    }

    #[test]
    fn any_tokens_are_streamed(ids in proptest::collection::vec(0u32..600, 0..120), skip in any::<bool>()) {
        for name in TINY {
            let tokenizer = tokenizer(name).unwrap();
            prop_assert_eq!(streamed(&tokenizer, &ids, skip), tokenizer.decode(&ids, skip).unwrap());
            let after = tokenizer.decode_after(&ids, skip).unwrap();
            let mut stream = DecodeStream::after(&tokenizer, skip).unwrap();
            let mut text = String::new();
            for &id in &ids {
                text.extend(stream.push(&tokenizer, id).unwrap());
            }
            prop_assert_eq!(text + &stream.finish(&tokenizer).unwrap(), after);
        }
    }

    #[test]
    fn damage_never_stops_the_program(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        for (file, name) in [
            ("tiny-unigram-json/tokenizer.json", "tokenizer.json"),
            ("tiny-sp-bpe/tokenizer.model", "tokenizer.model"),
            ("tiny-sp-unigram/tokenizer.model", "tokenizer.model"),
        ] {
            let mut bytes = tiny_file(file);
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(tokenizer) = load(&[(name, &bytes)]) {
                let ids = tokenizer.encode("Hello ﬁ wörld <s>\n", true).unwrap_or_default();
                let _ = tokenizer.decode(&ids, false);
            }
        }
    }
}
