//! The Helm chart with the real helm: what it renders, and that its releases do on a cluster what they should.
//! What the controller does once it runs is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;

#[path = "chart/helm.rs"]
mod helm;

use harness::repository_root;
use helm::template;
use snapbox::{Assert, Data};

/// The plain manifests, each with the template that it is rendered from.
const PLAIN: [(&str, &str); 4] = [
    ("2-sealing.yaml", "templates/sealing.yaml"),
    ("3-sync.yaml", "templates/sync.yaml"),
    ("4-everybody.yaml", "templates/everybody.yaml"),
    ("5-controller.yaml", "templates/controller.yaml"),
];

#[test]
fn the_plain_manifests_are_what_the_chart_renders_by_default() {
    let folder = repository_root().join("deploy");
    let assert = Assert::new().action_env("TRYCMD").normalize_paths(false);
    let mut rendered = 0;
    for (file, source) in PLAIN {
        let manifests = template("signet", "signet", &["--show-only", source]).success();
        rendered += documents(&manifests);
        assert.eq(manifests, Data::read_from(&folder.join(file), None).raw());
    }
    let all = template("signet", "signet", &[]).success();
    assert_eq!(rendered, documents(&all), "a template is in no plain file");
}

fn documents(manifests: &str) -> usize {
    manifests.lines().filter(|line| *line == "---").count()
}
