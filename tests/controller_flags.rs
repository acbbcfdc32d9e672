//! How `signet-controller` takes its flags and variables: streams, texts and exit codes, by starting the program.
//! What each value means is tested in `controller/src/settings/`.

use std::process::{Command, Output};

/// Starts the program with nothing but these variables.
fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signet-controller"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the program was built for this suite")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_version_is_told_on_stdout_whatever_else_is_set() {
    let output = start(
        &["--version"],
        &[("SEALED_SECRETS_ALL_NAMESPACES", "maybe")],
    );
    let expected = format!("controller version: {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr)
        ),
        (Some(0), expected, String::new())
    );
}

#[test]
fn a_variable_that_can_not_be_read_is_named() {
    for (variable, value) in [
        ("SEALED_SECRETS_ALL_NAMESPACES", "maybe"),
        ("SEALED_SECRETS_KEY_RENEW_PERIOD", "30d"),
        ("SEALED_SECRETS_KEY_RENEW_PERIOD", "1"),
        ("SEALED_SECRETS_PRIVATEKEY_LABELS", "a"),
        ("SEALED_SECRETS_KEY_CUTOFF_TIME", "yesterday"),
        ("SEALED_SECRETS_KEY_ORDER_PRIORITY", "Random"),
        ("SEALED_SECRETS_RATE_LIMIT", "0"),
        ("SIGNET_APPLICATION_NAMESPACES", "team-a,team-*"),
    ] {
        let output = start(&[], &[(variable, value)]);
        let stderr = text(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{variable}={value}: {stderr}"
        );
        let named = format!("the value is that of the environment variable {variable}");
        assert!(stderr.contains(&named), "{variable}={value}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_flag_that_can_not_be_read_is_named_without_its_variable() {
    let variables = [("SEALED_SECRETS_KEY_TTL", "1h")];
    let output = start(&["--key-ttl=forever"], &variables);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.contains("--key-ttl") && !stderr.contains("environment"),
        "{stderr}"
    );
}

#[test]
fn what_upstream_would_ignore_is_refused() {
    let output = start(&["--all-namespaces", "false"], &[]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("unexpected argument 'false'"), "{stderr}");
}

#[test]
fn without_a_cluster_it_ends_with_two_and_its_log_goes_where_the_level_says() {
    let output = start(&["--log-level=chatty", "--log-format=json"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        stdout.contains(r#""level":"INFO","msg":"Starting sealed-secrets controller","version":""#),
        "{stdout}"
    );
    assert!(
        stderr.contains(r#""level":"ERROR","msg":"can't load the service account"#),
        "{stderr}"
    );
    let output = start(&["--log-level=ERROR"], &[]);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(stdout, "");
    assert!(
        stderr.lines().count() > 0 && stderr.lines().all(|line| line.contains("level=ERROR")),
        "{stderr}"
    );
    let output = start(&["--log-info-stdout=false"], &[]);
    assert_eq!(text(&output.stdout), "");
    let line = r#" level=INFO msg="Starting sealed-secrets controller" version="#;
    assert!(
        text(&output.stderr).contains(line),
        "{}",
        text(&output.stderr)
    );
}
