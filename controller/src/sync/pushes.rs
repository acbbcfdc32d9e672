//! What happens when somebody pushed, or may have: repositories are listed anew, by the process that syncs.
//! It must not look at what was pushed: the listing says it.

use std::{collections::BTreeMap, sync::Arc};

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    dialect::argocd::{REFRESH, SKIP_RECONCILE},
    git::{CommitId, RepositoryUrl},
    refusal,
    sync::{
        engine::Engine,
        observe::applications::{self, AppId},
        run::{git_sources, project},
    },
    web::{Concerned, Push},
};

/// Whose refresh lists a repository: mirrors are apart for each project that has credentials of its own.
type Mirrored = (RepositoryUrl, String);

impl Engine {
    /// Answers pushes for ever. Of one that could not be handed on, the sender is told to come again.
    pub(crate) async fn follow_pushes(&self, mut pushes: mpsc::Receiver<Push>) {
        while let Some(push) = pushes.recv().await {
            if self.context.leadership.leads() {
                let concerned = self.mirrors.due_now(|url| push.concerns(url));
                push.answer(concerned);
                continue;
            }
            match self.ask_leader(&push).await {
                Ok(concerned) => push.answer(concerned),
                Err(error) => {
                    tracing::warn!(%error, "can't tell the process that syncs of a push");
                }
            }
        }
    }

    /// Lists the refs of an Application's repositories once more, after its request to look was taken off: who asked for the same
    /// meanwhile wrote what stood there already, which nobody hears of.
    pub(super) fn list_again(&self, object: &Value) {
        let used: Vec<_> = git_sources(object).map(|(url, _)| url).collect();
        self.mirrors
            .due_now(|url| used.iter().any(|of| of.same_repository(url)));
    }

    /// The process that syncs may be another one, which watches the same Applications: it lists the refs for one of them, and wakes
    /// all the others where these moved.
    async fn ask_leader(&self, push: &Push) -> Result<Concerned, kube::Error> {
        let mut concerned = Concerned::new();
        for ((url, _), app) in spokesmen(&self.applications.all(), push) {
            self.ask_for_refresh(&app).await?;
            concerned.insert(url);
        }
        Ok(concerned)
    }

    async fn ask_for_refresh(&self, app: &AppId) -> Result<(), kube::Error> {
        let api = applications::api(self.context.client.clone(), &app.namespace);
        let params = PatchParams {
            field_manager: Some(crds::names::FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = json!({ "metadata": { "annotations": { REFRESH: "normal" } } });
        let patched = api.patch(&app.name, &params, &Patch::Merge(&patch)).await;
        // A webhook may quote what it refuses.
        patched.map_err(|error| refusal::error_without_values(app, error))?;
        Ok(())
    }
}

/// One Application for each mirror that the push concerns, where there is one whose refresh lists refs: not of a fixed commit, and
/// rather one that was compared before, since a faulty one is not looked at so far.
fn spokesmen(applications: &[Arc<Value>], push: &Push) -> BTreeMap<Mirrored, AppId> {
    let mut chosen: BTreeMap<Mirrored, (bool, AppId)> = BTreeMap::new();
    let looked_at = applications.iter().filter(|object| is_looked_at(object));
    let sources = looked_at.flat_map(|object| git_sources(object).map(move |of| (object, of)));
    for (object, (url, source)) in sources {
        if is_fixed(source) || !push.concerns(&url) {
            continue;
        }
        let candidate = (
            object.pointer("/status/sync/comparedTo").is_none(),
            AppId::new(
                text(object, "/metadata/namespace"),
                text(object, "/metadata/name"),
            ),
        );
        let mirrored = (url, project(object).to_owned());
        let best = chosen.entry(mirrored).or_insert_with(|| candidate.clone());
        if candidate < *best {
            *best = candidate;
        }
    }
    let chosen = chosen.into_iter();
    chosen.map(|(mirrored, (_, app))| (mirrored, app)).collect()
}

fn is_looked_at(object: &Value) -> bool {
    let annotation = |name: &str| object["metadata"]["annotations"].get(name).is_some();
    !annotation(SKIP_RECONCILE) && object["metadata"].get("deletionTimestamp").is_none()
}

/// The source is of a commit, for which no refs are listed.
fn is_fixed(source: &Value) -> bool {
    let revision = text(source, "/targetRevision").trim();
    revision.parse::<CommitId>().is_ok()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    let value = object.pointer(pointer).and_then(Value::as_str);
    value.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Location;

    const URL: &str = "https://git.example/team/config.git";

    fn application(name: &str, url: &str, revision: &str) -> Value {
        json!({
            "metadata": { "name": name, "namespace": "signet" },
            "spec": { "source": { "repoURL": url, "targetRevision": revision } },
        })
    }

    fn asked(applications: Vec<Value>) -> Vec<String> {
        let location = Location::of("git@git.example:team/config").unwrap();
        let (push, _answer) = Push::new(vec![location]);
        let applications: Vec<_> = applications.into_iter().map(Arc::new).collect();
        let asked = spokesmen(&applications, &push).into_values();
        asked.map(|app| app.to_string()).collect()
    }

    #[test]
    fn one_application_of_each_repository_and_project_is_asked_to_refresh() {
        let mut other = application("c", URL, "main");
        other["spec"]["project"] = "team".into();
        let elsewhere = application("d", "https://git.example/team/other", "main");
        let applications = vec![
            application("b", URL, "main"),
            application("a", URL, ""),
            other,
            elsewhere,
        ];
        assert_eq!(asked(applications), ["signet/a", "signet/c"]);
    }

    #[test]
    fn it_is_one_that_lists_refs_and_was_compared_before() {
        let mut compared = application("z", URL, "main");
        compared["status"] = json!({ "sync": { "comparedTo": {} } });
        let mut left_alone = compared.clone();
        left_alone["metadata"]["annotations"] = json!({ SKIP_RECONCILE: "true" });
        let mut going = compared.clone();
        going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        let fixed = application("a", URL, &"1".repeat(40));
        assert_eq!(asked(vec![left_alone, going, fixed]), Vec::<String>::new());
        assert_eq!(
            asked(vec![application("b", URL, "main"), compared]),
            ["signet/z"]
        );
    }
}
