//! Which files of a repository make a model that the engine can load.
//!
//! Files come in groups, each with alternatives in order of preference: of the tokenizers, say, the
//! first is taken whose files are all there. The same choice is made from a listing of the hub and from
//! a folder of the cache, so the two cannot disagree about what is complete.

use std::collections::BTreeSet;

use serde_json::Value;

/// Names the shards of weights that are split.
pub(super) const INDEX_FILE: &str = "model.safetensors.index.json";

/// Limit of the index file.
pub(super) const MAX_INDEX_BYTES: u64 = 64 << 20;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const ADAPTER: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];

/// One entry for each group: its alternatives, and the files of each.
const GROUPS: [&[&[&str]]; 9] = [
    &[&[CONFIG]],
    &[&["generation_config.json"]],
    &[&["tokenizer.json"], &["vocab.json", "merges.txt"], &["tokenizer.model"]],
    &[&["tokenizer_config.json"]],
    &[&["special_tokens_map.json"]],
    &[&["added_tokens.json"]],
    &[&["chat_template.jinja"]],
    &[&ADAPTER],
    &[&[WEIGHTS], &[INDEX_FILE]],
];

/// Endings of weights in formats that are not loaded.
const OTHER_WEIGHTS: [&str; 10] =
    [".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".gguf", ".ggml", ".safetensors"];

/// What is known about a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is there.
    Here,
    /// The repository does not have it.
    Absent,
    /// It is not here, and nothing says whether the repository has it.
    Unknown,
}

/// The files to load, without shards; `None` where an unknown file could change the choice.
pub(super) fn chosen(presence: &dyn Fn(&str) -> Presence) -> Option<Vec<&'static str>> {
    let mut names = Vec::new();
    for group in GROUPS {
        names.extend_from_slice(chosen_of_group(group, presence)?);
    }
    Some(names)
}

/// Every name that the choice depends on.
pub(super) fn all_names() -> impl Iterator<Item = &'static str> {
    GROUPS.into_iter().flatten().copied().flatten().copied()
}

/// The first file that is missing for a model or an adapter to be loadable, where it has weights;
/// `Err` where it has none.
pub(super) fn check_loadable(names: &[&str]) -> Result<(), Lack> {
    let has = |name: &str| names.contains(&name);
    if has(ADAPTER[1]) {
        return Ok(());
    }
    match (has(WEIGHTS) || has(INDEX_FILE), has(CONFIG)) {
        (true, true) => Ok(()),
        (true, false) => Err(Lack::Config),
        (false, _) => Err(Lack::Weights),
    }
}

/// What keeps a repository from being loadable.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// `config.json` is missing.
    Config,
    /// There are no weights in safetensors files of the usual names.
    Weights,
}

impl Lack {
    /// Name of the missing configuration.
    pub(super) const CONFIG_FILE: &'static str = CONFIG;
}

/// Names that look like weights which are not loaded, at most ten.
pub(super) fn other_weights<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_weights = |name: &&str| OTHER_WEIGHTS.iter().any(|ending| name.ends_with(ending));
    names.filter(is_weights).take(10).map(str::to_owned).collect()
}

/// Names of the shards that an index lists.
///
/// # Errors
/// What is wrong with the index.
pub(super) fn shards_of_index(bytes: &[u8]) -> Result<BTreeSet<String>, String> {
    let json: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let map = json.get("weight_map").and_then(Value::as_object);
    let map = map.filter(|map| !map.is_empty()).ok_or("it has no `weight_map` with entries")?;
    let names = map.values().map(|name| name.as_str().map(str::to_owned));
    names.collect::<Option<_>>().ok_or_else(|| "`weight_map` holds more than file names".to_owned())
}

/// True for the name of a safetensors file that stays in its folder and needs no escaping in an
/// address.
pub(super) fn is_plain_shard(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    name.len() <= 200
        && name.ends_with(".safetensors")
        && !name.starts_with('.')
        && name.bytes().all(is_plain)
}

