//! What a checkpoint folder holds, so that damage shows.
//!
//! The manifest is written after all other files. A folder without one is unfinished; one whose files
//! differ from it in size or SHA-256 is damaged.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Version of the layout of a checkpoint folder. Readers refuse a newer one.
pub const CHECKPOINT_SCHEMA_VERSION: u32 = 1;
/// Name of the manifest in its folder.
pub const MANIFEST_NAME: &str = "manifest.json";

/// Longest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 16 << 20;
/// Bytes hashed at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// `manifest.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the folder.
    pub schema_version: u32,
    /// Steps trained.
    pub step: u32,
    /// Every file but the manifest, in order of names.
    pub files: Vec<FileRecord>,
}

/// One file of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path inside the folder, with `/`.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content, in lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// Describes the files that lie in `folder` now.
    pub(super) fn of_folder(folder: &Path, step: u32) -> io::Result<Manifest> {
        let mut files = Vec::new();
        for name in file_names(folder)? {
            let (bytes, sha256) = size_and_sha256(&folder.join(&name))?;
            files.push(FileRecord { name, bytes, sha256 });
        }
        Ok(Manifest { schema_version: CHECKPOINT_SCHEMA_VERSION, step, files })
    }

    /// The manifest of `folder`, as it was written.
    pub(crate) fn read(folder: &Path) -> Result<Manifest, String> {
        read(&folder.join(MANIFEST_NAME))
    }

    /// Reads the manifest of `folder` and compares every file with it. Files that it does not name are
    /// passed over, so that people may leave notes.
    pub(super) fn verify(folder: &Path) -> Result<Manifest, String> {
        let manifest = Manifest::read(folder)?;
        for file in &manifest.files {
            if !is_inside(&file.name) {
                return Err(format!("{MANIFEST_NAME} names {:?}, which is outside", file.name));
            }
            let found = size_and_sha256(&folder.join(&file.name));
            let (bytes, sha256) = found.map_err(|error| format!("{}: {error}", file.name))?;
            if bytes != file.bytes {
                return Err(format!("{} has {bytes} bytes instead of {}", file.name, file.bytes));
            }
            if sha256 != file.sha256 {
                return Err(format!("{} has another content than was written", file.name));
            }
        }
        Ok(manifest)
    }
}

/// Paths of all files under `folder` but the manifest, in order.
pub(super) fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    collect(folder, "", &mut names)?;
    names.sort();
    Ok(names)
}

fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|name| {
            io::Error::new(io::ErrorKind::InvalidData, format!("name {name:?} is not Unicode"))
        })?;
        let name = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), names)?;
        } else if name != MANIFEST_NAME {
            names.push(name);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Manifest, String> {
    let mut text = String::new();
    let open = File::open(path).map_err(|error| format!("{MANIFEST_NAME}: {error}"))?;
    let read = open.take(MAX_MANIFEST_BYTES).read_to_string(&mut text);
    read.map_err(|error| format!("{MANIFEST_NAME}: {error}"))?;
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| format!("{MANIFEST_NAME}: {error}"))?;
    if manifest.schema_version > CHECKPOINT_SCHEMA_VERSION {
        let found = manifest.schema_version;
        return Err(format!(
            "it follows schema {found}, and this version knows schemas up to \
             {CHECKPOINT_SCHEMA_VERSION}"
        ));
    }
    Ok(manifest)
}

fn is_inside(name: &str) -> bool {
    let path = Path::new(name);
    !name.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

fn size_and_sha256(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut n_bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&buffer[..n]);
                n_bytes += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let digest = hasher.finalize();
    Ok((n_bytes, digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("adapter")).unwrap();
        fs::write(temp.path().join("weights"), "abc").unwrap();
        fs::write(temp.path().join("adapter/a"), "").unwrap();
        write(temp.path(), &Manifest::of_folder(temp.path(), 7).unwrap());
        temp
    }

    fn write(folder: &Path, manifest: &Manifest) {
        fs::write(folder.join(MANIFEST_NAME), serde_json::to_vec(manifest).unwrap()).unwrap();
    }

    #[test]
    fn describes_and_verifies() {
        let temp = folder();
        fs::write(temp.path().join("notes.txt"), "mine").unwrap();
        let manifest = Manifest::verify(temp.path()).unwrap();
        assert_eq!(manifest.step, 7);
        assert_eq!(
            manifest.files.iter().map(|f| &f.name).collect::<Vec<_>>(),
            ["adapter/a", "weights"]
        );
        // `printf abc | sha256sum`
        assert_eq!(
            manifest.files[1].sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn names_what_is_damaged() {
        type Damage = fn(&Path);
        let cases: [(Damage, &str); 6] = [
            (|f| fs::write(f.join("weights"), "abd").unwrap(), "weights has another content"),
            (|f| fs::write(f.join("weights"), "ab").unwrap(), "weights has 2 bytes instead of 3"),
            (|f| fs::remove_file(f.join("adapter/a")).unwrap(), "adapter/a: "),
            (|f| fs::remove_file(f.join(MANIFEST_NAME)).unwrap(), "manifest.json: "),
            (|f| fs::write(f.join(MANIFEST_NAME), "{\"schema").unwrap(), "manifest.json: EOF"),
            (
                |f| write(f, &Manifest { schema_version: 2, step: 7, files: vec![] }),
                "it follows schema 2",
            ),
        ];
        for (damage, expected) in cases {
            let temp = folder();
            damage(temp.path());
            let reason = Manifest::verify(temp.path()).unwrap_err();
            assert!(reason.starts_with(expected), "{reason}");
        }
    }

    #[test]
    fn names_outside_the_folder_are_refused() {
        for name in ["../secret", "/etc/passwd", "a/../../b", ""] {
            let temp = folder();
            let mut manifest = Manifest::of_folder(temp.path(), 7).unwrap();
            manifest.files[0].name = name.into();
            write(temp.path(), &manifest);
            let reason = Manifest::verify(temp.path()).unwrap_err();
            assert!(reason.contains("outside"), "{reason}");
        }
    }
}
