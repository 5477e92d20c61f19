//! The rules of ARCHITECTURE.md that a program can check.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::root;

/// Crates of ours that each crate may depend on.
const LAYERS: [(&str, &[&str]); 9] = [
    ("core", &[]),
    ("algo", &["core"]),
    ("env", &["core"]),
    ("nn", &["core"]),
    ("connect", &["core"]),
    ("train", &["core", "algo", "env", "nn", "connect"]),
    ("serve", &["core", "algo", "env", "nn", "connect", "train"]),
    ("agents", &["core", "algo", "env", "nn", "connect", "train", "serve"]),
    ("py", &["core", "algo", "env", "nn", "connect", "train", "serve", "agents"]),
];

/// Libraries that only some crates may use outside tests.
const RESERVED: [(&str, &[&str]); 6] = [
    ("tokio", &["connect", "train", "serve", "agents", "py"]),
    ("hf-hub", &["connect"]),
    ("reqwest", &["connect", "serve"]),
    ("axum", &["serve"]),
    ("clap", &["agents"]),
    ("pyo3", &["py"]),
];

/// Crates that read no clock, no environment variable and no socket.
const PURE: [&str; 4] = ["core", "algo", "env", "nn"];
const IMPURE: [&str; 4] = ["std::env::var", "Instant::now", "SystemTime::now", "std::net"];

/// Folders whose code may be `unsafe`.
const UNSAFE: [&str; 3] = ["crates/nn/src/kernels/", "crates/nn/src/checkpoint/", "crates/py/"];

/// Lines of a source file beyond which its opening comment must argue for its length.
const LONG_FILE: usize = 600;

/// Checks every rule and reports all that are broken.
pub(crate) fn tidy() -> Result<()> {
    let root = root();
    let architecture = fs::read_to_string(root.join("ARCHITECTURE.md"))
        .context("failed to read ARCHITECTURE.md")?;
    let mut broken = Vec::new();
    check_crates(&root, &mut broken)?;
    check_folders(&root, &architecture, &mut broken)?;
    for path in sources(&root)? {
        let name = path.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&path)?;
        check_source(&name, &text, &mut broken);
    }
    if broken.is_empty() {
        println!("tidy: all rules hold");
        return Ok(());
    }
    bail!("{} rules of ARCHITECTURE.md are broken:\n  {}", broken.len(), broken.join("\n  "));
}

fn check_crates(root: &Path, broken: &mut Vec<String>) -> Result<()> {
    for (name, allowed) in LAYERS {
        let path = root.join("crates").join(name).join("Cargo.toml");
        if !path.exists() {
            continue;
        }
        let manifest: toml::Table = fs::read_to_string(&path)?.parse()?;
        let dependencies = manifest.get("dependencies").and_then(|table| table.as_table());
        for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
            if let Some(ours) = dependency.strip_prefix("stateset-")
                && !allowed.contains(&ours)
            {
                broken.push(format!("crates/{name} may not depend on {dependency}"));
            }
            let reserved = RESERVED.iter().find(|(library, _)| library == dependency);
            if let Some((library, users)) = reserved
                && !users.contains(&name)
            {
                broken.push(format!("crates/{name} may not depend on {library}"));
            }
        }
    }
    Ok(())
}

/// Every folder of sources is named in ARCHITECTURE.md.
fn check_folders(root: &Path, architecture: &str, broken: &mut Vec<String>) -> Result<()> {
    let mut folders: Vec<PathBuf> = children(root)?;
    for name in children(&root.join("crates"))? {
        folders.extend(children(&name.join("src"))?);
        folders.push(name);
    }
    for folder in folders {
        let name = folder.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        let hidden = name.starts_with('.') || name == "target" || ignored(root, &name);
        if !hidden && !architecture.contains(&format!("{name}/")) {
            broken.push(format!("ARCHITECTURE.md does not name the folder {name}/"));
        }
    }
    Ok(())
}

/// Folders that git ignores, by their plain names in `.gitignore`.
fn ignored(root: &Path, name: &str) -> bool {
    let text = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    text.lines().any(|line| line.trim_matches('/') == name)
}

fn children(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Every Rust file of the workspace.
fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "xtask", "examples", "tests", "fuzz"].map(|name| root.join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        if folder.ends_with("target") || !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn check_source(name: &str, text: &str, broken: &mut Vec<String>) {
    if !text.starts_with("//!") {
        broken.push(format!("{name} does not open with `//!`"));
    }
    let product = product_part(name, text);
    let n_lines = text.lines().count();
    if n_lines > LONG_FILE && !text.contains("# Length") {
        broken.push(format!("{name} has {n_lines} lines and no `# Length` section to say why"));
    }
    if name.starts_with("xtask/") {
        return;
    }
    for unfinished in ["todo!(", "unimplemented!(", concat!("FIX", "ME"), concat!("TO", "DO")] {
        if text.contains(unfinished) {
            broken.push(format!("{name} holds {unfinished:?}"));
        }
    }
    let may_be_unsafe = UNSAFE.iter().any(|folder| name.starts_with(folder));
    if !may_be_unsafe && product.lines().any(|line| !is_comment(line) && line.contains("unsafe ")) {
        broken.push(format!("{name} holds unsafe code"));
    }
    let krate = name.split('/').nth(1).unwrap_or_default();
    if PURE.contains(&krate) && name.contains("/src/") {
        for call in IMPURE {
            if product.lines().any(|line| !is_comment(line) && line.contains(call)) {
                broken.push(format!("{name} calls {call}; it must come in as an argument"));
            }
        }
    }
    if name.ends_with("/mod.rs") && name.contains("/src/") {
        let code = product.lines().filter(|line| !is_comment(line));
        if code.into_iter().any(|line| line.contains("fn ")) {
            broken.push(format!("{name} holds functions; `mod.rs` only re-exports"));
        }
    }
}

/// The part of a file that is not a test.
fn product_part<'a>(name: &str, text: &'a str) -> &'a str {
    if name.contains("/tests/") || name.contains("/benches/") || name.contains("/examples/") {
        return "";
    }
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}
