//! A spec, and a request: what a status repeats of them.
//! Each field is named, so that a new one is decided on.

use std::collections::BTreeMap;

use crds::{
    ApplicationSource, ApplicationSpec, Automated, Backoff, Destination, IgnoreDifferences,
    InitiatedBy, ManagedNamespaceMetadata, Operation, Retry, SyncOperation, SyncPolicy,
    SyncResource, SyncStrategy, SyncStrategyOptions,
};

use super::Redaction;

impl Redaction<'_> {
    pub(super) fn spec(&self, spec: &mut ApplicationSpec) {
        let ApplicationSpec {
            project: _,
            source,
            sources,
            source_hydrator,
            destination,
            sync_policy,
            ignore_differences,
            info,
            revision_history_limit: _,
            extra,
        } = spec;
        self.sources(source, sources);
        *source_hydrator = None;
        self.destination(destination);
        let policy = sync_policy.iter_mut();
        policy.for_each(|policy| self.sync_policy(policy));
        self.ignore_differences(ignore_differences);
        info.clear();
        extra.clear();
    }

    fn sync_policy(&self, policy: &mut SyncPolicy) {
        let SyncPolicy {
            automated,
            sync_options: _,
            retry,
            managed_namespace_metadata,
            extra,
        } = policy;
        if let Some(Automated {
            enabled: _,
            prune: _,
            self_heal: _,
            allow_empty: _,
            extra,
        }) = automated
        {
            extra.clear();
        }
        retry.iter_mut().for_each(known_of_retry);
        let metadata = managed_namespace_metadata.iter_mut();
        metadata.for_each(|metadata| self.namespace_metadata(metadata));
        extra.clear();
    }

    /// `.operation`. What it says to people does not stay, and nobody but us says there that it has failed.
    pub(super) fn request(&self, operation: &mut Operation) {
        operation.info.clear();
        self.operation(operation);
    }

    /// Its objects are refused anyhow.
    pub(super) fn operation(&self, operation: &mut Operation) {
        let Operation {
            sync,
            initiated_by,
            info: _,
            retry,
            extra,
        } = operation;
        sync.iter_mut().for_each(|sync| self.sync(sync));
        initiated_by.iter_mut().for_each(known_of_initiator);
        retry.iter_mut().for_each(known_of_retry);
        extra.clear();
    }

    fn sync(&self, sync: &mut SyncOperation) {
        let SyncOperation {
            revision: _,
            revisions: _,
            prune: _,
            dry_run: _,
            sync_strategy,
            resources,
            source,
            sources,
            manifests,
            sync_options: _,
            auto_heal_attempts_count: _,
            extra,
        } = sync;
        if let Some(SyncStrategy { apply, hook, extra }) = sync_strategy {
            for SyncStrategyOptions { force: _, extra } in apply.iter_mut().chain(hook) {
                extra.clear();
            }
            extra.clear();
        }
        for SyncResource {
            group: _,
            kind: _,
            name: _,
            namespace: _,
            extra,
        } in resources
        {
            extra.clear();
        }
        self.sources(source, sources);
        for manifest in manifests {
            self.text(&["manifests"], manifest);
        }
        extra.clear();
    }

    pub(super) fn sources(
        &self,
        source: &mut Option<ApplicationSource>,
        sources: &mut [ApplicationSource],
    ) {
        let sources = source.iter_mut().chain(sources);
        sources.for_each(|source| self.source(source));
    }

    pub(super) fn destination(&self, destination: &mut Destination) {
        let Destination {
            server,
            name: _,
            namespace: _,
            extra,
        } = destination;
        self.url(server);
        extra.clear();
    }

    /// Pointers name fields; an expression may compare them with a value.
    pub(super) fn ignore_differences(&self, rules: &mut [IgnoreDifferences]) {
        for IgnoreDifferences {
            group: _,
            kind: _,
            name: _,
            namespace: _,
            json_pointers: _,
            jq_path_expressions,
            managed_fields_managers: _,
            extra,
        } in rules
        {
            for expression in jq_path_expressions {
                self.text(&["ignoreDifferences"], expression);
            }
            extra.clear();
        }
    }

    pub(super) fn namespace_metadata(&self, metadata: &mut ManagedNamespaceMetadata) {
        let ManagedNamespaceMetadata {
            labels,
            annotations,
            extra,
        } = metadata;
        self.texts("managedNamespaceMetadata.labels", labels);
        self.texts("managedNamespaceMetadata.annotations", annotations);
        extra.clear();
    }

    /// Of each its name stays.
    pub(super) fn texts(&self, place: &str, texts: &mut BTreeMap<String, String>) {
        for (name, text) in texts {
            self.text(&[place, name], text);
        }
    }
}

fn known_of_retry(retry: &mut Retry) {
    let Retry {
        limit: _,
        backoff,
        refresh: _,
        extra,
    } = retry;
    if let Some(Backoff {
        duration: _,
        factor: _,
        max_duration: _,
        extra,
    }) = backoff
    {
        extra.clear();
    }
    extra.clear();
}

pub(super) fn known_of_initiator(by: &mut InitiatedBy) {
    let InitiatedBy {
        username: _,
        automated: _,
        extra,
    } = by;
    extra.clear();
}
