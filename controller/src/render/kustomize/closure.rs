//! Which files of a commit a kustomization reads, found by following what it refers to; and what it must not refer to.
//! It renders nothing: whether a kustomization makes sense is for `kustomize` to say.

use std::collections::BTreeSet;

use serde_json::Value;

use super::charts;
use super::references::{Reference, is_remote, references};
use crate::{
    git::{Entry, Tree, redacted},
    render::{
        RenderError,
        files::{At, Files, join},
        select::{KUSTOMIZE, ROOTS},
        value,
    },
};

/// Kustomizations of one source; one that includes itself is for `kustomize` to refuse.
const KUSTOMIZATIONS: usize = 10_000;

/// What refers to files when no kustomization does.
const APPLICATION: &str = "the options of kustomize";

/// What of charts in kustomizations is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charts {
    Refused,
    /// Those whose templates ask nobody.
    WithoutAsking,
    Allowed,
}

/// Reads kustomizations, each once.
pub(super) struct Closure {
    pub(super) files: Files,
    charts: Charts,
    /// Directories by their paths without links.
    known: BTreeSet<String>,
    left: Vec<String>,
    /// Whether any of them has charts.
    pub(super) has_charts: bool,
}

impl Closure {
    /// Everything that the kustomization in the directory `tree` reads, with further components and patches of the Application.
    pub(super) fn of(tree: &Tree, charts: Charts, more: &[Reference]) -> Result<Self, RenderError> {
        let mut closure = Self {
            files: Files::of(tree),
            charts,
            known: BTreeSet::from([tree.path().to_owned()]),
            left: vec![tree.path().to_owned()],
            has_charts: false,
        };
        for reference in more {
            closure.follow(tree.path(), reference, None)?;
        }
        while let Some(directory) = closure.left.pop() {
            closure.read(&directory)?;
            if closure.known.len() > KUSTOMIZATIONS {
                return Err(RenderError::Limit {
                    what: "the number of kustomizations of the source".to_owned(),
                    limit: KUSTOMIZATIONS.to_string(),
                });
            }
        }
        Ok(closure)
    }

    fn read(&mut self, directory: &str) -> Result<(), RenderError> {
        let names = ROOTS.iter().filter(|(_, kind)| *kind == KUSTOMIZE);
        for (name, _) in names {
            let file = join(directory, name);
            let At::File(entry) = self.files.add(&file)? else {
                continue;
            };
            let bytes = self.files.read(&entry)?;
            let text = String::from_utf8_lossy(&bytes);
            match value::yaml(&text) {
                Ok(kustomization) => self.follow_all(directory, &file, &text, &kustomization)?,
                // What we can't read, kustomize may, or it says better why not.
                Err(_) => self.files.add_everything()?,
            }
        }
        Ok(())
    }

    fn follow_all(
        &mut self,
        directory: &str,
        file: &str,
        text: &str,
        kustomization: &Value,
    ) -> Result<(), RenderError> {
        for reference in references(kustomization) {
            if let Reference::Chart { .. } = reference {
                self.has_charts = true;
                if self.charts == Charts::Refused {
                    let file = file.to_owned();
                    return Err(RenderError::ChartInKustomization { file });
                }
            }
            self.follow(directory, &reference, Some((file, text)))?;
        }
        Ok(())
    }

    /// Takes along what a kustomization in `directory` refers to; `within` is its file and text, unless the Application refers to it.
    fn follow(
        &mut self,
        directory: &str,
        reference: &Reference,
        within: Option<(&str, &str)>,
    ) -> Result<(), RenderError> {
        match reference {
            Reference::Unknown => self.files.add_everything()?,
            Reference::Variables(path) => {
                self.follow(directory, &Reference::Path(path.clone()), within)?;
                if let At::File(entry) = self.files.add(&join(directory, path))? {
                    self.refuse_variables(&entry)?;
                }
            }
            Reference::Path(path) => {
                if !self.add(directory, path, within)? && is_remote(path) {
                    return Err(remote(path, within));
                }
            }
            Reference::Chart { name, folders } => {
                let mut found = false;
                for folder in folders {
                    let folder = join(directory, folder);
                    if self.files.add_below(&folder)? {
                        found = true;
                        self.refuse_asking(&folder)?;
                    }
                }
                if !found {
                    return Err(missing_chart(name, &folders[0], within));
                }
            }
        }
        Ok(())
    }

    fn refuse_asking(&self, chart: &str) -> Result<(), RenderError> {
        if self.charts == Charts::Allowed {
            return Ok(());
        }
        for (path, entry) in self.files.below(chart)? {
            if !path.contains("/templates/") {
                continue;
            }
            let template = self.files.read(entry)?;
            if let Some((function, line)) = charts::asks(&String::from_utf8_lossy(&template)) {
                return Err(RenderError::Asked {
                    file: format!("{path}:{line}"),
                    function,
                });
            }
        }
        Ok(())
    }

    /// A name without a value stands for a variable of the environment, and a render has none.
    fn refuse_variables(&self, entry: &Entry) -> Result<(), RenderError> {
        let text = self.files.read(entry)?;
        let text = String::from_utf8_lossy(&text);
        let is_variable = |line: &str| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#') && !line.contains('=')
        };
        match text.lines().position(is_variable) {
            None => Ok(()),
            Some(line) => Err(RenderError::File {
                file: entry.path.clone(),
                problem: format!(
                    "line {}: takes its value from the environment, expected NAME=VALUE",
                    line + 1
                ),
            }),
        }
    }

    /// Whether there is such a file or directory. A directory is one more kustomization.
    fn add(
        &mut self,
        directory: &str,
        path: &str,
        within: Option<(&str, &str)>,
    ) -> Result<bool, RenderError> {
        // An inline text is no path.
        if path.contains('\n') {
            return Ok(false);
        }
        if path.starts_with('/') {
            let (file, _) = within.unwrap_or((APPLICATION, ""));
            return Err(RenderError::File {
                file: file.to_owned(),
                problem: format!("{path} is an absolute path, expected one in the repository"),
            });
        }
        if path.contains("://") {
            return Err(remote(path, within));
        }
        match self.files.add(&join(directory, path))? {
            At::File(_) => Ok(true),
            At::Directory(tree) => {
                if self.known.insert(tree.path().to_owned()) {
                    self.left.push(tree.path().to_owned());
                }
                Ok(true)
            }
            At::Missing => Ok(false),
        }
    }
}

fn remote(reference: &str, within: Option<(&str, &str)>) -> RenderError {
    let (file, line) = match within {
        Some((file, text)) => {
            let line = text.lines().position(|line| line.contains(reference));
            (file.to_owned(), line.map(|line| line + 1))
        }
        None => (APPLICATION.to_owned(), None),
    };
    RenderError::Remote {
        file,
        line,
        reference: redacted(reference),
    }
}

fn missing_chart(name: &str, folder: &str, within: Option<(&str, &str)>) -> RenderError {
    RenderError::File {
        file: within.map_or_else(String::new, |(file, _)| file.to_owned()),
        problem: format!("the chart {name} is not in the repository, expected it in {folder}"),
    }
}
