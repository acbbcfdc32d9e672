//! Which files of a directory are manifests. It reads the trees, never a file.

use std::collections::BTreeMap;

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::{DirectoryOptions, RenderError, files::join, limits};
use crate::git::{Entry, EntryKind, Target, Tree};

/// The manifest files of a directory.
pub(super) struct Selected {
    /// Files by their path below the directory, in order; symlinks stand for what they lead to.
    pub(super) files: BTreeMap<String, Entry>,
    /// The symlinks among them: their targets may lie outside the directory, so its id does not cover them.
    pub(super) links: Vec<String>,
}

/// Files that make a directory the root of another kind of source, the one that wins first.
pub(super) const ROOTS: [(&str, &str); 4] = [
    ("kustomization.yaml", KUSTOMIZE),
    ("kustomization.yml", KUSTOMIZE),
    ("Kustomization", KUSTOMIZE),
    ("Chart.yaml", HELM),
];
pub(super) const KUSTOMIZE: &str = "Kustomize";
pub(super) const HELM: &str = "Helm";

/// Finds the files of `tree` that `options` ask for.
pub(super) fn select(tree: &Tree, options: &DirectoryOptions) -> Result<Selected, RenderError> {
    let filter = Filter::new(options)?;
    let mut selected = Selected {
        files: BTreeMap::new(),
        links: Vec::new(),
    };
    let mut bytes = 0;
    for entry in tree.entries(options.recurse)? {
        if !filter.wants(&entry.path) {
            continue;
        }
        refuse_other_sources(tree, &entry)?;
        if !is_manifest(name_of(&entry)) {
            continue;
        }
        let file = match entry.kind {
            EntryKind::File => entry,
            EntryKind::Symlink => {
                selected.links.push(entry.path.clone());
                target_of(tree, &entry)?
            }
        };
        bytes += tree.size(&file)?;
        if bytes > limits::TOTAL_BYTES as u64 {
            return Err(RenderError::Limit {
                what: format!(
                    "the size of the manifests up to {}",
                    in_repository(tree, &file.path)
                ),
                limit: limits::total(),
            });
        }
        selected.files.insert(file.path.clone(), file);
    }
    Ok(selected)
}

/// The path of a file of `tree`, from the root of the repository.
pub(super) fn in_repository(tree: &Tree, path: &str) -> String {
    join(tree.path(), path)
}

fn name_of(entry: &Entry) -> &str {
    entry.path.rsplit('/').next().unwrap_or(&entry.path)
}

fn is_manifest(name: &str) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|extension| name.ends_with(extension))
}

fn refuse_other_sources(tree: &Tree, entry: &Entry) -> Result<(), RenderError> {
    let name = name_of(entry);
    let jsonnet = name.ends_with(".jsonnet").then_some("Jsonnet");
    let kind = jsonnet.or_else(|| {
        ROOTS
            .iter()
            .find(|(root, _)| *root == name)
            .map(|(_, kind)| *kind)
    });
    let file = || in_repository(tree, &entry.path);
    match kind {
        Some("Jsonnet") => Err(RenderError::SourceType {
            kind: "Jsonnet",
            file: file(),
        }),
        Some(kind) => Err(RenderError::OtherSource { kind, file: file() }),
        None => Ok(()),
    }
}

fn target_of(tree: &Tree, link: &Entry) -> Result<Entry, RenderError> {
    let problem = match tree.follow(link)? {
        Target::File(file) => return Ok(file),
        Target::Directory => "is a symlink to a directory, expected one to a file",
        Target::Missing => "is a symlink to a file that does not exist",
        Target::Outside => "is a symlink that leaves the repository",
        Target::Loop => "is a symlink in a loop of symlinks",
    };
    Err(RenderError::File {
        file: in_repository(tree, &link.path),
        problem: problem.to_owned(),
    })
}

struct Filter {
    include: Option<GlobMatcher>,
    exclude: Option<GlobMatcher>,
}

impl Filter {
    fn new(options: &DirectoryOptions) -> Result<Self, RenderError> {
        Ok(Self {
            include: matcher("include", &options.include)?,
            exclude: matcher("exclude", &options.exclude)?,
        })
    }

    fn wants(&self, path: &str) -> bool {
        let excluded = self
            .exclude
            .as_ref()
            .is_some_and(|glob| glob.is_match(path));
        !excluded && self.include.as_ref().is_none_or(|glob| glob.is_match(path))
    }
}

/// Argo CD's globs: `*` and `?` match `/` too, `{a,b}` is a choice, `[a-z]` and `[!a-z]` are classes, `\` escapes.
fn matcher(field: &'static str, glob: &str) -> Result<Option<GlobMatcher>, RenderError> {
    if glob.is_empty() {
        return Ok(None);
    }
    let built: Result<Glob, globset::Error> = GlobBuilder::new(&single_stars(glob))
        .literal_separator(false)
        .backslash_escape(true)
        .empty_alternates(true)
        .build();
    match built {
        Ok(built) => Ok(Some(built.compile_matcher())),
        Err(error) => {
            let problem = error.kind().to_string();
            Err(RenderError::Glob {
                field,
                glob: glob.to_owned(),
                problem,
            })
        }
    }
}

/// Where `*` matches `/` already, `**` means no more; globset would take `**/` for any number of directories.
fn single_stars(glob: &str) -> String {
    let mut single = String::with_capacity(glob.len());
    for c in glob.chars() {
        if c != '*' || !single.ends_with('*') || single.ends_with("\\*") {
            single.push(c);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        matcher("include", glob).unwrap().unwrap().is_match(path)
    }

    #[test]
    fn globs_match_as_argo_cds_do() {
        for (glob, path) in [
            ("*.yaml", "a/b/c.yaml"),
            ("{a.yaml,b.yaml}", "b.yaml"),
            ("{config/*,*.json}", "config/x/y.yaml"),
            ("**/x.yaml", "a/b/x.yaml"),
            ("a?b.yaml", "a/b.yaml"),
            ("[!a]*.yaml", "b.yaml"),
            ("a\\*.yaml", "a*.yaml"),
            ("{env-usw2/*,}", ""),
        ] {
            assert!(matches(glob, path), "{glob} {path}");
        }
        for (glob, path) in [
            ("**/x.yaml", "x.yaml"),
            ("*.yaml", "a.yml"),
            ("[!a]*.yaml", "a.yaml"),
            ("a\\*.yaml", "ab.yaml"),
        ] {
            assert!(!matches(glob, path), "{glob} {path}");
        }
    }

    #[test]
    fn what_is_no_glob_is_refused_with_the_field() {
        let error = matcher("exclude", "{a").unwrap_err().to_string();
        assert!(
            error.starts_with("spec.source.directory.exclude: \"{a\" is no glob: "),
            "{error}"
        );
    }
}
