//! The rules of projects as tables: what is asked, and what the answer is. No rule is explained here.

use crds::AppProject;
use serde_json::{Value, json};

use super::{Claim, Denied, Project, Reason};
use crate::dialect::Destination;

const OWN: &str = "signet";

fn app_project(spec: &Value) -> AppProject {
    crds::decode(&json!({ "metadata": { "name": "team" }, "spec": spec })).expect("an AppProject")
}

fn project(spec: &Value) -> Project {
    Project::new(&app_project(spec)).expect("a project that is understood")
}

/// A project that permits every destination and repository, and what `spec` says besides.
fn open_project(mut spec: Value) -> Project {
    spec["destinations"] = json!([{ "server": "*", "namespace": "*" }]);
    spec["sourceRepos"] = json!(["*"]);
    project(&spec)
}

fn default_project() -> Project {
    Project::find("default", None).expect("the project that needs no object")
}

fn destination(namespace: &str) -> Destination {
    Destination {
        server: "https://kubernetes.default.svc".into(),
        name: "in-cluster".into(),
        namespace: namespace.into(),
    }
}

fn claim<'a>(
    group: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
) -> Claim<'a> {
    Claim::of(group, kind, namespace, name, &Value::Null)
}

fn reason(answer: Result<(), Denied>) -> Option<Reason> {
    answer.err().map(|denied| denied.reason)
}

#[test]
fn the_default_project_is_there_without_an_object_and_permits_everything() {
    let project = default_project();
    assert_eq!(
        reason(project.permits_source("https://git.example.org/shop/config.git", false)),
        None
    );
    assert_eq!(
        reason(project.permits_destination(&destination("web"))),
        None
    );
    for claim in [
        claim("apps", "Deployment", Some("web"), "front"),
        claim("rbac.authorization.k8s.io", "ClusterRole", None, "reader"),
        claim("bitnami.com", "SealedSecret", Some("web"), "db"),
        Claim::of_namespace("web"),
    ] {
        assert_eq!(
            reason(project.permits_object(&claim, &destination("web"), OWN)),
            None,
            "{claim:?}"
        );
    }
}

#[test]
fn an_object_named_default_replaces_the_open_one() {
    let mut restricted = app_project(&json!({}));
    restricted.metadata.name = Some("default".into());
    let project = Project::find("default", Some(&restricted)).expect("a project");
    assert_eq!(
        reason(project.permits_destination(&destination("web"))),
        Some(Reason::DestinationNotPermitted)
    );
}

#[test]
fn a_project_that_does_not_exist_permits_nothing() {
    let denied = Project::find("nobody", None).expect_err("no project");
    assert_eq!(denied[0].reason, Reason::ProjectNotFound);
    assert_eq!(
        denied[0].to_string(),
        "ProjectNotFound: there is no AppProject nobody in the controller's namespace"
    );
}

#[test]
fn a_project_without_rules_permits_nothing_but_namespaced_kinds() {
    let project = project(&json!({}));
    assert_eq!(
        reason(project.permits_source("https://a/b", false)),
        Some(Reason::SourceNotPermitted)
    );
    let deployment = claim("apps", "Deployment", Some("web"), "front");
    let answer = project.permits_object(&deployment, &destination("web"), OWN);
    assert_eq!(reason(answer), Some(Reason::DestinationNotPermitted));
    let answer = project.permits_object(&Claim::of_namespace("web"), &destination("web"), OWN);
    assert_eq!(reason(answer), Some(Reason::KindNotPermitted));
}

