//! Why a source does not render: file, document and line where they are known, and what was expected.

use super::{BuildEnvironment, RemoteBase, child::ChildError};
use crate::{charts::ChartError, dialect::Refusal, git::GitError, repositories::redacted};

/// Why a source does not render. Nothing of such a revision is applied, and nothing is pruned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A document that is no Kubernetes object. What a program writes has no lines of a file.
    #[error("{file}: document {document}{}: {problem}", at_line(*line))]
    Manifest {
        file: String,
        document: usize,
        line: Option<usize>,
        problem: String,
    },
    /// A variable in an object that has no value, or none that may stand there.
    #[error("{file}: document {document}{}: {object}: {field}: {problem}", at_line(*line))]
    Variable {
        file: String,
        document: usize,
        line: Option<usize>,
        object: String,
        field: String,
        problem: String,
    },
    /// A file that can't be used at all.
    #[error("{file}: {problem}")]
    File { file: String, problem: String },
    /// A kind of source that another release will support, known by a file of it.
    #[error("not supported yet: source type {kind}: found {file}")]
    SourceType { kind: &'static str, file: String },
    /// A directory of plain manifests has a directory of another tool in it.
    #[error("{file} is of {kind}, expected plain manifests only")]
    OtherSource { kind: &'static str, file: String },
    /// `include` or `exclude` is no glob.
    #[error("spec.source.directory.{field}: {glob:?} is no glob: {problem}")]
    Glob {
        field: &'static str,
        glob: String,
        problem: String,
    },
    /// An option that does not fit to what lies at the source.
    #[error("{field}: {problem}")]
    Option { field: String, problem: String },
    /// A file of the source changes options, and what it says is not accepted.
    #[error("{file}: {}", joined(refusals))]
    Overrides {
        file: String,
        refusals: Vec<Refusal>,
    },
    /// A kustomization with a base in another repository.
    #[error("{file}{}: {reference} is not in the repository, and remote bases are not allowed", at(*line))]
    RemoteBase {
        file: String,
        line: Option<usize>,
        reference: String,
    },
    /// A kustomization with a URL where no base stands, or that of a file.
    #[error("{file}{}: {reference} is not in the repository, and files are never fetched by their URL", at(*line))]
    RemoteFile {
        file: String,
        line: Option<usize>,
        reference: String,
    },
    /// A base in another repository is allowed and not there yet; see [`super::Request::bases`].
    #[error("remote base {_0} is not fetched")]
    LacksBase(Box<RemoteBase>),
    /// A kustomization with charts in it.
    #[error("{file}: helmCharts is not allowed: expected --kustomize-enable-helm")]
    ChartInKustomization { file: String },
    /// A template asked the cluster.
    #[error(
        "{file}: the template function {function} asks {}, which no render does",
        asked_by(function)
    )]
    Asked {
        file: String,
        function: &'static str,
    },
    /// Charts that a chart is made of are neither in the repository nor fetched.
    #[error("{file}: the chart depends on {}, which is not there", names.join(", "))]
    Dependencies { file: String, names: Vec<String> },
    /// The program worked and refused its input; its own first words, with paths of the repository.
    #[error("{command} failed: {words}")]
    Program { command: String, words: String },
    /// The same, where its words may hold values of the input.
    #[error("{command} failed, and what it says may hold values, so that it is not told")]
    Withheld { command: String },
    /// The program did not do its work.
    #[error("{command}: {cause}")]
    Child { command: String, cause: ChildError },
    /// The program is not there, or is no such program.
    #[error("{name} is needed to render this source: {problem}")]
    NoProgram { name: &'static str, problem: String },
    /// A source names a program that nobody registered.
    #[error(
        "spec.source.kustomize.version: found {version}, expected {}",
        registered(known)
    )]
    KustomizeVersion { version: String, known: Vec<String> },
    /// What administrators set about a program can't be used.
    #[error("{place}: {problem}")]
    Setting { place: String, problem: String },
    /// Where programs work can't be written.
    #[error("can't write {file} where programs find it: {problem}")]
    Scratch { file: String, problem: String },
    /// More than one Application may hold in memory.
    #[error("{what} exceeds the limit of {limit}")]
    Limit { what: String, limit: String },
    /// The mirror can't be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A chart can't be unpacked.
    #[error(transparent)]
    Chart(#[from] ChartError),
}

