//! Workloads outside Applications that ask for it are started anew when an item of a Secret changes that they use.
//! It must not touch what an Application has, which `sync/` does in its passes, nor look at a value: what has changed is noted on Secrets.

mod apply;
mod observe;
pub mod plan;
mod register;
pub(crate) mod report;
mod watch;
mod workloads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::ApiResource;
use tokio::sync::broadcast::error::RecvError;

use self::observe::{Workload, observe};
use self::plan::{Plan, digest, plan};
pub use self::register::Register;
pub(crate) use self::register::Teller;
use self::watch::kinds;
use self::workloads::Sight;
use crate::context::Context;
use crate::events::Event;
use crate::keys::Standing;
use crate::leadership::Role;
use crate::refusal;
use crate::run;
use crate::sync::key::ObjectKey;

/// What failed is tried again after this time.
const AGAIN: Duration = Duration::from_secs(30);

/// Restarts workloads of the register until shutdown; where another controller opens SealedSecrets nothing is noted, and nothing
/// looked for.
pub async fn run(context: Arc<Context>, register: Arc<Register>) -> Result<(), run::Error> {
    let mut standing = context.keys.standing();
    tokio::select! {
        Ok(_) = standing.wait_for(|standing| *standing == Standing::Serving) => {}
        () = context.shutdown.cancelled() => return Ok(()),
    }
    let mut news = context.unsealer.changes().news();
    let mut role = context.leadership.role();
    let mut synced = context.synced.subscribe();
    let _watches = watch::start(&context, &register);
    loop {
        let leads = *role.borrow_and_update() == Role::Leading;
        let writes = leads && synced.borrow_and_update().is_some();
        let next = register.workloads().next();
        tokio::select! {
            () = context.shutdown.cancelled() => return Ok(()),
            Ok(()) = role.changed() => {}
            Ok(()) = synced.changed() => register.workloads().applications_changed(),
            changed = news.recv() => match changed {
                Ok(secret) => register.workloads().secret_changed(Some(&secret)),
                Err(RecvError::Lagged(_)) => register.workloads().secret_changed(None),
                Err(RecvError::Closed) => return Ok(()),
            },
            () = register.news() => {}
            key = when_due(next), if writes => turn(&context, &register, &key).await,
        }
    }
}

async fn when_due(next: Option<(Instant, ObjectKey)>) -> ObjectKey {
    match next {
        Some((due, key)) => {
            tokio::time::sleep_until(due.into()).await;
            key
        }
        None => std::future::pending().await,
    }
}

/// Looks at a workload, and does what is due.
async fn turn(context: &Context, register: &Register, key: &ObjectKey) {
    register.workloads().look(key);
    match look(context, register, key).await {
        Ok(()) => {}
        // Somebody wrote it meanwhile.
        Err(kube::Error::Api(status)) if status.is_conflict() => {
            register.workloads().again(key, Duration::ZERO);
        }
        Err(error) => {
            let error = run::chain(&error);
            tracing::warn!(workload = %key, error, "can't be looked at, will retry");
            register.workloads().again(key, AGAIN);
        }
    }
}

async fn look(context: &Context, register: &Register, key: &ObjectKey) -> kube::Result<()> {
    let of_kind = |resource: &ApiResource| key.is(&resource.group, &resource.kind);
    let Some(resource) = kinds().into_iter().find(of_kind) else {
        return Ok(());
    };
    let found = observe(&context.client, key, &resource).await?;
    let seen = found.and_then(|workload| {
        let sight = Sight::of(key, &workload.object.metadata)?;
        Some((workload, sight))
    });
    let Some((workload, sight)) = seen else {
        register.workloads().forget(key);
        return Ok(());
    };
    let world = &workload.world;
    register
        .workloads()
        .uses(key, world.uses.keys().cloned().collect());
    if is_synced(context, &sight) {
        return Ok(());
    }
    let plan = plan(world);
    let (started_with, template) = match &plan {
        Plan::Rest => return Ok(()),
        Plan::Note(started_with) => (started_with, workload.template.clone()),
        Plan::Restart { started_with, .. } => (started_with, Some(digest(started_with))),
    };
    let (client, template) = (&context.client, template.as_deref());
    match apply::note(client, key, &resource, &workload, started_with, template).await {
        Ok(metadata) => {
            register.workloads().wrote(key, &metadata);
            if let Plan::Restart { changed, .. } = &plan {
                tracing::info!(workload = %key, "restarted: a Secret that it uses has changed");
                tell(context, &workload, &resource, report::restarted(changed)).await;
            }
            Ok(())
        }
        Err(kube::Error::Api(status)) if !status.is_conflict() => {
            let event = report::failed(&refusal::unquoted(key, &status));
            tell(context, &workload, &resource, event).await;
            let error = kube::Error::Api(status);
            Err(refusal::error_without_values(key, error))
        }
        Err(error) => Err(error),
    }
}

/// It is an Application's that is synced here.
fn is_synced(context: &Context, sight: &Sight) -> bool {
    let synced = context.synced.borrow();
    let names = |name: &String| synced.as_ref().is_some_and(|names| names.contains(name));
    sight.application.as_ref().is_some_and(names)
}

async fn tell(context: &Context, workload: &Workload, resource: &ApiResource, event: Event) {
    let metadata = &workload.object.metadata;
    let regarding = ObjectReference {
        api_version: Some(resource.api_version.clone()),
        kind: Some(resource.kind.clone()),
        name: metadata.name.clone(),
        namespace: metadata.namespace.clone(),
        uid: metadata.uid.clone(),
        ..ObjectReference::default()
    };
    context.events.publish(&regarding, event).await;
}
