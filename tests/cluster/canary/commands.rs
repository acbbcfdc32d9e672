//! What `signet` says to somebody who looks at Applications, and what the controller answers it.
//! It looks into nothing else.

use std::fs;

use crate::canaries::Canaries;
use crate::harness::{Controller, signet};
use crate::scene::Scene;
use crate::search::Search;
use crate::sources::secret;

/// `first` is a commit before the one that is synced.
pub(crate) fn ask(
    scene: &Scene,
    controller: &Controller,
    canaries: &Canaries,
    first: &str,
    search: &mut Search<'_>,
) {
    let (testbed, own) = (&scene.testbed, &scene.own);
    testbed.service_proxy(own, "signet-controller", controller);
    let delete = ["delete", "secret", "chart", "--wait=false", "--namespace"];
    testbed.kubectl(&[&delete[..], &[&scene.to]].concat());
    let uncommitted = secret("plain", canaries.value("a Secret that is not committed"));
    let app = scene.repository.work_tree().join("app");
    fs::write(app.join("plain.yaml"), uncommitted).expect("the work tree is writable");
    let local = app.display().to_string();
    let local = local.as_str();
    for (args, shows) in [
        (
            &["diff", "app", "--revision", first][..],
            "password: re-sealed",
        ),
        (
            &["diff", "app", "--revision", first, "--output", "json"],
            "re-sealed",
        ),
        (&["diff", "app", "--local", local], "are not compared"),
        (
            &["diff", "app", "--local", local, "--output", "json"],
            "are not compared",
        ),
        (&["diff", "chart"], ""),
        (&["diff", "manual"], "manual"),
        (&["diff", "refused"], "refused"),
        (&["diff", "mistyped"], ""),
        (&["diff", "schema"], ""),
        (&["sync", "manual", "--dry-run"], "(dry run)"),
        (&["secrets", "app", "--output", "json"], "plain"),
        (&["list"], "manual"),
        (&["get", "app"], "plain"),
        (&["get", "app", "--output", "json"], "plain"),
        (&["get", "values"], "values"),
        (&["get", "login"], "ComparisonError"),
        (&["get", "asked"], "operation.sync.source.newer"),
        (&["history", "app"], "Succeeded"),
        (&["history", "values", "--output", "json"], "Succeeded"),
        (&["history", "app", "--output", "json"], "Succeeded"),
        (&["resources", "app"], "plain"),
        (&["resources", "app", "--output", "json"], "plain"),
        (&["events", "app"], "OperationCompleted"),
    ] {
        let command = [&["app"], args, &["--controller-namespace", own]].concat();
        let said = signet(&command);
        assert!(
            said.stdout.contains(shows),
            "{args:?}: {}{}",
            said.stdout,
            said.stderr
        );
        let what = format!("signet app {}", args.join(" "));
        search.nothing_in(&what, said.stdout);
        search.nothing_in(&what, said.stderr);
    }
}
