//! Contract of model folders (promise 5): what is missing, damaged or lying is a typed error that
//! names file and tensor, and what is written reads back as the same bits.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::{self, Write};
use std::path::{Path as FilePath, PathBuf};

use common::{golden, load};
use proptest::prelude::*;
use serde_json::{Value, json};
use stateset_nn::*;
use tempfile::TempDir;

/// A copy of a golden model folder that a test may spoil.
fn copy_of(variant: &str) -> TempDir {
    let out = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden("families").join(variant)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, out.path().join(path.file_name().unwrap())).unwrap();
    }
    out
}

fn edit_config(folder: &FilePath, edit: impl FnOnce(&mut Value)) {
    let path = folder.join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut config);
    std::fs::write(path, config.to_string()).unwrap();
}

/// The error of opening a folder and reading all of it.
fn error_of(folder: &FilePath) -> String {
    match ModelFiles::open(folder) {
        Err(error) => error.to_string(),
        Ok(files) => {
            let params = ParamLayout::new(&files.decoder, files.family).unwrap();
            files.read_params(&params, |_, _| {}).unwrap_err().to_string()
        }
    }
}

fn assert_mentions(error: &str, words: &[&str]) {
    for word in words {
        assert!(error.contains(word), "{error:?} does not mention {word:?}");
    }
}

#[test]
fn damaged_configurations_are_named() {
    type Edit = fn(&mut Value);
    let cases: [(Edit, &[&str]); 9] = [
        (|c| c["model_type"] = json!("mamba"), &["mamba", "llama", "gpt2", "phi3"]),
        (
            |c| {
                c.as_object_mut().unwrap().remove("hidden_size");
            },
            &["hidden_size", "missing"],
        ),
        (|c| c["hidden_size"] = json!("48"), &["hidden_size", "\"48\"", "whole number"]),
        (|c| c["num_hidden_layers"] = json!(-1), &["num_hidden_layers", "-1"]),
        (|c| c["num_key_value_heads"] = json!(3), &["num_key_value_heads", "share"]),
        (|c| c["hidden_act"] = json!("relu6"), &["hidden_act", "relu6", "silu"]),
        (
            |c| c["rope_parameters"]["rope_type"] = json!("dynamic"),
            &["rope_parameters.rope_type", "dynamic"],
        ),
        (|c| c["rms_norm_eps"] = json!("small"), &["rms_norm_eps", "small", "number"]),
        (|c| c["vocab_size"] = json!(98), &["embed_tokens", "[97, 48]", "[98, 48]"]),
    ];
    for (edit, words) in cases {
        let folder = copy_of("llama");
        edit_config(folder.path(), edit);
        assert_mentions(&error_of(folder.path()), words);
    }
    let folder = copy_of("llama");
    std::fs::write(folder.path().join("config.json"), "{\"model_type\": ").unwrap();
    assert_mentions(&error_of(folder.path()), &["config.json", "EOF"]);
    std::fs::write(folder.path().join("config.json"), "[1]").unwrap();
    assert_mentions(&error_of(folder.path()), &["expected an object"]);
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    assert_mentions(&error_of(folder.path()), &["config.json"]);
}

#[test]
fn damaged_tensor_files_are_named() {
    let folder = copy_of("llama");
    let path = folder.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    for bytes in [
        whole[..whole.len() - 1].to_vec(),
        whole[..7].to_vec(),
        Vec::new(),
        u64::MAX.to_le_bytes().to_vec(),
        [(1u64 << 40).to_le_bytes().to_vec(), whole[8..].to_vec()].concat(),
        [whole.clone(), vec![0]].concat(),
    ] {
        std::fs::write(&path, bytes).unwrap();
        assert_mentions(
            &error_of(folder.path()),
            &["model.safetensors", "not a whole safetensors file"],
        );
    }
    std::fs::remove_file(&path).unwrap();
    assert_mentions(&error_of(folder.path()), &["no model.safetensors"]);
    std::fs::write(folder.path().join("pytorch_model.bin"), "x").unwrap();
    assert_mentions(&error_of(folder.path()), &["pytorch_model.bin", "safe_serialization"]);
}

#[test]
fn missing_and_foreign_shards_are_named() {
    let folder = copy_of("llama_sharded");
    let shard = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains("-00002-of-"))
        .unwrap();
    std::fs::remove_file(&shard).unwrap();
    assert_mentions(&error_of(folder.path()), &["-00002-of-"]);
    let index = folder.path().join("model.safetensors.index.json");
    for name in ["../model.safetensors", "/etc/passwd", "", ".hidden"] {
        std::fs::write(&index, json!({"weight_map": {"a": name}}).to_string()).unwrap();
        assert_mentions(&error_of(folder.path()), &["index.json", "same folder"]);
    }
    std::fs::write(&index, "{}").unwrap();
    assert_mentions(&error_of(folder.path()), &["weight_map"]);
}

#[test]
fn a_missing_tensor_is_named() {
    let folder = copy_of("llama");
    edit_config(folder.path(), |c| c["num_hidden_layers"] = json!(9));
    assert_mentions(&error_of(folder.path()), &["model.layers.", "missing"]);
    let folder = copy_of("llama_tied_as_head");
    edit_config(folder.path(), |c| c["tie_word_embeddings"] = json!(false));
    assert_mentions(&error_of(folder.path()), &["model.embed_tokens.weight", "missing"]);
}

#[test]
fn tensors_nobody_wants_are_reported() {
    let folder = copy_of("llama");
    edit_config(folder.path(), |c| c["num_hidden_layers"] = json!(1));
    let files = ModelFiles::open(folder.path()).unwrap();
    let params = ParamLayout::new(&files.decoder, files.family).unwrap();
    let ignored = files.read_params(&params, |_, _| {}).unwrap();
    assert!(ignored.iter().any(|name| name.starts_with("model.layers.1.")), "{ignored:?}");
}

