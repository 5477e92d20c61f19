//! Receivers of events: files, TensorBoard, the terminal, callbacks.

mod callback;
mod early_stopping;
mod event_log;
mod lines;
mod metrics;
mod progress;
mod proto;
mod tensorboard;
mod tfrecord;

pub(crate) use callback::call;
pub use callback::{Callback, Flow};
pub use early_stopping::{EarlyStopping, EarlyStoppingState};
pub use event_log::{EventLine, EventLog, read_events};
pub(crate) use lines::LineFile;
pub use metrics::{MetricsFile, MetricsRow, read_metrics};
pub use progress::{Progress, ProgressStyle};
pub use tensorboard::TensorBoardFile;
