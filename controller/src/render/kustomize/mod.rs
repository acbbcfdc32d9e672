//! Kustomize: what a kustomization reads, the commands that change it as the Application says, and its build by the real program.
//! It fetches nothing, and no plugin of a repository ever runs.

mod charts;
mod closure;
mod edits;
mod reasons;
mod references;
mod relocation;
mod remote;
mod settings;

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{
    Batch, KustomizeOptions, RemoteBase, RenderError, RenderKey, Renderer, Request,
    child::Scratch,
    files::{At, Files, join, scratch as unwritable},
    helm::kube_version,
    key::KeyHash,
    output,
    program::{Found, Run},
    select::{KUSTOMIZE, ROOTS},
    value,
};
use crate::git::Tree;
use closure::{Charts, Closure, Located, Part, Place};
use references::Reference;
pub use settings::{KustomizeSettings, KustomizeVersion, Setting};

/// A build, ready to run.
pub(super) struct Build {
    program: Found,
    /// Set when the kustomization has charts in it.
    helm: Option<Found>,
    /// The overlay, from the root of the repository.
    directory: String,
    edits: Vec<Vec<String>>,
    patches: Vec<Value>,
    /// Arguments of `build` behind the directory.
    arguments: Vec<String>,
    landlocked: bool,
    parts: Vec<Part>,
    located: Located,
}

impl Build {
    pub(super) fn prepare(
        renderer: &Renderer,
        request: &Request,
        tree: &Tree,
        options: &KustomizeOptions,
    ) -> Result<Self, RenderError> {
        let closure = closure(renderer, request, tree, options)?;
        let settings = &request.kustomize;
        let program = renderer.kustomize(settings.version(options)?)?;
        let build_options = settings.build_options(options)?;
        let helm = closure.has_charts.then(|| renderer.helm()).transpose()?;
        let expand = |text: &str| request.environment.expand(text, &request.cluster);
        let landlocked = build_options.reach_out();
        let mut arguments = build_options.words;
        if let Some(helm) = &helm {
            arguments.extend(about_charts(options, request, &program, helm));
        }
        let components = located(tree, components(tree, options)?, &closure.located);
        Ok(Self {
            program,
            helm,
            directory: tree.path().to_owned(),
            edits: edits::edits(options, &components, expand),
            patches: options.patches.clone(),
            arguments,
            landlocked,
            parts: closure.parts,
            located: closure.located,
        })
    }

    /// A hash of the program, of everything it is told, and of everything it may read.
    pub(super) fn key(&self) -> RenderKey {
        let mut hash = KeyHash::of("kustomize");
        // Programs of one's own making may all say the same version.
        hash.part(&self.program.path.to_string_lossy())
            .part(&self.program.version)
            .part(&self.directory);
        let helm = self.helm.as_ref().map(|helm| helm.version.as_str());
        hash.part(helm.unwrap_or_default());
        hash.count(self.edits.len());
        for edit in &self.edits {
            hash.parts(edit.iter().map(String::as_str));
        }
        hash.part(&Value::from(self.patches.clone()).to_string());
        hash.parts(self.arguments.iter().map(String::as_str));
        hash.count(self.parts.len());
        for part in &self.parts {
            let base = part.base.iter();
            hash.parts(
                base.flat_map(|base| [&*base.url, &*base.revision])
                    .collect::<Vec<_>>()
                    .into_iter(),
            );
            part.files.hash_into(&mut hash);
        }
        hash.key()
    }

    pub(super) fn run(self, renderer: &Renderer) -> Result<Batch, RenderError> {
        let scratch = renderer.scratch()?;
        let urls: Vec<_> = self
            .parts
            .iter()
            .filter_map(|part| part.base.as_ref().map(RemoteBase::shown))
            .collect();
        relocation::write(self.parts, &scratch)?;
        let command = match self.directory.as_str() {
            "" => "build .".to_owned(),
            directory => format!("build {directory}"),
        };
        let mut run = Run {
            runner: renderer.runner(),
            scratch: &scratch,
            directory: &self.directory,
            readable: Vec::new(),
            landlocked: self.landlocked,
            command: &command,
            told: reasons::told,
        };
        for edit in self.edits {
            self.program.run(&run, edit)?;
        }
        relocation::rewrite(&self.located, &scratch)?;
        patch(&scratch, &self.directory, &self.patches)?;
        run.readable.extend(self.helm.map(|helm| helm.path));
        run.directory = "";
        let directory = match self.directory.as_str() {
            "" => ".",
            directory => directory,
        };
        let arguments = ["build", directory].map(str::to_owned).to_vec();
        let output = self.program.run(&run, [arguments, self.arguments].concat());
        let output = output.map_err(|error| match error {
            RenderError::Program { command, words } => RenderError::Program {
                words: relocation::in_repositories(&words, &urls),
                command,
            },
            error => error,
        })?;
        output::read(output, &format!("kustomize {command}"), str::to_owned)
    }
}

/// Fails where the request does not bring along what the kustomization refers to in other repositories.
pub(super) fn complete(
    renderer: &Renderer,
    request: &Request,
    tree: &Tree,
    options: &KustomizeOptions,
) -> Result<(), RenderError> {
    closure(renderer, request, tree, options).map(drop)
}