fn at_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}

fn at(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(":{line}"))
}

fn asked_by(function: &str) -> &'static str {
    match function {
        "lookup" => "the cluster",
        _ => "a name server",
    }
}

fn registered(versions: &[String]) -> String {
    match versions {
        [] => "none, since no version is registered".to_owned(),
        versions => format!("a version that is registered: {}", versions.join(", ")),
    }
}

fn joined(refusals: &[Refusal]) -> String {
    let texts: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl RenderError {
    /// Names the source where else only our own disk is named.
    #[must_use]
    pub(crate) fn of(self, source: &BuildEnvironment) -> Self {
        match self {
            Self::Scratch { file, problem } => Self::Scratch {
                file: format!(
                    "{file} of {} at {}",
                    redacted(&source.repo_url),
                    source.revision
                ),
                problem,
            },
            other => other,
        }
    }

    /// The same, with the names of files as `named` says them.
    #[must_use]
    pub(super) fn within(mut self, named: impl Fn(&str) -> String) -> Self {
        if let Self::File { file, .. }
        | Self::RemoteBase { file, .. }
        | Self::RemoteFile { file, .. }
        | Self::ChartInKustomization { file }
        | Self::Asked { file, .. } = &mut self
        {
            *file = named(file);
        }
        self
    }

    /// What the author of the source can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Manifest { line: Some(_), .. } | Self::File { .. } => Some(
                "correct the file, or leave it out of a plain directory with spec.source.directory.exclude",
            ),
            Self::Variable { .. } => Some(
                "name a ConfigMap or Secret that sets it in signet.dev/substitute-from, write ${NAME:=DEFAULT}, or $${ for a ${ that is no variable",
            ),
            Self::SourceType { .. } => Some(
                "commit the rendered manifests instead, or leave it out with spec.source.directory.exclude",
            ),
            Self::OtherSource { .. } => Some(
                "leave it out with spec.source.directory.exclude, and give it an Application of its own",
            ),
            Self::Glob { .. } => Some("write a glob such as {*.yaml,config/*.json}"),
            Self::RemoteBase { .. } => Some(
                "commit the base to the repository, or start the controller with --kustomize-enable-remote-bases",
            ),
            Self::RemoteFile { .. } => Some("commit the file to the repository"),
            Self::ChartInKustomization { .. } => Some(
                "start the controller with --kustomize-enable-helm, or make the chart a source of its own",
            ),
            Self::Asked {
                function: "lookup", ..
            } => Some(
                "set the values with which the chart does not ask, or the annotation signet.dev/helm-lookup: empty to let it find nothing",
            ),
            Self::Asked { .. } => Some("set the values with which the chart does not ask"),
            Self::Dependencies { .. } => {
                Some("commit what helm dependency build writes to charts/")
            }
            Self::NoProgram { .. } => Some(
                "use an image that has it, or name it with --kustomize-program or --helm-program",
            ),
            Self::KustomizeVersion { .. } => Some(
                "leave the version out, or register its program as kustomize.path.VERSION in the ConfigMap argocd-cm of the controller's namespace",
            ),
            Self::Setting { .. } => Some(
                "correct the ConfigMap; a program must be in the controller's container, mounted there or part of its image",
            ),
            Self::Withheld { .. } => {
                Some("run it in a clone of the repository to see what it says")
            }
            Self::Scratch { .. } => Some("make room in the folder of --data-dir"),
            Self::Limit { .. } => Some("spread the manifests over several Applications"),
            Self::Git(error) => error.hint(),
            Self::Chart(error) => error.hint(),
            Self::Manifest { line: None, .. }
            | Self::Option { .. }
            | Self::Overrides { .. }
            | Self::Program { .. }
            | Self::Child { .. }
            | Self::LacksBase(_) => None,
        }
    }
}
