//! A document as a Secret to seal: field names in any case as Go reads them, errors and coercions with their lines.
//! Must not seal, and quotes no value.

use sealing::{InputError, SecretInput};
use zeroize::Zeroizing;

use crate::documents::{Document, Place, identity};
use crate::node::{Content, Node};
use crate::problem::Fault;
use crate::respelled::Respelled;

const KIND: &str = "Secret";

/// Fields of a Secret that are found whatever the case of their letters.
const FIELDS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
    "data",
    "stringData",
];

/// A Secret and where it was written.
pub(crate) struct Source {
    pub(crate) place: Place,
    pub(crate) secret: SecretInput,
    /// Text that is sealed in another spelling than it was written.
    pub(crate) respelled: Vec<Respelled>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{place}: expected a Secret, found {found}")]
    Kind { place: Place, found: String },
    #[error("{place}: expected a Secret, found no kind")]
    NoKind { place: Place },
    #[error("{place}: expected apiVersion v1 of a Secret, found {found}")]
    Version { place: Place, found: String },
    #[error("{place}: {identity} cannot be sealed")]
    Field {
        place: Place,
        identity: String,
        source: InputError,
    },
    #[error("{place}: {identity} is malformed")]
    Malformed {
        place: Place,
        identity: String,
        source: Fault,
    },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Kind { found, .. } if found == "SealedSecret" => Some(
                "it is sealed already; `signet reseal FILE` brings it to the current key"
                    .to_owned(),
            ),
            Self::Kind { .. } => {
                Some("pass Secrets only; other objects go into Git as they are".to_owned())
            }
            Self::Field {
                source: InputError::Base64 { .. },
                ..
            } => {
                Some("values under data are base64; plain text belongs under stringData".to_owned())
            }
            Self::Field {
                source: InputError::Field { field, .. },
                ..
            } if field.starts_with("data.") => {
                Some("put base64 in quotes, or plain text under stringData".to_owned())
            }
            Self::Field { .. } => {
                Some("`kubectl explain secret` tells what a Secret may hold".to_owned())
            }
            Self::Malformed { source, .. } => source.hint(),
            _ => None,
        }
    }
}

impl Source {
    pub(crate) fn new(document: &Document) -> Result<Self, Error> {
        let root = with_field_names(document.root.target().clone());
        let place = document.place.clone();
        check_kind(&place, &root)?;
        let value = root.to_value().map_err(|problem| Error::Malformed {
            place: place.at(problem.line),
            identity: identity(&root, KIND),
            source: problem.fault,
        })?;
        let secret = SecretInput::from_value(value).map_err(|source| {
            let line = line_of(&root, field_of(&source)).unwrap_or(place.line);
            Error::Field {
                place: place.at(line),
                identity: identity(&root, KIND),
                source,
            }
        })?;
        let fields = text_fields(&root).into_iter();
        let respelled = fields
            .filter_map(|(field, node)| Respelled::of(node, || field, &node.secret_text()?))
            .collect();
        Ok(Self {
            place,
            secret,
            respelled,
        })
    }
}

fn check_kind(place: &Place, root: &Node) -> Result<(), Error> {
    match root.get("kind").and_then(Node::text) {
        Some(kind) if kind == KIND => {}
        Some(found) => {
            return Err(Error::Kind {
                place: place.clone(),
                found,
            });
        }
        None => {
            return Err(Error::NoKind {
                place: place.clone(),
            });
        }
    }
    match root.get("apiVersion").and_then(Node::text) {
        Some(found) if found != "v1" => Err(Error::Version {
            place: place.clone(),
            found,
        }),
        _ => Ok(()),
    }
}

fn with_field_names(root: Node) -> Node {
    rename(root, &FIELDS, |field, value| match field {
        "metadata" => rename(
            value.target().clone(),
            &SecretInput::METADATA,
            |_, value| value,
        ),
        _ => value,
    })
}

