//! TensorBoard event files: every metric of a step, every figure of an evaluation, the configuration.
//!
//! Scalars are plain `simple_value`s, which all versions of TensorBoard and all readers of its files
//! take. A resumed run opens a file of its own that begins with a session start, by which TensorBoard
//! drops what an earlier file says of the steps to be repeated. Records are not buffered here, so a
//! killed run leaves at most one torn record, which readers pass over.

use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;

use super::proto::{
    Content, Event as EventMessage, PluginData, SessionLog, Shape, SourceMetadata, Summary,
    SummaryMetadata, Tensor, Value, What,
};
use super::tfrecord::frame;
use crate::clock::unix_secs;
use crate::files::AppendFile;
use crate::{EvaluationSummary, Event, RunError, Sink};

const FILE_VERSION: &str = "brain.Event:2";
const WRITER: &str = "stateset-agents";

/// Writes one event file.
#[derive(Debug)]
pub struct TensorBoardFile {
    file: AppendFile,
    path: PathBuf,
}

impl TensorBoardFile {
    /// Begins a new event file in `folder`, with the run's configuration as text under `config`. A run
    /// that goes on from the checkpoint of a step names that step; a new run (`None`) first removes the
    /// event files that lie there.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn create(
        folder: &Path,
        config_toml: &str,
        resumed_step: Option<u32>,
    ) -> Result<TensorBoardFile, RunError> {
        fs::create_dir_all(folder).map_err(RunError::io("create", folder))?;
        let others = event_files(folder)?;
        if resumed_step.is_none() {
            for old in &others {
                fs::remove_file(old).map_err(RunError::io("remove", old))?;
            }
        }
        let path = new_path(folder, others.len());
        let mut file = TensorBoardFile { file: AppendFile::open(&path, 0)?, path };
        let now = unix_secs();
        file.write(&opening(now, WRITER))?;
        if let Some(step) = resumed_step {
            file.write(&session_start(now, step.saturating_add(1)))?;
        }
        file.write(&text(now, resumed_step.unwrap_or(0), "config", &indented(config_toml)))?;
        Ok(file)
    }

    /// The event file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn write(&mut self, event: &EventMessage) -> Result<(), RunError> {
        self.file.append(&frame(&event.encode_to_vec()))
    }
}

impl Sink for TensorBoardFile {
    fn handle(&mut self, event: &Event) {
        let message = match event {
            Event::StepFinished { step, metrics, secs, .. } => {
                let metrics = metrics.iter().map(|(name, value)| (name.clone(), *value));
                let secs = [("speed/step_secs".to_owned(), *secs)];
                scalars(unix_secs(), *step, metrics.chain(secs))
            }
            Event::EvaluationFinished { name, step, summary } => {
                scalars(unix_secs(), *step, evaluation_scalars(name, summary))
            }
            _ => return,
        };
        if let Err(error) = self.write(&message) {
            tracing::warn!("TensorBoard misses figures: failed to {error}");
        }
    }
}

/// Figures of an evaluation under `eval/<name>/`.
fn evaluation_scalars(name: &str, summary: &EvaluationSummary) -> Vec<(String, f64)> {
    let intervals = [("reward".to_owned(), summary.reward), ("goal".to_owned(), summary.goal)];
    let components = summary.components.iter();
    let components = components.map(|(part, value)| (format!("components/{part}"), Some(*value)));
    let mut scalars = Vec::new();
    for (figure, interval) in intervals.into_iter().chain(components) {
        if let Some(interval) = interval {
            scalars.push((format!("eval/{name}/{figure}"), interval.estimate));
            scalars.push((format!("eval/{name}/{figure}_low"), interval.low));
            scalars.push((format!("eval/{name}/{figure}_high"), interval.high));
        }
    }
    let counts = [
        ("turns", summary.mean_turns),
        ("tokens", summary.mean_tokens),
        ("failed", summary.n_failed as f64),
        ("unscorable", summary.n_unscorable as f64),
    ];
    scalars.extend(counts.map(|(figure, value)| (format!("eval/{name}/{figure}"), value)));
    scalars
}

fn opening(wall_time: f64, writer: &str) -> EventMessage {
    EventMessage {
        wall_time,
        step: 0,
        what: Some(What::FileVersion(FILE_VERSION.to_owned())),
        source_metadata: Some(SourceMetadata { writer: writer.to_owned() }),
    }
}

fn session_start(wall_time: f64, step: u32) -> EventMessage {
    let session = SessionLog { status: SessionLog::START };
    event(wall_time, step, What::SessionLog(session))
}

fn scalars(
    wall_time: f64,
    step: u32,
    figures: impl IntoIterator<Item = (String, f64)>,
) -> EventMessage {
    let value = |(tag, figure): (String, f64)| Value {
        tag,
        content: Some(Content::SimpleValue(figure as f32)),
        metadata: None,
    };
    let value = figures.into_iter().map(value).collect();
    event(wall_time, step, What::Summary(Summary { value }))
}

fn text(wall_time: f64, step: u32, tag: &str, text: &str) -> EventMessage {
    let value = Value {
        tag: tag.to_owned(),
        content: Some(Content::Tensor(Tensor {
            dtype: Tensor::STRING,
            shape: Some(Shape {}),
            string_val: vec![text.as_bytes().to_vec()],
        })),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData { plugin_name: "text".to_owned() }),
        }),
    };
    event(wall_time, step, What::Summary(Summary { value: vec![value] }))
}

