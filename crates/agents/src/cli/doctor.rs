//! `doctor`: what this machine has, and whether a run could begin here.

use std::fs;
use std::path::Path as FilePath;

use clap::Args;
use serde_json::{Map, Value, json};
use stateset_connect::HubSettings;
use stateset_env::customer::Split;
use stateset_env::sets::{World, worlds};
use stateset_nn::Path;
use stateset_train::config::{ConfigSources, RunConfig, resolve};
use stateset_train::{MemoryPlan, OnlineRun};

use super::chat::AgentArgs;
use super::engine::machine_threads;
use super::error::{CliError, Outcome};
use super::machine::{memory_bytes, processor, size};
use super::output::Output;
use super::sources::Prepared;
use super::version::VERSION;

/// Check this machine and show what a run would take
///
/// Exit code 1 where something is broken.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    agent: AgentArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    /// It works, and may not be meant.
    Odd,
    Broken,
}

/// One thing that was looked at.
struct Finding {
    name: &'static str,
    health: Health,
    text: String,
    /// The same for programs.
    value: Value,
}

impl Finding {
    fn good(name: &'static str, text: impl Into<String>, value: Value) -> Finding {
        Finding { name, health: Health::Good, text: text.into(), value }
    }

    fn bad(name: &'static str, health: Health, text: impl Into<String>) -> Finding {
        let text = text.into();
        Finding { name, health, value: Value::from(text.clone()), text }
    }
}

/// Looks at everything.
pub(crate) fn run(args: DoctorArgs) -> Outcome {
    let mut findings =
        vec![Finding::good("version", VERSION, VERSION.into()), hardware(), kernels(), memory()];
    match args.agent.config.prepare(args.agent.flags()) {
        Ok(prepared) => {
            let folder = output_folder(&prepared.resolved.config);
            findings.extend(model(prepared));
            findings.push(folder);
        }
        Err(CliError::BadInput(message) | CliError::Failed(message)) => {
            findings.push(Finding::bad("configuration and model", Health::Broken, message));
            if let Ok(resolved) = resolve(&ConfigSources::default()) {
                findings.push(output_folder(&resolved.config));
            }
        }
        Err(other) => return Err(other),
    }
    findings.extend([scenario_sets(), hub()]);
    show(&findings, args.json)?;
    let is_broken = findings.iter().any(|finding| finding.health == Health::Broken);
    if is_broken { Err(CliError::Unhealthy) } else { Ok(()) }
}

fn show(findings: &[Finding], json: bool) -> Outcome {
    let mut output = Output::new();
    if json {
        let mut object = Map::new();
        let broken = findings.iter().filter(|finding| finding.health == Health::Broken);
        let broken: Vec<&str> = broken.map(|finding| finding.name).collect();
        object.insert("healthy".to_owned(), broken.is_empty().into());
        object.insert("broken".to_owned(), broken.into());
        for finding in findings {
            object.insert(finding.name.replace(' ', "_"), finding.value.clone());
        }
        output.json(&Value::Object(object))?;
        return output.flush();
    }
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    for finding in findings {
        let mark = match finding.health {
            Health::Good => "ok    ",
            Health::Odd => "note  ",
            Health::Broken => "BROKEN",
        };
        let indented = finding.text.replace('\n', &format!("\n{:1$}", "", width + 10));
        output.line(format_args!("{mark}  {:<width$}  {indented}", finding.name))?;
    }
    output.flush()
}

fn hardware() -> Finding {
    let threads = machine_threads();
    let processor = processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let value = json!({ "processor": processor, "threads": threads, "os": std::env::consts::OS });
    Finding::good("hardware", format!("{processor}, {threads} threads"), value)
}

fn kernels() -> Finding {
    let best = Path::best().name();
    let available: Vec<&str> = Path::available().into_iter().map(Path::name).collect();
    let text = format!("{best} (this machine can run {})", available.join(", "));
    let value = json!({ "used": best, "available": available });
    if available.len() > 1 || available.first() != Some(&best) {
        return Finding::good("kernels", text, value);
    }
    let text = format!("{text}; without vector instructions everything takes much longer");
    Finding { value, ..Finding::bad("kernels", Health::Odd, text) }
}

fn memory() -> Finding {
    match memory_bytes() {
        Some((total, free)) => Finding::good(
            "memory",
            format!("{} in all, {} free", size(total), size(free)),
            json!({ "total_bytes": total, "free_bytes": free }),
        ),
        None => Finding::bad("memory", Health::Odd, "this system does not say how much there is"),
    }
}

