//! Ciphertexts differ from run to run: `<sealed LABEL "VALUE">` stands for one in files of cases and in what programs print.
//! What is shown was really opened, with that label and the published key; it must not be guessed from the context.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::SysRng;
use sealing::{Certificate, KeyOrder, Keyring, Label, PrivateKey, Scope, seal_value};

use super::fixtures::vector;

/// A published key: what a placeholder made with it is called, and a ring with this key alone.
struct Key {
    word: &'static str,
    certificate: Certificate,
    ring: Keyring,
}

impl Key {
    fn read(word: &'static str, suffix: &str) -> Self {
        let private = PrivateKey::from_pem(&vector(&format!("test-key{suffix}.pem")))
            .expect("the vectors are sound");
        let certificate = Certificate::from_pem(&vector(&format!("test-cert{suffix}.pem")))
            .expect("the vectors are sound");
        let ring = Keyring::new(KeyOrder::default());
        ring.insert_private(word.to_owned(), private);
        Self {
            word,
            certificate,
            ring,
        }
    }
}

/// The two published keys and every ciphertext made with them for an input.
pub(crate) struct Ciphertexts {
    keys: [Key; 2],
    given: Mutex<BTreeMap<String, String>>,
}

impl Ciphertexts {
    pub(crate) fn new() -> Self {
        Self {
            keys: [Key::read("sealed", ""), Key::read("foreign", "-4096")],
            given: Mutex::default(),
        }
    }

    /// Puts ciphertexts in the place of placeholders; equal ones get the same.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for key in &self.keys {
            let start = format!("<{} ", key.word);
            while let Some(at) = filled.find(&start) {
                let inner = at + start.len();
                let middle = inner
                    + filled[inner..]
                        .find(" \"")
                        .expect("a value behind the label");
                let end = middle
                    + filled[middle..]
                        .find("\">")
                        .expect("the end of a placeholder");
                let label = filled[inner..middle].trim_matches('"');
                let sealed = self.given(key, label, &filled[middle + 2..end]);
                filled.replace_range(at..end + 2, &sealed);
            }
        }
        filled
    }

    fn given(&self, key: &Key, label: &str, value: &str) -> String {
        let mut given = self.given.lock().expect("no holder panics");
        let shown = format!("<given {}>", shown(key.word, label, value.as_bytes()));
        if let Some((sealed, _)) = given.iter().find(|(_, known)| **known == shown) {
            return sealed.clone();
        }
        let sealed = seal_value(
            key.certificate.public_key(),
            &label_of(label),
            value.as_bytes(),
            &mut SysRng,
        )
        .expect("a small value can be sealed");
        given.insert(sealed.clone(), shown);
        sealed
    }

    /// Puts placeholders in the place of ciphertexts: `<given …>` for the very bytes that were in an input.
    /// `labels` are those that the text itself doesn't tell.
    pub(crate) fn open_all(&self, text: &str, mut labels: Labels) -> String {
        let (mut shown, mut rest) = (String::new(), text);
        while let Some((before, run, after)) = next_run(rest) {
            shown += before;
            labels.read(before);
            shown += &self.show(run, &labels).unwrap_or_else(|| run.to_owned());
            rest = after;
        }
        shown + rest
    }

    fn show(&self, run: &str, labels: &Labels) -> Option<String> {
        if let Some(known) = self.given.lock().expect("no holder panics").get(run) {
            return Some(known.clone());
        }
        let bytes = STANDARD.decode(run).ok()?;
        self.keys.iter().find_map(|key| {
            labels.candidates().into_iter().find_map(|label| {
                let opened = key.ring.open(&label_of(&label), &bytes)?;
                Some(format!(
                    "<{}>",
                    shown(key.word, &label, opened.plaintext.expose())
                ))
            })
        })
    }
}

/// The label as it stands in a placeholder, as a label.
fn label_of(text: &str) -> Label {
    match text.split_once('/') {
        Some((namespace, name)) => Scope::Strict.label(namespace, name),
        None if text.is_empty() => Scope::ClusterWide.label("", ""),
        None => Scope::NamespaceWide.label(text, ""),
    }
}

fn shown(word: &str, label: &str, value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(value) => format!("{word} {label} {value:?}"),
        Err(_) => format!("{word} {label} base64 {}", STANDARD.encode(value)),
    }
}

/// The next run of base64 that is long enough for a ciphertext, with what is before and after it.
fn next_run(text: &str) -> Option<(&str, &str, &str)> {
    const SHORTEST: usize = 300;
    let within = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let bytes = text.as_bytes();
    let mut start = 0;
    while start < bytes.len() {
        let length = bytes[start..]
            .iter()
            .take_while(|byte| within(**byte))
            .count();
        if length >= SHORTEST {
            let end = start + length;
            return Some((&text[..start], &text[start..end], &text[end..]));
        }
        start += length + 1;
    }
    None
}

/// Names and namespaces that a ciphertext may have been sealed for: those read last are the likely ones.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    names: Vec<String>,
    namespaces: Vec<String>,
}

impl Labels {
    /// What a command line and an input tell, and what a kubeconfig may add.
    pub(crate) fn hinted<'a>(words: impl Iterator<Item = &'a str>, input: &str) -> Self {
        let words: Vec<String> = words
            .chain(["default", "from-context", "="])
            .map(str::to_owned)
            .collect();
        let mut labels = Self {
            names: words.clone(),
            namespaces: words,
        };
        labels.read(input);
        labels
    }

    /// Notes the values of `name:` and `namespace:` lines in YAML or JSON.
    fn read(&mut self, text: &str) {
        for line in text.lines() {
            for part in line.split([',', '{']) {
                let Some((key, value)) = part.split_once(':') else {
                    continue;
                };
                let value = unquoted(value.trim().trim_end_matches(['}', ',']));
                match key.trim().trim_matches('"') {
                    "name" => note(&mut self.names, value),
                    "namespace" => note(&mut self.namespaces, value),
                    _ => {}
                }
            }
        }
    }

    fn candidates(&self) -> Vec<String> {
        let mut all = vec![String::new()];
        for namespace in self.namespaces.iter().rev() {
            all.push(namespace.clone());
        }
        for namespace in self.namespaces.iter().rev().map(String::as_str).chain([""]) {
            all.extend(
                self.names
                    .iter()
                    .rev()
                    .map(|name| format!("{namespace}/{name}")),
            );
        }
        all
    }
}

fn unquoted(value: &str) -> String {
    if let Ok(text) = serde_json::from_str::<String>(value) {
        return text;
    }
    let single = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''));
    single.map_or_else(|| value.to_owned(), |value| value.replace("''", "'"))
}

/// Remembers few, newest last: more would only cost time.
fn note(seen: &mut Vec<String>, value: String) {
    const ENOUGH: usize = 12;
    seen.retain(|known| *known != value);
    seen.push(value);
    if seen.len() > ENOUGH {
        seen.remove(0);
    }
}
