//! A status, whoever wrote it: what it repeats of a spec or a request, and what of it nobody here knows.
//! Each field is named, so that a new one is decided on.

use crds::{
    ApplicationCondition, ApplicationStatus, ApplicationSummary, ComparedTo, HealthStatus,
    OperationRecord, OperationState, ResourceResult, ResourceStatus, RevisionHistory,
    SyncOperationResult, SyncStatus,
};

use super::Redaction;
use super::spec::known_of_initiator;
use crate::sync::plan::recorded;

impl Redaction<'_> {
    pub(super) fn status(&self, status: &mut ApplicationStatus) {
        let ApplicationStatus {
            sync,
            health,
            resources,
            operation_state,
            last_sync,
            history,
            operation_history,
            conditions,
            reconciled_at: _,
            observed_at: _,
            source_type: _,
            source_types: _,
            summary,
            resource_health_source: _,
            controller_namespace: _,
            source_hydrator,
            extra,
        } = status;
        sync.iter_mut().for_each(|sync| self.compared(sync));
        health.iter_mut().for_each(known_of_health);
        resources.iter_mut().for_each(known_of_resource);
        let states = operation_state.iter_mut().chain(last_sync.as_deref_mut());
        states.for_each(|state| self.state(state));
        history.iter_mut().for_each(|entry| self.entry(entry));
        operation_history.iter_mut().for_each(known_of_record);
        for ApplicationCondition {
            type_: _,
            message: _,
            last_transition_time: _,
            extra,
        } in conditions
        {
            extra.clear();
        }
        if let Some(ApplicationSummary {
            external_urls: _,
            images: _,
            is_app_of_apps: _,
            extra,
        }) = summary
        {
            extra.clear();
        }
        *source_hydrator = None;
        extra.clear();
    }

    fn compared(&self, sync: &mut SyncStatus) {
        let SyncStatus {
            status: _,
            revision: _,
            revisions: _,
            compared_to,
            extra,
        } = sync;
        if let Some(ComparedTo {
            source,
            sources,
            destination,
            ignore_differences,
            extra,
        }) = compared_to
        {
            self.sources(source, sources);
            self.destination(destination);
            self.ignore_differences(ignore_differences);
            extra.clear();
        }
        extra.clear();
    }

    fn state(&self, state: &mut OperationState) {
        let OperationState {
            operation,
            phase: _,
            message: _,
            sync_result,
            started_at: _,
            finished_at: _,
            retry_count: _,
            extra,
        } = state;
        self.operation(operation);
        operation.info.retain(recorded::is_failure);
        if let Some(SyncOperationResult {
            resources,
            revision: _,
            revisions: _,
            source,
            sources,
            managed_namespace_metadata,
            omitted_resources: _,
            extra,
        }) = sync_result
        {
            for ResourceResult {
                group: _,
                version: _,
                kind: _,
                namespace: _,
                name: _,
                status: _,
                message: _,
                hook_type: _,
                hook_phase: _,
                sync_phase: _,
                images: _,
                reason: _,
                extra,
            } in resources
            {
                extra.clear();
            }
            self.sources(source, sources);
            let metadata = managed_namespace_metadata.iter_mut();
            metadata.for_each(|metadata| self.namespace_metadata(metadata));
            extra.clear();
        }
        extra.clear();
    }

    fn entry(&self, entry: &mut RevisionHistory) {
        let RevisionHistory {
            id: _,
            revision: _,
            revisions: _,
            source,
            sources,
            deploy_started_at: _,
            deployed_at: _,
            initiated_by,
            extra,
        } = entry;
        self.sources(source, sources);
        initiated_by.iter_mut().for_each(known_of_initiator);
        extra.clear();
    }
}

fn known_of_resource(resource: &mut ResourceStatus) {
    let ResourceStatus {
        group: _,
        version: _,
        kind: _,
        namespace: _,
        name: _,
        status: _,
        health,
        hook: _,
        requires_pruning: _,
        sync_wave: _,
        requires_deletion_confirmation: _,
        extra,
    } = resource;
    health.iter_mut().for_each(known_of_health);
    extra.clear();
}

fn known_of_health(health: &mut HealthStatus) {
    let HealthStatus {
        status: _,
        message: _,
        last_transition_time: _,
        extra,
    } = health;
    extra.clear();
}

fn known_of_record(record: &mut OperationRecord) {
    let OperationRecord {
        id: _,
        phase: _,
        message: _,
        started_at: _,
        finished_at: _,
        initiated_by,
        revision: _,
        revisions: _,
        changed: _,
        changes: _,
        extra,
    } = record;
    initiated_by.iter_mut().for_each(known_of_initiator);
    extra.clear();
}
