//! The commands of the pages on methods, run as they are written; trainings are cut short by further
//! settings. Files of preferences are those of the page on data.
//!
//! Every page of a method has a command, and every command of these pages is one that trains.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const DATA: &str = include_str!("../../../../docs/data.md");

/// Pages without a method of their own.
const WITHOUT: [&str; 4] = ["README.md", "RESULTS.md", "choices.md", "health.md"];

/// Keeps a training on rollouts to a second or two.
const SHORT: &str = "--steps 1 --set training.prompts_per_step=4 --set training.num_generations=2 \
                     --set training.max_completion_length=8 --set environment.max_turns=2 \
                     --set training.eval_before=false --set training.run_post_eval=false";
/// The same on preferences.
const SHORT_ON_PAIRS: &str = "--steps 1 --set training.prompts_per_step=4";

/// Lines of the example files are repeated this often, so that there is something to hold back.
const N_REPEATS: usize = 10;

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/methods");
    let files = std::fs::read_dir(folder).expect("the folder of the pages");
    let mut pages: Vec<PathBuf> = files.map(|file| file.expect("an entry").path()).collect();
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    pages
}

/// The commands of a page's shell blocks, lines joined.
fn commands(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).expect("a page");
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap_or(""));
    let joined = blocks.collect::<String>().replace("\\\n", " ");
    joined.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Runs a command in `folder` and reads what `--json` prints.
fn run(command: &str, more: &str, folder: &Path) -> Value {
    let call = command.strip_prefix("stateset-agents ").expect("a command of this program");
    let output = Command::new(env!("CARGO_BIN_EXE_stateset-agents"))
        .args(call.split_whitespace())
        .args(more.split_whitespace())
        .arg("--json")
        .current_dir(folder)
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

/// Writes the example file that the page on data introduces with `before`.
fn write_example(before: &str, folder: &Path, name: &str) {
    let rest = DATA.split_once(before).expect("the page says so").1;
    let rest = rest.split_once("```jsonl\n").expect("there is a block").1;
    let lines = rest.split_once("```").expect("it ends").0;
    std::fs::write(folder.join(name), lines.repeat(N_REPEATS)).expect("written");
}

#[test]
fn methods_of_the_guide_train() {
    let temp = tempfile::tempdir().unwrap();
    write_example("as `pairs.jsonl`", temp.path(), "pairs.jsonl");
    write_example("as `judged.jsonl`", temp.path(), "judged.jsonl");
    for page in pages() {
        let name = page.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let commands = commands(&page);
        assert_eq!(commands.is_empty(), WITHOUT.contains(&name.as_str()), "{name}: {commands:?}");
        for command in commands {
            assert!(command.starts_with("stateset-agents train --algorithm "), "{command}");
            let on_pairs = command.contains(" --pairs ");
            let more = if on_pairs { SHORT_ON_PAIRS } else { SHORT };
            let trained = run(&command, more, temp.path());
            assert_eq!(trained["steps"], 1, "{command}: {trained}");
        }
    }
}

#[test]
fn relative_links_of_the_guide_lead_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let files = std::fs::read_dir(&folder).expect("the folder of the guide");
    let above = files.map(|file| file.expect("an entry").path());
    for page in pages().into_iter().chain(above.filter(|path| path.is_file())) {
        let text = std::fs::read_to_string(&page).expect("a page");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http") && !link.contains(' ')) {
            let file = link.split('#').next().unwrap_or("");
            let target = page.with_file_name(file);
            assert!(file.is_empty() || target.exists(), "{}: {link}", page.display());
        }
    }
}
