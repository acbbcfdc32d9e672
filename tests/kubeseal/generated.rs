//! Secrets as nobody would write them by hand: YAML 1.1 in all its styles, from a seed, so that a failure comes back.
//! They are compared like all others; what is right is not known here either.

use std::fmt::Write as _;

use super::cases::{Case, Cell};
use super::dice::Dice;
use super::plain::PLAIN;
use super::words::CommandLine;

/// Text that has to be quoted or is spoiled.
const QUOTED: [&str; 14] = [
    "yes", "1.10", "", " a ", "a: b", "- x", "#x", "it''s", "%", "{", "*a", "---", "<&>", "null",
];

/// Double-quoted, with every sort of escape.
const ESCAPED: [&str; 8] = [
    "\\t",
    "\\u00fc",
    "\\U0001F980",
    "\\x41\\n",
    "\\\\ \\\"",
    "\\0\\e\\a",
    "\\u2028\\u00a0",
    "a\\\n    b",
];

/// No two are read as the same: then upstream lets chance decide.
const KEYS: [&str; 15] = [
    "password",
    "user",
    "tls.key",
    "a-b",
    "A_B",
    "on",
    "\"null\"",
    "1",
    "1.5",
    "010",
    "0x10",
    "2024-01-01",
    "\"yes\"",
    ".x",
    "..data",
];

const NAMES: [&str; 10] = [
    "db",
    "web",
    "y",
    "'yes'",
    "on",
    "5",
    "\"5\"",
    "0x10",
    "a.b-c",
    "2024-01-02",
];

const FLAGS: [&str; 12] = [
    "",
    "-o yaml",
    "--scope namespace-wide",
    "--scope cluster-wide -o yaml",
    "--scope namespace-wide -o yaml",
    "--scope cluster-wide",
    "--name other",
    "-n shop",
    "--allow-empty-data -o yaml",
    "--name other -n shop --scope cluster-wide",
    "-w out.yaml",
    "-w out.json -n shop",
];

/// `count` cases of five documents each.
pub(crate) fn cases(seed: u64, count: usize) -> Vec<Case> {
    (0..count)
        .map(|number| case(&mut Dice::new(seed + number as u64), number))
        .collect()
}

fn case(dice: &mut Dice, number: usize) -> Case {
    const DOCUMENTS: usize = 5;
    let mut text = String::new();
    for _ in 0..DOCUMENTS {
        text += &if dice.below(6) == 0 {
            in_json(dice)
        } else {
            in_yaml(dice)
        };
        text += dice.throw(&[
            "---\n",
            "---\n",
            "--- # next\n",
            "---\n# a comment\n",
            "---\n---\n",
        ]);
    }
    if dice.below(8) == 0 {
        text = text.replace('\n', "\r\n");
    }
    let flags = FLAGS[number % FLAGS.len()];
    Case {
        id: format!("generated/{number}"),
        cell: Cell {
            mode: "seal".to_owned(),
            input: "generated".to_owned(),
            flags: "generated".to_owned(),
        },
        line: CommandLine::parse(&format!("--cert files/cert.pem {flags}")),
        input: text.into_bytes(),
        endless: false,
        terminal: false,
    }
}

fn in_yaml(dice: &mut Dice) -> String {
    let mut text = dice
        .throw(&[
            "apiVersion: v1\nkind: Secret\n",
            "kind: Secret\n",
            "",
            "KIND: Secret\n# here\n",
        ])
        .to_owned();
    text += &format!("metadata:\n  name: {}\n", dice.throw(&NAMES));
    if dice.below(10) > 0 {
        writeln!(
            text,
            "  namespace: {}",
            dice.throw(&["shop", "shop", "n", "'0'", "\"a\""])
        )
        .expect("memory");
    }
    for field in ["labels", "annotations"] {
        text += &map(dice, field, "  ", 3);
    }
    if dice.below(5) == 0 {
        let scope = dice.throw(&["cluster-wide", "namespace-wide"]);
        text = text.replacen(
            "  annotations:\n",
            &format!(
                "  annotations:\n    sealedsecrets.bitnami.com/{scope}: {}\n",
                dice.throw(&["\"true\"", "true", "'false'", "yes"])
            ),
            1,
        );
    }
    text += dice.throw(&[
        "",
        "",
        "  creationTimestamp: null\n",
        "  generateName: x-\n",
        "  finalizers: [a, 'b']\n",
        "  uid: x\n",
    ]);
    text += dice.throw(&[
        "",
        "",
        "type: Opaque\n",
        "type: 5\n",
        "type: \"kubernetes.io/tls\"\n",
    ]);
    text += dice.throw(&[
        "",
        "",
        "immutable: true\n",
        "immutable: off\n",
        "immutable: null\n",
    ]);
    text += dice.throw(&[
        "",
        "data: {password: czNjcmV0, k: ''}\n",
        "data:\n  user: |\n    cm9v\n    dA==\n",
        "data: {z: null}\n",
    ]);
    text + &map(dice, "stringData", "", 6)
}

