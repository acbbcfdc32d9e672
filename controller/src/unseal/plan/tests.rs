//! The rules of an existing Secret, each printed as a plan that ends where it ends: nothing else happens.

use std::collections::BTreeMap;

use super::*;
use crds::names::{KEEP_FOREIGN_METADATA, sealed_secret};
use k8s_openapi::ByteString;
use sealing::{SecretBytes, UnsealedSecret};
use serde_json::json;

fn sealed() -> SealedSecret {
    let mut sealed = SealedSecret::default();
    sealed.metadata.namespace = Some("ns".to_owned());
    sealed.metadata.name = Some("db".to_owned());
    sealed.metadata.uid = Some("uid-1".to_owned());
    sealed
}

fn owner(uid: &str) -> serde_json::Value {
    json!({ "apiVersion": sealed_secret::API_VERSION, "kind": "SealedSecret", "name": "db", "uid": uid, "controller": true })
}

/// The Secret that the SealedSecret stands for, with one item and one label.
fn wanted(change: impl FnOnce(&mut UnsealedSecret)) -> Result<Unsealed, UnsealReason> {
    let metadata = json!({ "namespace": "ns", "name": "db", "labels": { "app": "web" }, "ownerReferences": [owner("uid-1")] });
    let mut secret = UnsealedSecret {
        metadata: serde_json::from_value(metadata).unwrap(),
        data: BTreeMap::from([("password".to_owned(), SecretBytes::from(b"s3cret".to_vec()))]),
        ..UnsealedSecret::default()
    };
    change(&mut secret);
    Ok(Unsealed {
        secret,
        opened_by: BTreeMap::new(),
        rendering: None,
    })
}

/// That Secret as the API server stores it.
fn stored(change: impl FnOnce(&mut Secret)) -> Option<Secret> {
    let mut secret = wanted(|_| {}).unwrap().secret.to_secret();
    secret.type_ = Some("Opaque".to_owned());
    secret.metadata.resource_version = Some("7".to_owned());
    change(&mut secret);
    Some(secret)
}

fn foreign(change: impl FnOnce(&mut Secret)) -> Option<Secret> {
    stored(|secret| {
        secret.metadata.owner_references = None;
        secret.metadata.labels = Some(BTreeMap::from([("theirs".to_owned(), "1".to_owned())]));
        secret.data = Some(BTreeMap::from([(
            "other".to_owned(),
            ByteString(b"x".to_vec()),
        )]));
        change(secret);
    })
}

fn annotate(secret: &mut Secret, key: &str) {
    secret
        .metadata
        .annotations
        .get_or_insert_default()
        .insert(key.to_owned(), "true".to_owned());
}

fn decided(
    opened: &Result<Unsealed, UnsealReason>,
    existing: Option<Secret>,
    settled: bool,
) -> Plan {
    plan_for(&sealed(), opened, existing, settled)
}

fn plan_for(
    sealed: &SealedSecret,
    opened: &Result<Unsealed, UnsealReason>,
    existing: Option<Secret>,
    settled: bool,
) -> Plan {
    plan(World {
        sealed,
        opened,
        existing,
        settled,
    })
}

fn printed(opened: &Result<Unsealed, UnsealReason>, existing: Option<Secret>) -> String {
    decided(opened, existing, false).to_string()
}

fn updated(plan: &Plan) -> &Secret {
    match &plan.write {
        Write::Update { new, .. } => new,
        other => panic!("expected an update, got {other:?}"),
    }
}

#[test]
fn a_missing_secret_is_created() {
    assert_eq!(
        printed(&wanted(|_| {}), None),
        "create Secret ns/db\n  item password added\n"
    );
}

#[test]
fn an_equal_secret_is_left_alone_whatever_type_opaque_is_called() {
    assert_eq!(printed(&wanted(|_| {}), stored(|_| {})), "");
    assert_eq!(
        printed(
            &wanted(|secret| secret.type_ = Some(String::new())),
            stored(|_| {})
        ),
        ""
    );
    assert_eq!(
        printed(
            &wanted(|secret| secret.type_ = Some("Opaque".to_owned())),
            stored(|_| {})
        ),
        ""
    );
}

