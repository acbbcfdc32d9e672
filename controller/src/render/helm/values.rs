//! Which files `valueFiles` and `fileParameters` mean: paths and globs, of the source or of another source by its `ref`.
//! It reads none of them: `helm` does.

use std::collections::BTreeSet;

use globset::GlobBuilder;

use super::place::Place;
use crate::render::{RenderError, files::join};
use crate::repositories::redacted;

/// Characters that make a glob of a path.
const GLOB: [char; 3] = ['*', '?', '['];

/// Where paths of a source are looked up.
pub(super) struct Roots<'a> {
    /// The source's own files.
    pub(super) source: &'a mut Place,
    /// The chart's directory in it.
    pub(super) chart: &'a str,
    /// Other sources, by their `ref`.
    pub(super) others: &'a mut Vec<(String, Place)>,
}

/// A file, by its root and its path from there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileAt {
    /// The `ref` of the other source; none for the source itself.
    pub(super) other: Option<String>,
    pub(super) path: String,
}

impl Roots<'_> {
    /// The value files in the order in which they win over each other, the last one most. What is listed by itself stands
    /// where it is listed, not where a glob matches it.
    pub(super) fn value_files(
        &mut self,
        listed: &[String],
        ignore_missing: bool,
        expand: impl Fn(&str) -> String,
    ) -> Result<Vec<FileAt>, RenderError> {
        const FIELD: &str = "helm.valueFiles";
        let mut wanted = Vec::new();
        for file in listed {
            wanted.push(self.locate(FIELD, file, &expand)?);
        }
        let explicit: BTreeSet<_> = wanted
            .iter()
            .filter(|file| !is_glob(file))
            .cloned()
            .collect();
        let mut found: Vec<FileAt> = Vec::new();
        for (file, listed) in wanted.into_iter().zip(listed) {
            let matches = match is_glob(&file) {
                true => self.matching(&file)?,
                false => self
                    .present(&file)?
                    .then(|| file.clone())
                    .into_iter()
                    .collect(),
            };
            if matches.is_empty() && !ignore_missing {
                return Err(option(FIELD, listed, "is not in the repository"));
            }
            for one in matches {
                let elsewhere = is_glob(&file) && explicit.contains(&one);
                if !elsewhere && !found.contains(&one) {
                    found.push(one);
                }
            }
        }
        Ok(found)
    }

    /// The file of a file parameter.
    pub(super) fn file_parameter(
        &mut self,
        file: &str,
        expand: impl Fn(&str) -> String,
    ) -> Result<FileAt, RenderError> {
        const FIELD: &str = "helm.fileParameters";
        let at = self.locate(FIELD, file, &expand)?;
        match self.present(&at)? {
            true => Ok(at),
            false => Err(option(FIELD, file, "is not in the repository")),
        }
    }

    /// Which root, and the path from there. A path with `/` in front is one from the root of the repository.
    fn locate(
        &self,
        field: &str,
        file: &str,
        expand: &impl Fn(&str) -> String,
    ) -> Result<FileAt, RenderError> {
        let (other, path) = match self.reference(file) {
            Some((name, path)) => (Some(name), expand(path)),
            None => (None, expand(file)),
        };
        if other.is_none() && path.contains("://") {
            return Err(option(
                field,
                file,
                "is not in the repository, and remote files are never fetched",
            ));
        }
        let base = match other.is_none() && !path.starts_with('/') {
            true => self.chart,
            false => "",
        };
        match clean(base, &path) {
            Some(path) => Ok(FileAt { other, path }),
            None => Err(option(field, file, "leaves the repository")),
        }
    }

    /// The `ref` that a path begins with, and what follows it. A variable of the build environment is none.
    fn reference<'f>(&self, file: &'f str) -> Option<(String, &'f str)> {
        let (name, path) = file.strip_prefix('$')?.split_once('/')?;
        let known = self.others.iter().any(|(known, _)| known == name);
        known.then(|| (name.to_owned(), path))
    }

    fn place(&mut self, file: &FileAt) -> &mut Place {
        let other = self
            .others
            .iter_mut()
            .find(|(name, _)| Some(name) == file.other.as_ref());
        match other {
            Some((_, place)) => place,
            None => self.source,
        }
    }

    fn present(&mut self, file: &FileAt) -> Result<bool, RenderError> {
        self.place(file).has_file(&file.path)
    }

    /// The files that a glob matches, sorted.
    fn matching(&mut self, glob: &FileAt) -> Result<Vec<FileAt>, RenderError> {
        let built = GlobBuilder::new(&glob.path)
            .literal_separator(true)
            .backslash_escape(true)
            .empty_alternates(true)
            .build();
        let matcher = built
            .map_err(|error| {
                let problem = format!("is no glob: {}", error.kind());
                option("helm.valueFiles", &glob.path, &problem)
            })?
            .compile_matcher();
        let before = glob.path.find(GLOB).unwrap_or(glob.path.len());
        let directory = glob.path[..before]
            .rsplit_once('/')
            .map_or("", |(above, _)| above);
        let place = self.place(glob);
        let mut found = Vec::new();
        for path in place.files_below(directory)? {
            let path = join(directory, &path);
            if matcher.is_match(&path) && place.has_file(&path)? {
                found.push(path);
            }
        }
        found.sort_by(|a, b| a.split('/').cmp(b.split('/')));
        let at = |path| FileAt {
            other: glob.other.clone(),
            path,
        };
        Ok(found.into_iter().map(at).collect())
    }
}

