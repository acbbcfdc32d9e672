//! What the metrics say of Applications: Argo CD's names where we have the fact, ours for the rest.
//! It holds no fact that anything relies on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use serde_json::Value;

use crate::{
    metrics::LATENCIES,
    render::SourceType,
    sync::{observe::applications::AppId, report::AppMetrics},
};

/// Metrics of the sync engine.
#[derive(Clone, Debug)]
pub(crate) struct SyncMetrics {
    info: Family<InfoLabels, Gauge>,
    syncs: Family<SyncLabels, Counter>,
    renders: Family<RenderLabels, Histogram>,
    /// Passes over Applications.
    pub(crate) passes: Counter,
    /// What `info` shows of each Application, to take it back when it changes.
    shown: Arc<Mutex<HashMap<AppId, InfoLabels>>>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct InfoLabels {
    namespace: String,
    name: String,
    project: String,
    repo: String,
    dest_server: String,
    dest_namespace: String,
    sync_status: &'static str,
    health_status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SyncLabels {
    namespace: String,
    name: String,
    project: String,
    dest_server: String,
    phase: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RenderLabels {
    source_type: &'static str,
}

impl Default for SyncMetrics {
    fn default() -> Self {
        Self {
            info: Family::default(),
            syncs: Family::default(),
            renders: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            passes: Counter::default(),
            shown: Arc::default(),
        }
    }
}

impl SyncMetrics {
    pub(crate) fn add_to(&self, registry: &mut Registry) {
        registry.register(
            "argocd_app_info",
            "Information about an Application",
            self.info.clone(),
        );
        registry.register(
            "argocd_app_sync",
            "Number of syncs of an Application that ended, by phase",
            self.syncs.clone(),
        );
        registry.register(
            "signet_sync_passes",
            "Passes over Applications",
            self.passes.clone(),
        );
        registry.register(
            "signet_render_seconds",
            "How long renders took; those that were shared or still held are not among them",
            self.renders.clone(),
        );
    }

    /// A source was rendered.
    pub(crate) fn rendered(&self, source_type: SourceType, took: Duration) {
        let labels = RenderLabels {
            source_type: source_type.as_str(),
        };
        self.renders
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }

    /// Shows how an Application is.
    pub(crate) fn show(&self, app: &AppId, object: &Value, values: &AppMetrics) {
        let labels = InfoLabels {
            namespace: app.namespace.clone(),
            name: app.name.clone(),
            project: text(object, "/spec/project"),
            repo: crate::git::redacted(&repository(object)),
            dest_server: server(object),
            dest_namespace: text(object, "/spec/destination/namespace"),
            sync_status: values.sync.name(),
            health_status: values.health.name(),
        };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match shown.get(app) {
            Some(before) if *before == labels => return,
            Some(before) => drop(self.info.remove(before)),
            None => {}
        }
        self.info.get_or_create(&labels).set(1);
        shown.insert(app.clone(), labels);
    }

    /// Counts a sync that ended.
    pub(crate) fn count(&self, app: &AppId, object: &Value, values: &AppMetrics) {
        if let Some(phase) = values.ended {
            let labels = SyncLabels {
                namespace: app.namespace.clone(),
                name: app.name.clone(),
                project: text(object, "/spec/project"),
                dest_server: server(object),
                phase: phase.name(),
            };
            self.syncs.get_or_create(&labels).inc();
        }
    }

    /// The Application is gone, or left alone.
    pub(crate) fn forget(&self, app: &AppId) {
        if let Some(before) = self
            .shown
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(app)
        {
            self.info.remove(&before);
        }
    }
}

/// That of the first source, as Argo CD's metric has it.
fn repository(object: &Value) -> String {
    match text(object, "/spec/sources/0/repoURL") {
        none if none.is_empty() => text(object, "/spec/source/repoURL"),
        url => url,
    }
}

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn server(object: &Value) -> String {
    match text(object, "/spec/destination/server") {
        server if server.is_empty() => text(object, "/spec/destination/name"),
        server => crate::git::redacted(&server),
    }
}
