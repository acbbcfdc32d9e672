//! What the API server holds and was asked to write: taken at one moment, compared with another.
//! It must not judge: which differences may be is said by the test.

#![allow(dead_code, reason = "each suite uses its part")]

use std::collections::BTreeMap;

use serde_json::Value;

use super::harness::{EVERYWHERE, Testbed};

/// Every Secret, every SealedSecret, and the events on each SealedSecret, whole, by `KIND NAMESPACE/NAME`.
#[derive(Debug)]
pub(crate) struct Record(BTreeMap<String, Value>);

impl Record {
    #[track_caller]
    pub(crate) fn take(testbed: &Testbed) -> Self {
        let kinds = ["secrets", "sealedsecrets", "events"];
        let mut items = kinds.map(|kind| testbed.objects(EVERYWHERE, kind));
        let mut record: BTreeMap<String, Value> = BTreeMap::new();
        for item in items.iter_mut().flatten() {
            match (text(&item["kind"]), text(&item["involvedObject"]["kind"])) {
                ("Event", "SealedSecret") => {
                    let place = place("Events", &item["involvedObject"]);
                    let events = record
                        .entry(place)
                        .or_insert_with(|| Value::Array(Vec::new()));
                    events
                        .as_array_mut()
                        .expect("events are a list")
                        .push(item.take());
                }
                ("Event", _) => {}
                (kind, _) => drop(record.insert(place(kind, &item["metadata"]), item.take())),
            }
        }
        Self(record)
    }

    /// One object, which must be there.
    #[track_caller]
    pub(crate) fn get(&self, place: &str) -> &Value {
        self.0.get(place).expect(place)
    }

    /// What differs from an earlier record, with both sides: created, changed and deleted.
    pub(crate) fn differences(&self, earlier: &Self) -> BTreeMap<String, [Value; 2]> {
        let places = self.0.keys().chain(earlier.0.keys());
        let sides = places.map(|place| {
            (
                place.clone(),
                [&earlier.0, &self.0].map(|record| record.get(place).cloned().unwrap_or_default()),
            )
        });
        sides
            .filter(|(_, [before, after])| before != after)
            .collect()
    }
}

fn place(kind: &str, reference: &Value) -> String {
    format!(
        "{kind} {}/{}",
        text(&reference["namespace"]),
        text(&reference["name"])
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A request to the API server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    pub(crate) verb: String,
    /// Resource, with the subresource behind a slash.
    pub(crate) resource: String,
    pub(crate) place: String,
    /// Of the answer.
    pub(crate) code: u64,
}

impl Request {
    /// True when something was written.
    pub(crate) fn is_write(&self) -> bool {
        let asks = ["create", "update", "patch", "delete", "deletecollection"]
            .contains(&self.verb.as_str());
        asks && self.code < 300
    }
}

/// What an account asked of the API server until now, oldest first.
#[track_caller]
pub(crate) fn requests(testbed: &Testbed, account: &str) -> Vec<Request> {
    let read = |entry: &Value| {
        let target = &entry["objectRef"];
        let subresource = target["subresource"]
            .as_str()
            .map(|name| format!("/{name}"));
        Request {
            verb: text(&entry["verb"]).to_owned(),
            resource: text(&target["resource"]).to_owned() + &subresource.unwrap_or_default(),
            place: format!("{}/{}", text(&target["namespace"]), text(&target["name"])),
            code: entry["responseStatus"]["code"].as_u64().unwrap_or_default(),
        }
    };
    testbed.audited(account).iter().map(read).collect()
}
