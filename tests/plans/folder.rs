//! The folders of golden plans, and the YAML documents in them.
//! It must not know what a document means.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A document with its file's name, its number in it and its first line.
pub(crate) type Located = (String, (usize, usize), Value);

/// All folders, by name.
pub(crate) fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plans");
    let entries = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// All documents of all files of a folder: file name, document and line, object.
pub(crate) fn documents_in(folder: &Path) -> Vec<Located> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let of_file = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let numbered = documents(file).into_iter().enumerate();
        numbered
            .map(|(index, (line, object))| (name.clone(), (index + 1, line), object))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

/// Documents of one file, each with its first line.
pub(crate) fn documents(file: &Path) -> Vec<(usize, Value)> {
    let Ok(text) = fs::read_to_string(file) else {
        return Vec::new();
    };
    let mut line = 1;
    let mut documents = Vec::new();
    for part in text.split("---\n") {
        let lines = part.lines().count() + 1;
        if !part.trim().is_empty() {
            let object = serde_saphyr::from_str(part)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            documents.push((line, object));
        }
        line += lines;
    }
    documents
}
