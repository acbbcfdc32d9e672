//! The archive of a chart: looked through before it is used, and unpacked. Nothing but plain files and directories comes out of it.
//! It runs none of it and fetches nothing.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tar::EntryType;

use super::{
    limited::Limited,
    limits::{CHART_YAML_BYTES, ENTRIES, EXTENSION_BYTES, UNPACKED_BYTES, shown},
};

/// Why an archive is not used.
#[derive(Debug)]
pub(super) enum Flaw {
    Problem(String),
    TooLarge {
        what: &'static str,
        limit: String,
    },
    /// Our own disk.
    Disk(io::Error),
}

/// What `Chart.yaml` says, as far as a chart is known by it.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) version: String,
}

/// One file or directory of an archive, below the one directory that holds all.
struct Item<'a> {
    /// Relative, of plain names only; empty for that directory itself.
    path: &'a Path,
    is_directory: bool,
    content: &'a mut dyn Read,
}

/// Looks through a whole archive and reads its `Chart.yaml`.
pub(super) fn inspect(archive: &[u8]) -> Result<Metadata, Flaw> {
    let mut found = None;
    walk(archive, |mut item| {
        if item.is_directory || item.path != Path::new("Chart.yaml") {
            return Ok(());
        }
        let text = read_at_most(&mut item.content, CHART_YAML_BYTES, "Chart.yaml")?;
        found = Some(metadata(&text)?);
        Ok(())
    })?;
    found.ok_or_else(|| problem("its archive has no Chart.yaml in a directory of its own"))
}

/// Writes all files below `root`, which is made.
pub(super) fn unpack(archive: &[u8], root: &Path) -> Result<(), Flaw> {
    fs::create_dir(root).map_err(Flaw::Disk)?;
    walk(archive, |mut item| {
        let target = root.join(item.path);
        if item.is_directory {
            return fs::create_dir_all(&target).map_err(Flaw::Disk);
        }
        let parent = target.parent().unwrap_or(root);
        fs::create_dir_all(parent).map_err(Flaw::Disk)?;
        let mut file = fs::File::create(&target).map_err(Flaw::Disk)?;
        copy(&mut item.content, &mut file)
    })
}

/// Copies a file, so that an archive that ends too early is told from a full disk.
fn copy(from: &mut impl Read, to: &mut fs::File) -> Result<(), Flaw> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match from.read(&mut buffer).map_err(|error| broken(&error))? {
            0 => return Ok(()),
            read => io::Write::write_all(to, &buffer[..read]).map_err(Flaw::Disk)?,
        }
    }
}

