use super::super::{Origin, TOO_MUCH, variables};
use super::*;

fn expanded(text: &str) -> Result<String, String> {
    let variables = variables(
        &[
            ("name", "abcABC123ABCabc"),
            ("path", "/home/shop/notes.of.today"),
            ("empty", ""),
            ("region", "eu-Süd"),
            ("Up", "ÄBC"),
        ],
        &Origin::Plain,
    );
    expand(text, &variables, &mut Taken::default())
}

#[test]
fn expressions_are_those_of_flux() {
    for (text, expected) in [
        ("no variable, 5$, $name", "no variable, 5$, $name"),
        ("x${region}y", "xeu-Südy"),
        ("${empty}", ""),
        // Escaped.
        ("$${region}", "${region}"),
        ("$$$${a} $$x", "$${a} $x"),
        ("$${a=${region}}", "${a=eu-Süd}"),
        ("a\\\\b ${region}", "a\\\\b eu-Süd"),
        // Defaults.
        ("${none:=x}${none:-y}${none=z}", "xyz"),
        ("${empty:=x}${empty=y}", "xy"),
        ("${region:=x}", "eu-Süd"),
        ("${none:=}", ""),
        ("${none:=a${region}-b}", "aeu-Süd-b"),
        ("${none:=${other:=${region^^}}}", "EU-SÜD"),
        ("${none:=http://a:80/x}", "http://a:80/x"),
        // Length and case.
        ("${#region} ${#empty}", "6 0"),
        ("${region^} ${region^^}", "Eu-Süd EU-SÜD"),
        ("${Up,} ${Up,,}", "äBC äbc"),
        // Parts.
        ("${path:6}", "shop/notes.of.today"),
        ("${path:6:4}", "shop"),
        ("${path: -5}", "today"),
        ("${path:-x}", "/home/shop/notes.of.today"),
        ("${path:1:-15}", "home/shop"),
        ("${path:99}${path:0:0}${path:20:-20}", ""),
        ("${region:3:99}", "Süd"),
        // Without a prefix or suffix.
        ("${path#*/}", "home/shop/notes.of.today"),
        ("${path##*/}", "notes.of.today"),
        ("${path%.*}", "/home/shop/notes.of"),
        ("${path%%.*}", "/home/shop/notes"),
        ("${name#[a-b]}", "bcABC123ABCabc"),
        ("${name#x}${name%x}", "abcABC123ABCabcabcABC123ABCabc"),
        // Replacements.
        ("${name/ABC/-}", "abc-123ABCabc"),
        ("${name//ABC/-}", "abc-123-abc"),
        ("${name/#abc/-}", "-ABC123ABCabc"),
        ("${name/%abc/-}", "abcABC123ABC-"),
        ("${name/#ABC/-}", "abcABC123ABCabc"),
        ("${region/#/x-}${region/%/-y}", "x-eu-Südeu-Süd-y"),
        ("${name/123/}", "abcABCABCabc"),
        ("${path//\\//-}", "-home-shop-notes.of.today"),
        ("${path/home/${region}}", "/eu-Süd/shop/notes.of.today"),
    ] {
        assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_expression_is_refused() {
    for (text, problem) in [
        ("${none}", "variable none is not set"),
        ("${#none}", "variable none is not set"),
        ("${none^^}", "variable none is not set"),
        ("${none:=${other}}", "variable other is not set"),
        ("${region", UNCLOSED),
        ("${region:=x", UNCLOSED),
        ("${region^^", UNCLOSED),
        (
            "${region:x}",
            "variable region: a position or length is no number",
        ),
        ("${region#[}", "variable region: a pattern can't be read"),
        (
            "${region/x}",
            "variable region: expected ${region/text/other}",
        ),
        ("${region:?x}", &unknown("region")),
        ("${region.x}", &unknown("region")),
        ("${region@Q}", &unknown("region")),
        (
            "${}",
            "expected a name of letters, digits and underscores behind ${; a ${ that is no variable is $${",
        ),
        (
            "${{ x }}",
            "expected a name of letters, digits and underscores behind ${; a ${ that is no variable is $${",
        ),
    ] {
        assert_eq!(expanded(text), Err(problem.to_owned()), "{text}");
    }
}

#[test]
fn what_grows_without_end_is_stopped() {
    let long = "x".repeat(1 << 20);
    let variables = variables(&[("long", &long)], &Origin::Plain);
    let expand = |text: &str| expand(text, &variables, &mut Taken::default()).map(drop);
    assert_eq!(expand(&"${long}".repeat(9)), Ok(()));
    assert_eq!(expand(&"${long}".repeat(11)), Err(TOO_MUCH.to_owned()));
    assert_eq!(expand("${long//x/${long}}"), Err(TOO_MUCH.to_owned()));
    let nested = |depth| "${none:=".repeat(depth) + "x" + &"}".repeat(depth);
    assert_eq!(expand(&nested(DEPTH)), Ok(()));
    let expected = "more than 16 variables stand in one another";
    assert_eq!(expand(&nested(100_000)), Err(expected.to_owned()));
    let expected = "variable long is longer than the 4096 bytes that a pattern is tried on";
    assert_eq!(expand("${long#*y}"), Err(expected.to_owned()));
}

#[test]
fn only_variables_that_are_taken_count_as_used() {
    let variables = variables(&[("a", "1"), ("b", "2"), ("c", "3")], &Origin::Plain);
    let mut taken = Taken::default();
    let text = "${a} ${none:=${b}} $${c}";
    let expanded = expand(text, &variables, &mut taken);
    assert_eq!(expanded.as_deref(), Ok("1 2 ${c}"));
    assert_eq!(taken.names.into_iter().collect::<Vec<_>>(), ["a", "b"]);
}
