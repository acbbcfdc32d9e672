//! What a program printed becomes manifests, each named after the file that its program says it is from.
//! It runs no program.

use super::{
    RenderError,
    batch::{Batch, Origin},
    value,
};
use crate::documents::documents;

/// Above each document, `helm` writes which template it is from.
const SOURCE: &str = "# Source: ";

/// What the output holds. `named` gives the file in the repository for one that the program names; a document
/// without a name is from the same file as the one before, and the first from `command`.
pub(super) fn read(
    output: Vec<u8>,
    command: &str,
    named: impl Fn(&str) -> String,
) -> Result<Batch, RenderError> {
    let Ok(output) = String::from_utf8(output) else {
        return Err(RenderError::File {
            file: command.to_owned(),
            problem: "what it wrote is not UTF-8".to_owned(),
        });
    };
    let mut found = Batch::default();
    let mut file = command.to_owned();
    let mut number = 0;
    for document in documents(&output) {
        let source = document
            .text
            .lines()
            .find_map(|line| line.strip_prefix(SOURCE));
        if let Some(source) = source.map(|source| named(source.trim_end()))
            && source != file
        {
            (file, number) = (source, 0);
        }
        number += 1;
        let origin = Origin {
            file: &file,
            document: number,
            line: None,
        };
        let value =
            value::yaml(document.text).map_err(|error| origin.refused(None, error.problem))?;
        found.add(origin, value)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_manifest_is_named_after_the_file_it_is_from() {
        let output = "---\n# Source: web/templates/a.yaml\n{apiVersion: v1, kind: Secret, metadata: {name: a}}\n\
            ---\n{apiVersion: v1, kind: Secret, metadata: {name: b}}\n\
            ---\n# Source: web/templates/empty.yaml\n# nothing\n\
            ---\n# Source: web/templates/c.yaml\n{apiVersion: v1, kind: Secret, metadata: {name: c}}\n";
        let named = |file: &str| file.replacen("web", "charts/web", 1);
        let found = read(output.into(), "helm template", named).unwrap();
        let places: Vec<_> = found
            .manifests
            .iter()
            .map(|manifest| (manifest.file.as_str(), manifest.document, manifest.line))
            .collect();
        assert_eq!(
            places,
            [
                ("charts/web/templates/a.yaml", 1, None),
                ("charts/web/templates/a.yaml", 2, None),
                ("charts/web/templates/c.yaml", 1, None)
            ]
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_file_it_is_from() {
        let output = "---\n# Source: web/templates/a.yaml\nkind: Secret\n";
        let error = read(output.into(), "helm template", str::to_owned).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("web/templates/a.yaml: document 1: "),
            "{error}"
        );
    }
}