/// Hands each file and directory to `take`, in the order of the archive.
fn walk(archive: &[u8], mut take: impl FnMut(Item<'_>) -> Result<(), Flaw>) -> Result<(), Flaw> {
    let input = MultiGzDecoder::new(archive);
    let mut archive = tar::Archive::new(Limited {
        input,
        left: UNPACKED_BYTES,
    });
    let mut long_name = None;
    // Raw, so that what describes the next file is read by us, with a limit.
    for (count, entry) in archive
        .entries()
        .map_err(|error| broken(&error))?
        .raw(true)
        .enumerate()
    {
        let mut entry = entry.map_err(|error| broken(&error))?;
        if count >= ENTRIES {
            return Err(Flaw::TooLarge {
                what: "number of files in its archive",
                limit: ENTRIES.to_string(),
            });
        }
        let kind = entry.header().entry_type();
        match kind {
            EntryType::XGlobalHeader => {}
            EntryType::XHeader => {
                let text = read_at_most(
                    &mut entry,
                    EXTENSION_BYTES,
                    "header of a file in its archive",
                )?;
                long_name = path_in_extensions(&text)?.or(long_name);
            }
            EntryType::GNULongName => {
                let mut text =
                    read_at_most(&mut entry, EXTENSION_BYTES, "name of a file in its archive")?;
                text.truncate(
                    text.iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(text.len()),
                );
                long_name = Some(text);
            }
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {
                let name = long_name
                    .take()
                    .unwrap_or_else(|| entry.path_bytes().into_owned());
                let is_directory = kind.is_dir() || name.ends_with(b"/");
                let path = path(&name, is_directory)?;
                take(Item {
                    path: &path,
                    is_directory,
                    content: &mut entry,
                })?;
            }
            EntryType::Link | EntryType::Symlink | EntryType::GNULongLink => {
                return Err(named(&entry.path_bytes(), "is a link"));
            }
            _ => {
                return Err(named(
                    &entry.path_bytes(),
                    "is neither a file nor a directory",
                ));
            }
        }
    }
    Ok(())
}

/// The path that a PAX header gives to the file after it.
fn path_in_extensions(text: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
    let mut path = None;
    for extension in tar::PaxExtensions::new(text) {
        let extension = extension.map_err(|error| broken(&error))?;
        match extension.key_bytes() {
            b"path" => path = Some(extension.value_bytes().to_vec()),
            // Would have to be believed in place of the header's, and is only needed past 8 GiB.
            b"size" => return Err(problem("its archive gives the size of a file twice")),
            _ => {}
        }
    }
    Ok(path)
}

/// The path below the directory that holds all, as Helm reads it: its name does not matter.
pub(super) fn path(name: &[u8], is_directory: bool) -> Result<PathBuf, Flaw> {
    let text = std::str::from_utf8(name).map_err(|_| named(name, "is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(named(name, "has a control character in its name"));
    }
    let delimiter = if text.contains('\\') { '\\' } else { '/' };
    let parts: Vec<&str> = text
        .split(delimiter)
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if text.starts_with(delimiter)
        || parts.contains(&"..")
        || parts.iter().any(|part| part.contains('/'))
    {
        return Err(named(name, "leaves the chart"));
    }
    match parts.split_first() {
        Some((_, below)) if is_directory || !below.is_empty() => Ok(below.iter().collect()),
        None if is_directory => Ok(PathBuf::new()),
        _ => Err(named(name, "lies outside the chart's directory")),
    }
}

fn metadata(text: &[u8]) -> Result<Metadata, Flaw> {
    let text = std::str::from_utf8(text).map_err(|_| problem("its Chart.yaml is not UTF-8"))?;
    let read: Result<Metadata, _> = serde_saphyr::from_str(text);
    let metadata = read.map_err(|_| problem("its Chart.yaml has no name and version"))?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let name = &metadata.name;
    if name.is_empty() || name.starts_with('.') || name.len() > NAME || !name.bytes().all(is_word) {
        return Err(problem(
            "the name in its Chart.yaml is none of letters, digits, . _ and -",
        ));
    }
    Ok(metadata)
}

/// Helm takes no longer names.
const NAME: usize = 250;

fn read_at_most(from: &mut impl Read, limit: usize, what: &'static str) -> Result<Vec<u8>, Flaw> {
    let mut bytes = Vec::new();
    let past = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(past)
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    if bytes.len() > limit {
        return Err(Flaw::TooLarge {
            what,
            limit: shown(limit),
        });
    }
    Ok(bytes)
}

fn broken(error: &io::Error) -> Flaw {
    match error.kind() {
        io::ErrorKind::FileTooLarge => Flaw::TooLarge {
            what: "unpacked archive",
            limit: shown(UNPACKED_BYTES),
        },
        _ => problem("its archive is no whole tar file compressed with gzip"),
    }
}

fn problem(text: &str) -> Flaw {
    Flaw::Problem(text.to_owned())
}

/// Names of files in a message are cut there.
const SHOWN_NAME: usize = 100;

fn named(name: &[u8], problem: &str) -> Flaw {
    let name: String = String::from_utf8_lossy(name)
        .chars()
        .take(SHOWN_NAME)
        .collect();
    Flaw::Problem(format!("{name:?} in its archive {problem}"))
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
