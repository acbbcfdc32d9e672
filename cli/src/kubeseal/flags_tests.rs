//! The grammar of kubeseal's command line, errors included. Must not run a mode.

use super::*;

/// Parses with an environment of pairs.
fn parse(arguments: &[&str], environment: &[(&str, &str)]) -> (Flags, Result<(), Misuse>) {
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    Flags::parse(&arguments, |name| {
        let found = environment.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| OsString::from(value))
    })
}

fn flags(arguments: &[&str], environment: &[(&str, &str)]) -> Flags {
    let (flags, outcome) = parse(arguments, environment);
    assert_eq!(outcome, Ok(()), "{arguments:?}");
    flags
}

fn misuse(arguments: &[&str]) -> String {
    let (_, outcome) = parse(arguments, &[]);
    match outcome {
        Err(misuse) => misuse.to_string(),
        Ok(()) => panic!("accepted: {arguments:?}"),
    }
}

#[test]
fn flags_are_unique_and_listed_by_name() {
    let names: Vec<&str> = FLAGS.iter().map(|flag| flag.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    let mut letters: Vec<u8> = FLAGS.iter().filter_map(|flag| flag.shorthand).collect();
    letters.sort_unstable();
    assert_eq!(letters, b"fnovw");
    for flag in &FLAGS {
        assert!(
            flag.default.is_empty()
                || flag.kind.is_log_option()
                || flag.kind.read(flag.default).is_ok()
        );
        assert!(names.contains(&flag.variable), "{}", flag.variable);
    }
}

#[test]
fn a_value_is_attached_or_follows() {
    for arguments in [
        &["--namespace", "a"][..],
        &["--namespace=a"],
        &["-n", "a"],
        &["-na"],
        &["-n=a"],
        &["ignored", "-n", "a", "also"],
        &["-n", "b", "--namespace=a"],
    ] {
        assert_eq!(
            flags(arguments, &[]).text("namespace"),
            "a",
            "{arguments:?}"
        );
    }
    assert_eq!(flags(&["--name=a=b"], &[]).text("name"), "a=b");
    assert_eq!(
        flags(&["-n="], &[]).text("namespace"),
        "=",
        "one letter behind a shorthand is the value"
    );
    assert_eq!(flags(&["--name", "--raw"], &[]).text("name"), "--raw");
    assert_eq!(
        flags(&["--name", "a", "--", "--name", "b"], &[]).text("name"),
        "a"
    );
    assert_eq!(flags(&["-"], &[]).text("name"), "");
    assert!(!flags(&["-test.v"], &[]).switch("raw"));
}

#[test]
fn a_switch_takes_its_value_by_an_equals_sign_only() {
    for (argument, on) in [
        ("--raw", true),
        ("--raw=T", true),
        ("--raw=0", false),
        ("--raw=False", false),
    ] {
        assert_eq!(
            flags(&[argument, "false"], &[]).switch("raw"),
            on,
            "{argument}"
        );
    }
}

#[test]
fn namespaces_may_be_written_as_resources() {
    for (written, name) in [
        ("ns/a", "a"),
        ("NameSpaces/a", "a"),
        ("namespace/a", "a"),
        ("ns/", "ns/"),
        ("a/ns", "a/ns"),
    ] {
        assert_eq!(flags(&["-n", written], &[]).text("namespace"), name);
    }
}

#[test]
fn lists_are_lines_of_csv_and_are_appended_to() {
    let list = |arguments: &[&str]| flags(arguments, &[]).list("from-file");
    assert_eq!(
        list(&["--from-file", "a,b", "--from-file=c"]),
        ["a", "b", "c"]
    );
    assert_eq!(
        list(&["--from-file", "\"a,b\",\"c\"\"d\""]),
        ["a,b", "c\"d"]
    );
    assert_eq!(list(&["--from-file", "a\nb"]), ["a"]);
    assert_eq!(list(&["--from-file="]), [""; 0]);
    assert_eq!(list(&["--from-file=,"]), ["", ""]);
    assert_eq!(flags(&["--as-group", "a,b"], &[]).list("as-group"), ["a,b"]);
}

#[test]
fn what_is_wrong_is_said_in_pflags_words() {
    // Read off kubeseal v0.36.6.
    for (arguments, text) in [
        (&["--bogus"][..], "unknown flag: --bogus"),
        (&["--Raw"], "unknown flag: --Raw"),
        (&["-z"], "unknown shorthand flag: 'z' in -z"),
        (
            &["-logtostderr"],
            "unknown shorthand flag: 'l' in -logtostderr",
        ),
        (&["-é"], "unknown shorthand flag: 'Ã' in -é"),
        (&["--cert"], "flag needs an argument: --cert"),
        (&["-o"], "flag needs an argument: 'o' in -o"),
        (&["--=x"], "bad flag syntax: --=x"),
        (&["---x"], "bad flag syntax: ---x"),
        (
            &["--scope", "foo"],
            "invalid argument \"foo\" for \"--scope\" flag: must be one of: strict, namespace-wide, cluster-wide",
        ),
        (
            &["--scope", "a\u{200b}"],
            "invalid argument \"a\\u200b\" for \"--scope\" flag: must be one of: strict, namespace-wide, cluster-wide",
        ),
        (
            &["--raw=maybe"],
            "invalid argument \"maybe\" for \"--raw\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            &["--rotate=x"],
            "invalid argument \"x\" for \"--rotate\" flag: strconv.ParseBool: parsing \"x\": invalid syntax",
        ),
        (
            &["--from-file", "a\"b"],
            "invalid argument \"a\\\"b\" for \"--from-file\" flag: parse error on line 1, column 2: bare \" in non-quoted-field",
        ),
        (
            &["--from-file", "\"a"],
            "invalid argument \"\\\"a\" for \"--from-file\" flag: parse error on line 1, column 3: extraneous or missing \" in quoted-field",
        ),
        (
            &["-vo", "3"],
            "invalid argument \"o\" for \"-v, --v\" flag: strconv.ParseInt: parsing \"o\": invalid syntax",
        ),
        (
            &["-v", "99999999999"],
            "invalid argument \"99999999999\" for \"-v, --v\" flag: strconv.ParseInt: parsing \"99999999999\": value out of range",
        ),
        (
            &["--stderrthreshold", "foo"],
            "invalid argument \"foo\" for \"--stderrthreshold\" flag: strconv.ParseInt: parsing \"foo\": invalid syntax",
        ),
        (
            &["--vmodule", "a=99999999999"],
            "invalid argument \"a=99999999999\" for \"--vmodule\" flag: syntax error: expect comma-separated list of filename=N",
        ),
        (
            &["--vmodule", "a=-1"],
            "invalid argument \"a=-1\" for \"--vmodule\" flag: negative value for vmodule level",
        ),
        (
            &["--log_backtrace_at", "foo:1"],
            "invalid argument \"foo:1\" for \"--log_backtrace_at\" flag: syntax error: expect file.go:234",
        ),
        (
            &["--log_file_max_size", "-1"],
            "invalid argument \"-1\" for \"--log_file_max_size\" flag: parse error",
        ),
        (
            &["--log_file_max_size", "1__0"],
            "invalid argument \"1__0\" for \"--log_file_max_size\" flag: parse error",
        ),
        (
            &["--log_file_max_size", "99999999999999999999"],
            "invalid argument \"99999999999999999999\" for \"--log_file_max_size\" flag: value out of range",
        ),
        (
            &["--logtostderr=maybe"],
            "invalid argument \"maybe\" for \"--logtostderr\" flag: parse error",
        ),
    ] {
        assert_eq!(misuse(arguments), text);
    }
}

#[test]
fn nothing_is_read_after_the_letter_for_help() {
    let flags = flags(&["--raw", "-hv", "--bogus"], &[]);
    assert!(flags.help_requested && flags.switch("raw"));
}

#[test]
fn options_of_the_logging_library_are_taken() {
    flags(
        &[
            "-v3",
            "--v=0",
            "--stderrthreshold",
            "info",
            "--vmodule",
            "a=3,",
            "--log_backtrace_at",
            "foo.go:1",
            "--log_file_max_size",
            "0x10",
            "--logtostderr",
            "--skip_headers=1",
            "--log_dir",
            "/x",
            "--log_file=y",
        ],
        &[
            ("SEALED_SECRETS_V", "x"),
            ("SEALED_SECRETS_LOG_FILE_MAX_SIZE", "x"),
        ],
    );
}

#[test]
fn the_environment_stands_behind_the_command_line() {
    let environment = &[
        ("SEALED_SECRETS_CONTROLLER_NAME", "a"),
        ("SEALED_SECRETS_FORMAT", ""),
        ("SEALED_SECRETS_RAW", "1"),
        ("SEALED_SECRETS_FROM_FILE", "a,b"),
        ("SEALED_SECRETS_NAMESPACE", "ns/x"),
    ];
    let flags = flags(
        &["--controller-name", "b", "--from-file", "c", "--raw=false"],
        environment,
    );
    assert_eq!(flags.text("controller-name"), "b");
    assert_eq!(flags.text("format"), "", "present and empty counts as set");
    assert_eq!(flags.text("controller-namespace"), "kube-system");
    assert!(!flags.switch("raw"));
    assert_eq!(flags.list("from-file"), ["a", "b", "c"]);
    assert_eq!(flags.text("namespace"), "x");
    assert_eq!(flags.unusable(), None);
}

#[test]
fn a_variable_that_can_not_be_used_is_told_unless_an_argument_takes_its_place() {
    let environment = &[("SEALED_SECRETS_RAW", "maybe")];
    let told = flags(&["--version"], environment);
    assert_eq!(
        told.unusable().map(ToString::to_string).as_deref(),
        Some(
            "environment variable SEALED_SECRETS_RAW: invalid argument \"maybe\" for \"--raw\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"
        )
    );
    assert_eq!(flags(&["--raw"], environment).unusable(), None);
    let empty = flags(&[], &[("SEALED_SECRETS_VALIDATE", "")]);
    assert!(empty.unusable().is_none() && !empty.switch("validate"));
    let list = flags(&["--from-file", "a"], &[("SEALED_SECRETS_FROM_FILE", "\"")]);
    assert!(
        list.unusable().is_some(),
        "what is appended to does not go away"
    );
}

#[test]
fn rotate_is_another_word_for_re_encrypt() {
    let rotated = flags(&["--rotate"], &[]);
    assert!(rotated.switch("re-encrypt"));
    assert_eq!(
        rotated.deprecations,
        ["Flag --rotate has been deprecated, please use --re-encrypt instead"]
    );
    let by_environment = flags(&[], &[("SEALED_SECRETS_ROTATE", "1")]);
    assert!(by_environment.switch("re-encrypt") && by_environment.deprecations.is_empty());
    assert!(!flags(&["--rotate", "--re-encrypt=false"], &[]).switch("re-encrypt"));
}
