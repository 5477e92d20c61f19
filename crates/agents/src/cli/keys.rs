//! `keys`: the API keys of a server, which need not run.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use stateset_serve::security::{GeneratedKey, KeyStore, Role, StoredKey, usual_name};

use super::error::{CliError, Outcome};
use super::output::{Output, say};
use super::serve_keys::PlaceArgs;

/// Add, list and revoke the API keys of a server
///
/// Works on what serve works on, also while it runs: a server hears of changes within two seconds. Keys are kept as
/// hashes, in keys.json in the data folder or in the database that servers share.
#[derive(Args, Debug)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(AddArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Make a key and print it, this once
#[derive(Args, Debug)]
struct AddArgs {
    /// What it opens: user, trainer or admin
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Role,
    /// What it is called; its role with the first digits of its hash where absent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    kept: KeptArgs,
}

/// Print names and roles of the keys that are kept
#[derive(Args, Debug)]
struct ListArgs {
    /// Print one JSON object for each key
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    kept: KeptArgs,
}

/// Forget a key, so that it opens nothing any more
#[derive(Args, Debug)]
struct RevokeArgs {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    kept: KeptArgs,
}

#[derive(Args, Debug)]
struct KeptArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// File of hashed keys, where serve was given one
    #[arg(long, value_name = "FILE")]
    keys_file: Option<PathBuf>,
}

/// Does what is asked.
pub(crate) fn run(args: KeysArgs) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| CliError::failed(format!("start the program: {error}")))?;
    runtime.block_on(async {
        match args.action {
            Action::Add(args) => add(args).await,
            Action::List(args) => list(args).await,
            Action::Revoke(args) => revoke(args).await,
        }
    })
}

async fn add(args: AddArgs) -> Outcome {
    let key = GeneratedKey::draw().map_err(CliError::failed)?;
    let unnamed = StoredKey::of("", &key, args.role);
    let name = args.name.unwrap_or_else(|| usual_name(args.role, &unnamed));
    let stored = StoredKey { name: name.clone(), ..unnamed };
    args.kept.open().await?.add(&stored).await.map_err(CliError::bad)?;
    let mut output = Output::new();
    match args.json {
        true => output.json(&json!({"name": name, "role": args.role, "key": key.reveal()}))?,
        false => output.line(key.reveal())?,
    }
    output.flush()?;
    say(format_args!("{name} has the role {}; its key is not shown again", args.role));
    Ok(())
}

async fn list(args: ListArgs) -> Outcome {
    let keys = args.kept.open().await?.read().await.map_err(CliError::bad)?;
    let mut output = Output::new();
    let width = keys.iter().map(|key| key.name.chars().count()).max().unwrap_or(0);
    for key in &keys {
        let hash = key.fingerprint();
        match args.json {
            true => {
                output.json(&json!({"name": key.name, "role": key.role, "sha256_begins": hash}))?
            }
            false => output.line(format_args!(
                "{:<width$}  {:<7}  {hash}...",
                key.name,
                key.role.name()
            ))?,
        }
    }
    output.flush()?;
    if keys.is_empty() {
        say("no keys are kept here");
    }
    Ok(())
}

async fn revoke(args: RevokeArgs) -> Outcome {
    args.kept.open().await?.revoke(&args.name).await.map_err(CliError::bad)?;
    say(format_args!("{} opens nothing any more", args.name));
    Ok(())
}

impl KeptArgs {
    /// The keys. A file of a data folder can be changed beside the server that uses the folder.
    async fn open(&self) -> Outcome<KeyStore> {
        match self.place.keys_file(self.keys_file.as_ref()) {
            Some(file) => Ok(KeyStore::File(file)),
            None => Ok(KeyStore::Database(self.place.store().await?)),
        }
    }
}

fn role(text: &str) -> Result<Role, String> {
    text.parse()
}
