//! Models of the hub, as the environment's settings say.

use std::path::PathBuf;

use stateset_connect::{ConnectError, Hub, HubSettings, ModelId, Progress};

/// The folder of a model, downloaded where it is not in the cache.
pub(crate) fn download(
    id: &str,
    on_progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PathBuf, ConnectError> {
    let hub = Hub::new(HubSettings::from_env()?)?;
    let id: ModelId = id.parse()?;
    hub.fetch(&id, on_progress)
}