#[test]
fn an_owned_secret_is_overwritten_as_a_whole() {
    let existing = stored(|secret| {
        secret.data = Some(BTreeMap::from([(
            "stale".to_owned(),
            ByteString(b"x".to_vec()),
        )]));
        secret
            .metadata
            .labels
            .get_or_insert_default()
            .insert("theirs".to_owned(), "1".to_owned());
    });
    let plan = decided(&wanted(|_| {}), existing, false);
    assert_eq!(
        plan.to_string(),
        "update Secret ns/db\n  item password added\n  item stale removed\n  labels changed\n"
    );
    assert_eq!(updated(&plan).metadata.labels.as_ref().unwrap().len(), 1);
    assert_eq!(
        updated(&plan).metadata.resource_version.as_deref(),
        Some("7"),
        "the write must see what it overwrites"
    );
}

#[test]
fn labels_that_others_add_later_cause_no_write_and_survive_a_repair() {
    let labelled = |secret: &mut Secret| {
        secret
            .metadata
            .labels
            .get_or_insert_default()
            .insert("theirs".to_owned(), "1".to_owned());
        annotate(secret, "theirs");
    };
    assert_eq!(
        decided(&wanted(|_| {}), stored(labelled), true).to_string(),
        ""
    );
    let edited = stored(|secret| {
        labelled(secret);
        secret.data = None;
    });
    let plan = decided(&wanted(|_| {}), edited, true);
    assert_eq!(
        plan.to_string(),
        "update Secret ns/db\n  item password added\n"
    );
    assert_eq!(updated(&plan).metadata.labels.as_ref().unwrap().len(), 2);
}

/// A stored Secret with a label of ours that is wanted no more, and label, annotation and owner of somebody else.
fn with_foreign_metadata() -> Option<Secret> {
    let by = |manager: &str, label: &str, time: &str| {
        let mut labels = serde_json::Map::new();
        labels.insert(format!("f:{label}"), json!({}));
        json!({ "manager": manager, "operation": "Update", "time": time, "fieldsV1": { "f:metadata": { "f:labels": labels } } })
    };
    stored(|secret| {
        let labels = secret.metadata.labels.get_or_insert_default();
        labels.insert("theirs".to_owned(), "1".to_owned());
        labels.insert("stale".to_owned(), "1".to_owned());
        annotate(secret, "theirs");
        let theirs =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": "uid-9" });
        let owners = json!([owner("uid-1"), theirs]);
        secret.metadata.owner_references = serde_json::from_value(owners).unwrap();
        let managers = json!([
            by("signet", "stale", "2026-01-03T00:00:00Z"),
            by("kubectl-label", "theirs", "2026-01-02T00:00:00Z"),
            by("older", "other", "2026-01-01T00:00:00Z")
        ]);
        secret.metadata.managed_fields = serde_json::from_value(managers).unwrap();
    })
}

#[test]
fn foreign_metadata_goes_with_a_new_version_unless_the_sealed_secret_keeps_it() {
    let plan = decided(&wanted(|_| {}), with_foreign_metadata(), false);
    let expected =
        "update Secret ns/db\n  labels changed\n  annotations changed\n  owners changed\n";
    assert_eq!(plan.to_string(), expected);

    let mut keeping = sealed();
    let annotations = keeping.metadata.annotations.get_or_insert_default();
    annotations.insert(KEEP_FOREIGN_METADATA.to_owned(), "true".to_owned());
    let plan = plan_for(&keeping, &wanted(|_| {}), with_foreign_metadata(), false);
    assert_eq!(plan.to_string(), "update Secret ns/db\n  labels changed\n");
    let kept = &updated(&plan).metadata;
    let labels: Vec<_> = kept.labels.iter().flatten().map(|(key, _)| key).collect();
    assert_eq!(
        labels,
        ["app", "theirs"],
        "what we wrote goes, what they wrote stays"
    );
    assert_eq!(kept.owner_references.as_ref().unwrap().len(), 2);
}

#[test]
fn an_owner_taken_off_what_we_wrote_is_put_back_and_never_put_on_what_others_wrote() {
    let without_owner = |manager: &str, operation: &str| {
        let entry =
            json!({ "manager": manager, "operation": operation, "fieldsV1": { "f:data": {} } });
        stored(|secret| {
            secret.metadata.owner_references = None;
            secret.metadata.managed_fields = serde_json::from_value(json!([entry])).unwrap();
        })
    };
    let planned = |manager, operation, settled| {
        decided(&wanted(|_| {}), without_owner(manager, operation), settled).to_string()
    };
    let restored = "update Secret ns/db\n  owners changed\n";
    assert_eq!(planned("signet", "Update", true), restored);
    for (manager, operation, settled) in [
        ("signet", "Update", false),
        ("signet", "Apply", true),
        ("kubectl", "Update", true),
    ] {
        let refused = planned(manager, operation, settled);
        assert!(
            refused.starts_with("refused: "),
            "{manager} {operation} {settled}: {refused}"
        );
    }
}

