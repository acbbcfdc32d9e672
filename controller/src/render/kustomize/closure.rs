//! Which files of a commit a kustomization reads, found by following what it refers to; and what it must not refer to.
//! It renders nothing: whether a kustomization makes sense is for `kustomize` to say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::references::{Reference, references};
use super::{charts, remote};
use crate::{
    git::{Entry, Tree, redacted},
    render::{
        RemoteBase, RenderError,
        files::{At, Files, join},
        select::{KUSTOMIZE, ROOTS},
        value,
    },
};

/// Kustomizations of one source; one that includes itself is for `kustomize` to refuse.
const KUSTOMIZATIONS: usize = 10_000;
/// Bases in other repositories of one source: each is a fetch.
const BASES: usize = 50;

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

/// A directory of one of the repositories that a build reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Which repository: an index of [`Closure::parts`].
    pub(super) part: usize,
    /// From its root, without links.
    pub(super) path: String,
}

/// What a build reads of one repository.
#[derive(Debug)]
pub(super) struct Part {
    /// None for the source itself.
    pub(super) base: Option<RemoteBase>,
    pub(super) files: Files,
}

/// Where bases by URL are, by who names them: the repository and file of a kustomization, and the URL as it is written there.
/// The Application's own options are no file.
pub(super) type Located = BTreeMap<(usize, String), BTreeMap<String, Place>>;

/// Reads kustomizations, each once.
pub(super) struct Closure<'a> {
    /// The source is the first.
    pub(super) parts: Vec<Part>,
    pub(super) located: Located,
    /// What was fetched of other repositories; none where they are not allowed.
    remote: Option<&'a BTreeMap<RemoteBase, Tree>>,
    charts: Charts,
    known: BTreeSet<Place>,
    left: Vec<Place>,
    /// Whether any of them has charts.
    pub(super) has_charts: bool,
}

/// The file that refers to something, and its text; none where the Application does.
type Within<'a> = Option<(&'a str, &'a str)>;

impl<'a> Closure<'a> {
    /// Everything that the kustomization in the directory `tree` reads, with further components and patches of the Application.
    pub(super) fn of(
        tree: &Tree,
        charts: Charts,
        remote: Option<&'a BTreeMap<RemoteBase, Tree>>,
        more: &[Reference],
    ) -> Result<Self, RenderError> {
        let source = Place {
            part: 0,
            path: tree.path().to_owned(),
        };
        let mut closure = Self {
            parts: vec![Part {
                base: None,
                files: Files::of(tree),
            }],
            located: Located::new(),
            remote,
            charts,
            known: BTreeSet::from([source.clone()]),
            left: vec![source.clone()],
            has_charts: false,
        };
        for reference in more {
            closure.follow(&source, reference, None)?;
        }
        while let Some(place) = closure.left.pop() {
            let read = closure.read(&place);
            read.map_err(|error| match &closure.parts[place.part].base {
                Some(base) => error.within(|file| base.at(file)),
                None => error,
            })?;
            if closure.known.len() > KUSTOMIZATIONS {
                return Err(RenderError::Limit {
                    what: "the number of kustomizations of the source".to_owned(),
                    limit: KUSTOMIZATIONS.to_string(),
                });
            }
        }
        Ok(closure)
    }

    fn files(&mut self, at: &Place) -> &mut Files {
        &mut self.parts[at.part].files
    }

    fn read(&mut self, at: &Place) -> Result<(), RenderError> {
        let names = ROOTS.iter().filter(|(_, kind)| *kind == KUSTOMIZE);
        for (name, _) in names {
            let file = join(&at.path, name);
            let files = self.files(at);
            let At::File(entry) = files.add(&file)? else {
                continue;
            };
            let bytes = files.read(&entry)?;
            let text = String::from_utf8_lossy(&bytes);
            match value::yaml(&text) {
                Ok(kustomization) => self.follow_all(at, &file, &text, &kustomization)?,
                // What we can't read, kustomize may, or it says better why not.
                Err(_) => self.files(at).add_everything()?,
            }
        }
        Ok(())
    }