fn chosen_of_group(
    group: &'static [&'static [&'static str]],
    presence: &dyn Fn(&str) -> Presence,
) -> Option<&'static [&'static str]> {
    for alternative in group {
        let any = |wanted| alternative.iter().any(|name| presence(name) == wanted);
        if any(Presence::Absent) {
            continue;
        }
        return if any(Presence::Unknown) { None } else { Some(alternative) };
    }
    Some(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_listing(listed: &[&str]) -> Vec<&'static str> {
        chosen(&|name| if listed.contains(&name) { Presence::Here } else { Presence::Absent })
            .unwrap()
    }

    #[test]
    fn the_best_alternative_is_taken_and_nothing_else() {
        let listed = [
            "README.md",
            "config.json",
            "vocab.json",
            "merges.txt",
            "tokenizer.json",
            "tokenizer.model",
            "model.safetensors",
            "model.safetensors.index.json",
            "pytorch_model.bin",
            "logo.png",
            "consolidated.safetensors",
        ];
        assert_eq!(from_listing(&listed), ["config.json", "tokenizer.json", "model.safetensors"]);
        let split = ["config.json", "vocab.json", "tokenizer.model", INDEX_FILE];
        assert_eq!(from_listing(&split), ["config.json", "tokenizer.model", INDEX_FILE]);
    }

    #[test]
    fn loadable_is_a_model_with_its_configuration_or_an_adapter() {
        let check = |listed: &[&str]| check_loadable(&from_listing(listed));
        assert_eq!(check(&["config.json", "model.safetensors"]), Ok(()));
        assert_eq!(check(&["config.json", INDEX_FILE]), Ok(()));
        assert_eq!(check(&ADAPTER), Ok(()));
        assert_eq!(check(&["model.safetensors"]), Err(Lack::Config));
        assert_eq!(check(&["config.json", "pytorch_model.bin"]), Err(Lack::Weights));
        assert_eq!(check(&["adapter_config.json", "adapter_model.bin"]), Err(Lack::Weights));
    }

    #[test]
    fn an_unknown_file_leaves_the_choice_open_only_where_it_matters() {
        let with = |here: &'static [&str], unknown: &'static [&str]| {
            chosen(&move |name| match (here.contains(&name), unknown.contains(&name)) {
                (true, _) => Presence::Here,
                (false, true) => Presence::Unknown,
                (false, false) => Presence::Absent,
            })
        };
        assert!(with(&["config.json"], &["chat_template.jinja"]).is_none());
        assert!(with(&["tokenizer.json"], &["vocab.json", "merges.txt"]).is_some());
        assert!(with(&["merges.txt"], &["vocab.json"]).is_none());
        assert!(with(&["model.safetensors"], &[INDEX_FILE]).is_some());
        assert!(with(&[INDEX_FILE], &["model.safetensors"]).is_none());
    }

    #[test]
    fn an_index_gives_its_shards_or_says_what_is_wrong() {
        let index = br#"{"weight_map": {"a": "m-2.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors"}}"#;
        let shards: Vec<String> = shards_of_index(index).unwrap().into_iter().collect();
        assert_eq!(shards, ["m-1.safetensors", "m-2.safetensors"]);
        for bad in ["", "[]", "{}", r#"{"weight_map": {}}"#, r#"{"weight_map": {"a": 1}}"#] {
            assert!(shards_of_index(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_shard_cannot_leave_its_folder() {
        assert!(is_plain_shard("model-00001-of-00002.safetensors"));
        for bad in [
            "../model.safetensors",
            "/m.safetensors",
            "a/m.safetensors",
            "a\\m.safetensors",
            ".safetensors",
            "model.bin",
            "C:m.safetensors",
            "m%2f.safetensors",
            "m .safetensors",
            "m\0.safetensors",
            "",
        ] {
            assert!(!is_plain_shard(bad), "{bad}");
        }
    }
}
