use serde_json::json;

use super::*;
use crate::ignore::fields;

fn object() -> Value {
    json!({"metadata": {"annotations": {"a.b/c": "x"}}, "spec": {"replicas": 2, "list": [0, 1, 2, 3],
        "containers": [{"name": "web", "env": [{"name": "A"}, {"name": "B"}]}, {"name": "proxy"}]}})
}

fn without(text: &str) -> Value {
    let expression = Expression::parse(text).unwrap();
    let paths = expression.paths(&object(), "shop").unwrap();
    let mut object = object();
    fields::remove(&mut object, &paths.into_iter().collect());
    object
}

/// The object after a change, which is what `del` of jq itself answers.
fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut object = object();
    change(&mut object);
    object
}

fn drop_field(object: &mut Value, pointer: &str, field: &str) {
    let map = object.pointer_mut(pointer).unwrap();
    map.as_object_mut().unwrap().shift_remove(field);
}

#[test]
fn a_path_names_fields_and_entries() {
    for text in [
        ".spec.replicas",
        ".spec[\"replicas\"]",
        ".spec | .replicas",
        ".spec | select(.replicas > 1).replicas",
        ".spec.none, .spec.replicas",
        "if .spec.replicas == 2 then .spec.replicas else empty end",
        ".spec.none.deeper // .spec.replicas",
        ".spec.replicas as $n | .spec.replicas | select(. == $n)",
        ".. | .replicas?",
        "try .spec.replicas catch .",
        ".spec | select(has(\"replicas\") and (keys | length == 3)).replicas",
    ] {
        assert_eq!(
            without(text),
            changed(|object| drop_field(object, "/spec", "replicas")),
            "{text}"
        );
    }
    for text in [
        ".spec.containers[1]",
        ".spec.containers[-1]",
        ".spec.containers[1:]",
        ".spec.containers | last",
        ".spec.containers[] | select(.name==\"proxy\")",
        ".spec.containers[] | select(.name | test(\"^PRO\"; \"i\"))",
        ".spec.containers[] | select(.name | startswith(\"pro\"))",
        ".spec.containers[] | select([\"proxy\", \"other\"] | contains([\"ox\"])) | select(.env | not)",
        ".spec.containers[] | select(\"is \\(.name)\" == \"is proxy\")",
        ".spec.containers[] | select(any(.env[]?; .name == \"A\") | not)",
        ".spec.containers[] | select(contains({env: [{name: \"A\"}]}) or contains({name: \"eb\"}) | not)",
    ] {
        let expected = changed(|object| {
            let list = object.pointer_mut("/spec/containers").unwrap();
            list.as_array_mut().unwrap().pop();
        });
        assert_eq!(without(text), expected, "{text}");
    }
    assert_eq!(without(".spec.list[0, 2]")["spec"]["list"], json!([1, 3]));
    assert_eq!(without(".spec.list[1:-1]")["spec"]["list"], json!([0, 3]));
    assert_eq!(
        without(".spec.containers[].env[]? | select(.name==\"A\")")["spec"]["containers"][0]["env"],
        json!([{"name": "B"}])
    );
}

#[test]
fn what_does_not_fit_an_object_names_nothing_in_it() {
    for text in [
        ".status.conditions[]",
        ".spec.replicas.deeper",
        ".spec.replicas, .spec.none[]",
        ".spec.containers[9]",
        ".spec.containers[] | select(.name | test(\"(\"))",
        ".spec.replicas + 1",
        ".spec | select(.list[[1, 2]] == [1]).replicas",
        ".spec | select(.list | has([1, 2])).replicas",
        "empty",
        ".",
        "error(\"x\")",
    ] {
        assert_eq!(without(text), object(), "{text}");
    }
}

#[test]
fn what_can_not_be_used_is_said() {
    for (text, problem) in [
        ("", "expected term, found the end"),
        (".spec[", "expected closing bracket, found the end"),
        (".spec | ", "expected term, found the end"),
        // What it compares with is not told.
        (".a[\"é\"] == \"secret\" )", "expected token at letter 21"),
        (".a == 'secret'", "expected token at letter 7"),
        (
            ".spec.x | foo",
            "foo with 0 arguments is not permitted here",
        ),
        ("$x", "$x is not defined"),
        ("env", "env with 0 arguments is not permitted here"),
        ("$ENV", "$ENV is not defined"),
        ("input", "input with 0 arguments is not permitted here"),
        ("now", "now with 0 arguments is not permitted here"),
        ("add(.[])", "add with 1 arguments is not permitted here"),
        ("join(\"\")", "join with 1 arguments is not permitted here"),
        (
            "tonumber",
            "tonumber with 0 arguments is not permitted here",
        ),
        ("halt", "halt with 0 arguments is not permitted here"),
        ("def f: f; f", "def is not permitted here"),
        ("reduce .[] as $x (0; .)", "reduce is not permitted here"),
        ("label $x | .a", "label is not permitted here"),
        (".a = 1", "an assignment is not permitted here"),
        (".a |= 1", "an assignment is not permitted here"),
        (".a * 2", "* is not permitted here"),
        (". as [$a] | .b", "a pattern is not permitted here"),
        ("@base64 \"x\"", "@base64 is not permitted here"),
        (
            "recurse(.a)",
            "recurse with 1 arguments is not permitted here",
        ),
        ("ignored", "ignored with 0 arguments is not permitted here"),
    ] {
        let found = Expression::parse(text).err().unwrap();
        assert!(found.starts_with(problem), "{text}: {found}");
    }
    let long = format!(".{}", "a".repeat(1024));
    assert!(
        Expression::parse(&long)
            .err()
            .unwrap()
            .ends_with("longer than 1024 bytes")
    );
    let deep = format!("{}.a{}", "(".repeat(17), ")".repeat(17));
    assert!(
        Expression::parse(&deep)
            .err()
            .unwrap()
            .ends_with("deeper than 16")
    );
    let many = format!("\"{}\"", "\\(.a)".repeat(9));
    assert!(
        Expression::parse(&many)
            .err()
            .unwrap()
            .ends_with("a text has more than 8 values")
    );
}

