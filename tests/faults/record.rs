//! What a controller has written, as the API server's audit log tells it. It judges nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::Testbed;

/// A request of the controller that changed something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Write {
    pub(crate) verb: String,
    pub(crate) namespace: String,
    /// `jobs`, or `sealedsecrets/status`.
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) code: i64,
}

/// All that an account has written: what was refused and dry-runs are no writes, and reviews leave nothing behind.
pub(crate) fn writes(testbed: &Testbed, account: &str) -> Vec<Write> {
    let requests = testbed.audited(account);
    let writes = requests.iter().filter(|request| is_write(request));
    writes.map(write).collect()
}

/// How often an account listed a kind, or had it listed by a watch.
pub(crate) fn listings(testbed: &Testbed, account: &str, resource: &str) -> usize {
    let is_listing = |request: &&Value| {
        let uri = request["requestURI"].as_str().unwrap_or_default();
        let lists = request["verb"] == "list" || uri.contains("sendInitialEvents=true");
        lists && request["objectRef"]["resource"] == resource && is_done(request)
    };
    let requests = testbed.audited(account);
    requests.iter().filter(is_listing).count()
}

/// How often an account asked for the deletion of each object of a kind, whatever the answer.
pub(crate) fn deletions(
    testbed: &Testbed,
    account: &str,
    resource: &str,
) -> BTreeMap<String, usize> {
    let requests = testbed.audited(account);
    let is_one = |request: &&Value| {
        request["verb"] == "delete" && request["objectRef"]["resource"] == resource
    };
    let mut counts = BTreeMap::new();
    for request in requests.iter().filter(is_one) {
        *counts.entry(write(request).name).or_default() += 1;
    }
    counts
}

/// How often an account came too late: the object was not any more what it had read.
pub(crate) fn conflicts(testbed: &Testbed, account: &str, resource: &str) -> usize {
    let requests = testbed.audited(account);
    let is_refused = |request: &&Value| {
        let is_conflict = request["responseStatus"]["code"] == 409;
        changes(request) && is_conflict && request["objectRef"]["resource"] == resource
    };
    requests.iter().filter(is_refused).count()
}

fn is_write(request: &Value) -> bool {
    let uri = request["requestURI"].as_str().unwrap_or_default();
    changes(request) && is_done(request) && !uri.contains("dryRun=")
}

/// It asks for a change of an object; a review is none.
fn changes(request: &Value) -> bool {
    let verbs = ["create", "update", "patch", "delete", "deletecollection"];
    let is_review = request["objectRef"]["apiGroup"] == "authorization.k8s.io";
    verbs.iter().any(|verb| request["verb"] == *verb) && !is_review
}

fn is_done(request: &Value) -> bool {
    let code = request["responseStatus"]["code"].as_i64();
    code.is_some_and(|code| (200..300).contains(&code))
}

fn write(request: &Value) -> Write {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let object = &request["objectRef"];
    let resource = match &object["subresource"] {
        Value::Null => text(&object["resource"]),
        part => format!("{}/{}", text(&object["resource"]), text(part)),
    };
    Write {
        verb: text(&request["verb"]),
        namespace: text(&object["namespace"]),
        resource,
        name: text(&object["name"]),
        code: request["responseStatus"]["code"]
            .as_i64()
            .unwrap_or_default(),
    }
}
