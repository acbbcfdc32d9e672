//! Helm: what a chart is made of, and its templates rendered by the real program.
//! It fetches nothing, installs nothing and asks no cluster.

mod arguments;
mod dependencies;
mod failure;
mod place;
mod unquoted;
mod values;

use std::{fs, io, path::Path, sync::Arc};

use super::{
    Batch, HelmOptions, RenderError, RenderKey, Renderer, Request, Root,
    child::{Scratch, first_line},
    files::{join, scratch as unwritable},
    key::KeyHash,
    output,
    program::{Found, Run},
    value,
};
use crate::{charts::Chart, git::Tree};
use arguments::{BESIDE, NOWHERE, REFERENCES, VALUES};
use place::Place;
use values::Roots;

pub(super) use arguments::kube_version;
pub use dependencies::Dependency;

/// A kubeconfig for a template that asks the cluster: nobody listens there, and no child could reach it.
const KUBECONFIG: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "nowhere",
"clusters": [{"name": "nowhere", "cluster": {"server": "https://127.0.0.1:1"}}],
"contexts": [{"name": "nowhere", "context": {"cluster": "nowhere", "user": "nobody"}}],
"users": [{"name": "nobody", "user": {}}]}"#;

/// A chart to be rendered, ready to run.
pub(super) struct Template {
    program: Found,
    chart: ChartAt,
    arguments: Vec<String>,
    values: String,
    others: Vec<(String, Place)>,
    /// Directories of charts of the same commit that the chart depends on.
    local: Vec<String>,
    dependencies: Vec<Arc<Chart>>,
}

/// Where a chart lies.
struct ChartAt {
    place: Place,
    /// Of a chart that came packed: where it was unpacked, and the archive's digest.
    unpacked: Option<(Scratch, String)>,
    /// From the root of `place`.
    directory: String,
    /// As its own file says.
    name: String,
}

/// The charts that the source needs and that its repositories of charts must be asked for.
///
/// # Errors
/// When the mirror can't be read. A chart that came packed has its dependencies in it.
pub(super) fn needs(tree: &Tree) -> Result<Vec<Dependency>, RenderError> {
    let mut place = Place::in_commit(tree);
    Ok(dependencies::missing(&mut place, tree.path())?.remote)
}

impl Template {
    pub(super) fn prepare(
        renderer: &Renderer,
        request: &Request,
        options: &HelmOptions,
    ) -> Result<Self, RenderError> {
        let mut chart = ChartAt::find(renderer, &request.root)?;
        let missing = dependencies::missing(&mut chart.place, &chart.directory)?;
        refuse_missing(&chart, &missing, &request.dependencies)?;
        let mut local = Vec::new();
        for (_, directory) in missing.local {
            if let Place::Commit(files) = &mut chart.place {
                files.add_below(&directory)?;
            }
            local.push(directory);
        }
        let mut others = others(request)?;
        let expand = |text: &str| request.environment.expand(text, &request.cluster);
        let mut roots = Roots {
            source: &mut chart.place,
            chart: &chart.directory,
            others: &mut others,
        };
        let ignore_missing = options.ignore_missing_value_files;
        let mut found = arguments::Found {
            value_files: roots.value_files(&options.value_files, ignore_missing, expand)?,
            file_parameters: Vec::new(),
        };
        for (name, file) in &options.file_parameters {
            let file = roots.file_parameter(file, expand)?;
            found.file_parameters.push((name.clone(), file));
        }
        Ok(Self {
            program: renderer.helm()?,
            arguments: arguments::arguments(request, options, &chart.directory, &found),
            values: options.values.clone(),
            chart,
            others,
            local,
            dependencies: request.dependencies.clone(),
        })
    }

    /// A hash of the program, of everything it is told, and of everything it may read.
    pub(super) fn key(&self) -> RenderKey {
        let mut hash = KeyHash::of("helm");
        hash.part(&self.program.version);
        hash.parts(self.arguments.iter().map(String::as_str));
        hash.part(&self.values);
        match (&self.chart.unpacked, &self.chart.place) {
            (Some((_, digest)), _) => {
                hash.part(digest);
            }
            (None, Place::Commit(files)) => files.hash_into(&mut hash),
            (None, Place::Disk(_)) => {}
        }
        for (name, place) in &self.others {
            if let Place::Commit(files) = place {
                hash.part(name);
                files.hash_into(&mut hash);
            }
        }
        hash.parts(self.local.iter().map(String::as_str));
        hash.parts(self.dependencies.iter().map(|chart| chart.digest.as_str()));
        hash.key()
    }

