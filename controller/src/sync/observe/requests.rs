//! What is asked of the renderer: for each source its files or its chart, the roots of the sources it refers to, and the
//! charts that its own chart depends on. Nothing is fetched that the project does not permit.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::sync::observe::bases::BaseAt;
use crate::sync::observe::sources::{Resolved, Sources, blocking};
use crate::sync::observe::submodules::Undone;
use crate::sync::world::{SourceProblem, SourceReason};
use crate::{
    access::Project,
    charts::{Chart, ChartError, Fetch, Recipients},
    dialect::{Intent, SourceIntent},
    git::{Freshness, Tree},
    render::{BuildEnvironment, Dependency, KustomizeSettings, Request, Root, Tool},
    repositories::AccessError,
};

impl Sources {
    /// One request for each source that renders, and where the remote bases stand that are in them. What the cluster says of
    /// itself is not in them yet.
    ///
    /// # Errors
    /// When a commit or chart can't be fetched, has no such path, or depends on what the project does not permit.
    pub(super) async fn requests(
        &self,
        intent: &Intent,
        project: &Project,
        resolved: &[Resolved],
        environments: &[BuildEnvironment],
        kustomize: &Arc<KustomizeSettings>,
        freshness: Freshness,
    ) -> Result<(Vec<Request>, Vec<BaseAt>), SourceProblem> {
        let references = self.references(&intent.sources, resolved).await?;
        let (mut requests, mut bases) = (Vec::new(), Vec::new());
        for ((source, resolved), environment) in
            intent.sources.iter().zip(resolved).zip(environments)
        {
            if !source.renders {
                continue;
            }
            let mut request = Request {
                options: source.options.clone(),
                root: self.root(project, source, resolved, freshness).await?,
                // Argo CD reads the files that change options only where there is one source.
                overridable: intent.sources.len() == 1,
                references: references.clone(),
                environment: environment.clone(),
                cluster: Arc::default(),
                kustomize: Arc::clone(kustomize),
                dependencies: Vec::new(),
                bases: BTreeMap::new(),
            };
            let needed = loop {
                let (renderer, asked) = (self.renderer.clone(), request.clone());
                match blocking(move || renderer.needs(&asked)).await {
                    Ok(needed) => break needed,
                    Err(Undone::LacksBase(base)) => {
                        let at = self.base_of(project, resolved, *base, freshness).await?;
                        let tree = self.base_tree(&at).await?;
                        request.bases.insert(at.base.clone(), tree);
                        bases.push(at);
                    }
                    Err(undone) => request = self.supply(project, request, undone).await?,
                }
            };
            request.dependencies = self
                .dependencies(&needed, intent, project, freshness)
                .await?;
            requests.push(request);
        }
        Ok((requests, bases))
    }

    /// Roots of the repositories that value files refer to.
    async fn references(
        &self,
        sources: &[SourceIntent],
        resolved: &[Resolved],
    ) -> Result<BTreeMap<String, Tree>, SourceProblem> {
        let mut roots = BTreeMap::new();
        for (source, resolved) in sources.iter().zip(resolved) {
            if let (
                Some(name),
                Resolved::Commit {
                    repository,
                    commit,
                    sent,
                },
            ) = (&source.reference, resolved)
            {
                let root = match sent {
                    Some(root) => root.clone(),
                    None => self.mirrors.tree(repository, commit, "").await?,
                };
                roots.insert(name.clone(), root);
            }
        }
        Ok(roots)
    }

    async fn root(
        &self,
        project: &Project,
        source: &SourceIntent,
        resolved: &Resolved,
        freshness: Freshness,
    ) -> Result<Root, SourceProblem> {
        match resolved {
            Resolved::Commit {
                sent: Some(sent), ..
            } => {
                let (sent, path) = (sent.clone(), source.path.clone());
                let tree = blocking(move || Ok(sent.at(path.trim())?)).await?;
                Ok(Root::Tree(tree))
            }
            Resolved::Commit {
                repository,
                commit,
                sent: None,
            } => {
                let (mirrors, path) = (&self.mirrors, &source.path);
                let mut submodules = Vec::new();
                loop {
                    let tree = mirrors.tree_with(repository, commit, path, &submodules);
                    match tree.await.map_err(Undone::from) {
                        Ok(tree) => return Ok(Root::Tree(tree)),
                        Err(undone) => {
                            submodules = self.supply(project, submodules, undone).await?;
                        }
                    }
                }
            }
            Resolved::Chart { access, version } => {
                let name = source.chart.as_deref().unwrap_or_default();
                let how = Fetch {
                    recipients: recipients(source),
                    freshness,
                };
                let url = &source.repo_url;
                let chart = self.charts.fetch(url, access, name, version, how).await?;
                Ok(Root::Chart(chart))
            }
        }
    }

