//! Which tool renders a source: the one that it names, else the one whose file lies there; with what its own files change.
//! It runs no tool.

use super::{
    RenderError, Request, Root, SourceOptions, Tool,
    files::{At, Files, join},
    select::{KUSTOMIZE, ROOTS},
};
use crate::{dialect, git::Tree};

/// What renders a source, as `status.sourceType` spells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceType {
    #[default]
    Directory,
    Kustomize,
    Helm,
}

impl SourceType {
    /// `Directory`, `Kustomize` or `Helm`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "Directory",
            Self::Kustomize => "Kustomize",
            Self::Helm => "Helm",
        }
    }
}

/// The files of a source that change its options: for every Application, then for one of this name.
const OVERRIDES: &str = ".argocd-source";

/// The tool of a source with its options, nothing left to detect.
pub(super) fn tool(request: &Request) -> Result<Tool, RenderError> {
    let tree = match &request.root {
        Root::Chart(_) => return of_chart(&request.options),
        Root::Tree(tree) => tree,
    };
    let options = overridden(request, tree)?;
    if options.tool != Tool::Detect {
        return Ok(options.tool);
    }
    for (name, kind) in ROOTS {
        if let At::File(_) = Files::of(tree).add(&join(tree.path(), name))? {
            return Ok(match kind {
                KUSTOMIZE => Tool::Kustomize(Box::default()),
                _ => Tool::Helm(Box::default()),
            });
        }
    }
    Ok(Tool::Directory(super::DirectoryOptions::default()))
}

fn of_chart(options: &SourceOptions) -> Result<Tool, RenderError> {
    match &options.tool {
        Tool::Detect => Ok(Tool::Helm(Box::default())),
        tool @ Tool::Helm(_) => Ok(tool.clone()),
        Tool::Directory(_) | Tool::Kustomize(_) => Err(not_of_helm()),
    }
}

/// A chart has options of another tool.
pub(super) fn not_of_helm() -> RenderError {
    RenderError::Option {
        field: "chart".to_owned(),
        problem: "is rendered by Helm, expected no options of another tool".to_owned(),
    }
}

/// The options of the source, changed as its files say.
fn overridden(request: &Request, tree: &Tree) -> Result<SourceOptions, RenderError> {
    let mut options = request.options.clone();
    if !request.overridable {
        return Ok(options);
    }
    let mut names = vec![format!("{OVERRIDES}.yaml")];
    let app = &request.environment.app_name;
    if !app.is_empty() {
        names.push(format!("{OVERRIDES}-{app}.yaml"));
    }
    for name in names {
        let path = join(tree.path(), &name);
        let mut files = Files::of(tree);
        let At::File(entry) = files.add(&path)? else {
            continue;
        };
        let bytes = files.read(&entry)?;
        let changes = read(&path, &bytes)?;
        options = dialect::changed_options(&options, changes).map_err(|refusals| {
            RenderError::Overrides {
                file: path,
                refusals,
            }
        })?;
    }
    Ok(options)
}

fn read(file: &str, bytes: &[u8]) -> Result<serde_json::Value, RenderError> {
    let text = String::from_utf8_lossy(bytes);
    super::value::yaml(&text).map_err(|error| RenderError::File {
        file: file.to_owned(),
        problem: format!("line {}: {}", error.line, error.problem),
    })
}
