//! Wrong models, data and settings: exit code 2, the reason named, nothing written.

use std::fs;
use std::path::Path;

use super::program::{Program, folder, names, stories};

/// A copy of the story model in `folder`/model, to be spoilt.
fn copy_of_stories(folder: &Path) -> Option<()> {
    let from = stories()?;
    let to = folder.join("model");
    fs::create_dir(&to).expect("a new folder");
    for name in names(Path::new(&from)) {
        fs::copy(Path::new(&from).join(&name), to.join(&name)).expect("a copy");
    }
    Some(())
}

fn edit_json(path: &Path, edit: impl FnOnce(&mut serde_json::Value)) {
    let text = fs::read_to_string(path).expect("it is there");
    let mut value = serde_json::from_str(&text).expect("JSON");
    edit(&mut value);
    fs::write(path, value.to_string()).expect("it can be written");
}

/// Trains the spoilt copy and gives what was said.
fn refused(spoil: impl FnOnce(&Path)) -> Option<String> {
    let temp = folder();
    copy_of_stories(temp.path())?;
    spoil(&temp.path().join("model"));
    fs::write(temp.path().join("p.jsonl"), "{\"prompt\": \"Once\"}\n").expect("written");
    let args = ["train", "--model", "model", "--prompts", "p.jsonl", "--output", "run"];
    let told = Program::main(temp.path()).run(&args).refused();
    assert_eq!(names(temp.path()), ["model", "p.jsonl"]);
    Some(told)
}

#[test]
fn models_that_cannot_be_used_are_refused() {
    let weights = |model: &Path| model.join("model.safetensors");
    let Some(told) = refused(|model| {
        edit_json(&model.join("config.json"), |config| config["model_type"] = "mamba".into());
    }) else {
        return;
    };
    assert!(told.contains("mamba") && told.contains("llama"), "{told}");

    let told = refused(|model| {
        let bytes = fs::read(weights(model)).expect("it is there");
        fs::write(weights(model), &bytes[..bytes.len() / 2]).expect("it can be written");
    });
    let told = told.expect("the model is at hand");
    assert!(told.contains("model.safetensors"), "{told}");

    let told = refused(|model| {
        // A header that promises more than there is.
        let header = br#"{"x":{"dtype":"F32","shape":[1000],"data_offsets":[0,4000]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        fs::write(weights(model), bytes).expect("it can be written");
    });
    assert!(told.expect("the model is at hand").contains("model.safetensors"));

    let told = refused(|model| {
        edit_json(&model.join("tokenizer.json"), |tokenizer| {
            let token = serde_json::json!({
                "id": 60_000, "content": "<far>", "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true
            });
            tokenizer["added_tokens"].as_array_mut().expect("a list").push(token);
        });
    });
    let told = told.expect("the model is at hand");
    assert!(told.contains("<far>") && told.contains("2048 tokens"), "{told}");

    let told = refused(|model| {
        let template = "{{ raise_exception('no talking') }}";
        fs::write(model.join("chat_template.jinja"), template).expect("it can be written");
    });
    assert!(told.expect("the model is at hand").contains("no talking"));
}

#[test]
fn data_and_settings_that_cannot_be_used_are_refused() {
    let temp = folder();
    let write = |name: &str, text: &str| fs::write(temp.path().join(name), text).expect("written");
    write("bad.jsonl", "{\"id\": \"a\", \"user_responses\": [\"Hi\"]}\n{\"id\": \n");
    write("empty.jsonl", "");
    write("long.jsonl", &format!("{{\"prompt\": \"{}\"}}\n", "word ".repeat(3000)));
    write("taken", "a file");
    let cases: [(&[&str], &[&str]); 7] = [
        (&["--env", "missing.jsonl"], &["missing.jsonl"]),
        (&["--env", "bad.jsonl"], &["bad.jsonl", "line 2"]),
        (&["--env", "empty.jsonl"], &["empty.jsonl"]),
        (&["--prompts", "long.jsonl"], &["tokens", "max_prompt_length"]),
        (&["--set", "training.num_generations=1"], &["num_generations", "2 or more"]),
        (&["--set", "training.learning_rat=1"], &["learning_rat", "learning_rate"]),
        (&["--output", "taken/run"], &["taken"]),
    ];
    let before = names(temp.path());
    for (args, expected) in cases {
        let args = [&["train", "--steps", "1"][..], args].concat();
        let told = Program::main(temp.path()).run(&args).refused();
        for part in expected {
            assert!(told.contains(part), "{args:?} {part}: {told}");
        }
        assert_eq!(names(temp.path()), before, "{args:?}");
    }
}
