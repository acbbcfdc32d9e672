//! The Helm chart with the real helm: what it renders, and that its releases do on a cluster what they should.
//! What the controller does once it runs is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;

#[path = "chart/cases.rs"]
mod cases;
#[path = "chart/helm.rs"]
mod helm;
#[path = "chart/page.rs"]
mod page;
#[path = "chart/release.rs"]
mod release;
#[path = "chart/upstream.rs"]
mod upstream;

use std::collections::BTreeSet;
use std::path::PathBuf;

use cases::{Case, defaults, leaves, without};
use harness::repository_root;
use helm::{chart, helm, template};
use snapbox::{Assert, Data};

/// The plain manifests, each with the template that it is rendered from.
const PLAIN: [(&str, &str); 4] = [
    ("2-sealing.yaml", "templates/sealing.yaml"),
    ("3-sync.yaml", "templates/sync.yaml"),
    ("4-everybody.yaml", "templates/everybody.yaml"),
    ("5-controller.yaml", "templates/controller.yaml"),
];

/// Values that show in no render: nothing depends on the first, the second is refused, the third makes a random key.
/// The last two have tests of their own.
const NOT_IN_A_RENDER: [&str; 3] = ["kubeVersion", "rbac.pspEnabled", "ingress.selfSigned"];

fn golden() -> Assert {
    Assert::new().action_env("TRYCMD").normalize_paths(false)
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders_by_default() {
    let folder = repository_root().join("deploy");
    let mut rendered = 0;
    for (file, source) in PLAIN {
        let manifests = template(&["--show-only", source]).success();
        rendered += documents(&manifests);
        golden().eq(manifests, Data::read_from(&folder.join(file), None).raw());
    }
    let all = template(&[]).success();
    assert_eq!(rendered, documents(&all), "a template is in no plain file");
}

fn documents(manifests: &str) -> usize {
    manifests.lines().filter(|line| *line == "---").count()
}

#[test]
fn values_render_what_their_case_says() {
    for case in Case::all() {
        let rendered = case.render(&case.values);
        let file = case.folder.join("render.yaml");
        golden().eq(rendered, Data::read_from(&file, None).raw());
    }
}

/// Upstream's own file is left out: it holds what is usual, and the rest is to hold what is not.
#[test]
fn every_value_makes_a_difference() {
    let defaults = defaults();
    let mut shown: BTreeSet<String> = NOT_IN_A_RENDER.map(str::to_owned).into();
    for case in Case::all() {
        if case.folder.ends_with("the-whole-file-of-upstream") {
            continue;
        }
        let whole = case.render(&case.values);
        for path in leaves(&case.values, &defaults) {
            let name = path.join(".");
            let rest = case.render(&without(&case.values, &path));
            assert_ne!(whole, rest, "{}: {name}", case.folder.display());
            shown.insert(name);
        }
    }
    let names = leaves(&defaults, &defaults);
    let names = names.iter().map(|path| path.join("."));
    let silent: Vec<_> = names.filter(|name| !shown.contains(name)).collect();
    assert!(silent.is_empty(), "no case shows what these do: {silent:?}");
}

#[test]
fn the_chart_has_every_value_of_upstream_and_nothing_to_find_fault_with() {
    let linted = helm(&["lint", "--strict", &chart()]).success();
    assert!(!linted.contains("[WARNING]"), "{linted}");
    let (ours, upstream) = (defaults(), Case::read("the-whole-file-of-upstream").values);
    let names = leaves(&upstream, &ours);
    let ours: BTreeSet<_> = leaves(&ours, &ours).into_iter().collect();
    let unknown: Vec<_> = names.iter().filter(|name| !ours.contains(*name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// What a value may not be, and what is said about it.
#[test]
fn a_value_that_can_not_be_meant_is_refused_by_its_name() {
    for (value, said) in [
        ("keyttll=1h", "additional properties 'keyttll' not allowed"),
        (
            "rbac.serviceProxier.bnd=true",
            "at '/rbac/serviceProxier': additional properties 'bnd' not allowed",
        ),
        ("keyttl=30d", "at '/keyttl': '30d' does not match pattern"),
        ("keyrenewperiod=5", "at '/keyrenewperiod'"),
        ("logLevel=loud", "at '/logLevel': value must be one of"),
        ("privateKeyLabels.tier=", "at '/privateKeyLabels/tier'"),
        (
            "rbac.pspEnabled=true",
            "rbac.pspEnabled: PodSecurityPolicy is gone since Kubernetes 1.25",
        ),
    ] {
        let output = template(&["--set", value]);
        assert_eq!(output.code, Some(1), "{value}");
        assert!(output.stderr.contains(said), "{value}: {}", output.stderr);
    }
}

#[test]
fn the_release_and_its_overrides_name_things_as_upstream_does() {
    for (release, set, deployment, name) in [
        ("signet", "", "signet-controller", "signet"),
        ("my-signet", "", "my-signet-controller", "signet"),
        ("platform", "", "platform-signet-controller", "signet"),
        ("sealed-secrets", "", "sealed-secrets", "sealed-secrets"),
        (
            "my-sealed-secrets",
            "",
            "my-sealed-secrets",
            "sealed-secrets",
        ),
        (
            "platform",
            "nameOverride=sealed-secrets",
            "platform-sealed-secrets",
            "sealed-secrets",
        ),
        (
            "platform",
            "fullnameOverride=sealed-secrets-controller",
            "sealed-secrets-controller",
            "sealed-secrets",
        ),
        ("platform", "nameOverride=seal", "platform-seal", "seal"),
        ("platform", "fullnameOverride=opener", "opener", "signet"),
    ] {
        let rendered = helm(&["template", release, &chart(), "--set", set]).success();
        let line = |text: String| rendered.lines().any(|line| line == text);
        assert!(
            line(format!("  name: {deployment}-metrics")),
            "{release} {set}\n{rendered}"
        );
        assert!(
            line(format!("    app.kubernetes.io/name: {name}")),
            "{release} {set}"
        );
    }
}

#[test]
fn the_page_of_the_chart_explains_every_value() {
    let page = PathBuf::from(chart()).join("README.md");
    let page = std::fs::read_to_string(page).expect("the chart has a page");
    page::check(&page, &defaults());
}