/// Whether charts inside the kustomization are allowed.
pub(super) fn may_have_charts(
    renderer: &Renderer,
    request: &Request,
    options: &KustomizeOptions,
) -> Result<bool, RenderError> {
    let set = request.kustomize.build_options(options)?;
    Ok(renderer.kustomize_charts() || set.charts)
}

/// What the kustomization reads, with all that it refers to.
fn closure<'r>(
    renderer: &Renderer,
    request: &'r Request,
    tree: &Tree,
    options: &KustomizeOptions,
) -> Result<Closure<'r>, RenderError> {
    let components = components(tree, options)?.into_iter().map(Reference::Base);
    let patches = options.patches.iter().filter_map(path_of);
    let more: Vec<_> = components.chain(patches.map(Reference::Path)).collect();
    let allowed = may_have_charts(renderer, request, options)?;
    let charts = match (allowed, request.options.empty_lookup) {
        (false, _) => Charts::Refused,
        (true, false) => Charts::WithoutAsking,
        (true, true) => Charts::Allowed,
    };
    let remote = renderer.kustomize_remote_bases().then_some(&request.bases);
    Closure::of(tree, charts, remote, &more)
}

/// Components of the Application by their paths.
fn located(tree: &Tree, components: Vec<String>, located: &Located) -> Vec<String> {
    let Some(by_url) = located.get(&(0, String::new())) else {
        return components;
    };
    let source = Place {
        part: 0,
        path: tree.path().to_owned(),
    };
    let path = |component: String| match by_url.get(&component) {
        Some(place) => relocation::path(&source, place),
        None => component,
    };
    components.into_iter().map(path).collect()
}

/// The components that the Application adds; with `ignoreMissingComponents` those that are there.
fn components(tree: &Tree, options: &KustomizeOptions) -> Result<Vec<String>, RenderError> {
    let mut components = Vec::new();
    for component in &options.components {
        let path = join(tree.path(), component);
        let there = || match Files::of(tree).add(&path)? {
            At::Directory(_) => Ok::<_, RenderError>(true),
            At::File(_) | At::Missing => Ok(false),
        };
        if !options.ignore_missing_components || there()? {
            components.push(component.clone());
        }
    }
    Ok(components)
}

fn path_of(patch: &Value) -> Option<String> {
    patch["path"].as_str().map(str::to_owned)
}

/// What charts inside a kustomization are told of the cluster.
fn about_charts(
    options: &KustomizeOptions,
    request: &Request,
    kustomize: &Found,
    helm: &Found,
) -> Vec<String> {
    let version = kube_version(request, &options.kube_version);
    let versions = match options.api_versions.as_slice() {
        [] => &request.cluster.api_versions,
        versions => versions,
    };
    let mut arguments = vec![
        "--enable-helm".to_owned(),
        "--helm-command".to_owned(),
        helm.path.to_string_lossy().into_owned(),
    ];
    if !tells_of_cluster(&kustomize.version) {
        return arguments;
    }
    if !version.is_empty() {
        arguments.extend(["--helm-kube-version".to_owned(), version]);
    }
    for version in versions {
        arguments.extend(["--helm-api-versions".to_owned(), version.clone()]);
    }
    arguments
}

/// Whether a kustomize of this version passes on to charts what they are told of the cluster: from 5.3 on.
fn tells_of_cluster(version: &str) -> bool {
    let numbers = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (5, 3),
        _ => true,
    }
}

/// Adds the Application's patches to the kustomization; `kustomize edit` has no command for it that takes all of them.
fn patch(scratch: &Scratch, directory: &str, patches: &[Value]) -> Result<(), RenderError> {
    if patches.is_empty() {
        return Ok(());
    }
    let names = ROOTS.iter().filter(|(_, kind)| *kind == KUSTOMIZE);
    let files = names.map(|(name, _)| join(directory, name));
    for file in files {
        let path = scratch.tree().join(&file);
        if path.is_file() {
            return add_patches(&path, &file, patches);
        }
    }
    Ok(())
}

fn add_patches(path: &Path, file: &str, patches: &[Value]) -> Result<(), RenderError> {
    let refused = |problem: String| RenderError::File {
        file: file.to_owned(),
        problem,
    };
    let text = fs::read_to_string(path).map_err(|error| unwritable(file, &error))?;
    let mut kustomization = value::yaml(&text)
        .map_err(|error| refused(format!("line {}: {}", error.line, error.problem)))?;
    if kustomization.is_null() {
        kustomization = json!({});
    }
    let Some(fields) = kustomization.as_object_mut() else {
        return Err(refused("is no object, expected a kustomization".to_owned()));
    };
    let list = fields.entry("patches").or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else {
        return Err(refused("patches is no list".to_owned()));
    };
    list.extend_from_slice(patches);
    fs::write(path, kustomization.to_string()).map_err(|error| unwritable(file, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_kustomize_is_not_told_what_it_has_no_option_for() {
        for (version, tells) in [
            ("v5.8.2", true),
            ("v5.3.0", true),
            ("v5.2.1", false),
            (
                "{Version:kustomize/v4.5.7 GitCommit:56d82a8 BuildDate:2022-08-02}",
                false,
            ),
            ("{Version:kustomize/v3.9.1 GitCommit:7439f1809}", false),
            ("v10.0.0", true),
            ("(devel)", true),
        ] {
            assert_eq!(tells_of_cluster(version), tells, "{version}");
        }
    }
}
