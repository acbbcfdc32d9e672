//! The Applications that one depends on, directly or through others, and who is to hear of a change of theirs.
//! It must not say whether one of them works: the planner judges.

use std::collections::BTreeMap;

use serde_json::Value;

use super::applications::AppId;
use super::subject::Subject;
use crate::dialect::ApplicationName;
use crate::dialect::signet::{DEPENDS_ON, application_names};
use crate::sync::engine::Engine;
use crate::sync::redact::Redactor;
use crate::sync::world::Dependency;

impl Engine {
    /// All that an Application depends on. In a circle it is among them itself.
    pub(super) fn dependencies(
        &self,
        redactor: &Redactor,
        subject: &Subject,
    ) -> BTreeMap<ApplicationName, Dependency> {
        let mut found = BTreeMap::new();
        let intent = subject.intent.as_ref().ok();
        let mut open = intent.map_or_else(Vec::new, |intent| intent.depends_on.clone());
        while let Some(name) = open.pop() {
            let app = AppId::new(&name.namespace, &name.name);
            if found.contains_key(&name) {
                continue;
            }
            let Some(object) = self.applications.get(&app) else {
                continue;
            };
            let Subject { facts, intent, .. } = self.subject(redactor, &app, &object);
            let intent = intent.ok();
            open.extend(intent.iter().flat_map(|intent| intent.depends_on.clone()));
            let dependency = Dependency {
                application: facts,
                intent,
            };
            found.insert(name, dependency);
        }
        found
    }

    /// Has those look again that depend on an Application.
    pub(crate) fn wake_dependants(&self, app: &AppId) {
        self.wake_apps(self.applications.dependants(app));
    }
}

/// What of an Application makes a difference to those that depend on it, and changes without its owner.
pub(crate) fn lights(object: &Value) -> [Option<&Value>; 3] {
    [
        object.pointer("/status/sync"),
        object.pointer("/status/health/status"),
        object.pointer("/status/operationState/phase"),
    ]
}

/// The Applications that one names itself; none where it names them wrongly.
pub(super) fn named(object: &Value) -> Vec<ApplicationName> {
    let metadata = &object["metadata"];
    let list = metadata["annotations"][DEPENDS_ON].as_str();
    let own = metadata["namespace"].as_str().unwrap_or_default();
    let names = list.and_then(|list| application_names(own, list).ok());
    names.unwrap_or_default()
}
