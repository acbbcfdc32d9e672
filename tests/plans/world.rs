//! Reads a folder of small YAML files into a World.
//! What a folder leaves out is as ordinary as can be: built-in kinds, objects as they were applied.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use controller::access::Project;
use controller::dialect::{
    self, ApplicationName, Intent, ObjectDefaults, OperationRequest, Refusal,
};
use controller::ignore::Rules;
use controller::render::{Manifest, SourceType};
use controller::restart;
use controller::sync::desired::restarts::SecretItems;
use controller::sync::desired::{Desired, Inputs, desired};
use controller::sync::key::{GroupKind, ObjectKey};
use controller::sync::kinds::Kinds;
use controller::sync::plan::revision::revisions_to_render;
use controller::sync::plan::{Condition, ConditionKind, HeldBack};
use controller::sync::redact::Redactor;
use controller::sync::revisions::Revisions;
use controller::sync::world::{
    AppFacts, Dependency, DestinationNamespace, Live, Source, SourceProblem, SourceReason,
    Unsealer, World,
};
use crds::ApplicationStatus;
use health::Customizations;
use serde_json::{Value, json};

use super::folder::{Located, documents, documents_in};
use super::kinds;
use super::live::{key_of, seen};

/// One folder.
pub(crate) struct Case {
    pub(crate) world: World,
    /// The status before it was redacted.
    pub(crate) stored: ApplicationStatus,
    pub(crate) report: bool,
    /// Steps that fail, by their printed form, with their messages.
    pub(crate) failures: BTreeMap<String, String>,
}

impl Case {
    /// Reads one folder.
    pub(crate) fn read(folder: &Path) -> Case {
        let settings = documents(&folder.join("world.yaml"))
            .pop()
            .map_or(json!({}), |(_, value)| value);
        let application = documents(&folder.join("application.yaml"))
            .pop()
            .expect("application.yaml")
            .1;
        let project = documents(&folder.join("project.yaml"))
            .pop()
            .map(|(_, project)| project);
        let manifests = manifests(&folder.join("source"));
        let live = documents_in(&folder.join("live"))
            .into_iter()
            .map(|(_, _, object)| object)
            .collect::<Vec<Value>>();
        let mut world = build(&settings, &application, project.as_ref(), &manifests, &live);
        let labels = serde_json::from_value(settings["namespaceLabels"].clone());
        world.namespace_metadata.labels = labels.unwrap_or_default();
        world.dependencies = dependencies(&folder.join("dependencies"));
        let stored = serde_json::from_value(application["status"].clone());
        Case {
            world,
            stored: stored.unwrap_or_default(),
            report: settings["report"] == true,
            failures: serde_json::from_value(settings["failures"].clone()).unwrap_or_default(),
        }
    }
}

fn build(
    settings: &Value,
    application: &Value,
    project: Option<&Value>,
    manifests: &[Manifest],
    live: &[Value],
) -> World {
    let decoded: crds::Application = crds::decode(application).expect("application.yaml");
    let intent = dialect::intent(&decoded);
    let kinds = kinds::served(settings);
    let tracking_name = "shop".to_owned();
    let project_name = decoded.spec.project.clone();
    let (application, request) = facts(application, decoded, &tracking_name);
    let newest = newest(settings, intent.as_ref().ok());
    let revisions = revisions(
        settings,
        newest.as_ref(),
        &application,
        intent.as_ref().ok(),
        request.as_ref().ok().and_then(Option::as_ref),
    );
    let namespace = &application.spec.destination.namespace;
    let defaults = intent
        .as_ref()
        .map(|intent| intent.options.defaults)
        .unwrap_or_default();
    let cluster_settings =
        serde_json::from_value(settings["argocd-cm"].clone()).unwrap_or_default();
    let mut ignored = intent
        .as_ref()
        .map(|intent| intent.ignored.clone())
        .unwrap_or_default();
    ignored
        .rules
        .extend(dialect::ignored_everywhere(&cluster_settings).0);
    let source = source(
        settings,
        &kinds,
        manifests,
        (namespace, defaults, &ignored),
        revisions,
    );
    let wanted = source
        .as_ref()
        .map(|source| source.desired.clone())
        .unwrap_or_default();
    let project =
        project.map(|project| crds::decode::<crds::AppProject>(project).expect("project.yaml"));
    let customizations = Arc::new(Customizations::read(&cluster_settings).0);
    let others = others(settings, &kinds);
    let mut world = World {
        now: text(settings, "now")
            .parse()
            .unwrap_or_else(|_| "2026-03-01T12:00:00Z".parse().unwrap()),
        request,
        project: Project::find(&project_name, project.as_ref()),
        application,
        intent,
        live: live
            .iter()
            .map(|object| seen(object, &kinds, &wanted, &tracking_name, &customizations))
            .collect(),
        kinds: Arc::new(kinds),
        source,
        newest,
        held_back: held_back(settings),
        tries_again: settings["triesAgain"] == true,
        destination_namespace: match text(settings, "namespace") {
            "missing" => DestinationNamespace::Missing,
            "terminating" => DestinationNamespace::Terminating,
            _ => DestinationNamespace::Exists,
        },
        namespace_metadata: Default::default(),
        unlisted: kinds::named(&settings["unlisted"]),
        customizations,
        opening: opening(settings),
        restarts: BTreeMap::new(),
        unsealer: if settings["unsealer"] == "other" {
            Unsealer::Other
        } else {
            Unsealer::Ours
        },
        own_namespace: "signet".into(),
        application_namespaces: Vec::new(),
        allow_file_repositories: false,
        applications: Arc::new(["shop", "other"].map(str::to_owned).into()),
        others,
        dependencies: BTreeMap::new(),
        another_controller: settings["anotherController"] == true,
    };
    world.restarts = restarts(settings, &wanted, &world.live);
    world
}

