//! The render of one pass: which revisions, whether the last render still holds, and else a new one of each source.
//! It compares nothing with the cluster.

use std::sync::Arc;

use crate::sync::{
    engine::Engine,
    observe::applications::AppId,
    observe::memory::Render,
    observe::sources::{self, Resolved},
    observe::subject::Subject,
    plan::revision::{revisions_to_render, written},
    revisions::Revisions,
    world::{Asked, SourceProblem},
};
use crate::{
    access::Project,
    dialect::{Intent, Refresh},
    git::Freshness,
    render::{BuildEnvironment, ClusterFacts},
};

/// Why there is no render.
enum Unrendered {
    Problem(SourceProblem),
    /// The API server is away.
    Away(kube::Error),
}

impl From<SourceProblem> for Unrendered {
    fn from(problem: SourceProblem) -> Self {
        Self::Problem(problem)
    }
}

impl From<kube::Error> for Unrendered {
    fn from(error: kube::Error) -> Self {
        Self::Away(error)
    }
}

impl Engine {
    /// What the sources hold at the revisions in question. A request waits for a new listing of refs; a revision that is not in
    /// the last listing gets one when the sources are new to us.
    ///
    /// # Errors
    /// When the API server is away and the render depends on what it says of itself.
    pub(super) async fn render(
        &self,
        app: &AppId,
        subject: &Subject,
        intent: &Intent,
        project: &Project,
        newest: Option<&Revisions>,
        before: Asked,
    ) -> Result<Result<Render, SourceProblem>, kube::Error> {
        let rendered = self.render_if_new(app, subject, intent, project, newest, before);
        match rendered.await {
            Ok(render) => Ok(Ok(render)),
            Err(Unrendered::Problem(problem)) => Ok(Err(problem)),
            Err(Unrendered::Away(error)) => Err(error),
        }
    }

    /// What the sources mean now, where a rollback may keep the Application elsewhere. `None` too where that can't be found out.
    pub(super) async fn newest(
        &self,
        subject: &Subject,
        intent: &Intent,
        before: Asked,
    ) -> Option<Revisions> {
        intent.hold.as_ref()?;
        let freshness = latest(subject.asked().anew(before));
        let written = written(intent);
        let resolved = self.sources.resolve(intent, &written, freshness, false);
        Some(sources::revisions(&resolved.await.ok()?))
    }

    async fn render_if_new(
        &self,
        app: &AppId,
        subject: &Subject,
        intent: &Intent,
        project: &Project,
        newest: Option<&Revisions>,
        before: Asked,
    ) -> Result<Render, Unrendered> {
        let request = subject.request.as_ref().ok().and_then(Option::as_ref);
        let asked_for = revisions_to_render(&subject.facts, intent, request, newest);
        let asked = subject.asked();
        let known = self.memories.get(app).render;
        let known = known.filter(|known| known.sources == intent.sources);
        let resolved = self
            .sources
            .resolve(
                intent,
                &asked_for,
                latest(asked.anew(before)),
                known.is_none(),
            )
            .await?;
        self.check_signatures(app, project, &intent.sources, &asked_for, &resolved)
            .await?;
        let environments = environments(subject, intent, &resolved);
        let own = &self.context.namespace;
        let variables = self.variables.get(app, intent, project, own).await?;
        let kustomize = self.sources.kustomize();
        let distrusted = subject.facts.marks.refresh == Some(Refresh::Hard) && !before.refresh;
        let same = |known: &Render| {
            !distrusted
                && known.environments == environments
                && known.variables == variables
                && known.kustomize == kustomize
        };
        if let Some(known) = known.filter(same)
            && self.says_the_same(known.cluster.as_ref()).await?
            && self
                .bases_stand(app, project, &known.bases, latest(asked.anew(before)))
                .await?
        {
            return Ok(known);
        }
        let (requests, bases) = self
            .sources
            .requests(
                intent,
                project,
                &resolved,
                &environments,
                &kustomize,
                latest(distrusted),
            )
            .await?;
        self.check_bases(app, project, &bases).await?;
        let cluster = match self.sources.need_cluster(&requests).await? {
            true => Some(self.facts.get().await?),
            false => None,
        };
        let unsubstituted = self
            .sources
            .render(project, requests, cluster.as_ref())
            .await?;
        let rendered = match &variables {
            Some(variables) => {
                let namespace = &intent.destination.namespace;
                sources::substituted(unsubstituted.clone(), variables.clone(), namespace).await?
            }
            None => unsubstituted.clone(),
        };
        let render = Render {
            sources: intent.sources.clone(),
            environments,
            cluster,
            kustomize,
            variables,
            revisions: sources::revisions(&resolved),
            bases,
            rendered,
            _unsubstituted: unsubstituted,
        };
        self.memories
            .with(app, |memory| memory.render = Some(render.clone()));
        Ok(render)
    }

    /// What a render depends on of the cluster is as it was.
    async fn says_the_same(&self, facts: Option<&Arc<ClusterFacts>>) -> Result<bool, kube::Error> {
        Ok(match facts {
            Some(facts) => *facts == self.facts.get().await?,
            None => true,
        })
    }
}

fn latest(is: bool) -> Freshness {
    match is {
        true => Freshness::Latest,
        false => Freshness::Cached,
    }
}

/// What the variables of the build environment stand for, for each source.
fn environments(
    subject: &Subject,
    intent: &Intent,
    resolved: &[Resolved],
) -> Vec<BuildEnvironment> {
    let spec = &subject.facts.spec;
    let written = match spec.sources.is_empty() {
        true => spec.source.as_slice(),
        false => &spec.sources,
    };
    let of_each = intent.sources.iter().zip(resolved).zip(written);
    of_each
        .map(|((source, resolved), written)| BuildEnvironment {
            app_name: subject.facts.name.clone(),
            namespace: intent.destination.namespace.clone(),
            project: intent.project.clone(),
            revision: resolved.revision(),
            repo_url: source.repo_url.clone(),
            path: source.path.clone(),
            target_revision: written.target_revision.clone(),
        })
        .collect()
}
