//! What repositories hold for an Application: revisions resolved, each source rendered, each render made once and shared.
//! It compares nothing, and asks the cluster for nothing.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use futures::future;
use tokio::sync::Semaphore;

use crate::sync::metrics::SyncMetrics;
use crate::sync::observe::submodules::Undone;
use crate::sync::revisions::Revisions;
use crate::sync::world::{SourceProblem, SourceReason};
use crate::{
    access::Project,
    charts::{ChartError, Charts},
    dialect::{Intent, SourceIntent},
    git::{CommitId, Freshness, GitError, Mirrors, Repository, Revision, Tree},
    in_use::InUse,
    render::{
        self, ClusterFacts, KustomizeSettings, RenderError, RenderKey, Rendered, Renderer, Request,
        Variables,
    },
    repositories::{Access, AccessError, RepositoryKind},
};

/// Renders at once: they are CPU time, and Applications of one commit mostly find the render of another.
const RENDERS: usize = 2;

/// Where a source stands, and how its repository may be read.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    Commit {
        repository: Box<Repository>,
        commit: CommitId,
        /// Files that somebody sent to see what would become of them, in place of the commit's.
        sent: Option<Tree>,
    },
    /// An exact version of a chart.
    Chart {
        access: Box<Access>,
        version: String,
    },
}

impl Resolved {
    /// The full commit id, or the version of the chart.
    pub(crate) fn revision(&self) -> String {
        match self {
            Self::Commit { commit, .. } => commit.to_string(),
            Self::Chart { version, .. } => version.clone(),
        }
    }
}

/// The revisions of all sources.
pub(crate) fn revisions(resolved: &[Resolved]) -> Revisions {
    Revisions::new(resolved.iter().map(Resolved::revision).collect())
}

/// Renders, and the repositories they come from.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(super) mirrors: Arc<Mirrors>,
    pub(super) charts: Arc<Charts>,
    pub(super) renderer: Arc<Renderer>,
    kustomize: Mutex<Arc<KustomizeSettings>>,
    turns: Semaphore,
    renders: InUse<RenderKey, Rendered>,
    metrics: SyncMetrics,
}

impl Sources {
    pub(crate) fn new(
        mirrors: Arc<Mirrors>,
        charts: Arc<Charts>,
        renderer: Renderer,
        metrics: SyncMetrics,
    ) -> Self {
        Sources {
            mirrors,
            charts,
            renderer: Arc::new(renderer),
            kustomize: Mutex::default(),
            turns: Semaphore::new(RENDERS),
            renders: InUse::default(),
            metrics,
        }
    }

