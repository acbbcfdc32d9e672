//! The options of a source as arguments of `helm template`, with the precedence that Argo CD gives them.
//! It knows no path of the scratch folder but relative ones.

use super::values::FileAt;
use crate::render::{HelmOptions, HelmParameter, Request};

/// From the tree, where helm runs: files that are not of the repository.
pub(super) const BESIDE: &str = "../tmp";
/// Values of the Application itself, beside the tree.
pub(super) const VALUES: &str = "values.yaml";
/// Where other sources lie, beside the tree.
pub(super) const REFERENCES: &str = "references";
/// A kubeconfig that leads nowhere, beside the tree.
pub(super) const NOWHERE: &str = "nowhere";

/// Files that the arguments name, found before.
pub(super) struct Found {
    pub(super) value_files: Vec<FileAt>,
    /// Names of values, and their files.
    pub(super) file_parameters: Vec<(String, FileAt)>,
}

/// All arguments. `chart` is the chart's directory in the tree.
pub(super) fn arguments(
    request: &Request,
    options: &HelmOptions,
    chart: &str,
    found: &Found,
) -> Vec<String> {
    let mut arguments = Arguments(vec!["template".to_owned()]);
    let environment = &request.environment;
    let or = |set: &str, default: &str| match set {
        "" => default.to_owned(),
        set => set.to_owned(),
    };
    arguments.set(
        "--namespace",
        or(&options.namespace, &environment.namespace),
    );
    arguments.set(
        "--kube-version",
        kube_version(request, &options.kube_version),
    );
    let versions = match options.api_versions.as_slice() {
        [] => &request.cluster.api_versions,
        versions => versions,
    };
    for version in versions {
        arguments.set("--api-versions", version.clone());
    }
    for file in &found.value_files {
        arguments.set("--values", path(file));
    }
    if !options.values.is_empty() {
        arguments.set("--values", format!("{BESIDE}/{VALUES}"));
    }
    for parameter in last_of_each(&options.parameters) {
        let flag = match parameter.force_string {
            true => "--set-string",
            false => "--set",
        };
        let value = environment.expand(&parameter.value, &request.cluster);
        arguments.set(flag, format!("{}={}", parameter.name, escaped(&value)));
    }
    for (name, file) in &found.file_parameters {
        arguments.set("--set-file", format!("{name}={}", escaped(&path(file))));
    }
    arguments.flag("--include-crds", !options.skip_crds);
    arguments.flag("--skip-tests", options.skip_tests);
    arguments.flag("--skip-schema-validation", options.skip_schema_validation);
    if !request.options.empty_lookup {
        // So helm really asks when a template does, and fails there; all else it renders as without.
        arguments.flag("--dry-run=server", true);
        arguments.set("--kubeconfig", format!("{BESIDE}/{NOWHERE}"));
    }
    // A name can only be looked up where there is a network, and there is none; without the flag the answer would be empty.
    arguments.flag("--enable-dns", true);
    arguments.flag("--", true);
    arguments.flag(&or(&options.release_name, &environment.app_name), true);
    arguments.flag(&format!("./{chart}"), true);
    arguments.0
}

struct Arguments(Vec<String>);

impl Arguments {
    fn set(&mut self, flag: &str, value: String) {
        if !value.is_empty() {
            self.0.extend([flag.to_owned(), value]);
        }
    }

    fn flag(&mut self, flag: &str, set: bool) {
        self.0.extend(set.then(|| flag.to_owned()));
    }
}

/// The version that charts are told: without what a vendor adds, which would make a pre-release of it.
pub(in crate::render) fn kube_version(request: &Request, set: &str) -> String {
    match set {
        "" => request.cluster.kube_version.split(['-', '+']).next(),
        set => set.split('+').next(),
    }
    .unwrap_or_default()
    .to_owned()
}

/// Of parameters with the same name and type, the last one counts.
fn last_of_each(parameters: &[HelmParameter]) -> impl Iterator<Item = &HelmParameter> {
    let same =
        |a: &HelmParameter, b: &HelmParameter| a.name == b.name && a.force_string == b.force_string;
    parameters
        .iter()
        .enumerate()
        .filter(move |(at, one)| !parameters[at + 1..].iter().any(|later| same(one, later)))
        .map(|(_, parameter)| parameter)
}

/// A comma would begin another value, unless the value is a list or has it escaped already.
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if c == ',' && !escaped.ends_with('\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn path(file: &FileAt) -> String {
    match &file.other {
        Some(other) => format!("{BESIDE}/{REFERENCES}/{other}/{}", file.path),
        None => format!("./{}", file.path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_escaped_as_argo_cd_does() {
        for (value, expected) in [
            ("a,b", r"a\,b"),
            (r"a\,b", r"a\,b"),
            ("{a,b}", "{a,b}"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(escaped(value), expected);
        }
    }

    #[test]
    fn the_last_parameter_of_a_name_counts() {
        let parameter = |name: &str, value: &str, force_string| HelmParameter {
            name: name.to_owned(),
            value: value.to_owned(),
            force_string,
        };
        let all = [
            parameter("a", "1", false),
            parameter("a", "text", true),
            parameter("b", "2", false),
            parameter("a", "3", false),
        ];
        let values: Vec<_> = last_of_each(&all).map(|one| one.value.as_str()).collect();
        assert_eq!(values, ["text", "2", "3"]);
    }
}
