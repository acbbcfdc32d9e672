//! Renders sources: which tool, with what, and whether it would give the same again.
//! It keeps nothing of a render alive.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    DirectoryOptions, KustomizeVersion, RenderError, RenderKey, Rendered, Request, Root,
    SourceType, Tool,
    child::{Runner, Scratch},
    directory::{self, Files},
    helm, kustomize,
    program::{self, Found, Program},
    source,
};
use crate::git::Tree;

/// What makes the programs say their versions.
const KUSTOMIZE_VERSION: &[&str] = &["version"];
const HELM_VERSION: &[&str] = &["version", "--template", "{{.Version}}"];

/// What a user sets about rendering.
#[derive(Clone, Debug)]
pub struct RendererOptions {
    /// `--kustomize-program`: a path, or a name in PATH.
    pub kustomize: PathBuf,
    /// `--helm-program`
    pub helm: PathBuf,
    /// `--kustomize-enable-helm`
    pub kustomize_charts: bool,
    /// `--kustomize-enable-remote-bases`
    pub kustomize_remote_bases: bool,
    /// Where the folders of single renders are made and removed.
    pub directory: PathBuf,
    pub runner: Runner,
}

/// Renders sources. Its calls read files and wait for programs: not for async threads.
#[derive(Debug)]
pub struct Renderer {
    kustomize: Program,
    /// Those that single sources name, by their paths.
    other_kustomizes: Mutex<BTreeMap<PathBuf, Arc<Program>>>,
    helm: Program,
    kustomize_charts: bool,
    kustomize_remote_bases: bool,
    directory: PathBuf,
    runner: Runner,
    files: Files,
}

/// A render that is ready to be made.
enum Prepared<'a> {
    Directory(&'a Tree, DirectoryOptions),
    Kustomize(Box<kustomize::Build>),
    Helm(Box<helm::Template>),
}

impl Renderer {
    #[must_use]
    pub fn new(options: RendererOptions) -> Self {
        Self {
            kustomize: Program::new("kustomize", options.kustomize, KUSTOMIZE_VERSION, "v5."),
            other_kustomizes: Mutex::default(),
            helm: Program::new("helm", options.helm, HELM_VERSION, "v3."),
            kustomize_charts: options.kustomize_charts,
            kustomize_remote_bases: options.kustomize_remote_bases,
            directory: options.directory,
            runner: options.runner,
            files: Files::default(),
        }
    }

    /// What renders the source.
    ///
    /// # Errors
    /// When the mirror can't be read, or a file of the source that changes its options is not accepted.
    pub fn source_type(&self, request: &Request) -> Result<SourceType, RenderError> {
        Ok(match source::tool(request)? {
            Tool::Helm(_) => SourceType::Helm,
            Tool::Kustomize(_) => SourceType::Kustomize,
            Tool::Directory(_) | Tool::Detect => SourceType::Directory,
        })
    }

    /// Whether the render depends on what the cluster says of itself, so that the request must have it.
    ///
    /// # Errors
    /// As [`Self::source_type`].
    pub fn needs_cluster(&self, request: &Request) -> Result<bool, RenderError> {
        match source::tool(request)? {
            Tool::Helm(_) => Ok(true),
            Tool::Kustomize(options) => kustomize::may_have_charts(self, request, &options),
            Tool::Directory(_) | Tool::Detect => Ok(false),
        }
    }

    /// Charts that the source needs and that a request must bring along, fetched: see [`Request::dependencies`].
    ///
    /// # Errors
    /// When the mirror can't be read, a file of the source that changes its options is not accepted, or a base in another
    /// repository is lacking.
    pub fn needs(&self, request: &Request) -> Result<Vec<helm::Dependency>, RenderError> {
        match (source::tool(request)?, &request.root) {
            (Tool::Helm(_), Root::Tree(tree)) => helm::needs(tree),
            (Tool::Kustomize(options), Root::Tree(tree)) if self.kustomize_remote_bases => {
                kustomize::complete(self, request, tree, &options).map(|()| Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// A hash of everything that the render reads.
    ///
    /// # Errors
    /// When the source can't be rendered, as far as that is known before its program runs.
    pub fn key(&self, request: &Request) -> Result<RenderKey, RenderError> {
        match self.prepare(request)? {
            Prepared::Directory(tree, options) => directory::key(tree, &options),
            Prepared::Kustomize(build) => Ok(build.key()),
            Prepared::Helm(template) => Ok(template.key()),
        }
    }

    /// The objects of the source.
    ///
    /// # Errors
    /// When it does not render whole: then nothing of the revision is used.
    pub fn render(&self, request: &Request) -> Result<Rendered, RenderError> {
        let (key, printed, source_type) = match self.prepare(request)? {
            Prepared::Directory(tree, options) => {
                return directory::render(tree, &options, &self.files);
            }
            Prepared::Kustomize(build) => (build.key(), build.run(self)?, SourceType::Kustomize),
            Prepared::Helm(template) => (template.key(), template.run(self)?, SourceType::Helm),
        };
        Ok(Rendered {
            batches: vec![Arc::new(printed)],
            key,
            source_type,
        })
    }

    fn prepare<'a>(&self, request: &'a Request) -> Result<Prepared<'a>, RenderError> {
        let tool = source::tool(request)?;
        Ok(match (tool, &request.root) {
            (Tool::Helm(options), _) => {
                let template = helm::Template::prepare(self, request, &options)?;
                Prepared::Helm(Box::new(template))
            }
            (Tool::Kustomize(options), Root::Tree(tree)) => {
                let build = kustomize::Build::prepare(self, request, tree, &options)?;
                Prepared::Kustomize(Box::new(build))
            }
            (Tool::Directory(options), Root::Tree(tree)) => Prepared::Directory(tree, options),
            (Tool::Kustomize(_) | Tool::Directory(_) | Tool::Detect, _) => {
                return Err(source::not_of_helm());
            }
        })
    }

    /// The program that a source names, else that of all others.
    pub(super) fn kustomize(&self, named: Option<&KustomizeVersion>) -> Result<Found, RenderError> {
        let Some(KustomizeVersion { program: set, .. }) = named else {
            return self.kustomize.find(&self.runner, &self.directory);
        };
        let path = Path::new(&set.value);
        if !path.is_absolute() {
            let problem = format!("found {:?}, expected an absolute path", set.value);
            return Err(set.error(problem));
        }
        let found = self.other_kustomize(path);
        let found = found.find(&self.runner, &self.directory);
        found.map_err(|error| match error {
            RenderError::NoProgram { problem, .. } => set.error(problem),
            error => error,
        })
    }

    fn other_kustomize(&self, path: &Path) -> Arc<Program> {
        let others = self.other_kustomizes.lock();
        let mut others = others.unwrap_or_else(PoisonError::into_inner);
        let program = others.entry(path.to_owned()).or_insert_with(|| {
            let program = Program::new("kustomize", path.to_owned(), KUSTOMIZE_VERSION, "");
            Arc::new(program)
        });
        Arc::clone(program)
    }

    pub(super) fn helm(&self) -> Result<Found, RenderError> {
        self.helm.find(&self.runner, &self.directory)
    }

    pub(super) fn kustomize_charts(&self) -> bool {
        self.kustomize_charts
    }

    pub(super) fn kustomize_remote_bases(&self) -> bool {
        self.kustomize_remote_bases
    }

    pub(super) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// A new folder for one render.
    pub(super) fn scratch(&self) -> Result<Scratch, RenderError> {
        program::scratch(&self.directory)
    }
}