/// Gives the keys of a mapping that are `known` in other letters their proper case.
fn rename(mut node: Node, known: &[&'static str], inner: impl Fn(&str, Node) -> Node) -> Node {
    if let Content::Mapping(pairs) = node.content {
        let renamed = pairs.into_iter().map(|(mut key, value)| {
            let Content::Scalar { text, .. } = &mut key.content else {
                return (key, value);
            };
            let Some(field) = known.iter().find(|field| field.eq_ignore_ascii_case(text)) else {
                return (key, value);
            };
            *text = Zeroizing::new((*field).to_owned());
            (key, inner(field, value))
        });
        node.content = Content::Mapping(renamed.collect());
    }
    node
}

fn field_of(error: &InputError) -> &str {
    match error {
        InputError::Field { field, .. } | InputError::Base64 { field, .. } => field,
    }
}

/// The node at a path such as `stringData.password` or `metadata.labels.app.kubernetes.io/name`.
fn find<'node>(node: &'node Node, path: &str) -> Option<&'node Node> {
    if path.is_empty() {
        return Some(node);
    }
    let entries = node.entries().ok()?;
    let inside = |key: &str| {
        path.strip_prefix(key).and_then(|rest| {
            if rest.is_empty() {
                Some(rest)
            } else {
                rest.strip_prefix('.')
            }
        })
    };
    entries
        .iter()
        .rev()
        .find_map(|(key, value)| find(value, inside(key)?))
}

fn line_of(root: &Node, path: &str) -> Option<usize> {
    find(root, path).map(|node| node.line)
}