fn numbers(folder: &FilePath) -> (ModelFiles, ParamLayout, Vec<f32>) {
    let files = ModelFiles::open(folder).unwrap();
    let params = ParamLayout::new(&files.decoder, files.family).unwrap();
    let mut all = vec![0.0; params.len()];
    files
        .read_params(&params, |at, numbers| all[at..at + numbers.len()].copy_from_slice(numbers))
        .unwrap();
    (files, params, all)
}

#[test]
fn saved_models_read_back_as_the_same_bits() {
    for variant in ["gpt2", "llama", "gemma3", "phi3", "llama_sharded", "gpt2_hub_names"] {
        let (files, params, all) = numbers(&golden("families").join(variant));
        let out = tempfile::tempdir().unwrap();
        let get = |at: usize, len: usize| all[at..at + len].to_vec();
        let save = || {
            save_model(&RealDisk, out.path(), &files.config, &params, &get, StoreType::F32).unwrap()
        };
        let hash = save();
        assert_eq!(hash.len(), 64);
        assert_eq!(hash, save());
        let (again, _, read) = numbers(out.path());
        assert_eq!((again.family, again.decoder), (files.family, files.decoder), "{variant}");
        assert!(read == all, "{variant}");
        // A whole model in bf16 is within bf16's rounding.
        save_model(&RealDisk, out.path(), &files.config, &params, &get, StoreType::Bf16).unwrap();
        let (_, _, rounded) = numbers(out.path());
        assert!(rounded.iter().zip(&all).all(|(a, b)| (a - b).abs() <= b.abs() / 256.0));
    }
}

/// A disk with room for so many bytes.
struct FullDisk(usize);

struct FullFile(Box<dyn SyncWrite>, usize);

impl Disk for FullDisk {
    fn create(&self, path: &FilePath) -> io::Result<Box<dyn SyncWrite>> {
        Ok(Box::new(FullFile(RealDisk.create(path)?, self.0)))
    }
}

impl Write for FullFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.1 {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        self.1 -= bytes.len();
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl SyncWrite for FullFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let (files, params, all) = numbers(&golden("families/llama"));
    let out = tempfile::tempdir().unwrap();
    let get = |at: usize, len: usize| all[at..at + len].to_vec();
    for room in [0, 10_000] {
        let result =
            save_model(&FullDisk(room), out.path(), &files.config, &params, &get, StoreType::F32);
        assert_mentions(&result.unwrap_err().to_string(), &["write", "no space left"]);
    }
}

#[test]
fn a_context_beyond_the_model_is_refused() {
    let files = ModelFiles::open(&golden("families/llama")).unwrap();
    let mut cpu = Cpu::new(Path::best());
    let limit = files.decoder.max_positions;
    let error = Decoder::new(&mut cpu, files.family, files.decoder, None, limit + 1).unwrap_err();
    assert_mentions(&error.to_string(), &[&limit.to_string()]);
}

#[test]
fn unsupported_adapters_are_named() {
    let out = tempfile::tempdir().unwrap();
    let source = golden("lora/lora");
    let config: Value =
        serde_json::from_slice(&std::fs::read(source.join("adapter_config.json")).unwrap())
            .unwrap();
    let error = |key: &str, value: Value| {
        let mut config = config.clone();
        config[key] = value;
        std::fs::write(out.path().join("adapter_config.json"), config.to_string()).unwrap();
        AdapterFiles::open(out.path()).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_mentions(&error("peft_type", json!("IA3")), &["peft_type", "IA3"]);
    assert_mentions(&error("use_dora", json!(true)), &["use_dora"]);
    assert_mentions(&error("bias", json!("all")), &["bias", "all"]);
    assert_mentions(&error("rank_pattern", json!({"q": 2})), &["rank_pattern"]);
    assert_mentions(&error("r", Value::Null), &["`r`"]);
    assert_mentions(&error("r", json!(4)), &["adapter_model.safetensors"]);
    let model = load(&golden("families/llama_tied_bias"), Box::new(Cpu::new(Path::best())), 64);
    let files = AdapterFiles::open(&source).unwrap();
    if let Err(error) = files.read(&model.decoder.params) {
        assert_mentions(&error.to_string(), &["adapter_model.safetensors", "shape"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Any bytes in place of a header, any flipped byte: an error or a model, never a panic.
    #[test]
    fn no_bytes_make_the_reader_panic(at in 0usize..3000, byte: u8, cut in 0usize..160_000, junk in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = copy_of("llama");
        let path = folder.path().join("model.safetensors");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[at] = byte;
        std::fs::write(&path, &bytes).unwrap();
        read_all(folder.path());
        bytes.truncate(cut);
        std::fs::write(&path, &bytes).unwrap();
        read_all(folder.path());
        std::fs::write(&path, &junk).unwrap();
        read_all(folder.path());
        std::fs::write(folder.path().join("config.json"), &junk).unwrap();
        read_all(folder.path());
    }
}

fn read_all(folder: &FilePath) {
    if let Ok(files) = ModelFiles::open(folder)
        && let Ok(params) = ParamLayout::new(&files.decoder, files.family)
    {
        let _ = files.read_params(&params, |_, _| {});
    }
}

#[test]
fn shards_and_single_files_hold_the_same_kind_of_model() {
    let paths: Vec<PathBuf> = vec![golden("families/llama_sharded"), golden("families/llama")];
    for path in paths {
        let (_, params, all) = numbers(&path);
        assert!(all.iter().filter(|x| **x != 0.0).count() > params.n_parameters() / 2);
    }
}