/// `others` has what other Applications list, by their names.
fn others(settings: &Value, kinds: &Kinds) -> BTreeMap<ObjectKey, String> {
    let applications = settings["others"].as_object().into_iter().flatten();
    let listed = applications.flat_map(|(application, objects)| {
        let objects = objects.as_array().into_iter().flatten();
        objects.map(move |object| (key_of(object, kinds), application.clone()))
    });
    listed.collect()
}

/// `heldBack` is a commit that may not begin.
fn held_back(settings: &Value) -> Option<HeldBack> {
    let commit = settings["heldBack"].as_str()?;
    let message = format!("nothing of {commit} is applied: it is refused");
    Some(HeldBack {
        revisions: Revisions::new(vec![commit.to_owned()]),
        conditions: vec![Condition {
            kind: ConditionKind::SyncError,
            message,
        }],
        until: "2026-03-01T12:00:45Z".parse().unwrap(),
    })
}

/// `changed` has items by Secret, each with the version that changed it. Without it not all Secrets are known yet.
fn restarts(
    settings: &Value,
    wanted: &Desired,
    live: &BTreeMap<ObjectKey, Live>,
) -> BTreeMap<ObjectKey, restart::plan::World> {
    let Some(changed) = settings["changed"].as_object() else {
        return BTreeMap::new();
    };
    let restart = |(key, uses): (&ObjectKey, &SecretItems)| {
        let used = changed
            .iter()
            .filter(|(secret, _)| uses.contains_key(*secret));
        let changed = used.map(|(secret, items)| {
            let items = serde_json::from_value(items.clone()).expect("items");
            (secret.clone(), Arc::new(items))
        });
        let started_with = live.get(key).and_then(Live::started_with);
        let world = restart::plan::World::new(uses.clone(), changed.collect(), started_with);
        (key.clone(), world)
    };
    wanted.secret_items.iter().map(restart).collect()
}

fn dependencies(folder: &Path) -> BTreeMap<ApplicationName, Dependency> {
    let dependency = |(_, _, object): Located| {
        let decoded = crds::decode::<crds::Application>(&object).expect("an Application");
        let intent = dialect::intent(&decoded).ok();
        let (application, _) = facts(&object, decoded, "");
        let name = ApplicationName {
            namespace: application.namespace.clone(),
            name: application.name.clone(),
        };
        (
            name,
            Dependency {
                application,
                intent,
            },
        )
    };
    documents_in(folder).into_iter().map(dependency).collect()
}

