//! What stays of a pass once it is over. The API server knows nothing here.

use clap::Parser as _;
use http::{Request, Response};
use kube::client::Body;
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use super::*;
use crate::{
    events::Recorder,
    keys::Keys,
    leadership::Leadership,
    metrics::Metrics,
    settings::Settings,
    sync::{key::ObjectKey, plan::SyncStatus, report::AppMetrics, world::HealthStatus},
    unseal::Unsealer,
};

fn engine() -> Arc<Engine> {
    let service = service_fn(|_: Request<Body>| async {
        let nothing = Body::from(Vec::new());
        Response::builder().status(404).body(nothing)
    });
    let client = Client::new(service, "signet");
    let settings = Arc::new(Settings::parse_from(["signet-controller"]));
    let keys = Arc::new(Keys::new(Arc::default()));
    let events = Arc::new(Recorder::new(client.clone()));
    let metrics = Arc::new(Metrics::default());
    let unsealer = Unsealer::new(
        client.clone(),
        settings.clone(),
        keys.clone(),
        events.clone(),
        metrics.clone(),
    );
    let context = Context {
        client: client.clone(),
        settings,
        namespace: "signet".to_owned(),
        keyring: keys.keyring.clone(),
        keys,
        unsealer: Arc::new(unsealer),
        leadership: Arc::new(Leadership::new(false)),
        synced: watch::Sender::new(None),
        restarts: None,
        events,
        metrics,
        shutdown: CancellationToken::new(),
    };
    let mirrors = Mirrors::temporary(MirrorOptions::default());
    let mirrors = mirrors.expect("a place for temporary files");
    Engine::new(Arc::new(context), client, Arc::new(mirrors))
}

#[tokio::test]
async fn a_pass_that_outlives_its_application_leaves_nothing_but_wakes() {
    let engine = engine();
    let app = AppId::new("signet", "shop");
    engine.queue.wake(&app, Lane::Prompt);
    let next = engine.queue.next().await;
    // What it notes after the Application has gone, and was forgotten.
    let object = ObjectKey::of("", "ConfigMap", "shop", "web");
    engine.live.index().concern(&app, [&object].into_iter());
    engine.memories.with(&app, |memory| memory.signed = true);
    let values = AppMetrics {
        sync: SyncStatus::Synced,
        health: HealthStatus::Healthy,
        ended: None,
    };
    engine.metrics.show(&app, &json!({}), &values);
    let shown = || engine.context.metrics.text().contains("argocd_app_info{");
    assert!(shown());
    // Somebody makes another one of that name.
    engine.queue.wake(&app, Lane::Prompt);

    engine.clone().turn(next).await;
    assert!(engine.live.index().concerned_with("").is_empty());
    assert!(!engine.memories.get(&app).signed);
    assert!(!shown());
    assert!(engine.queue.is_pressing());
}