#[test]
fn a_feature_that_is_not_understood_refuses_the_whole_project() {
    for (spec, feature) in [
        (
            json!({ "syncWindows": [{ "kind": "deny", "newer": 1 }] }),
            "unknown: spec.syncWindows[0].newer",
        ),
        (
            json!({ "sourceIntegrity": { "helm": { "policies": [] } } }),
            "not supported yet: spec.sourceIntegrity.helm",
        ),
        (
            json!({ "sourceIntegrity": { "git": { "policies": [{ "repos": [], "ssh": {} }] } } }),
            "unknown: spec.sourceIntegrity.git.policies[0].ssh",
        ),
        (
            json!({ "permitOnlyProjectScopedClusters": true }),
            "not supported yet: spec.permitOnlyProjectScopedClusters",
        ),
        (
            json!({ "destinationServiceAccounts": [{ "server": "*", "defaultServiceAccount": "a" }] }),
            "not supported yet: spec.destinationServiceAccounts",
        ),
        (json!({ "newer": true }), "unknown: spec.newer"),
        (
            json!({ "destinations": [{ "server": "*", "newer": 1 }] }),
            "unknown: spec.destinations[0].newer",
        ),
        (
            json!({ "clusterResourceWhitelist": [{ "group": "*", "kind": "*" }, { "group": "", "kind": "", "newer": 1 }] }),
            "unknown: spec.clusterResourceWhitelist[1].newer",
        ),
    ] {
        let denied =
            Project::new(&app_project(&spec)).expect_err("a project that is not understood");
        assert_eq!(
            denied[0].reason,
            Reason::ProjectFeatureUnsupported,
            "{spec}"
        );
        assert_eq!(denied[0].message, format!("AppProject team: {feature}"));
    }
}

#[test]
fn what_changes_nothing_in_the_cluster_is_accepted() {
    project(&json!({
        "description": "the shop's", "roles": [{ "name": "ci", "policies": ["p"] }], "orphanedResources": { "warn": true },
        "syncWindows": [], "permitOnlyProjectScopedClusters": false,
    }));
}

#[test]
fn a_rule_that_can_not_be_read_refuses_the_whole_project() {
    for (spec, rule) in [
        (json!({ "sourceRepos": ["*", "!*"] }), "spec.sourceRepos[1]"),
        (
            json!({ "destinations": [{ "server": "*", "namespace": "a[" }] }),
            "spec.destinations[0]",
        ),
        (
            json!({ "namespaceResourceWhitelist": [{ "group": "", "kind": "!Secret" }] }),
            "spec.namespaceResourceWhitelist[0]",
        ),
        (
            json!({ "sourceNamespaces": ["/team-.*/"] }),
            "spec.sourceNamespaces[0]",
        ),
    ] {
        let denied = Project::new(&app_project(&spec)).expect_err("a project that can't be read");
        assert_eq!(denied[0].reason, Reason::ProjectInvalid, "{spec}");
        assert!(
            denied[0]
                .message
                .starts_with(&format!("AppProject team: {rule}: found ")),
            "{}",
            denied[0]
        );
    }
}

#[test]
fn repositories_are_permitted_by_pattern_whatever_their_spelling() {
    let project = project(&json!({ "sourceRepos": [
        "https://git.example.org/shop/*", "git@git.example.org:shop/*", "!https://git.example.org/shop/secret.git",
    ] }));
    for (url, permitted) in [
        ("https://git.example.org/shop/config.git", true),
        ("https://GIT.example.org/Shop/config", true),
        ("ssh://git@git.example.org/shop/config.git", true),
        ("https://git.example.org/shop/secret", false),
        ("https://git.example.org/shop/Secret.git", false),
        ("https://jo@git.example.org:443/shop//secret.git/", false),
        ("https://git.example.org/other/config", false),
        ("https://git.example.org/shop/x/../../other", false),
        ("https://git.example.org/shop/..", false),
        (
            "https://evil.example.com/?https://git.example.org/shop/config",
            false,
        ),
    ] {
        assert_eq!(
            reason(project.permits_source(url, false)).is_none(),
            permitted,
            "{url}"
        );
    }
}

#[test]
fn repositories_in_the_file_system_need_the_flag_as_well() {
    let project = default_project();
    for url in ["file:///srv/git/config", "/srv/git/config"] {
        assert_eq!(
            reason(project.permits_source(url, false)),
            Some(Reason::SourceNotPermitted),
            "{url}"
        );
        assert_eq!(reason(project.permits_source(url, true)), None, "{url}");
    }
}

