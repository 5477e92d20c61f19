//! Starting the programs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a program printed and how it ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    fn new(output: Output) -> Ended {
        Ended {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// The standard output of a call that did what it should.
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Every line of the standard output as JSON.
    pub(crate) fn json_lines(self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).expect("a line of JSON");
        self.ok().lines().map(parse).collect()
    }

    /// What a wrong call was told, once it left the standard output alone.
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (2, ""), "{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        self.stderr
    }
}

/// A program in a folder of its own with a clean environment.
pub(crate) struct Program {
    path: PathBuf,
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Program {
    /// `stateset-agents`, in `folder`.
    pub(crate) fn main(folder: &Path) -> Program {
        Program::new(env!("CARGO_BIN_EXE_stateset-agents"), folder)
    }

    /// `grpo-train`.
    pub(crate) fn grpo_train(folder: &Path) -> Program {
        Program::new(env!("CARGO_BIN_EXE_grpo-train"), folder)
    }

    /// `grpo-evaluate`.
    pub(crate) fn grpo_evaluate(folder: &Path) -> Program {
        Program::new(env!("CARGO_BIN_EXE_grpo-evaluate"), folder)
    }

    /// The program under another name, by a symbolic link in `folder`.
    pub(crate) fn called(name: &str, folder: &Path) -> Program {
        let link = folder.join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_stateset-agents"), &link).expect("a link");
        Program { path: link, ..Program::main(folder) }
    }

    fn new(path: &str, folder: &Path) -> Program {
        Program { path: path.into(), folder: folder.to_owned(), variables: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Program {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.surrounded(Command::new(&self.path), args)
    }

    /// Started by a script, which finds the program in `$0` and its arguments in `$@`.
    pub(crate) fn under_shell(&self, script: &str, args: &[&str]) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]).arg(&self.path);
        self.surrounded(shell, args)
    }

    fn surrounded(&self, mut command: Command, args: &[&str]) -> Command {
        command.args(args).current_dir(&self.folder).env_clear();
        command.env("COLUMNS", "100").env("HOME", &self.folder).env("HF_HUB_OFFLINE", "1");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it without input.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.read(args, "")
    }

    /// Runs it with this input.
    pub(crate) fn read(&self, args: &[&str], input: &str) -> Ended {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // A program that refuses its flags does not read.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        Ended::new(child.wait_with_output().expect("it ends"))
    }
}

/// Names of everything in a folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// A folder for one test.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

/// The pretrained story model, where it is at hand.
pub(crate) fn stories() -> Option<String> {
    let path = super::data::test_data("tinystories-656k")?;
    Some(path.canonicalize().expect("it exists").to_str().expect("UTF-8").to_owned())
}
