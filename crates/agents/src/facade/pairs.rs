//! Training an agent's model on preferences from a program.

use std::path::PathBuf;
use std::sync::Arc;

use stateset_train::{
    MultiTurnAgent, PreferenceData, PreferenceRun, PreferenceSettings, Progress, ProgressStyle,
    RunFolder, TrainError,
};

use super::agent::{ChatAgent, open_model};
use super::training::Trained;

/// Trains `agent`'s model on `data` into the new run folder `output`. What of the data is held back for
/// evaluation, `settings` say.
///
/// # Errors
/// [`TrainError`]; canned answers have no model to train.
pub async fn train_on_pairs(
    agent: &ChatAgent,
    data: PreferenceData,
    settings: PreferenceSettings,
    output: impl Into<PathBuf>,
) -> Result<Trained, TrainError> {
    let invalid = |message: String| TrainError::Invalid { what: "train on pairs", message };
    let name = agent.model.clone();
    let name = name.ok_or_else(|| invalid("canned answers have no model".to_owned()))?;
    let folder = RunFolder::new(output);
    let work = move || {
        let mut run = PreferenceRun::new(settings, open_model(&name)?, data, folder);
        run.sinks.push(Box::new(Progress::new(ProgressStyle::Auto)));
        run.train()
    };
    let trained = tokio::task::spawn_blocking(work).await;
    let trained = trained.map_err(|error| invalid(error.to_string()))??;
    let inner = MultiTurnAgent { policy: Arc::new(trained.policy.clone()), ..agent.inner.clone() };
    let name = trained.folder.root().display().to_string();
    let tools = agent.tools.clone();
    Ok(Trained {
        choice: None,
        agent: ChatAgent::of(Some(name), inner, Some(trained.policy)).with_tools(tools),
        summary: trained.summary,
        before: trained.before,
        after: trained.after,
        folder: trained.folder,
        is_complete: trained.is_complete,
    })
}
