//! Finding a model by its name, on disk, in the program, or on the model hub.

use std::cell::Cell;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use stateset_connect::{ConnectError, Progress};
use stateset_nn::{ChatFormat, Date};
use stateset_train::config::JudgeSettings;
use stateset_train::{JudgeModel, ModelSource, TrainError, chat_format};

use super::error::{CliError, Outcome};
use super::output::say;
use super::today::today;
use crate::hub::download;
use crate::judge::remote_judge;

/// The model that is used where none is named.
pub(crate) const DEFAULT_MODEL: &str = "builtin:tiny";

/// Which model, and how it is run.
#[derive(Args, Clone, Debug)]
pub(crate) struct ModelArgs {
    /// The model: builtin:tiny, a folder (of a model, an adapter, a checkpoint or a run), or a name
    /// on the model hub such as owner/name or owner/name@revision
    #[arg(long, alias = "checkpoint", value_name = "MODEL", default_value = DEFAULT_MODEL)]
    pub(crate) model: String,
    /// Folder of a PEFT adapter to put onto the model
    #[arg(long, value_name = "DIR")]
    pub(crate) adapter: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) machine: MachineArgs,
}

/// What is used of the machine, and what day it is.
#[derive(Args, Clone, Debug)]
pub(crate) struct MachineArgs {
    /// Threads to compute with; all that the machine has where absent. The result is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4096))]
    threads: Option<u64>,
    /// The date that chat templates are told when they ask; today in UTC where absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    date: Option<Date>,
}

impl MachineArgs {
    /// Threads, where they were given.
    pub(crate) fn threads(&self) -> Option<usize> {
        self.threads.map(|n| n as usize)
    }

    /// The date for templates.
    pub(crate) fn date(&self) -> Option<Date> {
        self.date.or_else(today)
    }
}

/// A date of the command line.
pub(crate) fn parse_date(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|error| error.to_string())
}

impl ModelArgs {
    /// Finds the model.
    pub(crate) fn open(&self) -> Outcome<ModelSource> {
        open_model(&self.model, self.adapter.as_deref())
    }

    /// Tokenizer and template of `model`.
    pub(crate) fn format(&self, model: &ModelSource) -> Outcome<ChatFormat> {
        chat_format(model, self.machine.date()).map_err(CliError::bad)
    }
}

/// The judge that settings name: at a server, or a model that is opened here.
pub(crate) fn open_judge(settings: &JudgeSettings) -> Outcome<JudgeModel> {
    match remote_judge(settings).map_err(CliError::loading)? {
        Some(judge) => Ok(judge),
        None => Ok(JudgeModel::Local(Box::new(open_model(&settings.model, None)?))),
    }
}

/// Finds the model called `name`, downloading it where it is on the hub and not in the cache.
pub(crate) fn open_model(name: &str, adapter: Option<&std::path::Path>) -> Outcome<ModelSource> {
    let is_outage = Cell::new(false);
    let fetch = |id: &str| fetch(id, &is_outage);
    let opened = ModelSource::open(name, &fetch).and_then(|mut model| {
        if let Some(folder) = adapter {
            model.add_adapter(folder)?;
        }
        Ok(model)
    });
    opened.map_err(|error| match is_outage.get() {
        true => CliError::failed(error),
        false => CliError::loading(error),
    })
}

/// True for a name that can only be found on the hub, which may take a long download.
pub(crate) fn is_remote(name: &str) -> bool {
    let is_own = name.starts_with("builtin:") || name.starts_with("stub:");
    !is_own && name.contains('/') && !std::path::Path::new(name).exists()
}

fn fetch(id: &str, is_outage: &Cell<bool>) -> Result<PathBuf, TrainError> {
    let mut bar = None;
    let folder = download(id, &mut |at| show(&mut bar, id, at));
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    folder.map_err(|error| {
        is_outage.set(is_passing(&error));
        TrainError::Invalid { what: "fetch the model", message: error.to_string() }
    })
}

/// True for failures that are the world's and not the caller's.
fn is_passing(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Unreachable { .. }
            | ConnectError::Refused { .. }
            | ConnectError::BadAnswer { .. }
            | ConnectError::File { .. }
    )
}

/// A bar on a terminal; elsewhere one line for each download.
fn show(bar: &mut Option<ProgressBar>, id: &str, at: Progress<'_>) {
    let bar = bar.get_or_insert_with(|| {
        if !io::stderr().is_terminal() {
            say(format_args!("downloading {id}, {:.1} MB", at.total_bytes as f64 / 1e6));
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    });
    bar.set_length(at.total_bytes);
    bar.set_position(at.done_bytes);
    bar.set_message(at.file.to_owned());
}
