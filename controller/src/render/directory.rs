//! Plain directories of YAML and JSON: each selected file to its objects, in the order of the files.

use serde_json::Value;

use super::{
    DirectoryOptions, RenderError, RenderKey, Rendered, SourceType,
    collect::{Collected, Origin},
    key,
    select::{in_repository, select},
    value,
};
use crate::{
    dialect::file_marker::SKIP_FILE,
    documents::{Document, documents},
    git::Tree,
};

/// The key that [`render`] would give, without reading a manifest.
pub(super) fn key(tree: &Tree, options: &DirectoryOptions) -> Result<RenderKey, RenderError> {
    Ok(key::of_directory(tree, options, &select(tree, options)?))
}

/// Renders a plain directory. When one document of one file is no Kubernetes object, nothing of the revision is used.
pub(super) fn render(tree: &Tree, options: &DirectoryOptions) -> Result<Rendered, RenderError> {
    let selected = select(tree, options)?;
    let mut found = Collected::default();
    for (path, entry) in &selected.files {
        let name = in_repository(tree, path);
        let bytes = tree.read(entry)?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return Err(RenderError::File {
                file: name,
                problem: "is not UTF-8".to_owned(),
            });
        };
        render_file(
            &name,
            text.strip_prefix('\u{feff}').unwrap_or(text),
            &mut found,
        )?;
    }
    Ok(Rendered {
        manifests: found.manifests,
        key: key::of_directory(tree, options, &selected),
        source_type: SourceType::Directory,
    })
}

fn render_file(file: &str, text: &str, found: &mut Collected) -> Result<(), RenderError> {
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
    found: &mut Collected,
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