    /// What is set about kustomize.
    pub(crate) fn kustomize(&self) -> Arc<KustomizeSettings> {
        let settings = self.kustomize.lock();
        Arc::clone(&settings.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over what is set about kustomize; whether that is news.
    pub(crate) fn set_kustomize(&self, settings: KustomizeSettings) -> bool {
        let known = self.kustomize.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        let differs = **known != settings;
        if differs {
            *known = Arc::new(settings);
        }
        differs
    }

    /// What each source stands at. With `insist`, a revision that the last listing does not have is looked for in a new one.
    ///
    /// # Errors
    /// When a repository can't be read or has no such revision.
    pub(crate) async fn resolve(
        &self,
        intent: &Intent,
        revisions: &[String],
        freshness: Freshness,
        insist: bool,
    ) -> Result<Vec<Resolved>, SourceProblem> {
        let resolved = intent
            .sources
            .iter()
            .zip(revisions)
            .map(async |(source, revision)| match &source.chart {
                Some(chart) => {
                    let project = &intent.project;
                    self.resolve_chart(source, chart, project, revision, freshness, insist)
                        .await
                }
                None => {
                    self.resolve_commit(source, &intent.project, revision, freshness, insist)
                        .await
                }
            });
        future::try_join_all(resolved).await
    }

    async fn resolve_commit(
        &self,
        source: &SourceIntent,
        project: &str,
        revision: &str,
        freshness: Freshness,
        insist: bool,
    ) -> Result<Resolved, SourceProblem> {
        let repository = self.mirrors.repository(&source.repo_url, project).await?;
        let revision = Revision::of(revision, &source.tag_prefix);
        let resolve = async |freshness| {
            self.mirrors
                .resolve(&repository, revision.clone(), freshness)
                .await
        };
        let commit = match resolve(freshness).await {
            Err(GitError::RevisionNotFound { .. } | GitError::NoVersion { .. }) if insist => {
                resolve(Freshness::Latest).await
            }
            resolved => resolved,
        };
        Ok(Resolved::Commit {
            commit: commit?,
            repository: Box::new(repository),
            sent: None,
        })
    }

    async fn resolve_chart(
        &self,
        source: &SourceIntent,
        chart: &str,
        project: &str,
        version: &str,
        freshness: Freshness,
        insist: bool,
    ) -> Result<Resolved, SourceProblem> {
        let access = self.access(&source.repo_url, project).await?;
        let url = &source.repo_url;
        let resolve = async |freshness| {
            self.charts
                .resolve(url, &access, chart, version, freshness)
                .await
        };
        let version = match resolve(freshness).await {
            Err(ChartError::VersionNotFound { .. } | ChartError::ChartNotFound { .. })
                if insist =>
            {
                resolve(Freshness::Latest).await
            }
            resolved => resolved,
        };
        Ok(Resolved::Chart {
            version: version?,
            access: Box::new(access),
        })
    }

    /// How a repository of charts may be read. One without a scheme is a registry, as for Argo CD.
    pub(super) async fn access(&self, url: &str, project: &str) -> Result<Access, AccessError> {
        let kind = match url.split_once("://") {
            None | Some(("oci", _)) => RepositoryKind::Oci,
            Some(_) => RepositoryKind::Helm,
        };
        let repositories = self.mirrors.repositories();
        repositories.access(kind, url, project).await
    }

    /// Whether what the cluster says of itself must be put into one of the requests.
    ///
    /// # Errors
    /// When it can't be told how a source is rendered.
    pub(crate) async fn need_cluster(&self, requests: &[Request]) -> Result<bool, SourceProblem> {
        let (renderer, requests) = (self.renderer.clone(), requests.to_vec());
        let needs = blocking(move || {
            let mut needs = requests
                .iter()
                .map(|request| renderer.needs_cluster(request));
            needs.try_fold(false, |known, needs| Ok(known | needs?))
        });
        Ok(needs.await?)
    }

    /// The objects of each source.
    ///
    /// # Errors
    /// When something in one is no manifest, or its program refuses it: then there are none at all.
    pub(crate) async fn render(
        &self,
        project: &Project,
        requests: Vec<Request>,
        cluster: Option<&Arc<ClusterFacts>>,
    ) -> Result<Vec<Arc<Rendered>>, SourceProblem> {
        let rendered = requests.into_iter().map(|request| {
            let cluster = cluster.cloned().unwrap_or_default();
            self.render_with_submodules(project, Request { cluster, ..request })
        });
        future::try_join_all(rendered).await
    }

    async fn render_with_submodules(
        &self,
        project: &Project,
        mut request: Request,
    ) -> Result<Arc<Rendered>, SourceProblem> {
        loop {
            match self.render_one(request.clone()).await {
                Ok(rendered) => return Ok(rendered),
                Err(undone) => request = self.supply(project, request, undone).await?,
            }
        }
    }

    async fn render_one(&self, request: Request) -> Result<Arc<Rendered>, Undone> {
        let _turn = self.turns.acquire().await;
        let renderer = self.renderer.clone();
        let (key, request) = blocking(move || match renderer.key(&request) {
            Ok(key) => Ok((key, request)),
            Err(error) => Err(error.of(&request.environment)),
        })
        .await?;
        if let Some(rendered) = self.renders.find(&key) {
            return Ok(rendered);
        }
        let (renderer, began) = (self.renderer.clone(), Instant::now());
        let render = move || {
            let rendered = renderer.render(&request);
            rendered.map_err(|error| error.of(&request.environment))
        };
        let rendered = Arc::new(blocking(render).await?);
        self.metrics.rendered(rendered.source_type, began.elapsed());
        self.renders.add(key, &rendered);
        Ok(rendered)
    }
}

/// The renders with values in place of variables. They are one Application's, and not kept for others.
pub(super) async fn substituted(
    rendered: Vec<Arc<Rendered>>,
    variables: Arc<Variables>,
    namespace: &str,
) -> Result<Vec<Arc<Rendered>>, SourceProblem> {
    let namespace = namespace.to_owned();
    let substituted = blocking(move || {
        let rendered = rendered.iter();
        rendered
            .map(|rendered| render::substitute(rendered, &variables, &namespace))
            .collect()
    });
    Ok(substituted.await?)
}

/// Trees are read and parsed away from the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
) -> Result<T, Undone> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Undone::from),
        Err(broken) => Err(Undone::Problem(SourceProblem {
            reason: SourceReason::Render,
            message: format!("rendering broke off: {broken}"),
            hint: None,
        })),
    }
}

