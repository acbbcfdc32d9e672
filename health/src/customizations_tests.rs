//! What is read from settings, and what is said of those that can't be used.

use super::*;

fn read(settings: &[(&str, &str)]) -> (Customizations, Vec<String>) {
    let data = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let (customizations, problems) = Customizations::read(&data.collect());
    let problems = problems.iter().map(ToString::to_string);
    (customizations, problems.collect())
}

#[test]
fn a_setting_that_can_not_be_used_is_named_and_the_others_count() {
    let rows = [
        (
            ("resource.customizations", "- a list"),
            "resource.customizations is no map of group/Kind to customizations: it is something else",
        ),
        (
            ("resource.customizations", "a/B:\n  health.lua: 5\n"),
            "resource.customizations a/B health.lua has no text",
        ),
        (
            (
                "resource.customizations",
                "a/B:\n  health.lua.useOpenLibs: sometimes\n",
            ),
            "resource.customizations a/B health.lua.useOpenLibs has no true or false",
        ),
        (
            (
                "resource.customizations",
                "\"a/[B\":\n  health.lua: return {}\n",
            ),
            "resource.customizations a/[B is no pattern: unclosed character class; missing ']'",
        ),
        (
            ("resource.customizations.health.a_b_C", "return {}"),
            "resource.customizations.health.a_b_C names no kind, expected it to end in <group>_<Kind>",
        ),
        (
            ("resource.customizations.useOpenLibs.", "true"),
            "resource.customizations.useOpenLibs. names no kind, expected it to end in <group>_<Kind>",
        ),
        (
            ("resource.customizations.useOpenLibs.a_B", "yes"),
            "resource.customizations.useOpenLibs.a_B has no \"true\" or \"false\"",
        ),
    ];
    for (setting, expected) in rows {
        let good = (
            "resource.customizations.health.example.com_Good",
            "return {}",
        );
        let (customizations, problems) = read(&[setting, good]);
        assert_eq!(problems, [expected], "{setting:?}");
        assert!(
            customizations.has_script("example.com", "Good"),
            "{setting:?}"
        );
    }
}

#[test]
fn a_map_that_can_not_be_parsed_is_told_with_its_line() {
    let (_, problems) = read(&[("resource.customizations", "a/B:\n  health.lua: 'open\n")]);
    let told = problems.first().expect("a problem");
    assert!(told.contains("line "), "{told}");
}

#[test]
fn what_is_said_of_other_things_is_passed_over() {
    let (customizations, problems) = read(&[
        ("url", "https://example.com"),
        (
            "resource.customizations",
            "a/B:\n  ignoreDifferences: |\n    jsonPointers: [/spec]\n",
        ),
        (
            "resource.customizations.ignoreDifferences.all",
            "jsonPointers: [/status]",
        ),
        (
            "resource.customizations.actions.apps_Deployment",
            "discovery.lua: return {}",
        ),
        ("resource.customizations.useOpenLibs.a_C", "true"),
    ]);
    assert_eq!(problems, [] as [String; 0]);
    for kind in ["B", "C"] {
        assert!(!customizations.has_script("a", kind), "{kind}");
    }
}

#[test]
fn the_core_group_is_spelled_with_and_without_an_underscore() {
    for key in ["Pod", "_Pod"] {
        let (customizations, _) = read(&[(
            &format!("resource.customizations.health.{key}"),
            "return {}",
        )]);
        assert!(customizations.has_script("", "Pod"), "{key}");
    }
}

#[test]
fn only_kinds_whose_script_changed_are_judged_otherwise() {
    let of = |source: &str| read(&[("resource.customizations.health.a_B", source)]).0;
    let (one, two) = (of("return {}"), of("return nil"));
    assert!(one.agree_on(&one.clone(), "a", "B"));
    assert!(!one.agree_on(&two, "a", "B"));
    assert!(one.agree_on(&two, "a", "C"));
    assert!(!one.agree_on(&Customizations::default(), "a", "B"));
}