#[test]
fn the_rival_is_who_wrote_last_beside_us() {
    let secret = with_foreign_metadata().unwrap();
    assert_eq!(managers::rival(&secret.metadata), Some("kubectl-label"));
    assert_eq!(managers::rival(&stored(|_| {}).unwrap().metadata), None);
}

#[test]
fn items_labels_and_owner_that_somebody_edited_are_put_right() {
    type Edit = fn(&mut Secret);
    let edits: [(Edit, &str); 4] = [
        (
            |secret| {
                let items = secret.data.iter_mut().flatten();
                items.for_each(|(_, value)| value.0.push(b'x'));
            },
            "  item password changed\n",
        ),
        (
            |secret| {
                let more = ("more".to_owned(), ByteString(b"x".to_vec()));
                secret.data.get_or_insert_default().extend([more]);
            },
            "  item more removed\n",
        ),
        (|secret| secret.metadata.labels = None, "  labels changed\n"),
        (
            |secret| {
                let label = ("app".to_owned(), "theirs".to_owned());
                secret
                    .metadata
                    .labels
                    .get_or_insert_default()
                    .extend([label]);
            },
            "  labels changed\n",
        ),
    ];
    for (edit, expected) in edits {
        let plan = decided(&wanted(|_| {}), stored(edit), true);
        assert_eq!(plan.to_string(), format!("update Secret ns/db\n{expected}"));
    }
}

#[test]
fn renamed_and_further_items_replace_what_was_there() {
    let changed = wanted(|secret| {
        let password = secret.data.remove("password").unwrap();
        secret.data.insert("passphrase".to_owned(), password);
        secret
            .data
            .insert("user".to_owned(), SecretBytes::from(b"me".to_vec()));
    });
    assert_eq!(
        printed(&changed, stored(|_| {})),
        "update Secret ns/db\n  item passphrase added\n  item user added\n  item password removed\n"
    );
}

#[test]
fn an_empty_secret_can_be_patched() {
    let empty = foreign(|secret| {
        annotate(secret, PATCH);
        secret.data = None;
        secret.metadata.labels = None;
    });
    assert_eq!(
        printed(&wanted(|_| {}), empty),
        "update Secret ns/db\n  item password added\n  labels changed\n"
    );
}

#[test]
fn annotations_count_only_when_they_say_true() {
    for value in ["TRUE", "1", "false", ""] {
        let existing = foreign(|secret| {
            let annotations = secret.metadata.annotations.get_or_insert_default();
            annotations.insert(MANAGED.to_owned(), value.to_owned());
            annotations.insert(PATCH.to_owned(), value.to_owned());
        });
        let plan = printed(&wanted(|_| {}), existing);
        assert!(
            plan.starts_with("refused: failed update: "),
            "{value:?}: {plan}"
        );
    }
}

#[test]
fn what_cannot_be_opened_changes_nothing() {
    let plan = decided(&Err(UnsealReason::Panicked), stored(|_| {}), false);
    assert_eq!(
        plan.to_string(),
        "refused: opening it hit a defect of signet-controller, its log says where\n"
    );
}

#[test]
fn an_owner_that_was_taken_away_is_put_back() {
    let existing = stored(|secret| {
        annotate(secret, MANAGED);
        secret.metadata.owner_references = None;
    });
    assert_eq!(
        decided(&wanted(|_| {}), existing, true).to_string(),
        "update Secret ns/db\n  owners changed\n"
    );
}

#[test]
fn a_foreign_secret_is_refused() {
    let refused = "refused: failed update: Resource \"db\" already exists and is not managed by SealedSecret\n";
    assert_eq!(printed(&wanted(|_| {}), foreign(|_| {})), refused);
    let replaced = stored(|secret| {
        secret.metadata.owner_references = serde_json::from_value(json!([owner("uid-0")])).unwrap()
    });
    assert_eq!(
        printed(&wanted(|_| {}), replaced),
        refused,
        "another uid is another SealedSecret"
    );
}