    fn follow_all(
        &mut self,
        at: &Place,
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
            self.follow(at, &reference, Some((file, text)))?;
        }
        Ok(())
    }

    /// Takes along what a kustomization refers to.
    fn follow(
        &mut self,
        at: &Place,
        reference: &Reference,
        within: Within<'_>,
    ) -> Result<(), RenderError> {
        match reference {
            Reference::Unknown => self.files(at).add_everything()?,
            Reference::Base(path) => {
                if !self.add(at, path, within)? {
                    self.follow_url(at, path, within)?;
                }
            }
            Reference::Path(path) => {
                if !self.add(at, path, within)? && remote::is_url(path) {
                    return Err(remote_file(path, within));
                }
            }
            Reference::Variables(path) => {
                self.follow(at, &Reference::Path(path.clone()), within)?;
                if let At::File(entry) = self.files(at).add(&join(&at.path, path))? {
                    self.refuse_variables(at, &entry)?;
                }
            }
            Reference::Chart { name, folders } => {
                let mut found = false;
                for folder in folders {
                    let folder = join(&at.path, folder);
                    if self.files(at).add_below(&folder)? {
                        found = true;
                        self.refuse_asking(at, &folder)?;
                    }
                }
                if !found {
                    return Err(missing_chart(name, &folders[0], within));
                }
            }
        }
        Ok(())
    }

    /// Takes along a base in another repository. What is no URL either, kustomize says is missing, but for what it had better not quote.
    fn follow_url(
        &mut self,
        at: &Place,
        reference: &str,
        within: Within<'_>,
    ) -> Result<(), RenderError> {
        let Some((base, directory)) = remote::parse(reference) else {
            return match (remote::is_url(reference), redacted(reference)) {
                (true, _) => Err(remote_file(reference, within)),
                (false, shown) if shown != reference => Err(missing(
                    format!("{shown} is neither in the repository nor a URL of another"),
                    within,
                )),
                (false, _) => Ok(()),
            };
        };
        if remote::is_file(&directory) {
            return Err(remote_file(reference, within));
        }
        let Some(fetched) = self.remote else {
            let (file, line) = position(reference, within);
            return Err(RenderError::RemoteBase {
                file,
                line,
                reference: redacted(reference),
            });
        };
        let Some(tree) = fetched.get(&base) else {
            return Err(RenderError::LacksBase(Box::new(base)));
        };
        let part = self.part(base, tree)?;
        let At::Directory(tree) = self.parts[part].files.add(&directory)? else {
            let shown = redacted(reference);
            return Err(missing(
                format!("{shown} is no directory of its repository"),
                within,
            ));
        };
        let place = Place {
            part,
            path: tree.path().to_owned(),
        };
        self.visit(&place);
        let file = within.map_or_else(String::new, |(file, _)| file.to_owned());
        let named = self.located.entry((at.part, file)).or_default();
        named.insert(reference.to_owned(), place);
        Ok(())
    }

    fn part(&mut self, base: RemoteBase, tree: &Tree) -> Result<usize, RenderError> {
        let known = self
            .parts
            .iter()
            .position(|part| part.base.as_ref() == Some(&base));
        if let Some(known) = known {
            return Ok(known);
        }
        if self.parts.len() > BASES {
            return Err(RenderError::Limit {
                what: "the number of remote bases of the source".to_owned(),
                limit: BASES.to_string(),
            });
        }
        self.parts.push(Part {
            base: Some(base),
            files: Files::of(tree),
        });
        Ok(self.parts.len() - 1)
    }

    fn visit(&mut self, place: &Place) {
        if self.known.insert(place.clone()) {
            self.left.push(place.clone());
        }
    }

    fn refuse_asking(&self, at: &Place, chart: &str) -> Result<(), RenderError> {
        if self.charts == Charts::Allowed {
            return Ok(());
        }
        let files = &self.parts[at.part].files;
        for (path, entry) in files.below(chart)? {
            if !path.contains("/templates/") {
                continue;
            }
            let template = files.read(entry)?;
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
    fn refuse_variables(&self, at: &Place, entry: &Entry) -> Result<(), RenderError> {
        let text = self.parts[at.part].files.read(entry)?;
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

    /// Whether there is such a file or directory, or nothing to look for. A directory is one more kustomization.
    fn add(&mut self, at: &Place, path: &str, within: Within<'_>) -> Result<bool, RenderError> {
        // An inline text is no path.
        if path.contains('\n') {
            return Ok(true);
        }
        if path.starts_with('/') {
            let (file, _) = within.unwrap_or((APPLICATION, ""));
            return Err(RenderError::File {
                file: file.to_owned(),
                problem: format!("{path} is an absolute path, expected one in the repository"),
            });
        }
        if path.contains("://") {
            return Ok(false);
        }
        match self.files(at).add(&join(&at.path, path))? {
            At::File(_) => Ok(true),
            At::Directory(tree) => {
                self.visit(&Place {
                    part: at.part,
                    path: tree.path().to_owned(),
                });
                Ok(true)
            }
            At::Missing => Ok(false),
        }
    }
}

/// Where a reference is written: the file, and the line from 1.
fn position(reference: &str, within: Within<'_>) -> (String, Option<usize>) {
    match within {
        Some((file, text)) => {
            let line = text.lines().position(|line| line.contains(reference));
            (file.to_owned(), line.map(|line| line + 1))
        }
        None => (APPLICATION.to_owned(), None),
    }
}

fn remote_file(reference: &str, within: Within<'_>) -> RenderError {
    let (file, line) = position(reference, within);
    RenderError::RemoteFile {
        file,
        line,
        reference: redacted(reference),
    }
}

/// Nothing is where a reference points to.
fn missing(problem: String, within: Within<'_>) -> RenderError {
    let (file, _) = within.unwrap_or((APPLICATION, ""));
    RenderError::File {
        file: file.to_owned(),
        problem,
    }
}

fn missing_chart(name: &str, folder: &str, within: Within<'_>) -> RenderError {
    RenderError::File {
        file: within.map_or_else(String::new, |(file, _)| file.to_owned()),
        problem: format!("the chart {name} is not in the repository, expected it in {folder}"),
    }
}