impl From<GitError> for SourceProblem {
    fn from(error: GitError) -> Self {
        let reason = match error {
            // Of a commit that is there: it will never be otherwise.
            GitError::PathNotFound { .. }
            | GitError::InvalidPath { .. }
            | GitError::InvalidSubmodule { .. }
            | GitError::SubmodulesOff { .. } => SourceReason::Render,
            _ => SourceReason::Fetch,
        };
        SourceProblem {
            reason,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<ChartError> for SourceProblem {
    fn from(error: ChartError) -> Self {
        SourceProblem {
            reason: SourceReason::Fetch,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<AccessError> for SourceProblem {
    fn from(error: AccessError) -> Self {
        SourceProblem {
            reason: SourceReason::Fetch,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<RenderError> for SourceProblem {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Git(error) => error.into(),
            RenderError::Chart(error) => error.into(),
            error => SourceProblem {
                reason: match &error {
                    RenderError::Scratch { .. } => SourceReason::Fetch,
                    RenderError::Child { cause, .. } if cause.may_pass() => SourceReason::Fetch,
                    _ => SourceReason::Render,
                },
                message: error.to_string(),
                hint: error.hint().map(str::to_owned),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::render::child::{Child, Limits, Runner, Scratch};

    #[test]
    fn what_git_or_a_render_can_not_do_comes_with_its_remedy() {
        let missing = GitError::RevisionAmbiguous {
            url: "https://git.example.com/shop.git".to_owned(),
            revision: "c0ffee".to_owned(),
        };
        let text = "https://git.example.com/shop.git: revision \"c0ffee\" is ambiguous; write the full SHA";
        assert_eq!(SourceProblem::from(missing.clone()).to_string(), text);
        assert_eq!(
            SourceProblem::from(RenderError::from(missing)).to_string(),
            text
        );
        let too_much = RenderError::Limit {
            what: "the source".to_owned(),
            limit: "10 MiB".to_owned(),
        };
        assert_eq!(
            SourceProblem::from(too_much).to_string(),
            "the source exceeds the limit of 10 MiB; spread the manifests over several Applications"
        );
    }

    #[test]
    fn what_a_commit_lacks_does_not_pass_and_what_a_server_lacks_may() {
        let url = || "https://git.example.com/shop.git".to_owned();
        let reason = |error: GitError| SourceProblem::from(RenderError::from(error)).reason;
        for error in [
            GitError::PathNotFound {
                url: url(),
                commit: "c0ffee".to_owned(),
                path: "deploy".to_owned(),
            },
            GitError::InvalidPath {
                url: url(),
                commit: "c0ffee".to_owned(),
                path: "README".to_owned(),
                problem: "is a file, not a directory",
            },
            GitError::InvalidSubmodule {
                url: url(),
                path: "lib".to_owned(),
                problem: "has no URL in .gitmodules".to_owned(),
            },
            GitError::SubmodulesOff { url: url() },
        ] {
            assert_eq!(reason(error.clone()), SourceReason::Render, "{error}");
        }
        for error in [
            GitError::RevisionNotFound {
                url: url(),
                revision: "main".to_owned(),
            },
            GitError::SubmoduleCommit {
                url: url(),
                commit: "c0ffee".to_owned(),
            },
            GitError::TimedOut {
                url: url(),
                seconds: 60,
            },
            GitError::Mirror {
                url: url(),
                cause: "no space left".to_owned(),
            },
        ] {
            assert_eq!(reason(error.clone()), SourceReason::Fetch, "{error}");
        }
    }

    #[test]
    fn a_program_that_was_not_started_or_given_no_time_may_fare_better_the_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(folder.path()).unwrap();
        let child = Child {
            program: Path::new("/usr/bin/helm"),
            arguments: Vec::new(),
            scratch: &scratch,
            directory: "",
            readable: Vec::new(),
            network: false,
            landlocked: false,
        };
        let reason = |launcher: &str, limits: Limits| {
            let ran = Runner::launched_by(launcher.into(), limits).run(&child);
            let error = RenderError::Child {
                command: "helm template".to_owned(),
                cause: ran.unwrap_err(),
            };
            SourceProblem::from(error).reason
        };
        let limits = Limits {
            output: 1 << 30,
            ..Limits::default()
        };
        assert_eq!(reason("/nowhere", limits), SourceReason::Fetch);
        // It writes for ever.
        let yes = "/usr/bin/yes";
        let no_time = Limits {
            time: Duration::ZERO,
            ..limits
        };
        assert_eq!(reason(yes, no_time), SourceReason::Fetch);
        let no_room = Limits {
            output: 0,
            ..limits
        };
        assert_eq!(reason(yes, no_room), SourceReason::Render);
    }
}