#[test]
fn a_foreign_secret_that_is_annotated_managed_is_taken_over() {
    let plan = decided(
        &wanted(|_| {}),
        foreign(|secret| annotate(secret, MANAGED)),
        false,
    );
    let expected = "update Secret ns/db\n  item password added\n  item other removed\n  labels changed\n  annotations changed\n  owners changed\n";
    assert_eq!(plan.to_string(), expected);
    let annotations = updated(&plan).metadata.annotations.iter().flatten();
    let names: Vec<&String> = annotations.map(|(name, _)| name).collect();
    assert_eq!(names, [crds::names::CHANGED]);
}

#[test]
fn a_patched_secret_keeps_what_it_has_and_gets_no_owner() {
    let plan = decided(
        &wanted(|_| {}),
        foreign(|secret| annotate(secret, PATCH)),
        false,
    );
    assert_eq!(
        plan.to_string(),
        "update Secret ns/db\n  item password added\n  labels changed\n"
    );
    assert_eq!(updated(&plan).metadata.owner_references, None);
    assert_eq!(updated(&plan).data.as_ref().unwrap().len(), 2);
}

#[test]
fn a_patched_secret_keeps_its_type() {
    let existing = foreign(|secret| {
        annotate(secret, PATCH);
        secret.type_ = Some("kubernetes.io/tls".to_owned());
    });
    let wanted = wanted(|secret| secret.type_ = Some("example.com/other".to_owned()));
    let plan = decided(&wanted, existing, false);
    assert_eq!(updated(&plan).type_.as_deref(), Some("kubernetes.io/tls"));
}

#[test]
fn a_patched_and_managed_secret_gets_the_owner_too() {
    let existing = foreign(|secret| {
        annotate(secret, PATCH);
        annotate(secret, MANAGED);
    });
    assert!(printed(&wanted(|_| {}), existing).contains("  owners changed\n"));
}

#[test]
fn without_owner_and_annotation_the_secret_is_created_and_then_refused() {
    let skipping = wanted(|secret| secret.metadata.owner_references = None);
    let expected = "create Secret ns/db\n  item password added\n\
                    refused: failed update: Resource \"db\" already exists and is not managed by SealedSecret\n";
    assert_eq!(printed(&skipping, None), expected);
    let managed = wanted(|secret| {
        secret.metadata.owner_references = None;
        secret.metadata.annotations =
            Some(BTreeMap::from([(MANAGED.to_owned(), "true".to_owned())]));
    });
    assert_eq!(
        printed(&managed, None),
        "create Secret ns/db\n  item password added\n"
    );
}

#[test]
fn an_immutable_secret_is_not_written_in_vain() {
    let existing = stored(|secret| {
        secret.immutable = Some(true);
        secret.data = None;
    });
    let refused = "refused: Secret \"db\" is invalid: data: Forbidden: field is immutable when `immutable` is set\n";
    assert_eq!(printed(&wanted(|_| {}), existing), refused);
    let equal = stored(|secret| secret.immutable = Some(true));
    assert_eq!(printed(&wanted(|_| {}), equal), "");
}

#[test]
fn immutable_is_not_set_on_a_secret_that_exists() {
    assert_eq!(
        printed(
            &wanted(|secret| secret.immutable = Some(true)),
            stored(|_| {})
        ),
        ""
    );
}

#[test]
fn another_type_is_refused() {
    let typed = wanted(|secret| secret.type_ = Some("foo/bar".to_owned()));
    assert_eq!(
        printed(&typed, stored(|_| {})),
        "refused: Secret \"db\" is invalid: type: Invalid value: \"foo/bar\": field is immutable\n"
    );
}

#[test]
fn no_type_means_opaque_which_is_another_type_too() {
    let typed = |secret: &mut Secret| secret.type_ = Some("kubernetes.io/tls".to_owned());
    let refused =
        "refused: Secret \"db\" is invalid: type: Invalid value: \"Opaque\": field is immutable\n";
    assert_eq!(printed(&wanted(|_| {}), stored(typed)), refused);
}

#[test]
fn no_template_makes_a_sealing_key() {
    let key = wanted(|secret| {
        secret.metadata.labels = Some(BTreeMap::from([(
            SEALING_KEY_LABEL.to_owned(),
            "active".to_owned(),
        )]));
    });
    assert!(printed(&key, None).starts_with("refused: the template has the label of sealing keys"));
}

#[test]
fn what_is_printed_holds_no_value() {
    let plan = decided(&wanted(|_| {}), stored(|secret| secret.data = None), false);
    let everything = format!("{plan} {plan:?}");
    assert!(
        !everything.contains("s3cret") && !everything.contains("115, 51"),
        "{everything}"
    );
}
