//! Disks that take nothing.

use std::error::Error;
use std::io;

use axum::http::StatusCode;

use super::ApiError;

/// True where a disk is behind this that is full, over a quota or not to be written now.
pub(crate) fn is_full_disk(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let chain = std::iter::successors(Some(error), |&error| error.source());
    let mut kinds = chain.filter_map(|error| Some(error.downcast_ref::<io::Error>()?.kind()));
    kinds
        .any(|kind| matches!(kind, StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem))
}

/// 507: the disk is full. Nothing was changed.
pub(crate) fn full_disk(reason: impl std::fmt::Display) -> ApiError {
    tracing::error!(%reason, "a request found a full disk");
    let message = "the server's disk is full; nothing was changed";
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, "storage_full", message)
}

#[cfg(test)]
mod tests {
    use stateset_train::{RunError, TrainError};

    use super::*;

    #[test]
    fn a_full_disk_is_found_behind_other_errors() {
        let checkpoint = |kind: io::ErrorKind| {
            let (action, path) = ("write", "weights".into());
            let file = TrainError::Io { action, path, source: kind.into() };
            TrainError::Run(RunError::Checkpoint { step: 2, source: Box::new(file) })
        };
        assert!(is_full_disk(&checkpoint(io::ErrorKind::StorageFull)));
        assert!(is_full_disk(&io::Error::from(io::ErrorKind::QuotaExceeded)));
        assert!(!is_full_disk(&checkpoint(io::ErrorKind::PermissionDenied)));
        assert!(!is_full_disk(&TrainError::EngineGone));
    }
}
