//! Noting on a workload which Secrets its Pods were started with, and so starting them anew where that has changed: an annotation of the
//! workload and one of the template of its Pods, under a manager of their own.
//! It changes nothing else, and writes no object that is not there.

use std::borrow::Cow;

use crds::names::RESTART_FIELD_MANAGER;
use kube::ResourceExt;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Answer, Executor, answer::write_failure};
use crate::dialect::{SECRETS, STARTED_WITH};
use crate::restart::plan::{Plan, StartedWith, digest, plan};
use crate::sync::items::Items;
use crate::sync::key::ObjectKey;
use crate::sync::outcome::Done;
use crate::sync::plan::SecretsNote;
use crate::sync::world::Live;

impl Executor<'_> {
    /// Writes what the Pods of a workload know of changes of Secrets.
    pub(super) async fn note_secrets(&self, note: &SecretsNote) -> Answer {
        let key = &note.key;
        let (api, resource) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let mut body = json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": { "name": key.name(), "namespace": key.namespace(), "uid": note.uid },
        });
        Notes {
            started_with: Some(text(&note.started_with)),
            template: note.template.clone(),
        }
        .write(&mut body);
        let params = PatchParams::apply(RESTART_FIELD_MANAGER).force();
        let writing = self.engine.live.writing(key);
        let answer = api.patch(key.name(), &params, &Patch::Apply(&body)).await;
        drop(writing);
        match answer {
            Ok(object) => {
                let seen = self.engine.live.sight(object, &resource);
                self.engine.live.see(key, seen);
                Ok(Ok(Done::Configured(Items::default())))
            }
            Err(error) => write_failure(key, error).map(Err),
        }
    }

    /// The body of a write with what is noted on a workload: what is due, else what stands there already. Without it the write would
    /// take it away, and so start Pods anew for nothing.
    pub(super) fn with_notes<'a>(&self, key: &ObjectKey, body: Cow<'a, Value>) -> Cow<'a, Value> {
        let there = self.world.live.get(key).map(Notes::seen_on);
        let due = self.world.restarts.get(key).map(plan);
        there.unwrap_or_default().after(due.as_ref()).on(body)
    }
}

/// The body of a write that leaves what is noted on the live workload.
pub(super) fn with_notes_of<'a>(live: &DynamicObject, body: Cow<'a, Value>) -> Cow<'a, Value> {
    let template = live.data.pointer("/spec/template/metadata/annotations");
    let template = template.and_then(|all| all.get(SECRETS)?.as_str());
    let there = Notes {
        started_with: live.annotations().get(STARTED_WITH).cloned(),
        template: template.map(str::to_owned),
    };
    there.on(body)
}

/// What is noted on a workload of changes of Secrets.
#[derive(Default)]
struct Notes {
    /// On itself.
    started_with: Option<String>,
    /// On the template of its Pods.
    template: Option<String>,
}

impl Notes {
    fn seen_on(live: &Live) -> Self {
        Self {
            started_with: live.started_with().map(str::to_owned),
            template: live.secrets.clone(),
        }
    }

    /// The same once it was done what is due. Only a restart changes the template.
    fn after(self, due: Option<&Plan>) -> Self {
        match due {
            None | Some(Plan::Rest) => self,
            Some(Plan::Note(started_with)) => Self {
                started_with: Some(text(started_with)),
                ..self
            },
            Some(Plan::Restart { started_with, .. }) => Self {
                started_with: Some(text(started_with)),
                template: Some(digest(started_with)),
            },
        }
    }

    /// A body with them. What has no template of Pods has no notes.
    fn on(self, body: Cow<'_, Value>) -> Cow<'_, Value> {
        let has_template = body.pointer("/spec/template").is_some_and(Value::is_object);
        if !has_template || (self.started_with.is_none() && self.template.is_none()) {
            return body;
        }
        let mut body = body.into_owned();
        self.write(&mut body);
        Cow::Owned(body)
    }

    fn write(self, body: &mut Value) {
        if let Some(started_with) = self.started_with {
            body["metadata"]["annotations"][STARTED_WITH] = started_with.into();
        }
        if let Some(template) = self.template {
            body["spec"]["template"]["metadata"]["annotations"][SECRETS] = template.into();
        }
    }
}

fn text(started_with: &StartedWith) -> String {
    json!(started_with).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::restart::plan::World;
    use crate::sync::desired::restarts::{Items, SecretItems};

    const BEFORE: &str = r#"{"db":{"*":""}}"#;
    const AFTER: &str = r#"{"db":{"*":"","a":"7"}}"#;

    /// The notes in the body of an apply over these, where item `a` of `db` has changed.
    fn applied(started_with: Option<&str>, template: Option<&str>) -> [Option<String>; 2] {
        let uses = SecretItems::from([("db".to_owned(), Items::All)]);
        let changed = Arc::new([("a".to_owned(), "7".to_owned())].into());
        let world = World::new(uses, [("db".to_owned(), changed)].into(), started_with);
        let there = Notes {
            started_with: started_with.map(str::to_owned),
            template: template.map(str::to_owned),
        };
        let body = json!({ "metadata": { "name": "web" }, "spec": { "template": { "spec": {} } } });
        let body = there.after(Some(&plan(&world))).on(Cow::Owned(body));
        [
            "/metadata/annotations/signet.dev~1started-with",
            "/spec/template/metadata/annotations/signet.dev~1secrets",
        ]
        .map(|note| Some(body.pointer(note)?.as_str()?.to_owned()))
    }

    #[test]
    fn who_takes_a_workload_over_notes_what_changed_before_and_leaves_its_template() {
        assert_eq!(applied(None, None), [Some(AFTER.to_owned()), None]);
    }

    #[test]
    fn an_apply_starts_pods_that_do_not_know_a_change_and_leaves_those_that_do() {
        let [started_with, template] = applied(Some(BEFORE), None);
        assert_eq!(started_with.as_deref(), Some(AFTER));
        assert!(template.is_some());
        let again = applied(started_with.as_deref(), template.as_deref());
        assert_eq!(again, [started_with, template]);
        assert_eq!(applied(Some(AFTER), None), [Some(AFTER.to_owned()), None]);
    }

    #[test]
    fn what_has_no_template_of_pods_gets_no_note() {
        let notes = Notes {
            started_with: Some(AFTER.to_owned()),
            template: None,
        };
        let body = json!({ "spec": { "workloadRef": {} } });
        assert_eq!(*notes.on(Cow::Borrowed(&body)), body);
    }
}
