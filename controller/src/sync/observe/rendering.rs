//! The render of one pass: which revisions, whether the last render still holds, and else a new one of each source.
//! It compares nothing with the cluster.

use std::sync::Arc;

use crate::sync::{
    engine::Engine,
    observe::applications::AppId,
    observe::memory::Render,
    observe::no_source,
    observe::sources::{self, Resolved},
    observe::subject::Subject,
    plan::{
        HeldBack, recorded,
        revision::{revisions_to_render, written},
    },
    revisions::Revisions,
    world::{AppFacts, Asked, SourceProblem, SourceReason},
};
use crate::{
    access::Project,
    dialect::Intent,
    git::Freshness,
    render::{BuildEnvironment, ClusterFacts},
};

/// A look beside those of passes.
#[derive(Clone, Copy)]
pub(super) struct Aside<'a> {
    /// An archive of files that are looked at in place of the repository's.
    pub(super) sent: Option<&'a Arc<[u8]>>,
}

/// One look at the sources of an Application.
#[derive(Clone, Copy)]
struct Look<'a> {
    app: &'a AppId,
    subject: &'a Subject,
    intent: &'a Intent,
    project: &'a Project,
    /// What the sources mean now, looked up where that may not be where the Application is.
    newest: Option<&'a Revisions>,
    /// A commit that may not begin.
    held_back: Option<&'a HeldBack>,
    /// What was asked for at the look before.
    before: Asked,
    sent: Option<&'a Arc<[u8]>>,
}

/// Why there is no render.
enum Unrendered {
    Problem(SourceProblem),
    /// The API server is away.
    Away(kube::Error),
}

impl Unrendered {
    fn problem(self) -> Result<SourceProblem, kube::Error> {
        match self {
            Self::Problem(problem) => Ok(problem),
            Self::Away(error) => Err(error),
        }
    }
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
    /// What the sources mean now, where the Application may be kept elsewhere, and what they hold at the revisions in question.
    /// A pass renders anew only where the last render does not hold; `aside` of passes nothing is remembered, nor used.
    ///
    /// # Errors
    /// When the API server is away and the render depends on what it says of itself.
    pub(super) async fn rendered(
        &self,
        app: &AppId,
        subject: &Subject,
        project: Option<&Project>,
        before: Asked,
        held_back: Option<&HeldBack>,
        aside: Option<Aside<'_>>,
    ) -> Result<(Option<Revisions>, Result<Render, SourceProblem>), kube::Error> {
        let Some((intent, project)) = self.readable(subject, project) else {
            return Ok((None, Err(no_source())));
        };
        let newest = match intent.hold.is_some() || held_back.is_some() {
            true => {
                let freshness = latest(subject.asked().anew(before));
                self.newest(intent, freshness).await
            }
            false => None,
        };
        let look = Look {
            app,
            subject,
            intent,
            project,
            newest: newest.as_ref(),
            held_back,
            before,
            sent: aside.and_then(|aside| aside.sent),
        };
        let known = match aside {
            Some(_) => None,
            None => self.memories.get(app).render,
        };
        let known = known.filter(|known| known.sources == intent.sources);
        // A request is large, and mostly nothing is rendered.
        let rendered = match Box::pin(self.render_unless(look, known.as_ref())).await {
            Ok(Some(render)) => render,
            Ok(None) => return Ok((newest, known.ok_or_else(no_source))),
            Err(unrendered) => {
                let problem = unrendered.problem()?;
                let newest = match newest {
                    None if concerns_what_runs(subject, &problem) => {
                        self.newest(intent, Freshness::Cached).await
                    }
                    newest => newest,
                };
                return Ok((newest, Err(problem)));
            }
        };
        if aside.is_none() {
            let kept = rendered.clone();
            self.memories.with(app, |memory| memory.render = Some(kept));
        }
        Ok((newest, Ok(rendered)))
    }

    /// What the sources mean now. `None` where that can't be found out.
    async fn newest(&self, intent: &Intent, freshness: Freshness) -> Option<Revisions> {
        let written = written(intent);
        let resolved = self.sources.resolve(intent, &written, freshness, false);
        Some(sources::revisions(&resolved.await.ok()?))
    }

    /// A new render; `None` where the `known` one still holds. A request waits for a new listing of refs; a revision that is not in
    /// the last listing gets one when the sources are new to us.
    async fn render_unless(
        &self,
        look: Look<'_>,
        known: Option<&Render>,
    ) -> Result<Option<Render>, Unrendered> {
        let Look {
            app,
            subject,
            intent,
            project,
            newest,
            held_back,
            before,
            sent,
        } = look;
        let request = subject.request.as_ref().ok().and_then(Option::as_ref);
        let asked_for = revisions_to_render(&subject.facts, intent, request, newest, held_back);
        let asked = subject.asked();
        let resolved = self
            .sources
            .resolve(
                intent,
                &asked_for,
                latest(asked.anew(before)),
                known.is_none(),
            )
            .await?;
        let resolved = match sent {
            Some(archive) => self.sources.with_sent(resolved, archive).await?,
            None => resolved,
        };
        self.check_signatures(app, project, &intent.sources, &asked_for, &resolved)
            .await?;
        let environments = environments(subject, intent, &resolved);
        let own = &self.context.namespace;
        let variables = self.variables.get(app, intent, project, own).await?;
        let kustomize = self.sources.kustomize();
        let distrusted = asked.distrusts(before);
        let same = |known: &&Render| {
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
            return Ok(None);
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
        let mut render = Render {
            sources: intent.sources.clone(),
            environments,
            cluster,
            kustomize,
            variables,
            revisions: sources::revisions(&resolved),
            like: None,
            bases,
            rendered,
            _unsubstituted: unsubstituted,
        };
        render.like = known.and_then(|known| like(&render, known, &subject.facts));
        Ok(Some(render))
    }

    /// What a render depends on of the cluster is as it was.
    async fn says_the_same(&self, facts: Option<&Arc<ClusterFacts>>) -> Result<bool, kube::Error> {
        Ok(match facts {
            Some(facts) => *facts == self.facts.get().await?,
            None => true,
        })
    }
}

/// An operation that runs may go on in spite of it, where it is of another commit.
fn concerns_what_runs(subject: &Subject, problem: &SourceProblem) -> bool {
    problem.reason != SourceReason::Fetch && recorded::running_at(&subject.facts).is_some()
}

/// What the operation that runs stays at, where the last render is of it and a new one gives the same.
fn like(new: &Render, last: &Render, application: &AppFacts) -> Option<Revisions> {
    let running = recorded::running_at(application)?;
    let is_of_it = last.revisions == running || last.like.as_ref() == Some(&running);
    (is_of_it && last.keys() == new.keys()).then_some(running)
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
