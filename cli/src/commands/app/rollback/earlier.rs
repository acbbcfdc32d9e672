//! Which sync of its history an Application is rolled back to. Must not ask the cluster: the Application says it itself.

use serde_json::{Map, Value};

use crate::application::{Application, is_partial, revisions_of, stated_revisions};
use crate::commands::app::Error;

/// The entry of the history with this number; without one the newest that is not where the Application was last told to be.
pub(super) fn chosen<'app>(
    application: &'app Application,
    name: &str,
    id: Option<i64>,
) -> Result<&'app Value, Error> {
    let mut history = application.elements("/status/history").iter().rev();
    let name = || name.to_owned();
    match id {
        Some(id) => history
            .find(|entry| entry["id"] == id)
            .ok_or_else(|| Error::NoSuchSync { name: name(), id }),
        None => {
            let (revisions, sources) = (told_revisions(application), told_sources(application));
            let is_other = |entry: &&Value| {
                revisions_of(entry) != revisions || differing(sources_of(entry), sources).is_some()
            };
            history
                .find(is_other)
                .ok_or_else(|| Error::NoEarlierSync { name: name() })
        }
    }
}

/// A rollback chooses a revision alone: the sources have to be the same as then.
pub(super) fn check_sources(
    application: &Application,
    name: &str,
    entry: &Value,
) -> Result<(), Error> {
    match differing(sources_of(entry), compared_sources(application)) {
        None => Ok(()),
        Some(field) => Err(Error::OtherSource {
            name: name.to_owned(),
            id: entry["id"].as_i64().unwrap_or_default(),
            field,
        }),
    }
}

/// The field by which a request says of which sources the sync of this entry was, for the controller to hold against the spec:
/// what it was compared with may be out of date.
pub(super) fn sources(application: &Application, entry: &Value) -> Option<(String, Value)> {
    let several = !application.elements("/spec/sources").is_empty();
    match sources_of(entry) {
        [Value::Null] => None,
        [source] if !several => Some(("source".to_owned(), source.clone())),
        sources => Some(("sources".to_owned(), sources.into())),
    }
}

/// The revisions of the operation that runs or ran last. One that dealt with some objects alone, or wrote none, does not say where
/// the Application stands: the one before it does.
fn told_revisions(application: &Application) -> Vec<String> {
    let state = application.operation_state();
    let by_operation = || (!is_partial(state)).then(|| application.operation_revisions())?;
    let is_whole = |record: &&Value| record["id"].is_i64() || record["phase"] != "Succeeded";
    let records = application.elements("/status/operationHistory").iter();
    let by_record = || records.rev().filter(is_whole).find_map(stated_revisions);
    by_operation()
        .or_else(by_record)
        .unwrap_or_else(|| application.revisions())
}

fn told_sources(application: &Application) -> &[Value] {
    let state = application.operation_state();
    match sources_of(&state["syncResult"]) {
        sources if is_partial(state) || sources == [Value::Null] => compared_sources(application),
        sources => sources,
    }
}

/// The sources as the controller last saw them, with digests for values as they are in the history.
fn compared_sources(application: &Application) -> &[Value] {
    match sources_of(&application.0.data["status"]["sync"]["comparedTo"]) {
        [Value::Null] => application.sources(),
        sources => sources,
    }
}

/// The sources that a part of a status is about.
fn sources_of(part: &Value) -> &[Value] {
    match part["sources"].as_array().map(Vec::as_slice) {
        None | Some([]) => std::slice::from_ref(&part["source"]),
        Some(sources) => sources,
    }
}