    pub(super) fn run(self, renderer: &Renderer) -> Result<Batch, RenderError> {
        let ChartAt {
            place,
            unpacked,
            directory,
            name,
        } = self.chart;
        let scratch = match unpacked {
            Some((scratch, _)) => scratch,
            None => renderer.scratch()?,
        };
        if let Place::Commit(files) = place {
            files.write(&scratch.tree())?;
        }
        for (name, place) in self.others {
            if let Place::Commit(files) = place {
                let folder = scratch.temporary().join(REFERENCES).join(&name);
                fs::create_dir_all(&folder).map_err(|error| unwritable(&name, &error))?;
                files.write(&folder)?;
            }
        }
        let chart = scratch.tree().join(&directory);
        add_dependencies(&scratch, &chart, &self.local, &self.dependencies)
            .map_err(|error| unwritable("charts/", &error))?;
        beside(&scratch, VALUES, &self.values)?;
        beside(&scratch, NOWHERE, KUBECONFIG)?;
        let run = Run {
            landlocked: false,
            runner: renderer.runner(),
            scratch: &scratch,
            directory: "",
            readable: Vec::new(),
            command: "template",
            told: first_line,
        };
        let output = self
            .program
            .run(&run, self.arguments)
            .map_err(|error| without_beside(failure::explained(error, &name, &directory)))?;
        let named = |file: &str| failure::in_repository(file, &name, &directory);
        output::read(output, "helm template", named)
    }
}

impl ChartAt {
    fn find(renderer: &Renderer, root: &Root) -> Result<Self, RenderError> {
        let (mut place, unpacked, directory) = match root {
            Root::Tree(tree) => {
                let mut place = Place::in_commit(tree);
                if let Place::Commit(files) = &mut place {
                    files.add_below(tree.path())?;
                }
                (place, None, tree.path().to_owned())
            }
            Root::Chart(chart) => {
                let scratch = renderer.scratch()?;
                let folder = chart.unpack(&scratch.tree())?;
                let below = folder.strip_prefix(scratch.tree()).ok();
                let directory = below.map(|path| path.to_string_lossy().into_owned());
                let place = Place::on_disk(scratch.tree());
                let unpacked = Some((scratch, chart.digest.clone()));
                (place, unpacked, directory.unwrap_or_default())
            }
        };
        let file = join(&directory, "Chart.yaml");
        let Some(text) = place.read(&file)? else {
            let problem = "is missing, expected a chart".to_owned();
            return Err(RenderError::File { file, problem });
        };
        // What we can't read, helm says what is wrong with.
        let chart = value::yaml(&text).unwrap_or_default();
        let name = chart["name"].as_str();
        Ok(Self {
            name: name.unwrap_or_default().to_owned(),
            place,
            unpacked,
            directory,
        })
    }
}

/// The other sources by their `ref`, none of their files taken along yet.
fn others(request: &Request) -> Result<Vec<(String, Place)>, RenderError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut others = Vec::new();
    for (name, tree) in &request.references {
        if name.is_empty() || !name.chars().all(plain) {
            return Err(RenderError::Option {
                field: "ref".to_owned(),
                problem: format!("{name:?} is no name, expected letters, digits, - and _"),
            });
        }
        others.push((name.clone(), Place::in_commit(tree)));
    }
    Ok(others)
}

fn refuse_missing(
    chart: &ChartAt,
    missing: &dependencies::Missing,
    fetched: &[Arc<Chart>],
) -> Result<(), RenderError> {
    let is_fetched = |name: &String| fetched.iter().any(|chart| chart.name == *name);
    let remote = missing.remote.iter().map(|dependency| &dependency.name);
    let remote = remote.filter(|name| !is_fetched(name));
    let names: Vec<_> = remote.chain(&missing.nowhere).cloned().collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(RenderError::Dependencies {
        file: join(&chart.directory, "Chart.yaml"),
        names,
    })
}

/// Charts of the same commit are copied into `charts/`, fetched ones are put there packed. Helm knows both by what is in them.
fn add_dependencies(
    scratch: &Scratch,
    chart: &Path,
    local: &[String],
    fetched: &[Arc<Chart>],
) -> io::Result<()> {
    let charts = chart.join("charts");
    if !(local.is_empty() && fetched.is_empty()) {
        fs::create_dir_all(&charts)?;
    }
    for (index, directory) in local.iter().enumerate() {
        let from = scratch.tree().join(directory);
        let into = charts.join(format!("local-{index}"));
        // Listed before anything is copied: a chart may depend on one that it lies in.
        for file in place::on_disk(&from) {
            let copy = into.join(&file);
            fs::create_dir_all(copy.parent().unwrap_or(&into))?;
            fs::copy(from.join(&file), copy)?;
        }
    }
    for (index, chart) in fetched.iter().enumerate() {
        fs::write(charts.join(format!("fetched-{index}.tgz")), chart.archive())?;
    }
    Ok(())
}

fn beside(scratch: &Scratch, name: &str, text: &str) -> Result<(), RenderError> {
    fs::write(scratch.temporary().join(name), text).map_err(|error| unwritable(name, &error))
}

/// Files beside the tree are not of the repository; the Application has them.
fn without_beside(error: RenderError) -> RenderError {
    match error {
        RenderError::Program { command, words } => {
            let words = words
                .replace(&format!("{BESIDE}/{VALUES}"), "helm.values")
                .replace(&format!("{BESIDE}/{REFERENCES}/"), "$");
            RenderError::Program { command, words }
        }
        error => error,
    }
}
