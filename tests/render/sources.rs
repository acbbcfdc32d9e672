//! Sources for the suites of rendering: folders become commits of real repositories, Applications become requests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use controller::{
    dialect,
    git::{Fetched, GitError, MirrorOptions, Mirrors, Repository, Submodule, Tree},
    render::{
        BuildEnvironment, ClusterFacts, Manifest, RenderError, Rendered, Renderer, RendererOptions,
        Request, Root,
        child::{Limits, Runner},
    },
    repositories::Known,
};
use serde_json::Value;

use crate::repository::Origin;

/// Repositories of one suite, and what renders them.
pub(crate) struct Sources {
    mirrors: Mirrors,
    directory: tempfile::TempDir,
}

/// How programs are called.
#[derive(Clone)]
pub(crate) struct Programs {
    pub(crate) kustomize: PathBuf,
    pub(crate) helm: PathBuf,
    pub(crate) kustomize_charts: bool,
    pub(crate) remote_bases: bool,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            kustomize: "kustomize".into(),
            helm: "helm".into(),
            kustomize_charts: false,
            remote_bases: false,
        }
    }
}

impl Sources {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("served")).unwrap();
        let options = MirrorOptions {
            allow_file: true,
            ..MirrorOptions::default()
        };
        Self {
            mirrors: Mirrors::temporary(options).unwrap(),
            directory,
        }
    }

    pub(crate) fn renderer(&self, programs: &Programs) -> Renderer {
        let launcher = env!("CARGO_BIN_EXE_signet-controller").into();
        Renderer::new(RendererOptions {
            kustomize: programs.kustomize.clone(),
            helm: programs.helm.clone(),
            kustomize_charts: programs.kustomize_charts,
            kustomize_remote_bases: programs.remote_bases,
            directory: self.mirrors.directory().to_owned(),
            runner: Runner::launched_by(launcher, Limits::default()),
        })
    }

    /// A repository with nothing in it.
    pub(crate) fn origin(&self, name: &str) -> Origin {
        Origin::create(&self.directory.path().join("served"), name)
    }

    /// A repository with the files of a folder in it.
    pub(crate) fn origin_of(&self, name: &str, folder: &Path) -> Origin {
        let origin = self.origin(name);
        let copied = Command::new("cp")
            .arg("-a")
            .arg(folder.join("."))
            .arg(&origin.work)
            .status();
        assert!(copied.unwrap().success());
        origin
    }

    /// A directory of a commit, which may lie in a submodule.
    pub(crate) async fn tree(&self, origin: &Origin, commit: &str, path: &str) -> Tree {
        let repository = Repository::public(&origin.file_url()).unwrap();
        let commit = commit.parse().unwrap();
        let mut submodules = Vec::new();
        loop {
            let mirrors = &self.mirrors;
            match mirrors
                .tree_with(&repository, &commit, path, &submodules)
                .await
            {
                Err(GitError::Lacks(submodule)) => submodules.push(self.fetch(&submodule).await),
                tree => return tree.unwrap(),
            }
        }
    }

    async fn fetch(&self, submodule: &Submodule) -> Fetched {
        self.mirrors.learn(Known::default());
        let repository = self.mirrors.submodule_repository(submodule, "default");
        let repository = repository.await.unwrap();
        self.mirrors
            .submodule(submodule, &repository)
            .await
            .unwrap()
    }

    /// The request with the files of all submodules that its render reads.
    pub(crate) async fn supplied(&self, renderer: &Renderer, mut request: Request) -> Request {
        while let Err(RenderError::Git(GitError::Lacks(submodule))) = renderer.key(&request) {
            request = request.with(&self.fetch(&submodule).await).unwrap();
        }
        request
    }
}

/// What an Application asks to be rendered of a directory.
pub(crate) fn request(application: &Value, tree: Tree) -> Request {
    let decoded = crds::decode::<crds::Application>(application).unwrap();
    let mut intent = dialect::intent(&decoded).unwrap();
    let source = intent.sources.remove(0);
    let environment = BuildEnvironment {
        app_name: decoded.metadata.name.unwrap_or_default(),
        namespace: intent.destination.namespace,
        project: intent.project,
        revision: tree.commit().to_string(),
        repo_url: source.repo_url,
        path: source.path,
        target_revision: decoded.spec.source.unwrap_or_default().target_revision,
    };
    Request {
        options: source.options,
        root: Root::Tree(tree),
        overridable: true,
        references: BTreeMap::new(),
        environment,
        cluster: Arc::new(ClusterFacts {
            kube_version: "v1.36.3".to_owned(),
            api_versions: ["apps/v1", "apps/v1/Deployment", "v1", "v1/Pod"]
                .map(str::to_owned)
                .to_vec(),
        }),
        kustomize: Arc::default(),
        dependencies: Vec::new(),
        bases: BTreeMap::new(),
    }
}

/// An Application with this `spec.source`.
pub(crate) fn application(name: &str, source: &Value) -> Value {
    let mut source = source.clone();
    source["repoURL"] = "https://git.example.org/shop.git".into();
    serde_json::json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "signet"},
        "spec": {
            "project": "default",
            "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "prod"},
        },
    })
}

/// Manifests, or the error, as expectations have them.
pub(crate) fn printed(rendered: &Result<Rendered, RenderError>) -> String {
    let mut manifests = match rendered {
        Ok(rendered) => rendered.manifests().peekable(),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("hint: {hint}\n"));
            return format!("error: {error}\n{}", hint.unwrap_or_default());
        }
    };
    let one = |manifest: &Manifest| {
        let line = manifest.line.map(|line| format!(", line {line}"));
        format!(
            "# {}: document {}{}\n{}\n",
            manifest.file,
            manifest.document,
            line.unwrap_or_default(),
            serde_json::to_string_pretty(&manifest.object).unwrap()
        )
    };
    match manifests.peek() {
        None => "nothing\n".to_owned(),
        Some(_) => manifests.map(one).collect(),
    }
}

/// The folders of a folder, in order.
pub(crate) fn cases(folder: &str) -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/render");
    let mut cases: Vec<_> = fs::read_dir(all.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases are found");
    cases
}

pub(crate) fn name(case: &Path) -> &str {
    case.file_stem().unwrap().to_str().unwrap()
}

pub(crate) fn expect(file: &Path, printed: String) {
    let expected = snapbox::Data::read_from(file, Some(snapbox::data::DataFormat::Text));
    snapbox::Assert::new()
        .action_env("TRYCMD")
        .normalize_paths(false)
        .eq(printed, expected);
}
