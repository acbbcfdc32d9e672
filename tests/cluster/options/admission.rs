//! Admission that answers every write otherwise, and what it makes of comparisons.
//! It is a policy that the API server itself evaluates; what webhooks do that answer alike is in `webhooks.rs`.

use serde_json::Value;

use crate::annotated;
use crate::harness::{equal, eventually, unique};
use crate::scene::Scene;

/// The status of an object in the Application's.
pub(crate) fn listed(app: &Value, name: &str) -> Value {
    let resources = app["status"]["resources"].as_array().into_iter().flatten();
    let mut named = resources.filter(|resource| resource["name"] == name);
    named.next().cloned().unwrap_or_default()
}

/// Admission that counts the writes of LimitRanges in an annotation, dry-runs among them: no two answers are the same.
fn count_writes(scene: &Scene) {
    let (name, to) = (unique(), &scene.to);
    let expression = "[JSONPatch{op: \"add\", path: \"/metadata/annotations/count\", \
                      value: oldObject == null ? \"1\" : string(int(oldObject.metadata.annotations.count) + 1)}]";
    scene.testbed.apply(&format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {{name: {name}}}\nspec:\n\
         \x20 reinvocationPolicy: Never\n  matchConstraints:\n    namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {to}}}}}\n\
         \x20   resourceRules: [{{apiGroups: [\"\"], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [limitranges]}}]\n\
         \x20 mutations:\n  - patchType: JSONPatch\n    jsonPatch:\n      expression: >-\n        {expression}\n---\n\
         apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policyName: {name}}}\n"
    ));
    let probe = std::env::temp_dir().join(&name);
    std::fs::write(&probe, format!("apiVersion: v1\nkind: LimitRange\nmetadata: {{name: probe, namespace: {to}, annotations: {{a: b}}}}\nspec: {{limits: [{{type: Container}}]}}\n"))
        .expect("a file");
    let probe = probe.to_str().expect("UTF-8");
    eventually("writes are counted", || {
        let args = [
            "create",
            "--dry-run=server",
            "--output=jsonpath={.metadata.annotations.count}",
            "--filename",
            probe,
        ];
        scene
            .testbed
            .try_kubectl(&args)
            .and_then(|count| equal(&count.as_str(), &"1"))
    });
}

#[test]
fn what_admission_writes_is_no_drift_unless_it_is_asked_for() {
    let scene = Scene::new("admission");
    count_writes(&scene);
    let _controller = scene.controller();
    // The API server spells the quantity otherwise, so that only a dry-run can tell.
    let range = |name: &str| {
        format!(
            "apiVersion: v1\nkind: LimitRange\nmetadata: {{name: {name}}}\nspec: {{limits: [{{type: Container, max: {{cpu: \"0.5\"}}}}]}}\n"
        )
    };
    let strict = annotated(
        &range("strict"),
        "strict",
        "argocd.argoproj.io/compare-options: IncludeMutationWebhook=true",
    );
    let commit = scene.repository.commit(
        &[
            ("app/usual.yaml", &range("usual")),
            ("app/strict.yaml", &strict),
        ],
        "Add",
    );
    scene.application("{automated: {}}");
    scene.operation("Succeeded", &commit);
    scene.becomes("limitrange", "usual", "/metadata/annotations/count", "1");
    scene.refresh_hard();
    let app = scene.sync_status("OutOfSync", &commit);
    assert_eq!(listed(&app, "strict")["status"], "OutOfSync");
    assert_eq!(listed(&app, "usual")["status"], "Synced");
}