#[test]
fn cluster_scoped_kinds_are_denied_unless_they_are_listed() {
    let project = open_project(json!({
        "clusterResourceWhitelist": [
            { "group": "", "kind": "Namespace", "name": "team-*" },
            { "group": "rbac.authorization.k8s.io", "kind": "*" },
        ],
        "clusterResourceBlacklist": [{ "group": "*", "kind": "ClusterRoleBinding" }],
    }));
    for (group, kind, name, permitted) in [
        ("", "Namespace", "team-a", true),
        ("", "Namespace", "other", false),
        ("rbac.authorization.k8s.io", "ClusterRole", "reader", true),
        (
            "rbac.authorization.k8s.io",
            "ClusterRoleBinding",
            "reader",
            false,
        ),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "a.example.org",
            false,
        ),
    ] {
        let answer =
            project.permits_object(&claim(group, kind, None, name), &destination("web"), OWN);
        assert_eq!(reason(answer).is_none(), permitted, "{group}/{kind} {name}");
    }
}

#[test]
fn namespaced_kinds_are_allowed_unless_the_lists_say_otherwise() {
    for (spec, kind, permitted) in [
        (json!({}), "ConfigMap", true),
        (
            json!({ "namespaceResourceBlacklist": [{ "group": "", "kind": "ConfigMap" }] }),
            "ConfigMap",
            false,
        ),
        (
            json!({ "namespaceResourceBlacklist": [{ "group": "apps", "kind": "ConfigMap" }] }),
            "ConfigMap",
            true,
        ),
        (
            json!({ "namespaceResourceWhitelist": [{ "group": "*", "kind": "Conf*" }] }),
            "ConfigMap",
            true,
        ),
        (
            json!({ "namespaceResourceWhitelist": [{ "group": "*", "kind": "Conf*" }] }),
            "Service",
            false,
        ),
        (
            json!({ "namespaceResourceWhitelist": [] }),
            "ConfigMap",
            false,
        ),
        (
            json!({
                "namespaceResourceWhitelist": [{ "group": "*", "kind": "*" }],
                "namespaceResourceBlacklist": [{ "group": "", "kind": "Service" }],
            }),
            "Service",
            false,
        ),
    ] {
        let claim = claim("", kind, Some("web"), "front");
        let answer = open_project(spec.clone()).permits_object(&claim, &destination("web"), OWN);
        assert_eq!(reason(answer).is_none(), permitted, "{spec} {kind}");
    }
}

#[test]
fn a_sealed_secret_needs_its_own_kind_and_secret() {
    let sealed = claim("bitnami.com", "SealedSecret", Some("web"), "db");
    for denied in ["SealedSecret", "Secret"] {
        let project = open_project(
            json!({ "namespaceResourceBlacklist": [{ "group": "*", "kind": denied }] }),
        );
        let answer = project.permits_object(&sealed, &destination("web"), OWN);
        assert_eq!(reason(answer), Some(Reason::KindNotPermitted), "{denied}");
    }
    let listed = json!({ "namespaceResourceWhitelist": [{ "group": "bitnami.com", "kind": "SealedSecret" }] });
    let denied = open_project(listed)
        .permits_object(&sealed, &destination("web"), OWN)
        .expect_err("no Secret");
    assert_eq!(
        denied.message,
        "bitnami.com/SealedSecret web/db needs the kind Secret as well, which is not permitted by \
         namespaceResourceWhitelist and namespaceResourceBlacklist of project team"
    );
}

#[test]
fn each_namespaced_object_needs_its_own_namespace() {
    let project = project(&json!({ "destinations": [{ "server": "*", "namespace": "web" }] }));
    let permits = |namespace| {
        project.permits_object(
            &claim("", "ConfigMap", Some(namespace), "a"),
            &destination("web"),
            OWN,
        )
    };
    assert_eq!(reason(permits("web")), None);
    assert_eq!(
        reason(permits("other")),
        Some(Reason::DestinationNotPermitted)
    );
}

#[test]
fn our_own_namespace_is_touched_only_by_a_project_that_names_it() {
    let of_own = [
        claim("", "ConfigMap", Some(OWN), "a"),
        claim("apps", "Deployment", Some(OWN), "signet-controller"),
        Claim::of_namespace(OWN),
    ];
    let any = json!([{ "group": "*", "kind": "*" }]);
    for (namespace, permitted) in [
        ("*", false),
        ("sig*", false),
        ("{signet,web}", false),
        ("signet", true),
    ] {
        let destinations =
            json!([{ "server": "*", "namespace": namespace }, { "server": "*", "namespace": "*" }]);
        let project =
            project(&json!({ "destinations": destinations, "clusterResourceWhitelist": any }));
        for claim in &of_own {
            let answer = reason(project.permits_object(claim, &destination("web"), OWN));
            assert_eq!(
                answer,
                (!permitted).then_some(Reason::OwnNamespace),
                "{namespace} {claim:?}"
            );
        }
    }
    let answer = default_project().permits_object(&of_own[0], &destination("web"), OWN);
    assert_eq!(reason(answer), Some(Reason::OwnNamespace));
}