/// The model and what a run with it would take.
fn model(prepared: Prepared) -> Vec<Finding> {
    let Some(model) = &prepared.model else {
        return vec![Finding::bad("model", Health::Odd, "a stub, which learns nothing")];
    };
    let decoder = &model.files.decoder;
    let text = format!(
        "{}: {} layers, width {}, {} tokens, reads {}",
        model.name,
        decoder.layers.len(),
        decoder.hidden_size,
        decoder.vocab_size,
        decoder.max_positions
    );
    let format = match stateset_train::chat_format(model, None) {
        Ok(_) => Finding::good("model", text, Value::from(model.name.clone())),
        Err(error) => Finding::bad("model", Health::Broken, format!("{text}; failed to {error}")),
    };
    let run = OnlineRun::new(prepared.resolved, prepared.model);
    let plan = match run.and_then(|run| run.memory_plan()) {
        Ok(plan) => plan.as_ref().map(memory_plan),
        Err(error) => {
            Some(Finding::bad("memory plan", Health::Broken, format!("failed to {error}")))
        }
    };
    std::iter::once(format).chain(plan).collect()
}

fn memory_plan(plan: &MemoryPlan) -> Finding {
    let total = plan.total_bytes();
    let parts: Map<String, Value> =
        plan.parts.iter().map(|part| (part.name.to_owned(), part.bytes.into())).collect();
    let value = json!({ "total_bytes": total, "parts_bytes": parts });
    match memory_bytes() {
        Some((_, free)) if total > free => {
            let text = format!("{plan}\nmore than the {} that are free", size(free));
            Finding { value, ..Finding::bad("memory plan", Health::Broken, text) }
        }
        _ => Finding::good("memory plan", plan.to_string(), value),
    }
}

/// Whether a run folder could be made: in the folder of runs, or the nearest one above that exists.
fn output_folder(config: &RunConfig) -> Finding {
    let wanted = &config.checkpoint.output_dir;
    let absolute = std::path::absolute(wanted).unwrap_or_else(|_| wanted.clone());
    let existing = absolute.ancestors().find(|folder| folder.exists());
    let written = existing.ok_or_else(no_folder).and_then(try_writing);
    let shown = absolute.display();
    match written {
        Ok(()) => {
            let text = format!("{shown} can be written");
            Finding::good("output folder", text, json!({ "path": shown.to_string() }))
        }
        Err(error) => {
            let text = format!("{shown} cannot be written: {error}");
            Finding::bad("output folder", Health::Broken, text)
        }
    }
}

fn no_folder() -> std::io::Error {
    std::io::ErrorKind::NotFound.into()
}

fn try_writing(folder: &FilePath) -> std::io::Result<()> {
    let probe = folder.join(format!(".stateset-doctor-{}", std::process::id()));
    fs::write(&probe, b"a test of write access")?;
    fs::remove_file(&probe)
}

fn scenario_sets() -> Finding {
    let count = |world: &dyn World| -> usize {
        Split::ALL.iter().map(|split| world.scenarios(*split).len()).sum()
    };
    let sets: Vec<(&str, usize)> =
        worlds().iter().map(|world| (world.name(), count(world.as_ref()))).collect();
    let text: Vec<String> = sets.iter().map(|(name, n)| format!("{name} ({n})")).collect();
    let value: Map<String, Value> =
        sets.into_iter().map(|(name, n)| (name.to_owned(), n.into())).collect();
    Finding::good("scenarios", text.join(", "), Value::Object(value))
}

fn hub() -> Finding {
    let settings = match HubSettings::from_env() {
        Ok(settings) => settings,
        Err(error) => {
            return Finding::bad("model hub", Health::Broken, format!("failed to {error}"));
        }
    };
    let mode = if settings.is_offline { "offline" } else { "online when needed" };
    let token = if settings.token.is_some() { "a token" } else { "no token" };
    let cache = settings.cache.display();
    let text = format!("{}, {mode}, {token}, cache {cache}", settings.endpoint);
    let value = json!({
        "endpoint": settings.endpoint,
        "offline": settings.is_offline,
        "has_token": settings.token.is_some(),
        "cache": cache.to_string(),
    });
    Finding::good("model hub", text, value)
}
