//! Values of which nobody else may know, each with the places where it may be all the same.
//! It looks into texts, however they spell a value, and knows neither the cluster nor the controller.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::harness::unique;

/// Where a value may be beside the Secrets that it belongs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// It came from Git, so that mirrors have it.
    Git,
    /// An Application says it.
    Spec,
}

pub(crate) struct Canary {
    /// The input that it was planted in.
    pub(crate) place: &'static str,
    /// Names of the Secrets that it belongs in.
    pub(crate) secrets: Vec<String>,
    pub(crate) beside: Beside,
    value: String,
    spellings: Vec<String>,
}

impl Canary {
    fn is_in(&self, text: &str) -> bool {
        self.spellings
            .iter()
            .any(|spelling| text.contains(spelling))
    }
}

pub(crate) struct Canaries(Vec<Canary>);

impl Canaries {
    /// One for each place. `secrets` are the names of those that it belongs in, parted by spaces.
    pub(crate) fn new(places: &[(&'static str, &str, Beside)]) -> Self {
        let mut canaries = Self(Vec::new());
        for &(place, secrets, beside) in places {
            let word = place.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
            let value = format!("canary-{word}-{}", unique());
            canaries.add(place, secrets, beside, &value);
        }
        canaries
    }

    /// A key as text, in PEM for one: the line in its middle tells of nothing but the key.
    pub(crate) fn add_key(&mut self, place: &'static str, secret: &str, text: &str) {
        let middle = text.lines().nth(text.lines().count() / 2);
        self.add(place, secret, Beside::Nothing, middle.expect("a key"));
    }

    fn add(&mut self, place: &'static str, secrets: &str, beside: Beside, value: &str) {
        self.0.push(Canary {
            place,
            secrets: secrets.split_whitespace().map(str::to_owned).collect(),
            beside,
            value: value.to_owned(),
            spellings: spellings(value),
        });
    }

    pub(crate) fn value(&self, place: &str) -> &str {
        let found = self.0.iter().find(|canary| canary.place == place);
        let found = found.ok_or(place);
        &found.expect("something is planted there").value
    }

    /// Those that a text repeats.
    pub(crate) fn found_in(&self, text: &[u8]) -> Vec<&Canary> {
        // What is no UTF-8 hides nothing: all spellings are ASCII.
        let text = String::from_utf8_lossy(text);
        let found = self.0.iter().filter(|canary| canary.is_in(&text));
        found.collect()
    }

    /// Whether a text repeats the one of this place.
    pub(crate) fn finds(&self, place: &str, text: &[u8]) -> bool {
        let found = self.found_in(text);
        found.iter().any(|canary| canary.place == place)
    }
}

/// As it is, in base64, and as Rust prints bytes.
fn spellings(value: &str) -> Vec<String> {
    let bytes = format!("{:?}", value.as_bytes());
    let bytes = bytes.trim_matches(['[', ']']).to_owned();
    let encoded = [0, 1, 2].map(|before| encoded(before, value));
    [value.to_owned(), bytes]
        .into_iter()
        .chain(encoded)
        .collect()
}

/// The letters of base64 that are the value's alone when so many bytes come before it.
fn encoded(before: usize, value: &str) -> String {
    let text = BASE64_STANDARD.encode([&[b' '; 2][..before], value.as_bytes()].concat());
    // A letter has six bits: the first and the last may have some of a neighbour's.
    let (begin, end) = ((8 * before).div_ceil(6), 8 * (before + value.len()) / 6);
    text[begin..end].to_owned()
}

#[test]
fn what_looks_for_a_canary_finds_it() {
    let places = ["here", "there"].map(|place| (place, "", Beside::Nothing));
    let canaries = Canaries::new(&places);
    let value = canaries.value("there");
    for before in ["", ":", "me", "me:"] {
        let text = format!("{before}{value}!");
        let bytes = format!("{:?}", text.as_bytes());
        for text in [BASE64_STANDARD.encode(&text), bytes, text] {
            let found = canaries.found_in(text.as_bytes());
            let found: Vec<_> = found.iter().map(|canary| canary.place).collect();
            assert_eq!(found, ["there"], "{text}");
        }
    }
}