    /// Charts that the chart of a source depends on and does not bring along.
    async fn dependencies(
        &self,
        needed: &[Dependency],
        intent: &Intent,
        project: &Project,
        freshness: Freshness,
    ) -> Result<Vec<Arc<Chart>>, SourceProblem> {
        let mut charts = Vec::new();
        for dependency in needed {
            let permitted = project.permits_source(&dependency.repository, false);
            permitted.map_err(|denied| not_permitted(dependency, &denied.to_string()))?;
            let chart = self.dependency(dependency, &intent.project, freshness);
            charts.push(chart.await?);
        }
        Ok(charts)
    }

    async fn dependency(
        &self,
        dependency: &Dependency,
        project: &str,
        freshness: Freshness,
    ) -> Result<Arc<Chart>, SourceProblem> {
        let Dependency {
            name,
            version,
            repository,
        } = dependency;
        let access = self.access(repository, project).await;
        let access = access.map_err(no_way)?;
        let charts = &self.charts;
        let version = charts
            .resolve(repository, &access, name, version, freshness)
            .await
            .map_err(no_version)?;
        let how = Fetch {
            recipients: Recipients::OwnHost,
            freshness,
        };
        Ok(charts
            .fetch(repository, &access, name, &version, how)
            .await?)
    }
}

fn recipients(source: &SourceIntent) -> Recipients {
    match &source.options.tool {
        Tool::Helm(options) if options.pass_credentials => Recipients::ChartHost,
        _ => Recipients::OwnHost,
    }
}

fn not_permitted(dependency: &Dependency, denied: &str) -> SourceProblem {
    SourceProblem {
        reason: SourceReason::Render,
        message: format!("dependency {} of the chart: {denied}", dependency.name),
        hint: None,
    }
}

/// Why the repository of a dependency can't be reached.
fn no_way(error: AccessError) -> SourceProblem {
    match error {
        AccessError::InvalidUrl { .. } => of_the_chart(error.into()),
        error => error.into(),
    }
}

/// Why no version of a dependency can be chosen.
fn no_version(error: ChartError) -> SourceProblem {
    match error {
        ChartError::InvalidUrl { .. }
        | ChartError::InvalidName { .. }
        | ChartError::InvalidVersion { .. } => of_the_chart(error.into()),
        error => error.into(),
    }
}

/// What the chart says of a dependency means nothing, whatever a server has.
fn of_the_chart(problem: SourceProblem) -> SourceProblem {
    SourceProblem {
        reason: SourceReason::Render,
        ..problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chart_says_of_a_dependency_does_not_pass_and_what_a_server_says_may() {
        let at = || "https://charts.example.com".to_owned();
        let dependency = Dependency {
            name: "db".to_owned(),
            version: "1".to_owned(),
            repository: at(),
        };
        let invalid = ChartError::InvalidVersion {
            at: at(),
            version: "?".to_owned(),
        };
        let alias = AccessError::InvalidUrl {
            url: "@stable".to_owned(),
            problem: "no host",
        };
        for problem in [
            not_permitted(&dependency, "no"),
            no_version(invalid),
            no_way(alias),
        ] {
            assert_eq!(problem.reason, SourceReason::Render, "{problem}");
        }
        let away = ChartError::TimedOut {
            at: at(),
            seconds: 30,
        };
        let unknown = AccessError::SecretsUnknown { url: at() };
        for problem in [no_version(away), no_way(unknown)] {
            assert_eq!(problem.reason, SourceReason::Fetch, "{problem}");
        }
    }
}
