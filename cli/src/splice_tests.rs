//! Files of many shapes before and after: nothing but a value may change. Must not ask a controller.

use super::*;
use crate::dice::Dice;
use crate::golden_errors::assert_said;

const NEW: &str = "AgNewNewNewNewNewNewNewNewNewNewNewNewNewNewNewNew==";

fn splice(text: &str) -> Result<String, Error> {
    let documents = documents::parse(&Input::Stdin, text).unwrap_or_else(|error| panic!("{error}"));
    let values = BTreeMap::from([("password".to_owned(), NEW.to_owned())]);
    let mut edits = Vec::new();
    for object in documents.into_iter().flat_map(Document::objects) {
        edits.extend(replace(text, &object, &values)?);
    }
    apply(&Input::Stdin, text, edits)
}

/// `OLD` stands for the value in each template: whatever is around it must survive.
fn keeps_every_other_byte(template: &str) {
    for template in [
        template.to_owned(),
        template.replace('\n', "\r\n"),
        template.trim_end().to_owned(),
    ] {
        let edited = splice(&template.replace("OLD", "AgOldOldOld=="))
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(edited, template.replace("OLD", NEW), "{template}");
        assert_eq!(
            splice(&edited).unwrap_or_else(|error| panic!("{error}")),
            edited,
            "the second time"
        );
    }
}

#[test]
fn comments_order_quoting_and_neighbours_stay() {
    for template in [
        "# head\nspec:\n    encryptedData:   # here\n        other: AgX=  # keep\n        password: OLD # why\n\n    template:\n        data: {a: b}\nkind: SealedSecret\n",
        "spec: {encryptedData: {password: OLD, other: 'x'}, template: {}}\n",
        "{\"spec\": {\"encryptedData\": {\"password\": \"OLD\",\n\t\"b\": \"x\"}}}\n",
        "spec:\n  encryptedData:\n    password: \"OLD\"\n    b: 'AgX'\n",
        "spec:\n  encryptedData:\n    password: 'OLD'\n",
        "spec:\n  encryptedData:\n    \"password\":\n      OLD\n    z: |\n      text\n      more\n",
        "spec:\n  encryptedData:\n    password: >-\n      OLD\n\n    # after\n    z: x\n",
        "spec:\n  encryptedData:\n    password: |\n      OLD\n    z: x\n",
        "spec:\n  encryptedData:\n    password: |2-\n      OLD\n...\n---\n# tail\n",
        "kind: ConfigMap\ndata: {password: AgOther}\n---\nspec:\n  encryptedData:\n    password: OLD\n---\n# nothing\n---\nspec:\n  encryptedData:\n    password: OLD\n",
        "kind: List\nitems:\n- spec:\n    encryptedData:\n      password: OLD\n- spec:\n    encryptedData:\n      password: \"OLD\"\n",
        "\u{feff}spec:\n  template: {data: {u: \"ünï\"}}\n  encryptedData:\n    ünï: x\n    password: OLD\n",
    ] {
        keeps_every_other_byte(template);
    }
}

fn random_object(dice: &mut Dice) -> String {
    let indent = dice.throw(&["  ", "    ", " "]);
    let comment = ["", "", " # note", "   #  two: words"];
    let mut items = Vec::new();
    for key in ["a.b", "password", "'z'"] {
        let value = if key == "password" {
            "OLD"
        } else {
            "AgOther=="
        };
        let (start, end) =
            match dice.throw(&["plain", "single", "double", "folded", "literal", "below"]) {
                "plain" => (String::new(), dice.throw(&comment).to_owned()),
                "single" => ("'".to_owned(), format!("'{}", dice.throw(&comment))),
                "double" => ("\"".to_owned(), format!("\"{}", dice.throw(&comment))),
                "folded" => (
                    format!(">{}\n{indent}{indent}{indent}", dice.throw(&["", "-", "+"])),
                    dice.throw(&["", "\n", "\n\n"]).to_owned(),
                ),
                "literal" => (
                    format!("|{}\n{indent}{indent}{indent}", dice.throw(&["", "-", "+"])),
                    dice.throw(&["", "\n"]).to_owned(),
                ),
                _ => (format!("\n{indent}{indent}{indent}"), String::new()),
            };
        items.push(format!(
            "{indent}{indent}{key}:{}{start}{value}{end}\n",
            dice.throw(&[" ", "   "])
        ));
    }
    let data = format!(
        "{indent}encryptedData:{}\n{}",
        dice.throw(&comment),
        items.concat()
    );
    let template = format!(
        "{indent}template: {{metadata: {{labels: {{x: \"y\"}}}}}}\n{}",
        dice.throw(&["", "\n", "# deep\n"])
    );
    let spec = dice.throw(&["data", "template"]);
    let (first, second) = if spec == "data" {
        (data, template)
    } else {
        (template, data)
    };
    format!(
        "{}kind: SealedSecret\nspec:\n{first}{second}{}",
        dice.throw(&["", "# head\n", "\n"]),
        dice.throw(&["", "status: {}\n"])
    )
}

#[test]
fn in_thousands_of_random_files_only_the_value_changes() {
    let mut dice = Dice::new(2026);
    for _ in 0..1000 {
        let objects = [random_object(&mut dice), random_object(&mut dice)];
        keeps_every_other_byte(&objects.join(dice.throw(&["---\n", "--- # next\n", "...\n---\n"])));
    }
}

#[test]
fn a_wrapped_literal_block_stays_wrapped() {
    for newline in ["\n", "\r\n"] {
        let old = "spec:\n  encryptedData:\n    password: |\n      AgAAAAAAAAAAAAAAAAAA\n      BBBBBBBBBB==\n    z: x\n".replace('\n', newline);
        let new = "spec:\n  encryptedData:\n    password: |\n      AgNewNewNewNewNewNew\n      NewNewNewNewNewNewNe\n      wNewNewNew==\n    z: x\n".replace('\n', newline);
        assert_eq!(splice(&old).unwrap_or_else(|error| panic!("{error}")), new);
    }
}

#[test]
fn edits_of_another_text_are_refused() {
    let text = "spec:\n  encryptedData:\n    password: AgOld\n";
    let values = BTreeMap::from([("password".to_owned(), NEW.to_owned())]);
    for other in [
        "kind: SealedSecret\n",
        "spec:\n  encryptedData:\n    password: Ag",
        "spec:\n  encryptedData:\n    passphrase: AgOld\n",
    ] {
        let objects = documents::parse(&Input::Stdin, text).expect("a document");
        let edits = replace(text, &objects[0], &values).expect("edits");
        let refused = apply(&Input::Stdin, other, edits);
        assert_said("splice", &[&refused.expect_err(other)]);
    }
}

#[test]
fn shared_values_are_refused() {
    for text in [
        "spec:\n  encryptedData:\n    password: &p AgOld\n    other: *p\n",
        "x: &p AgOld\nspec:\n  encryptedData:\n    password: *p\n",
        "x: &d {password: AgOld}\nspec:\n  encryptedData: *d\n",
        "x: &d {password: AgOld}\nspec:\n  encryptedData:\n    <<: *d\n",
        "spec: &s\n  encryptedData:\n    password: AgOld\nagain: *s\n",
        "spec:\n  encryptedData:\n    password: AgOld\n    password: AgOlder\n",
        "spec:\n  encryptedData:\n    password: !!str AgOld\n",
        "spec:\n  encryptedData:\n    password: [AgOld]\n",
    ] {
        assert!(matches!(splice(text), Err(Error::Item { .. })), "{text}");
    }
}
