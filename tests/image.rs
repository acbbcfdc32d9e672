//! The container image, as far as it shows without a container engine: what its build puts into it runs as a Pod that sees
//! nothing else, read-only and without root. `tests/run image` makes the image's root and runs this.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "testbed/harness.rs"]
mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use harness::{GitRepository, Testbed, eventually};

/// The root of the image, which is before the mark in the program's path.
fn root() -> PathBuf {
    let program = std::env::var("SIGNET_CONTROLLER").unwrap_or_default();
    let (root, _) = program.split_once("/./").expect(
        "SIGNET_CONTROLLER names the program in the image: run this suite as `tests/run image`",
    );
    PathBuf::from(root)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// Whether an executable asks for a dynamic linker: a program header of type 3 (ELF-64, little-endian).
fn asks_for_a_linker(elf: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let number = |at: usize, size: usize| {
        let bytes = elf[at..at + size].iter().rev();
        bytes.fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01");
    let (headers, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    assert!(count > 0);
    (0..count).any(|index| number(headers + index * size, 4) == INTERPRETER as usize)
}

#[test]
fn it_holds_one_static_program_what_that_starts_and_certificates() {
    let root = root();
    let mut files = files_below(&root);
    // Where the programs of others are not static, here or on other machines.
    files.retain(|file| !file.to_string_lossy().contains("/lib"));
    files.sort();
    let expected = [
        "etc/passwd",
        "etc/ssl/certs/ca-certificates.crt",
        "signet-controller",
        "usr/bin/helm",
        "usr/bin/kustomize",
        "usr/bin/ssh",
    ];
    assert_eq!(files, expected.map(|file| root.join(file)));
    assert!(!asks_for_a_linker(
        &fs::read(root.join("signet-controller")).unwrap()
    ));
    assert!(asks_for_a_linker(
        &fs::read(std::env::current_exe().unwrap()).unwrap()
    ));
}

#[test]
fn what_it_starts_can_be_started_with_nothing_else_there() {
    let place = tempfile::tempdir().unwrap();
    let copy = place.path().join("root");
    harness::run(Command::new("cp").arg("-a").arg(root()).arg(&copy), None).success();
    // A container runtime adds it; nothing is ever read from it.
    fs::create_dir(copy.join("dev")).unwrap();
    fs::write(copy.join("dev/null"), "").unwrap();
    for (program, argument) in [("helm", "version"), ("kustomize", "version"), ("ssh", "-V")] {
        let mut command = Command::new("chroot");
        command
            .arg(&copy)
            .args([&format!("/usr/bin/{program}"), argument]);
        harness::run(&mut command, None).success();
    }
}

#[test]
fn the_containerfile_makes_it_for_the_user_of_the_install() {
    let read = |file: &str| fs::read_to_string(harness::repository_root().join(file)).unwrap();
    let containerfile = read("deploy/Containerfile");
    let user = read("deploy/5-controller.yaml")
        .lines()
        .find_map(|line| line.trim().strip_prefix("runAsUser: ").map(str::to_owned))
        .unwrap();
    for line in [
        "RUN /signet/deploy/image/root /image --release".to_owned(),
        "FROM scratch".to_owned(),
        "COPY --from=build /image /".to_owned(),
        format!("USER {user}:{user}"),
        "ENTRYPOINT [\"/signet-controller\"]".to_owned(),
    ] {
        assert!(containerfile.lines().any(|l| l == line), "{line}");
    }
}

#[test]
fn the_install_seals_and_syncs_with_nothing_but_it() {
    let testbed = Testbed::get();
    let folder = |name: &str| harness::repository_root().join(name).display().to_string();
    testbed.kubectl(&["apply", "-f", &folder("crds"), "-f", &folder("deploy")]);
    testbed.kubectl(&[
        "wait",
        "deployment/signet-controller",
        "--namespace=signet",
        "--for=condition=Available",
        "--timeout=90s",
    ]);
    let namespace = testbed.namespace("image");
    let sealed = eventually("there is a certificate to seal with", || {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: shop-db, namespace: {namespace}}}\nstringData: {{password: hunter2}}\n"
        );
        let output = harness::signet_with_input(&["seal"], &secret);
        if output.code == Some(0) {
            Ok(output.stdout)
        } else {
            Err(output.stderr)
        }
    });
    let repository = GitRepository::create("image");
    let kustomization = "resources: [secret.yaml, settings.yaml]\nnamePrefix: \"\"\ncommonAnnotations: {rendered: by-kustomize}\n";
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    let chart = "apiVersion: v2\nname: shop\nversion: 1.0.0\n";
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-chart}\n";
    repository.commit(
        &[
            ("overlay/secret.yaml", &sealed),
            ("overlay/settings.yaml", settings),
            ("overlay/kustomization.yaml", kustomization),
            ("chart/Chart.yaml", chart),
            ("chart/templates/settings.yaml", template),
        ],
        "Seal",
    );
    // By name: finding hosts is what a static program may lack.
    let url = repository.url().replace(harness::ADDRESS, "git.testbed");
    testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: image, namespace: signet}}\n\
         spec:\n  project: default\n  sources:\n\
         \x20 - {{repoURL: '{url}', targetRevision: main, path: overlay}}\n\
         \x20 - {{repoURL: '{url}', targetRevision: main, path: chart}}\n\
         \x20 destination: {{server: https://kubernetes.default.svc, namespace: {namespace}}}\n\
         \x20 syncPolicy: {{automated: {{}}}}\n"
    ));
    eventually("the Secret is there", || {
        let secret = testbed.find_object(&namespace, "secret", "shop-db");
        let password = secret.map(|secret| secret["data"]["password"].clone());
        harness::equal(&password, &Some("aHVudGVyMg==".into())).map_err(|error| {
            let status = testbed.object("signet", "application", "image")["status"].clone();
            format!("{error}\n{status}")
        })
    });
    for name in ["settings", "image-chart"] {
        eventually(&format!("the ConfigMap {name} is there"), || {
            let map = testbed.find_object(&namespace, "configmap", name);
            map.ok_or("not there yet")
        });
    }
}