/// A field that holds a map: in lines or in braces, or there is none.
fn map(dice: &mut Dice, field: &str, indentation: &str, most: usize) -> String {
    let count = dice.below(most + 1);
    if count == 0 {
        return String::new();
    }
    if dice.below(4) == 0 {
        let entries: Vec<String> = (0..count)
            .map(|_| format!("{}: {}", dice.throw(&KEYS), in_braces(dice)))
            .collect();
        return format!("{indentation}{field}: {{{}}}\n", entries.join(", "));
    }
    let mut text = format!("{indentation}{field}:\n");
    for _ in 0..count {
        writeln!(
            text,
            "{indentation}  {}: {}",
            dice.throw(&KEYS),
            scalar(dice, indentation)
        )
        .expect("memory");
    }
    text
}

fn in_braces(dice: &mut Dice) -> String {
    match dice.below(3) {
        0 => format!("'{}'", dice.throw(&QUOTED)),
        1 => format!("\"{}\"", dice.throw(&ESCAPED[..6])),
        _ => number(dice),
    }
}

fn scalar(dice: &mut Dice, indentation: &str) -> String {
    match dice.below(8) {
        0..=2 => dice.throw(&PLAIN).to_owned(),
        3 => number(dice),
        4 => format!("'{}'", dice.throw(&QUOTED)),
        5 => format!("\"{}{}\"", dice.throw(&ESCAPED), dice.throw(&["", " x"])),
        6 => dice
            .throw(&["one\n    two", "s3cret # a comment", "&anchor x", "!!str 5"])
            .to_owned(),
        _ => {
            let style = dice.throw(&["|", "|-", "|+", ">", ">-", ">+"]);
            format!(
                "{style}\n{indentation}    two\n{indentation}    lines\n\n{indentation}      more\n"
            )
        }
    }
}

/// Something like a number, in one of the notations of YAML 1.1 or in none.
fn number(dice: &mut Dice) -> String {
    let sign = dice.throw(&["", "", "-", "+"]);
    let base = dice.throw(&["", "", "0", "0x", "0b", "0o"]);
    let digits: String = (0..=dice.below(20))
        .map(|_| dice.throw(&["0", "1", "1", "5", "7", "9", "_", "a"]))
        .collect();
    let fraction = dice.throw(&["", "", "", ".0", ".5", ".", ".10_0", ":30"]);
    let exponent = dice.throw(&["", "", "", "e3", "E+20", "e-7", "e"]);
    format!("{sign}{base}{digits}{fraction}{exponent}")
}

fn in_json(dice: &mut Dice) -> String {
    let value = dice.throw(&[
        "\"s3cret\"",
        "5",
        "1.50",
        "true",
        "null",
        "\"<&>\\u2028\"",
        "1e3",
        "12345678901234567890",
        "-0.0",
    ]);
    let name = dice.throw(&["db", "web", "1"]);
    let gap = dice.throw(&["", "\n", "\n  "]);
    format!(
        "{{{gap}\"kind\": \"Secret\",{gap}\"metadata\": {{\"name\": \"{name}\", \"namespace\": \"shop\"}},{gap}\"stringData\": {{\"a\": {value}, \"b\": \"x\"}}}}\n"
    )
}