fn is_glob(file: &FileAt) -> bool {
    file.path.contains(GLOB)
}

/// A path is told as it is, a URL without its secrets.
fn option(field: &str, value: &str, problem: &str) -> RenderError {
    let value = match value.contains("://") {
        true => &redacted(value),
        false => value,
    };
    RenderError::Option {
        field: field.to_owned(),
        problem: format!("{value:?} {problem}"),
    }
}

/// `path` below `base` without `.` and `..`; none when it leaves the root.
pub(super) fn clean(base: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A source with these files, and another by the `ref` `values`.
    fn resolve(listed: &[&str], ignore_missing: bool) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str, files: &[&str]| {
            for file in files {
                let path = folder.path().join(name).join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
            Place::on_disk(folder.path().join(name))
        };
        let mut source = place(
            "source",
            &[
                "web/values.yaml",
                "web/env/a.yaml",
                "web/env/b.yaml",
                "web/env/deep/c.yaml",
                "common.yaml",
            ],
        );
        let mut others = vec![(
            "values".to_owned(),
            place("other", &["prod.yaml", "shop/x.yaml"]),
        )];
        let mut roots = Roots {
            source: &mut source,
            chart: "web",
            others: &mut others,
        };
        let listed: Vec<_> = listed.iter().map(|&file| file.to_owned()).collect();
        let expand = |text: &str| text.replace("$ARGOCD_APP_NAME", "shop");
        let found = roots
            .value_files(&listed, ignore_missing, expand)
            .map_err(|error| error.to_string())?;
        let shown = |file: FileAt| match file.other {
            Some(other) => format!("{other}:{}", file.path),
            None => file.path,
        };
        Ok(found.into_iter().map(shown).collect())
    }

    #[test]
    fn value_files_are_of_the_chart_the_repository_or_another_source() {
        for (listed, found) in [
            (
                &["values.yaml", "../common.yaml"][..],
                &["web/values.yaml", "common.yaml"][..],
            ),
            (&["/common.yaml"], &["common.yaml"]),
            (&["$values/prod.yaml"], &["values:prod.yaml"]),
            (
                &["$values/$ARGOCD_APP_NAME/x.yaml"],
                &["values:shop/x.yaml"],
            ),
            (&["env/*.yaml"], &["web/env/a.yaml", "web/env/b.yaml"]),
            (
                &["env/**/*.yaml"],
                &["web/env/a.yaml", "web/env/b.yaml", "web/env/deep/c.yaml"],
            ),
            (
                &["env/*.yaml", "env/a.yaml"],
                &["web/env/b.yaml", "web/env/a.yaml"],
            ),
            (&["env/a.yaml", "env/a.yaml"], &["web/env/a.yaml"]),
        ] {
            assert_eq!(resolve(listed, false).unwrap(), found, "{listed:?}");
        }
    }

    #[test]
    fn a_value_file_that_is_not_there_is_named_or_ignored() {
        for (listed, problem) in [
            ("no.yaml", "is not in the repository"),
            ("no/*.yaml", "is not in the repository"),
            ("../../x.yaml", "leaves the repository"),
            ("$values/../x.yaml", "leaves the repository"),
            (
                "https://example.org/v.yaml",
                "is not in the repository, and remote files are never fetched",
            ),
        ] {
            let error = resolve(&[listed], false).unwrap_err();
            assert_eq!(error, format!("helm.valueFiles: {listed:?} {problem}"));
        }
        for listed in ["no.yaml", "no/*.yaml", "$values/no.yaml"] {
            assert!(resolve(&[listed], true).unwrap().is_empty(), "{listed}");
        }
    }
}