#[test]
fn what_would_not_end_ends() {
    let wide: Vec<Value> = (0..300).map(|number| json!({"a": [number]})).collect();
    let object = json!({"wide": wide, "text": "x".repeat(1 << 20)});
    for text in [
        format!(".wide | select({} == 0)", ["[..]"; 30].join("|")),
        format!(".wide | select({} | false)", ["(.,.,.,.)"; 10].join("|")),
        format!("{} | select(false)", ["(.. | ..)"; 6].join(" | ")),
        format!(".text | select({} == \"\")", ["(. + .)"; 18].join(" | ")),
        format!("[.]{} | .a?", " | [., .]".repeat(18)),
        format!(
            ". as $x | select({}) | .a",
            ["(1, 2) == (1, 2)"; 9].join(" and ")
        ),
        format!(".wide{}", "[(0, 0, 0, 0)]?".repeat(9)),
        format!(".{}", "[]?".repeat(40)),
        "[.., ..] | [.[], .[]] | [.[] | [..]] | [.[] | [..]] | .[0]?".to_owned(),
    ] {
        // Most of them have to be stopped; what matters is that all of them come back.
        let expression = Expression::parse(&text).expect(&text);
        let _ = expression.paths(&object, "shop");
    }
}

#[test]
fn what_makes_or_compares_too_much_overruns() {
    let list: Vec<u32> = (0..2000).collect();
    let large = "x".repeat(100_000);
    let object = json!({"list": list, "text": large});
    for text in [
        ".list | select(contains(.))",
        ".text | select(test(\"y\"))",
        ".list | select([(., ., ., .) | (., ., ., .) | (., ., ., .) | (., ., ., .)] | [(., ., ., .)] | false)",
        ".text | select([(., ., ., .) | (., ., ., .) | (., ., ., .) | (., ., ., .)] | false)",
    ] {
        let expression = Expression::parse(text).unwrap();
        assert!(expression.paths(&object, "shop").is_err(), "{text}");
    }
}

#[test]
fn one_that_overran_says_so_and_rests() {
    let text = format!(".wide[] | select({} | false)", ["(.,.,.,.)"; 10].join("|"));
    let expression = Expression::parse(&text).unwrap();
    let object = json!({"wide": [1]});
    assert!(expression.paths(&object, "shop").is_err());
    let small = json!({"wide": []});
    assert!(
        expression.paths(&small, "shop").is_err(),
        "it rests, whatever the object"
    );
    assert!(
        expression.paths(&small, "other").is_ok(),
        "not for another Application"
    );
    let caught = Expression::parse(&format!(
        "(.wide | select({} | false))?, .wide",
        ["(.,.,.,.)"; 10].join("|")
    ));
    assert!(
        caught.unwrap().paths(&object, "shop").is_err(),
        "what it catches does not help"
    );
}

#[test]
fn the_longest_and_deepest_expressions_fit_the_stack_of_a_worker() {
    let worker = std::thread::Builder::new().stack_size(2 << 20);
    let run = || {
        for text in [
            ["."; 512].join("|"),
            ["."; 64].join("|"),
            ["."; 64].join(","),
            "-".repeat(127) + "1",
            "try ".repeat(127) + ".",
            ". as $x|".repeat(31) + ".",
            ". and ".repeat(63) + ".",
            ".a".repeat(60),
            "if . then . else ".repeat(20) + "." + &" end".repeat(20),
            ["."; 512].join(","),
            "-".repeat(1023) + "1",
            "try ".repeat(255) + ".",
            ". as $x|".repeat(127) + ".",
            format!("{}.a{}", "(".repeat(16), ")".repeat(16)),
            ". and ".repeat(170) + ".",
            ".a".repeat(511),
            "if . then . else ".repeat(50) + "." + &" end".repeat(40),
        ] {
            if let Ok(expression) = Expression::parse(&text) {
                let _ = expression.paths(&json!({"a": {"a": 1}}), "shop");
            }
        }
    };
    worker.spawn(run).unwrap().join().unwrap();
}
