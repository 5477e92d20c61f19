//! A training whose disk fills up while a checkpoint is being written, at chosen files.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stateset_nn::{Disk, RealDisk, SyncWrite};
use stateset_serve::DataDisk;

use super::running::Running;
use super::training::short;

const AMPLE: i64 = i64::MAX / 2;

/// Has room for so many more files, and for half of the next.
struct Filling {
    n_fitting: AtomicI64,
}

impl Filling {
    fn fits(&self, n_files: i64) {
        self.n_fitting.store(n_files, Ordering::Relaxed);
    }
}

impl Disk for Filling {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SyncWrite>> {
        let is_probe = path.ends_with(".write-probe");
        let left = self.n_fitting.fetch_sub(i64::from(!is_probe), Ordering::Relaxed);
        let file = RealDisk.create(path)?;
        Ok(if left > 0 { file } else { Box::new(Half(file)) })
    }
}

/// A file that does not fit.
struct Half(Box<dyn SyncWrite>);

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(&bytes[..bytes.len() / 2])?;
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl SyncWrite for Half {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
}

/// Asks again and again until it is so.
async fn until(server: &Running, path: &str, is_it: impl Fn(u16, &Value) -> bool) -> Value {
    loop {
        let got = server.get(path).await;
        if is_it(got.status, &got.body) {
            return got.body;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn ask(server: &Running) -> String {
    let asked = server.post("/api/train", short(2)).await.ok(202);
    asked["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_disk_that_fills_up_in_a_checkpoint_costs_nothing_but_time() {
    let disk = Arc::new(Filling { n_fitting: AtomicI64::new(AMPLE) });
    let server = Running::tiny_on(DataDisk::new(disk.clone())).await;
    let whole = ask(&server).await;
    let whole = server.wait_for(&whole, &["completed", "failed"]).await;
    let n_files = AMPLE - disk.n_fitting.load(Ordering::Relaxed);
    assert!(n_files > 10, "two checkpoints and the final model have {n_files} files");

    // The first file of all, and one of the second checkpoint.
    for n_fitting in [0, n_files / 2] {
        disk.fits(n_fitting);
        let id = ask(&server).await;
        let path = format!("/training/{id}");
        let is_paused = |_, job: &Value| {
            let error = job["error"].as_str().unwrap_or_default();
            error.starts_with("paused until the disk has room")
        };
        let paused = until(&server, &path, is_paused).await;
        let health = until(&server, "/health", |status, _| status == 503).await;
        let parts = health["components"].as_array().unwrap();
        let of_disk = parts.iter().find(|part| part["name"] == "disk").unwrap();
        assert!(of_disk["problem"].as_str().unwrap().contains("no storage space"), "{health}");
        assert_eq!(paused["has_checkpoint"], n_fitting > 0, "{paused}");

        disk.fits(AMPLE);
        let done = server.wait_for(&id, &["completed", "failed"]).await;
        assert_eq!((&done["status"], &done["error"]), (&json!("completed"), &Value::Null));
        assert_eq!(done["result"]["model_sha256"], whole["result"]["model_sha256"], "{n_fitting}");
        let events = server.get(&format!("{path}/events")).await.ok(200);
        let events = events["data"].as_array().unwrap().iter();
        let steps: Vec<&Value> =
            events.filter(|event| event["type"] == "step").map(|event| &event["step"]).collect();
        assert_eq!(steps, [1, 2], "each step is told once");
        until(&server, "/health", |status, _| status == 200).await;
    }
}
