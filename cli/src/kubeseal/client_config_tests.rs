//! Kubeconfigs and flags laid over each other, compared with what client-go makes of them. Must not open a file.

use super::*;

#[test]
fn timeouts_are_seconds_or_durations_of_go() {
    let read = |text| {
        timeout(text)
            .ok()
            .map(|time| time.map(|time| time.as_millis()))
    };
    assert_eq!(read("0"), Some(None));
    assert_eq!(read(""), Some(None));
    assert_eq!(read("5"), Some(Some(5000)));
    assert_eq!(read("1m30s"), Some(Some(90_000)));
    assert_eq!(read("1.5s"), Some(Some(1500)));
    assert_eq!(read("20ms"), Some(Some(20)));
    assert_eq!(read("1h.5m"), Some(Some(3_630_000)));
    assert_eq!(read("-5s"), Some(None));
    for text in ["x", "5x", "s", "-", "1h2"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn of_several_kubeconfigs_the_first_that_says_something_is_heard() {
    let read = |value| serde_json::from_value::<Kubeconfig>(value).expect("a kubeconfig");
    let first = read(serde_json::json!({ "kind": "", "apiVersion": "", "current-context": "" }));
    let second = read(serde_json::json!({
        "kind": "Config", "apiVersion": "v1", "current-context": "a",
    }));
    let mergeable = |kubeconfig| mergeable(Path::new("file"), kubeconfig);
    let first = mergeable(first).expect("a kubeconfig");
    let merged = first.merge(mergeable(second).expect("a kubeconfig"));
    let merged = merged.expect("kubeconfigs that can be merged");
    assert_eq!(merged.current_context.as_deref(), Some("a"));
    let odd = mergeable(read(serde_json::json!({ "kind": "Odd" })));
    assert_eq!(
        odd.expect_err("no kubeconfig").to_string(),
        "error loading config file \"file\": no kind \"Odd\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\""
    );
}

#[test]
fn flags_lie_over_the_kubeconfig() {
    let kubeconfig = serde_json::from_value(serde_json::json!({
        "clusters": [{"name": "c", "cluster": {"server": "https://c", "certificate-authority-data": "x", "tls-server-name": "n"}}],
        "users": [{"name": "u", "user": {"username": "jane"}}],
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u", "namespace": "ns"}}],
        "current-context": "a",
    }));
    let overrides = Overrides {
        server: "https://other".to_owned(),
        insecure: true,
        impersonate: "joe".to_owned(),
        ..Overrides::default()
    };
    let merged = Merged::new(kubeconfig.expect("a kubeconfig"), &overrides);
    assert!(merged.check().is_ok());
    assert_eq!(merged.context.namespace.as_deref(), Some("ns"));
    assert_eq!(merged.cluster.server.as_deref(), Some("https://other"));
    assert_eq!(merged.cluster.certificate_authority_data, None);
    assert_eq!(merged.cluster.tls_server_name, None);
    assert_eq!(merged.user.username.as_deref(), Some("jane"));
    assert_eq!(merged.user.impersonate.as_deref(), Some("joe"));
}