/// The first field that is not the same. What revision each source follows is not among them: a rollback chooses that.
fn differing(then: &[Value], now: &[Value]) -> Option<String> {
    if then.len() != now.len() {
        return Some("sources".to_owned());
    }
    then.iter().zip(now).find_map(|(then, now)| {
        let fields = [then, now].map(|source| source.as_object().cloned().unwrap_or_default());
        let mut names = fields.iter().flat_map(Map::keys);
        let differs = names.find(|&field| field != "targetRevision" && then[field] != now[field]);
        differs.cloned()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An Application at path `shop` with these syncs in its history, the oldest first.
    fn application(history: &[Value], status: &Value) -> Application {
        let entries = history.iter().zip(0..).map(|(entry, id)| {
            let mut entry = entry.clone();
            entry["id"] = json!(id);
            entry["source"] = entry.get("source").cloned().unwrap_or_else(|| at("shop"));
            entry
        });
        let mut object = json!({ "metadata": { "name": "shop" }, "spec": { "source": at("shop") }, "status": status });
        object["status"]["history"] = entries.collect();
        Application(serde_json::from_value(object).unwrap())
    }

    fn at(path: &str) -> Value {
        json!({ "repoURL": "https://a.org/x", "path": path, "targetRevision": "main" })
    }

    fn syncs(revisions: &[&str]) -> Vec<Value> {
        let sync = |revision| json!({ "revision": revision });
        revisions.iter().map(sync).collect()
    }

    fn operation(phase: &str, sync: &Value, result: &Value) -> Value {
        json!({ "phase": phase, "operation": { "sync": sync }, "syncResult": result })
    }

    fn goes_to(application: &Application) -> Option<i64> {
        let chosen = chosen(application, "shop", None);
        chosen.ok().and_then(|entry| entry["id"].as_i64())
    }

    #[test]
    fn after_a_sync_that_succeeded_it_is_the_one_before() {
        let last = operation("Succeeded", &json!({}), &json!({ "revision": "c2" }));
        let status = json!({ "operationState": last });
        assert_eq!(
            goes_to(&application(&syncs(&["c1", "c2"]), &status)),
            Some(0)
        );
    }

    #[test]
    fn after_a_sync_that_did_not_succeed_it_is_the_last_that_did() {
        for phase in ["Failed", "Error", "Running", "Terminating"] {
            let last = operation(phase, &json!({}), &json!({ "revision": "c3" }));
            let status = json!({ "operationState": last, "sync": { "revision": "c3" } });
            for history in [&["c1", "c2"][..], &["c2"]] {
                let expected = i64::try_from(history.len()).unwrap() - 1;
                let application = application(&syncs(history), &status);
                assert_eq!(goes_to(&application), Some(expected), "{phase} {history:?}");
            }
        }
    }

    #[test]
    fn an_operation_that_pinned_nothing_yet_is_at_what_it_was_asked_for() {
        let last = operation("Error", &json!({ "revision": "c3" }), &Value::Null);
        let status = json!({ "operationState": last, "sync": { "revision": "c2" } });
        assert_eq!(
            goes_to(&application(&syncs(&["c1", "c2"]), &status)),
            Some(1)
        );
    }

    #[test]
    fn without_an_operation_it_stands_at_what_it_was_compared_with() {
        let status = json!({ "sync": { "revision": "c2" } });
        assert_eq!(
            goes_to(&application(&syncs(&["c1", "c2"]), &status)),
            Some(0)
        );
        let status = json!({ "sync": { "revision": "c1" } });
        assert_eq!(goes_to(&application(&syncs(&["c1"]), &status)), None);
    }

    #[test]
    fn a_sync_of_some_objects_and_a_dry_run_do_not_say_where_it_stands() {
        let partly =
            json!({ "revision": "c3", "resources": [{ "kind": "Service", "name": "web" }] });
        let dry = json!({ "revision": "c3", "dryRun": true });
        let record = |id: Value, phase: &str, revision: &str| json!({ "id": id, "phase": phase, "revision": revision });
        for sync in [partly, dry] {
            let last = operation("Succeeded", &sync, &json!({ "revision": "c3" }));
            let with = |records: Value| {
                let status = json!({ "operationState": last, "operationHistory": records, "sync": { "revision": "c3" } });
                goes_to(&application(&syncs(&["c1", "c2"]), &status))
            };
            let synced = record(json!(1), "Succeeded", "c2");
            let partly = record(Value::Null, "Succeeded", "c3");
            let failed = record(Value::Null, "Failed", "c3");
            assert_eq!(with(json!([synced, partly])), Some(0));
            assert_eq!(with(json!([synced, failed, partly])), Some(1));
            assert_eq!(with(json!([])), Some(1));
        }
    }

    #[test]
    fn of_several_sources_all_revisions_count() {
        let sources = json!([at("shop"), at("extra")]);
        let sync =
            |one: &str, other: &str| json!({ "revisions": [one, other], "sources": sources });
        let history = [sync("a1", "b1"), sync("a1", "b2"), sync("a1", "b2")];
        let last = operation("Succeeded", &json!({}), &history[2]);
        let status = json!({ "operationState": last });
        let mut application = application(&history, &status);
        application.0.data["spec"] = json!({ "sources": sources });
        assert_eq!(goes_to(&application), Some(0));
        assert!(check_sources(&application, "shop", &history[0]).is_ok());
    }

    #[test]
    fn the_same_revision_of_another_source_is_another_sync() {
        let before = json!({ "revision": "c1", "source": at("old") });
        let now = json!({ "revision": "c1", "source": at("shop") });
        let last = operation("Succeeded", &json!({}), &now);
        let status = json!({ "operationState": last });
        let application = application(&[before.clone(), now], &status);
        assert_eq!(goes_to(&application), Some(0));
        let refused = check_sources(&application, "shop", &before);
        assert!(matches!(refused, Err(Error::OtherSource { field, .. }) if field == "path"));
    }

    #[test]
    fn digests_are_held_against_digests_and_go_to_the_controller() {
        let with = |values: &str| {
            let mut source = at("shop");
            source["helm"] = json!({ "values": values });
            source
        };
        let entry = json!({ "revision": "c1", "source": with("hmac-sha256:a") });
        let compared = |source: Value| json!({ "sync": { "comparedTo": { "source": source } } });
        let history = std::slice::from_ref(&entry);
        let mut same = application(history, &compared(with("hmac-sha256:a")));
        same.0.data["spec"]["source"] = with("a: 1");
        assert!(check_sources(&same, "shop", &entry).is_ok());
        assert_eq!(
            sources(&same, &entry),
            Some(("source".to_owned(), entry["source"].clone()))
        );
        let other = application(history, &compared(with("hmac-sha256:b")));
        let refused = check_sources(&other, "shop", &entry);
        assert!(matches!(refused, Err(Error::OtherSource { field, .. }) if field == "helm"));
    }
}
