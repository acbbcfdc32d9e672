//! Plain directories of YAML and JSON: each selected file to its objects, in the order of the files.

use serde_json::Value;

use super::{
    DirectoryOptions, Manifest, RenderError, Rendered,
    key::key_of,
    limits,
    manifest::objects,
    select::{in_repository, select},
    value,
};
use crate::{
    dialect::file_marker::SKIP_FILE,
    documents::{Document, documents},
    git::Tree,
};

/// Renders a plain directory. Reads files: not for async threads.
///
/// # Errors
/// When one document of one file is no Kubernetes object: then nothing of the revision is used.
pub fn directory(tree: &Tree, options: &DirectoryOptions) -> Result<Rendered, RenderError> {
    let selected = select(tree, options)?;
    let mut found = Found::default();
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
        key: key_of(tree, options, &selected),
    })
}

/// What the files read so far hold.
#[derive(Default)]
struct Found {
    manifests: Vec<Manifest>,
    /// The least text that all of it can be written with, aliases written out.
    written: usize,
}

fn render_file(file: &str, text: &str, found: &mut Found) -> Result<(), RenderError> {
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
    found: &mut Found,
) -> Result<(), RenderError> {
    let refused = |line, problem| {
        let (file, document) = (file.to_owned(), document.number);
        RenderError::Manifest {
            file,
            document,
            line,
            problem,
        }
    };
    let value = read.map_err(|error| refused(document.start + error.line - 1, error.problem))?;
    if value.is_null() {
        return Ok(());
    }
    found.written += limits::written(&value);
    if found.written > limits::TOTAL_BYTES {
        return Err(RenderError::Limit {
            what: format!(
                "the size of the manifests up to {file}, with their aliases written out,"
            ),
            limit: limits::total(),
        });
    }
    for object in objects(value).map_err(|problem| refused(document.line, problem))? {
        found.manifests.push(Manifest {
            file: file.to_owned(),
            document: document.number,
            line: document.line,
            object,
        });
    }
    Ok(())
}
