//! Tells what a pass did: the Application's status, Events about it, counts and the log. The report says what.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ObjectReference;
use serde_json::Value;

use crate::events::{Component, Event, EventType};
use crate::sync::{
    engine::Engine,
    key::ObjectKey,
    observe::applications::AppId,
    observe::dependencies::lights,
    report::{self, Report},
    status::Written,
};

impl Engine {
    /// Writes a report; its events and counts go out with the write, so that none is told twice. How the Application is shows
    /// once it stands in its status.
    pub(super) async fn tell(
        &self,
        app: &AppId,
        base: &Arc<Value>,
        report: &Report,
    ) -> Result<Written, kube::Error> {
        let written = self.write(app, base, report).await?;
        if let Some(values) = &report.metrics
            && matches!(written, Written::Done(_) | Written::Nothing)
        {
            self.metrics.show(app, base, values);
        }
        if let Written::Done(now) = &written {
            if lights(now) != lights(base) {
                self.wake_dependants(app);
            }
            if let Some(values) = &report.metrics {
                self.metrics.count(app, base, values);
            }
            self.publish(app, base, &report.events).await;
        }
        Ok(written)
    }

    /// Tells of workloads that were started anew, or could not be: in the log and by Events, once for each reason.
    pub(super) async fn tell_restarts(
        &self,
        app: &AppId,
        base: &Value,
        restarts: &BTreeMap<ObjectKey, Option<report::Event>>,
    ) {
        if restarts.is_empty() {
            return;
        }
        let news = self.memories.with(app, |memory| memory.news_of(restarts));
        for report::Event {
            warning, message, ..
        } in &news
        {
            match warning {
                true => tracing::warn!(application = %app, "{message}"),
                false => tracing::info!(application = %app, "{message}"),
            }
        }
        self.publish(app, base, &news).await;
    }

    async fn publish(&self, app: &AppId, base: &Value, events: &[report::Event]) {
        let regarding = ObjectReference {
            api_version: Some(crds::names::application::API_VERSION.to_owned()),
            kind: Some(crds::names::application::KIND.to_owned()),
            namespace: Some(app.namespace.clone()),
            name: Some(app.name.clone()),
            uid: base
                .pointer("/metadata/uid")
                .and_then(Value::as_str)
                .map(str::to_owned),
            ..ObjectReference::default()
        };
        for event in events {
            let event = Event {
                type_: if event.warning {
                    EventType::Warning
                } else {
                    EventType::Normal
                },
                component: Component::Signet,
                reason: event.reason,
                message: event.message.clone(),
            };
            self.context.events.publish(&regarding, event).await;
        }
    }
}