#[test]
fn a_namespace_of_that_name_in_another_cluster_is_not_ours() {
    let project = project(&json!({ "destinations": [
        { "server": "https://other.example.com", "namespace": OWN }, { "server": "*", "namespace": "*" },
    ] }));
    let answer = project.permits_object(
        &claim("", "ConfigMap", Some(OWN), "a"),
        &destination(OWN),
        OWN,
    );
    assert_eq!(reason(answer), Some(Reason::OwnNamespace));
}

#[test]
fn a_denial_holds_even_where_our_namespace_is_named() {
    let project = project(&json!({ "destinations": [
        { "server": "*", "namespace": "signet" }, { "server": "*", "namespace": "!signet" },
    ] }));
    let answer = project.permits_object(
        &claim("", "ConfigMap", Some(OWN), "a"),
        &destination(OWN),
        OWN,
    );
    assert_eq!(reason(answer), Some(Reason::DestinationNotPermitted));
}

#[test]
fn a_sealing_key_is_touched_only_by_a_project_that_names_our_namespace() {
    let labels = json!({ "sealedsecrets.bitnami.com/sealed-secrets-key": "compromised" });
    let secret = json!({ "metadata": { "labels": labels } });
    let sealed = json!({ "spec": { "template": { "metadata": { "labels": labels } } } });
    for claim in [
        Claim::of("", "Secret", Some("web"), "key", &secret),
        Claim::of_live("", "Secret", Some("web"), "key", &secret["metadata"]),
        Claim::of("bitnami.com", "SealedSecret", Some("web"), "key", &sealed),
    ] {
        let answer = default_project().permits_object(&claim, &destination("web"), OWN);
        assert_eq!(reason(answer), Some(Reason::SealingKey), "{claim:?}");
        let named = json!([{ "server": "*", "namespace": "web" }, { "server": "*", "namespace": "signet" }]);
        let answer = project(&json!({ "destinations": named })).permits_object(
            &claim,
            &destination("web"),
            OWN,
        );
        assert_eq!(reason(answer), None, "{claim:?}");
    }
    let config_map = Claim::of("", "ConfigMap", Some("web"), "key", &secret);
    assert_eq!(
        reason(default_project().permits_object(&config_map, &destination("web"), OWN)),
        None
    );
}

#[test]
fn applications_live_in_our_namespace_or_where_both_sides_agree() {
    let project = project(&json!({ "sourceNamespaces": ["team-*", "!team-x"] }));
    for (namespace, also, permitted) in [
        (OWN, vec![], true),
        ("team-a", vec!["team-a"], true),
        ("team-b", vec!["team-a", "team-b"], true),
        ("team-a", vec![], false),
        ("team-a", vec!["team-b"], false),
        ("team-x", vec!["team-x"], false),
        ("other", vec!["other"], false),
    ] {
        let also: Vec<String> = also.into_iter().map(str::to_owned).collect();
        let answer = reason(project.permits_application_namespace(namespace, OWN, &also));
        let expected = (!permitted).then_some(Reason::ApplicationNamespaceNotPermitted);
        assert_eq!(answer, expected, "{namespace} {also:?}");
    }
    let also = vec!["team-a".to_owned()];
    assert!(
        default_project()
            .permits_application_namespace("team-a", OWN, &also)
            .is_err()
    );
}

#[test]
fn a_login_in_a_url_is_not_repeated() {
    let project = project(&json!({ "sourceRepos": ["https://git.example.org/*"] }));
    let login = "https://me:hunter2@git.example.com/a?token=hunter2";
    let denied = project.permits_source(login, false).unwrap_err();
    assert!(!denied.message.contains("hunter2"), "{}", denied.message);
    assert!(
        denied.message.contains("https://git.example.com/a"),
        "{}",
        denied.message
    );
}
