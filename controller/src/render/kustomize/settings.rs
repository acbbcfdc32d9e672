//! What administrators set about kustomize for all sources: other programs by the names of their versions, and options of `build`.
//! It runs nothing, and it does not know where settings are kept: each says so itself.

use std::collections::BTreeMap;

use crate::render::{KustomizeOptions, RenderError};

/// Options of `build` with a value.
const VALUES: [&str; 2] = ["--load-restrictor", "--reorder"];
/// Those without.
const SWITCHES: [&str; 2] = [CHARTS, "--enable-managedby-label"];
const CHARTS: &str = "--enable-helm";
/// They permit what no render does. Left out, kustomize refuses the kustomizations that would need it, and builds all others.
const PERMISSIONS: [&str; 5] = [
    "--enable-alpha-plugins",
    "--enable-exec",
    "--enable-star",
    "--network",
    "--as-current-user",
];

/// Empty unless somebody set something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KustomizeSettings {
    /// Of sources that name no version.
    pub build_options: Option<Setting>,
    pub versions: BTreeMap<String, KustomizeVersion>,
}

/// Another program, for the sources that name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KustomizeVersion {
    /// Its path.
    pub program: Setting,
    pub build_options: Option<Setting>,
}

/// A value, and where it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    pub place: String,
    pub value: String,
}

/// Options of `kustomize build`, as they were set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BuildOptions {
    pub(super) words: Vec<String>,
    /// Kustomizations may have charts in them.
    pub(super) charts: bool,
}

impl KustomizeSettings {
    /// The program that a source names, if it names one.
    pub(super) fn version(
        &self,
        options: &KustomizeOptions,
    ) -> Result<Option<&KustomizeVersion>, RenderError> {
        let version = options.version.as_str();
        if version.is_empty() {
            return Ok(None);
        }
        let found = self.versions.get(version).map(Some);
        found.ok_or_else(|| RenderError::KustomizeVersion {
            version: version.to_owned(),
            known: self.versions.keys().cloned().collect(),
        })
    }

    /// What is set for `build` of that program.
    pub(super) fn build_options(
        &self,
        options: &KustomizeOptions,
    ) -> Result<BuildOptions, RenderError> {
        let set = match self.version(options)? {
            None => &self.build_options,
            Some(version) => &version.build_options,
        };
        let Some(set) = set else {
            return Ok(BuildOptions::default());
        };
        BuildOptions::parse(&set.value).map_err(|problem| set.error(problem))
    }
}

impl Setting {
    pub(in crate::render) fn error(&self, problem: String) -> RenderError {
        RenderError::Setting {
            place: self.place.clone(),
            problem,
        }
    }
}

impl BuildOptions {
    fn parse(text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            // Kustomize 3 has underscores.
            let flag = name.replace('_', "-");
            let among = |flags: &[&str]| flags.contains(&flag.as_str());
            if among(&VALUES) {
                let value = value.or_else(|| words.next());
                let value = value.ok_or_else(|| format!("{name} has no value"))?;
                options.words.push(format!("{name}={value}"));
            } else if among(&SWITCHES) || among(&PERMISSIONS) {
                match value {
                    Some("false") => {}
                    None | Some("true") if among(&PERMISSIONS) => {}
                    None | Some("true") if flag == CHARTS => options.charts = true,
                    None | Some("true") => options.words.push(name.to_owned()),
                    Some(_) => return Err(format!("found {name} with a value, expected none")),
                }
            } else {
                let known = [&SWITCHES[..], &VALUES].concat().join(", ");
                return Err(format!("found {name}, expected any of {known}"));
            }
        }
        Ok(options)
    }

    /// Whether kustomize is told to leave its own fence around a kustomization open.
    pub(super) fn reach_out(&self) -> bool {
        self.words.iter().any(|word| word.starts_with("--load"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_a_build_are_passed_on_left_out_or_refused() {
        for (text, words, charts) in [
            ("", &[][..], false),
            ("--enable-helm", &[], true),
            (
                " --enable-helm=false\n--reorder none ",
                &["--reorder=none"],
                false,
            ),
            (
                "--load_restrictor none --enable_alpha_plugins --enable-exec=true",
                &["--load_restrictor=none"],
                false,
            ),
            (
                "--enable-managedby-label",
                &["--enable-managedby-label"],
                false,
            ),
        ] {
            let words = words.iter().map(ToString::to_string).collect();
            assert_eq!(
                BuildOptions::parse(text),
                Ok(BuildOptions { words, charts }),
                "{text}"
            );
        }
        for (text, problem) in [
            ("--reorder", "--reorder has no value"),
            (
                "--enable-helm=yes",
                "found --enable-helm with a value, expected none",
            ),
            (
                "--helm-command /bin/sh",
                "found --helm-command, expected any of --enable-helm, --enable-managedby-label, --load-restrictor, --reorder",
            ),
            (
                "--env=TOKEN=hunter2",
                "found --env, expected any of --enable-helm, --enable-managedby-label, --load-restrictor, --reorder",
            ),
            (
                "-o /out",
                "found -o, expected any of --enable-helm, --enable-managedby-label, --load-restrictor, --reorder",
            ),
        ] {
            assert_eq!(BuildOptions::parse(text), Err(problem.to_owned()));
        }
    }
}