fn event(wall_time: f64, step: u32, what: What) -> EventMessage {
    EventMessage { wall_time, step: i64::from(step), what: Some(what), source_metadata: None }
}

/// As a code block in Markdown, which is how TensorBoard shows texts.
fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// Files are read in the order of their names: by time, then by number where two runs start within a
/// second.
fn new_path(folder: &Path, n_others: usize) -> PathBuf {
    let (secs, pid) = (unix_secs() as u64, std::process::id());
    folder.join(format!("events.out.tfevents.{secs:010}.{n_others:04}.{WRITER}.{pid}"))
}

fn event_files(folder: &Path) -> Result<Vec<PathBuf>, RunError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(RunError::io("list", folder))? {
        let entry = entry.map_err(RunError::io("list", folder))?;
        if entry.file_name().to_string_lossy().starts_with("events.out.tfevents.") {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use stateset_algo::Interval;

    use super::*;

    const GOLDEN: &[u8] = include_bytes!("../../../../tests/golden/tensorboard_events.tfevents");

    /// The payloads of a file whose frames are whole.
    fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let framed = frame(&bytes[12..12 + length]);
            assert_eq!(framed, bytes[..framed.len()], "frame of record {}", records.len());
            records.push(bytes[12..12 + length].to_vec());
            bytes = &bytes[framed.len()..];
        }
        records
    }

    /// The same events as `tests/golden/tensorboard_events.py` gives to TensorBoard's own writer.
    fn golden_events() -> Vec<EventMessage> {
        let writer = "tensorboard.summary.writer.event_file_writer";
        let figures = |figures: &[(&str, f64)]| -> Vec<(String, f64)> {
            figures.iter().map(|(tag, value)| ((*tag).to_owned(), *value)).collect()
        };
        vec![
            opening(1_750_000_000.25, writer),
            text(1_750_000_000.5, 0, "config", "    seed = 7\n    name = \"démo\"\n"),
            scalars(1_750_000_001.5, 1, figures(&[("reward/mean", 0.5), ("loss", -0.125)])),
            scalars(1_750_000_002.5, 2, figures(&[("reward/mean", 1.0 / 3.0), ("loss", 0.0)])),
            scalars(1_750_000_003.5, 70_000, figures(&[("ratio/max", f64::INFINITY)])),
            session_start(1_750_000_004.5, 2),
        ]
    }

    #[test]
    fn writes_what_tensorboards_writer_writes() {
        let golden = records(GOLDEN);
        let ours = golden_events();
        assert_eq!(golden.len(), ours.len());
        for (index, (golden, ours)) in golden.iter().zip(&ours).enumerate() {
            let read = EventMessage::decode(golden.as_slice()).unwrap();
            assert_eq!(&read, ours, "record {index}");
            assert_eq!(golden, &ours.encode_to_vec(), "bytes of record {index}");
        }
    }

    #[test]
    fn a_resumed_run_voids_the_steps_it_repeats() {
        let temp = tempfile::tempdir().unwrap();
        let step = |step| Event::StepFinished {
            step,
            of: 3,
            metrics: [("loss".to_owned(), 0.5)].into(),
            secs: 0.25,
        };
        let mut first = TensorBoardFile::create(temp.path(), "seed = 1\n", None).unwrap();
        (1..=3).for_each(|n| first.handle(&step(n)));
        let mut second = TensorBoardFile::create(temp.path(), "seed = 1\n", Some(1)).unwrap();
        second.handle(&step(2));
        assert!(first.path() < second.path(), "read in order of time");

        let read = |file: &TensorBoardFile| -> Vec<EventMessage> {
            let records = records(&fs::read(file.path()).unwrap());
            records.iter().map(|r| EventMessage::decode(r.as_slice()).unwrap()).collect()
        };
        let steps = |events: &[EventMessage]| events.iter().map(|e| e.step).collect::<Vec<_>>();
        assert_eq!(steps(&read(&first)), [0, 0, 1, 2, 3]);
        let second = read(&second);
        assert_eq!(steps(&second), [0, 2, 1, 2]);
        assert!(matches!(&second[1].what, Some(What::SessionLog(s)) if s.status == 1));

        TensorBoardFile::create(temp.path(), "", None).unwrap();
        assert_eq!(event_files(temp.path()).unwrap().len(), 1);
    }

    #[test]
    fn an_evaluation_has_its_intervals() {
        let interval = Interval { low: 0.25, estimate: 0.5, high: 0.75 };
        let summary = EvaluationSummary {
            reward: Some(interval),
            components: [("tone".to_owned(), interval)].into(),
            mean_turns: 3.0,
            ..EvaluationSummary::default()
        };
        let scalars = evaluation_scalars("after", &summary);
        let value = |tag: &str| scalars.iter().find(|(name, _)| name == tag).map(|(_, v)| *v);
        assert_eq!(value("eval/after/reward"), Some(0.5));
        assert_eq!(value("eval/after/components/tone_high"), Some(0.75));
        assert_eq!(value("eval/after/turns"), Some(3.0));
        assert_eq!(value("eval/after/goal"), None);
    }
}