/// Every field that must be text, with its path.
fn text_fields(root: &Node) -> Vec<(String, &Node)> {
    let metadata = root.get("metadata");
    let mut fields: Vec<(String, &Node)> = Vec::new();
    for field in ["name", "generateName", "namespace"] {
        let node = metadata.and_then(|metadata| metadata.get(field));
        fields.extend(node.map(|node| (format!("metadata.{field}"), node)));
    }
    fields.extend(root.get("type").map(|node| ("type".to_owned(), node)));
    for (path, map) in [
        (
            "metadata.labels",
            metadata.and_then(|metadata| metadata.get("labels")),
        ),
        (
            "metadata.annotations",
            metadata.and_then(|metadata| metadata.get("annotations")),
        ),
        ("stringData", root.get("stringData")),
    ] {
        let entries = map.and_then(|map| map.entries().ok()).unwrap_or_default();
        fields.extend(
            entries
                .into_iter()
                .map(|(key, node)| (format!("{path}.{key}"), node)),
        );
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::documents::{Input, parse};

    fn source(text: &str) -> Result<Source, Error> {
        let documents = parse(&Input::Stdin, text).unwrap_or_else(|error| panic!("{error}"));
        Source::new(&documents[0])
    }

    fn items(text: &str) -> Vec<(String, String)> {
        let source = source(text).unwrap_or_else(|error| panic!("{error}"));
        let text =
            |bytes: &sealing::SecretBytes| String::from_utf8_lossy(bytes.expose()).into_owned();
        source
            .secret
            .items
            .iter()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    }

    #[test]
    fn unquoted_scalars_are_sealed_as_kubectl_would_send_them() {
        for (written, sealed) in [
            ("5", "5"),
            ("1.10", "1.1"),
            ("0.0000001", "1e-07"),
            ("010", "8"),
            ("yes", "true"),
            ("~", ""),
            ("", ""),
            ("123456789012345678901234567890", "1.2345679e+29"),
            ("12345678901234567890", "12345678901234567890"),
            (".inf", "+Inf"),
            (".nan", "NaN"),
            ("!!binary aGVsbG8=", "hello"),
            ("2024-01-02", "2024-01-02"),
            ("'010'", "010"),
            ("1e6", "1e+06"),
            ("3.14159265358979", "3.1415927"),
            ("!!str 010", "010"),
            ("0.1", "0.1"),
            ("16777217.0", "1.6777216e+07"),
        ] {
            let text = format!("kind: Secret\nstringData:\n  a: {written}\n");
            assert_eq!(
                items(&text),
                [("a".to_owned(), sealed.to_owned())],
                "{written}"
            );
        }
    }

    #[test]
    fn a_warning_names_each_scalar_whose_text_changes_and_no_other() {
        let text = "kind: Secret\nmetadata: {name: y}\nstringData:\n  a.b: 010\n  c: 5\n  d: yes\n  e: 'no'\n  f:\n  g: ~\n  \
            h: !!binary aGVsbG8=\n  i: !!str 010\n  j: !!int \"010\"\n  k: !!int \"5\"\n";
        let source = source(text).unwrap_or_else(|error| panic!("{error}"));
        let warned: Vec<(usize, &str)> = source
            .respelled
            .iter()
            .map(|respelled| (respelled.line, respelled.field.as_str()))
            .collect();
        assert_eq!(
            warned,
            [
                (2, "metadata.name"),
                (4, "stringData.a.b"),
                (6, "stringData.d"),
                (9, "stringData.g"),
                (12, "stringData.j")
            ]
        );
        let said = source.respelled.last().expect("a warning").warning();
        assert!(said.contains("in quotes, without its tag"), "{said}");
    }

    #[test]
    fn field_names_are_found_in_any_case() {
        let text = "KIND: Secret\nMetadata: {NAME: a, Labels: {App: b}}\nStringData: {Key: v}\n";
        let source = source(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(source.secret.name.as_deref(), Some("a"));
        assert_eq!(items(text), [("Key".to_owned(), "v".to_owned())]);
    }

    #[test]
    fn errors_name_the_line_and_the_key_and_never_the_value() {
        for (text, line) in [
            ("kind: Secret\ndata:\n  a: aGk=\n  b: hunter2!\n", 4),
            ("kind: Secret\ndata:\n  b: 12345\n", 3),
            ("kind: Secret\nstringData:\n  b: [hunter2!]\n", 3),
            ("kind: Secret\nimmutable: 'hunter2!'\n", 2),
            ("kind: Secret\nstringData:\n  ? [b]\n  : hunter2!\n", 3),
        ] {
            let Err(error) = source(text) else {
                panic!("sealed: {text}")
            };
            let cause = std::error::Error::source(&error)
                .map(ToString::to_string)
                .unwrap_or_default();
            let all = format!("{error} {cause}");
            assert!(
                all.starts_with(&format!("standard input:{line} ")) && !all.contains("hunter2"),
                "{all}"
            );
        }
    }

    #[test]
    fn damaged_input_is_read_or_refused_but_never_panics() {
        const WHOLE: &str = "kind: List\nitems:\n- kind: Secret\n  metadata: {name: a, labels: &l {x: \"\u{fc}\"}}\n  data:\n    <<: *l\n    a: |\n      aGk=\n- spec:\n    encryptedData:\n      a: >-\n        AgX=\n\n      b: 'x'\n---\n{\"kind\": \"Secret\"}\n{\"stringData\": {\"b\": 1e3, \"c\": 'x'}}\n";
        const PIECES: [&str; 16] = [
            "\n",
            " ",
            "  ",
            ":",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "'",
            "\"",
            "*l",
            "&m ",
            "---\n",
            "\u{1f980}",
            "!!binary ",
        ];
        let mut dice = Dice::new(7);
        for _ in 0..5000 {
            let mut text: Vec<char> = WHOLE.chars().collect();
            for _ in 0..=dice.below(4) {
                let at = dice.below(text.len());
                match dice.below(3) {
                    0 => drop(text.remove(at)),
                    1 => text.truncate(at.max(8)),
                    _ => drop(text.splice(at..at, dice.throw(&PIECES).chars())),
                }
            }
            let text: String = text.into_iter().collect();
            let Ok(documents) = parse(&Input::Stdin, &text) else {
                continue;
            };
            for object in documents.into_iter().flat_map(Document::objects) {
                let _ = Source::new(&object);
                let values =
                    std::collections::BTreeMap::from([("a".to_owned(), "AgA=".to_owned())]);
                let edits = crate::splice::replace(&text, &object, &values).unwrap_or_default();
                let _ = crate::splice::apply(&Input::Stdin, &text, edits);
            }
        }
    }
}
