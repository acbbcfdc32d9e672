//! The testbed keeps the promises that the other suites build on.
//! Nothing of the product is tested here.

#[path = "../testbed/harness.rs"]
mod harness;

use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use harness::{EVERYWHERE, GitRepository, Testbed, equal, eventually, get};

#[test]
fn a_deployment_becomes_available_on_the_node_without_containers() {
    let testbed = Testbed::get();
    let namespace = testbed.namespace("pods");
    testbed.kubectl(&[
        "create",
        "deployment",
        "web",
        "--image=nginx",
        "--replicas=3",
        "--namespace",
        &namespace,
    ]);
    testbed.kubectl(&[
        "rollout",
        "status",
        "deployment/web",
        "--timeout=60s",
        "--namespace",
        &namespace,
    ]);
    let pods = testbed.objects(&namespace, "pods");
    let nodes: Vec<_> = pods.iter().map(|pod| &pod["spec"]["nodeName"]).collect();
    assert_eq!(nodes, ["kwok-0"; 3]);
}

#[test]
fn a_deleted_pod_of_the_node_host_goes_away() {
    let testbed = Testbed::get();
    let namespace = testbed.namespace("host");
    testbed.apply(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: nobody, namespace: {namespace}}}\n\
         spec: {{nodeName: host, containers: [{{name: nobody, image: nobody}}]}}\n"
    ));
    testbed.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "pod/nobody",
        "--timeout=60s",
        "--namespace",
        &namespace,
    ]);
    testbed.kubectl(&[
        "delete",
        "pod",
        "nobody",
        "--timeout=60s",
        "--namespace",
        &namespace,
    ]);
}

#[test]
fn objects_are_read_by_every_name_of_their_kind() {
    let testbed = Testbed::get();
    let namespace = testbed.namespace("names");
    // A kind that no controller writes to.
    testbed.apply(&format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n\
         metadata: {{name: none, namespace: {namespace}, labels: {{test: {namespace}}}}}\nspec: {{podSelector: {{}}}}\n"
    ));
    for kind in [
        "networkpolicies",
        "NetworkPolicy",
        "netpol",
        "netpol.networking.k8s.io",
    ] {
        let found = testbed.object(&namespace, kind, "none");
        assert_eq!(found["apiVersion"], "networking.k8s.io/v1", "{kind}");
        let labelled = |value: &str| testbed.labelled(EVERYWHERE, kind, "test", value);
        assert_eq!(testbed.objects(&namespace, kind), labelled(&namespace));
        assert_eq!(labelled(&namespace), [found]);
        assert_eq!(labelled("another"), [Value::Null; 0]);
    }
    assert_eq!(testbed.find_object(&namespace, "netpol", "another"), None);
    // What is in no namespace is found from each.
    let found = testbed.object(&namespace, "ns", &namespace);
    assert_eq!(found["kind"], "Namespace");
}

#[test]
fn a_repository_can_be_cloned_over_http() {
    let repository = GitRepository::create("testbed-clone");
    let first = repository.commit(&[("app/web.yaml", "kind: Deployment\n")], "Add web");
    let second = repository.remove(&["app/web.yaml"], "Remove web");
    assert_ne!(first, second);
    let remote = repository.git(&["ls-remote", repository.url(), "main"]);
    assert_eq!(remote, format!("{second}\trefs/heads/main"));
}

#[test]
fn a_private_repository_wants_a_password() {
    let repository = GitRepository::create("private/testbed");
    repository.commit(&[("README", "private\n")], "Add a file");
    let info = format!("{}/info/refs?service=git-upload-pack", repository.url());
    assert_eq!(get(&info).map(|(status, _)| status), Ok(401));
    let with_password = repository
        .url()
        .replace("http://", "http://signet:testbed@");
    assert!(
        repository
            .git(&["ls-remote", &with_password])
            .contains("refs/heads/main")
    );
}

#[test]
fn the_proxy_counts_what_changes_the_cluster() {
    let testbed = Testbed::get();
    let namespace = testbed.namespace("proxy");
    let proxy = harness::Proxy::start(None);
    let kubectl = |args: &[&str]| {
        let kubeconfig = format!("--kubeconfig={}", proxy.kubeconfig());
        testbed.kubectl(&[&[kubeconfig.as_str(), "--namespace", &namespace], args].concat())
    };
    kubectl(&["create", "configmap", "seen", "--dry-run=server"]);
    kubectl(&["create", "configmap", "seen"]);
    kubectl(&["get", "configmap", "seen"]);
    let expected = vec![format!("POST /api/v1/namespaces/{namespace}/configmaps")];
    eventually("the write was counted, and nothing else", || {
        equal(&proxy.writes(), &expected)
    });
    assert!(!proxy.has_killed());
}

#[tokio::test]
async fn the_proxy_lets_a_token_be_who_it_is() {
    let testbed = Testbed::get();
    let namespace = testbed.namespace("token");
    let proxy = harness::Proxy::start(Some(&testbed.token(&namespace, "default")));
    let file =
        kube::config::Kubeconfig::read_from(proxy.kubeconfig()).expect("the kubeconfig is there");
    let config = kube::Config::from_custom_kubeconfig(file, &Default::default())
        .await
        .expect("it is complete");
    let client = kube::Client::try_from(config).expect("a client can be made");
    let answer = kube::Api::<Secret>::namespaced(client, &namespace)
        .list(&Default::default())
        .await;
    let refused = answer
        .expect_err("a service account without rights")
        .to_string();
    let user = format!("system:serviceaccount:{namespace}:default");
    assert!(refused.contains(&user), "{refused}");
}
