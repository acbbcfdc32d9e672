//! Plain directories of YAML and JSON: each selected file to its objects, in the order of the files.

use std::sync::Arc;

use serde_json::Value;

use super::{
    DirectoryOptions, RenderError, RenderKey, Rendered, SourceType,
    batch::{Batch, Origin},
    key, limits,
    select::{in_repository, select},
    value,
};
use crate::{
    dialect::file_marker::SKIP_FILE,
    documents::{Document, documents},
    git::{Entry, Tree},
    in_use::InUse,
};

/// What is in files, by their paths in the repository and the Git object ids of their contents.
pub(super) type Files = InUse<(String, String), Batch>;

/// The key that [`render`] would give, without reading a manifest.
pub(super) fn key(tree: &Tree, options: &DirectoryOptions) -> Result<RenderKey, RenderError> {
    Ok(key::of_directory(tree, options, &select(tree, options)?))
}

/// Renders a plain directory. When one document of one file is no Kubernetes object, nothing of the revision is used.
/// Files that a render in use was made from are not read again.
pub(super) fn render(
    tree: &Tree,
    options: &DirectoryOptions,
    known: &Files,
) -> Result<Rendered, RenderError> {
    let selected = select(tree, options)?;
    let mut batches = Vec::with_capacity(selected.files.len());
    let mut written = 0;
    for (path, entry) in &selected.files {
        let name = in_repository(tree, path);
        let key = (name.clone(), entry.id());
        let batch = match known.find(&key) {
            Some(batch) => batch,
            None => {
                let batch = Arc::new(read(tree, entry, &name)?);
                known.add(key, &batch);
                batch
            }
        };
        written += batch.written;
        limits::hold(written, &name)?;
        batches.push(batch);
    }
    Ok(Rendered {
        batches,
        key: key::of_directory(tree, options, &selected),
        source_type: SourceType::Directory,
    })
}

fn read(tree: &Tree, entry: &Entry, name: &str) -> Result<Batch, RenderError> {
    let bytes = tree.read(entry)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(RenderError::File {
            file: name.to_owned(),
            problem: "is not UTF-8".to_owned(),
        });
    };
    let mut batch = Batch::default();
    parse(
        name,
        text.strip_prefix('\u{feff}').unwrap_or(text),
        &mut batch,
    )?;
    Ok(batch)
}

fn parse(file: &str, text: &str, found: &mut Batch) -> Result<(), RenderError> {
    if file.ends_with(".json") {
        let document = Document {
            number: 1,
            start: 1,
            line: 1,
            text,
        };
        return add(file, &document, value::json(text), found);
    }
    if text.contains(SKIP_FILE) {
        return Ok(());
    }
    for document in documents(text) {
        add(file, &document, value::yaml(document.text), found)?;
    }
    Ok(())
}

fn add(
    file: &str,
    document: &Document<'_>,
    read: Result<Value, value::Unreadable>,
    found: &mut Batch,
) -> Result<(), RenderError> {
    let origin = Origin {
        file,
        document: document.number,
        line: Some(document.line),
    };
    let value = read.map_err(|error| {
        let line = document.start + error.line - 1;
        origin.refused(Some(line), error.problem)
    })?;
    found.add(origin, value)
}
