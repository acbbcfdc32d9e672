//! Flags as they are written, and what they mean.

use super::*;

fn read(arguments: &[&str]) -> Result<Settings, String> {
    let line = std::iter::once("signet-controller").chain(arguments.iter().copied());
    Settings::try_parse_from(line).map_err(|error| error.to_string())
}

#[test]
fn definitions_are_consistent() {
    use clap::CommandFactory;
    Settings::command().debug_assert();
}

#[test]
fn a_boolean_takes_its_value_after_equals_only() {
    assert_eq!(read(&[]).unwrap().unseal.namespaces("own"), Namespaces::All);
    assert_eq!(
        read(&["--all-namespaces"])
            .unwrap()
            .unseal
            .namespaces("own"),
        Namespaces::All
    );
    let own = Namespaces::These(vec!["own".to_owned()]);
    assert_eq!(
        read(&["--all-namespaces=F"])
            .unwrap()
            .unseal
            .namespaces("own"),
        own
    );
    assert!(
        read(&["--all-namespaces", "false"])
            .unwrap_err()
            .contains("unexpected argument 'false'")
    );
}

#[test]
fn additional_namespaces_mean_those_and_the_own_one() {
    let these = read(&["--additional-namespaces= a, ,own,b,a"])
        .unwrap()
        .unseal
        .namespaces("own");
    assert_eq!(
        these,
        Namespaces::These(vec!["own".to_owned(), "a".to_owned(), "b".to_owned()])
    );
}

#[test]
fn workloads_are_restarted_where_there_is_sync_unless_it_is_said_otherwise() {
    for (line, restarts) in [
        (&[][..], true),
        (&["--restart-workloads=false"], false),
        (&["--only=sealing"], false),
        (&["--only=sealing", "--restart-workloads"], true),
        // Nothing is noted on Secrets where none is opened.
        (&["--only=sync", "--restart-workloads"], false),
    ] {
        assert_eq!(
            read(line).unwrap().restarts_workloads(),
            restarts,
            "{line:?}"
        );
    }
}

#[test]
fn the_two_names_of_the_renewal_period_are_one_flag() {
    for (line, hours) in [
        (&[][..], 720),
        (&["--rotate-period=0"], 0),
        (&["--key-renew-period=5h", "--rotate-period=7h"], 7),
        (&["--rotate-period=7h", "--key-renew-period=5h"], 5),
        (
            &[
                "--rotate-period=7h",
                "--key-renew-period=5h",
                "--rotate-period=9h",
            ],
            9,
        ),
    ] {
        let period = read(line).unwrap().keys.renew_period.0;
        assert_eq!(period, Duration::from_secs(hours * 3600), "{line:?}");
    }
}

#[test]
fn what_can_not_work_is_refused_by_name() {
    assert!(
        read(&["--key-size=1024"])
            .unwrap_err()
            .contains("--key-size")
    );
    assert!(
        read(&["--key-prefix=Keys"])
            .unwrap_err()
            .contains("name contains illegal character K")
    );
    let longest = format!("--key-prefix={}", "a".repeat(245));
    assert!(read(&[&longest]).is_ok());
    assert!(
        read(&[&format!("{longest}a")])
            .unwrap_err()
            .contains("name is too long, must be shorter than 245, got 246")
    );
    assert!(
        read(&["--privatekey-labels=a"])
            .unwrap_err()
            .contains("expected key=value")
    );
    assert!(
        read(&["--key-cutoff-time=yesterday"])
            .unwrap_err()
            .contains("date -R")
    );
}

#[test]
fn a_repeated_flag_counts_as_written_last() {
    assert_eq!(
        read(&["--rate-limit=5", "--rate-limit=7"])
            .unwrap()
            .api
            .rate_limit,
        7
    );
}

/// Flags of upstream's controller with the values that they have when nobody sets them.
const UPSTREAM: [&str; 34] = [
    "accept-deprecated-v1-data=true",
    "additional-namespaces=",
    "all-namespaces=true",
    "key-cutoff-time=",
    "key-order-priority=CertNotBefore",
    "key-prefix=sealed-secrets-key",
    "key-renew-period=720h0m0s",
    "key-size=4096",
    "key-ttl=87600h0m0s",
    "kubeclient-burst=10",
    "kubeclient-qps=5",
    "label-selector=",
    "listen-addr=:8080",
    "listen-metrics-addr=:8081",
    "log-format=text",
    "log-info-stdout=true",
    "log-level=INFO",
    "max-unseal-retries=5",
    "metrics-omit-secret-labels=false",
    "my-cn=",
    "old-gc-behavior=false",
    "privatekey-annotations=",
    "privatekey-labels=",
    "rate-limit=2",
    "rate-limit-burst=2",
    "read-timeout=2m0s",
    "rotate-period=720h0m0s",
    "skip-recreate=false",
    "update-status=true",
    "watch-for-secrets=false",
    "write-timeout=2m0s",
    "kubeclient-qps=-1",
    "key-cutoff-time=Mon, 02 Jan 2006 15:04:05 -0700",
    "key-renew-period=0",
];

#[test]
fn every_flag_of_upstream_is_known_with_its_variable_and_documented() {
    use clap::CommandFactory;
    let command = Settings::command();
    let page = include_str!("../../../docs/sealed-secrets.md");
    for written in UPSTREAM {
        let flag = format!("--{written}");
        assert!(read(&[&flag]).is_ok(), "{flag}: {:?}", read(&[&flag]));
        let name = written.split('=').next().unwrap();
        let argument = command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name))
            .unwrap();
        let variable = format!("SEALED_SECRETS_{}", name.to_uppercase().replace('-', "_"));
        let known = argument
            .get_env()
            .map(|known| known.to_string_lossy().into_owned());
        assert_eq!(known, Some(variable));
        assert!(
            page.contains(&format!("`--{name}`")),
            "{name} is not documented"
        );
    }
}

#[test]
fn every_flag_is_documented() {
    use clap::CommandFactory;
    let pages = concat!(
        include_str!("../../../docs/sealed-secrets.md"),
        include_str!("../../../docs/sync.md"),
        include_str!("../../../docs/repositories.md"),
        include_str!("../../../docs/applications.md"),
        include_str!("../../../docs/rendering.md"),
        include_str!("../../../docs/webhooks.md")
    );
    for argument in Settings::command().get_arguments() {
        let name = argument.get_long().unwrap();
        assert!(
            pages.contains(&format!("--{name}")),
            "{name} is not documented"
        );
    }
}

#[test]
fn levels_and_formats_that_nobody_knows_are_the_usual_ones() {
    let log = read(&["--log-level=chatty", "--log-format=xml"])
        .unwrap()
        .log;
    assert_eq!(
        (log.log_level, log.log_format),
        (LogLevel::Info, LogFormat::Text)
    );
    for (word, level) in [
        ("DEBUG", LogLevel::Debug),
        ("INFO", LogLevel::Info),
        ("warn", LogLevel::Warn),
        ("Error", LogLevel::Error),
    ] {
        let log = read(&[&format!("--log-level={word}"), "--log-format=json"])
            .unwrap()
            .log;
        assert_eq!((log.log_level, log.log_format), (level, LogFormat::Json));
    }
}
