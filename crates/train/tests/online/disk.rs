//! A disk that fills up while a checkpoint is being saved.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use stateset_nn::{Disk, RealDisk, SyncWrite};
use stateset_train::{RunFolder, open_checkpoint};

use crate::support::run;

/// Has room for so many bytes.
struct FullDisk(Arc<AtomicI64>);

struct Limited(Box<dyn SyncWrite>, Arc<AtomicI64>);

impl Disk for FullDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        Ok(Box::new(Limited(RealDisk.create(path)?, self.0.clone())))
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1.fetch_sub(bytes.len() as i64, Ordering::Relaxed) < bytes.len() as i64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl SyncWrite for Limited {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_the_old_checkpoint_whole() {
    let temp = tempfile::tempdir().unwrap();
    let Some(mut full) = run(temp.path(), &[]) else { return };
    // One checkpoint of 656,000 numbers, three of each, takes 8 MB; the second does not fit.
    full.disk = Arc::new(FullDisk(Arc::new(AtomicI64::new(12_000_000))));
    let error = full.train().await.err().expect("the disk is full").to_string();
    assert!(error.contains("step 2") && error.contains("no storage space"), "{error}");
    let folder = RunFolder::new(temp.path().join("run"));
    assert_eq!(open_checkpoint(&folder.checkpoints().join("step-1")).unwrap().step, 1);
    assert!(!folder.checkpoints().join("step-2").exists());

    let resume = [("training.resume_from_checkpoint", folder.root().to_str().unwrap())];
    let resumed = run(temp.path(), &resume).unwrap().train().await.unwrap();
    let whole = tempfile::tempdir().unwrap();
    let whole = run(whole.path(), &[]).unwrap().train().await.unwrap();
    assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256);
}
