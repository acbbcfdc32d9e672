//! The Application of a pass, decoded and redacted, and what its project lets us read for it.
//! It asks neither Git nor the cluster.

use crds::{AppProject, Application, ApplicationStatus};
use serde_json::Value;

use crate::access::{Denied, Project, Reason};
use crate::dialect::{self, Intent, Marks, Refusal};
use crate::sync::engine::Engine;
use crate::sync::observe::applications::AppId;
use crate::sync::redact::Redactor;
use crate::sync::world::{AppFacts, Asked};

/// The Application as decoded for one pass.
pub(super) struct Subject {
    pub(super) facts: AppFacts,
    pub(super) intent: Result<Intent, Vec<Refusal>>,
    pub(super) request: Result<Option<dialect::OperationRequest>, Vec<Refusal>>,
}

impl Subject {
    pub(super) fn asked(&self) -> Asked {
        Asked::of(&self.facts, &self.request)
    }
}

impl Engine {
    /// One odd field makes the Application's spec refused, by name, and hides nothing else of it.
    pub(super) fn subject(&self, redactor: &Redactor, app: &AppId, object: &Value) -> Subject {
        let metadata = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let (mut application, intent) = match crds::decode::<Application>(&without_status(object)) {
            Ok(application) => {
                let intent = dialect::intent(&application);
                (application, intent)
            }
            Err(error) => {
                let refusal = Refusal::invalid(error.path, error.message);
                (without_spec(object), Err(vec![refusal]))
            }
        };
        application.status = Some(stored_status(object).0);
        let written = application.operation.clone();
        let redaction = redactor.of(&app.namespace, &app.name);
        redaction.application(&mut application);
        let request = dialect::operation(&application, written.as_ref());
        let facts = AppFacts {
            namespace: app.namespace.clone(),
            name: app.name.clone(),
            uid: metadata("uid").to_owned(),
            resource_version: metadata("resourceVersion").to_owned(),
            deletion_timestamp: metadata("deletionTimestamp").parse().ok(),
            tracking_name: app.tracking_name(&self.context.namespace),
            marks: dialect::marks(&application),
            finalizers: application.metadata.finalizers.unwrap_or_default(),
            spec: application.spec,
            operation: application.operation,
            status: application.status.unwrap_or_default(),
        };
        Subject {
            facts,
            intent,
            request,
        }
    }

    pub(super) fn project(&self, subject: &Subject) -> Result<Project, Vec<Denied>> {
        let name = match subject.facts.spec.project.as_str() {
            "" => "default",
            name => name,
        };
        let object = self
            .projects
            .get(name)
            .map(|object| crds::decode::<AppProject>(&object))
            .transpose();
        let invalid = |error: crds::DecodeError| {
            vec![Denied {
                reason: Reason::ProjectInvalid,
                message: error.to_string(),
            }]
        };
        Project::find(name, object.map_err(invalid)?.as_ref())
    }

    /// The intent whose sources may be read. What the project does not permit is not fetched, let alone with credentials.
    pub(super) fn readable<'a>(
        &self,
        subject: &'a Subject,
        project: Option<&'a Project>,
    ) -> Option<(&'a Intent, &'a Project)> {
        let (intent, project) = (subject.intent.as_ref().ok()?, project?);
        let sync = &self.context.settings.sync;
        let namespace = project.permits_application_namespace(
            &subject.facts.namespace,
            &self.context.namespace,
            &sync.application_namespaces(),
        );
        let permitted = intent.sources.iter().all(|source| {
            let allow_file = sync.allow_file_repositories;
            project.permits_source(&source.repo_url, allow_file).is_ok()
        });
        (namespace.is_ok() && permitted).then_some((intent, project))
    }
}

/// What its owner writes: the status can be a thousand times as large.
fn without_status(object: &Value) -> Value {
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.filter(|(field, _)| *field != "status");
    Value::Object(
        fields
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect(),
    )
}

/// The status as far as it can be read, and whether that is all of it.
pub(in crate::sync) fn stored_status(object: &Value) -> (ApplicationStatus, bool) {
    match object.get("status").filter(|status| !status.is_null()) {
        Some(status) => crds::decode_fields(status),
        None => (ApplicationStatus::default(), true),
    }
}

/// What its metadata asks for.
pub(super) fn marks(object: &Value) -> Marks {
    dialect::marks(&without_spec(object))
}

/// The Application without what can't be decoded: its metadata still says whether to leave it alone and what to do on deletion.
fn without_spec(object: &Value) -> Application {
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    Application {
        metadata: serde_json::from_value(metadata).unwrap_or_default(),
        ..Application::default()
    }
}
