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
fn the_deprecated_name_of_the_renewal_period_is_understood() {
    assert_eq!(
        read(&[]).unwrap().keys.renew_period(),
        Duration::from_secs(720 * 3600)
    );
    assert_eq!(
        read(&["--rotate-period=0"]).unwrap().keys.renew_period(),
        Duration::ZERO
    );
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