/// As it is read from the cluster: redacted, and what its request asks for.
fn facts(
    application: &Value,
    mut decoded: crds::Application,
    tracking_name: &str,
) -> (AppFacts, Result<Option<OperationRequest>, Vec<Refusal>>) {
    let [namespace, name] =
        ["metadata.namespace", "metadata.name"].map(|path| text(application, path));
    let redactor = Redactor::new(&[7; 32]);
    let redaction = redactor.of(namespace, name);
    let written = decoded.operation.clone();
    redaction.application(&mut decoded);
    let request = dialect::operation(&decoded, written.as_ref());
    let facts = AppFacts {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: "uid-of-the-application".into(),
        resource_version: "7".into(),
        deletion_timestamp: text(application, "metadata.deletionTimestamp").parse().ok(),
        tracking_name: tracking_name.to_owned(),
        marks: dialect::marks(&decoded),
        finalizers: decoded.metadata.finalizers.clone().unwrap_or_default(),
        spec: decoded.spec,
        operation: decoded.operation,
        status: decoded.status.unwrap_or_default(),
    };
    (facts, request)
}

fn source(
    settings: &Value,
    kinds: &Kinds,
    manifests: &[Manifest],
    (namespace, defaults, ignored): (&str, ObjectDefaults, &Rules),
    revisions: Revisions,
) -> Result<Source, SourceProblem> {
    for (field, reason) in [
        ("fetchProblem", SourceReason::Fetch),
        ("renderProblem", SourceReason::Render),
        ("signatureProblem", SourceReason::Signature),
    ] {
        if let Some(message) = settings[field].as_str() {
            return Err(SourceProblem {
                reason,
                message: message.to_owned(),
                hint: settings["hint"].as_str().map(str::to_owned),
            });
        }
    }
    let scaled = settings["scaled"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|text| key_of(text, kinds))
        .collect();
    let inputs = Inputs {
        manifests: &manifests.iter().collect::<Vec<_>>(),
        kinds,
        application_id: "shop",
        namespace,
        defaults,
        scaled: &scaled,
        ignored,
        predecessor: None,
    };
    Ok(Source {
        revisions,
        desired: Arc::new(desired(&inputs)),
        source_types: vec![SourceType::Directory],
    })
}

/// What the sources mean, where a rollback may keep the Application elsewhere.
fn newest(settings: &Value, intent: Option<&Intent>) -> Option<Revisions> {
    let refs = settings["refs"].as_object()?;
    let unrendered = ["renderProblem", "signatureProblem"].map(|field| settings[field].is_string());
    let is_looked_up = |intent: &&Intent| intent.hold.is_some() || unrendered.contains(&true);
    let intent = intent.filter(is_looked_up)?;
    let sources = intent.sources.iter();
    let commits = sources.map(|source| Some(refs.get(&source.revision)?.as_str()?.to_owned()));
    commits.collect::<Option<_>>().map(Revisions::new)
}

/// The commits that are asked for: `refs` says what each name means; without them they are `revision`, one or a list, or `c2`.
fn revisions(
    settings: &Value,
    newest: Option<&Revisions>,
    application: &AppFacts,
    intent: Option<&Intent>,
    request: Option<&OperationRequest>,
) -> Revisions {
    if let (Some(refs), Some(intent)) = (settings["refs"].as_object(), intent) {
        let names = revisions_to_render(application, intent, request, newest, None).into_iter();
        let commit = |name: String| {
            refs.get(&name)
                .and_then(Value::as_str)
                .map_or(name, str::to_owned)
        };
        return Revisions::new(names.map(commit).collect());
    }
    let commit = |value: &Value| value.as_str().unwrap_or("c2").to_owned();
    Revisions::new(match settings["revision"].as_array() {
        Some(several) => several.iter().map(commit).collect(),
        None => vec![commit(&settings["revision"])],
    })
}

fn opening(settings: &Value) -> BTreeMap<ObjectKey, Result<(), String>> {
    let entries = settings["opening"].as_object().into_iter().flatten();
    let kind = GroupKind::new("bitnami.com", "SealedSecret");
    let opened = entries.map(|(name, answer)| {
        let answer = if answer == "opens" {
            Ok(())
        } else {
            Err(answer.as_str().unwrap().to_owned())
        };
        (ObjectKey::new(&kind, Some("demo"), name), answer)
    });
    opened.collect()
}

fn manifests(folder: &Path) -> Vec<Manifest> {
    let documents = documents_in(folder).into_iter();
    let manifest = |(file, (document, line), object)| Manifest {
        file,
        document,
        line: Some(line),
        object,
    };
    documents.map(manifest).collect()
}

pub(crate) fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    path.split('.')
        .try_fold(object, |value, field| value.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}
