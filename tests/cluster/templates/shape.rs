//! What text that varies has in common each time: lengths, alphabets, PEM labels, and what certificates say.
//! It must not show a key.

use base64::Engine as _;

/// Runs of letters and digits by their length, and PEM blocks by what is in them.
pub(crate) fn of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::new();
    let mut rest = &*text;
    while let Some(start) = rest.find("-----BEGIN ") {
        out.push_str(&plain(&rest[..start]));
        let body = &rest[start + "-----BEGIN ".len()..];
        let (label, body) = body.split_once("-----\n").expect("a PEM label");
        let (lines, after) = body
            .split_once(&format!("-----END {label}-----\n"))
            .expect("the block's end");
        let der = base64::engine::general_purpose::STANDARD
            .decode(lines.replace('\n', ""))
            .expect("base64");
        assert!(lines.lines().all(|line| line.len() <= 64), "{label}");
        out.push_str(&format!("<{label}: {}>", block(label, &der)));
        rest = after;
    }
    out + &plain(rest)
}

/// Words as classes of characters with their number; other characters as they are.
fn plain(text: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || "+/=".contains(character);
    let mut out = String::new();
    let mut word = String::new();
    for character in text.chars().chain(['\n']) {
        if is_word(character) {
            word.push(character);
            continue;
        }
        if word.len() > 12 {
            let digits = word.chars().all(|character| character.is_ascii_digit());
            let class = if digits { "digits" } else { "letters" };
            out.push_str(&format!("({} {class})", word.len()));
        } else if word.chars().all(|character| character.is_ascii_hexdigit()) && text.len() == 36 {
            out.push_str(&format!("({} hex)", word.len()));
        } else {
            out.push_str(&word);
        }
        word.clear();
        out.push(character);
    }
    out
}

/// A private key by its elements, a certificate by all that does not vary.
fn block(label: &str, der: &[u8]) -> String {
    let mut out = String::new();
    elements(der, label == "CERTIFICATE", &mut out);
    out
}

/// Tags, and of a certificate the contents: not of numbers, times, bits and what looks like a key's identifier.
fn elements(der: &[u8], certificate: bool, out: &mut String) {
    let mut rest = der;
    while let [tag, length, ..] = rest {
        let (start, length) = match length {
            0..=0x7f => (2, usize::from(*length)),
            long => {
                let count = usize::from(long & 0x7f);
                let digits = &rest[2..2 + count];
                (
                    2 + count,
                    digits
                        .iter()
                        .fold(0, |length, byte| length << 8 | usize::from(*byte)),
                )
            }
        };
        let contents = &rest[start..start + length];
        out.push_str(&format!("{tag:02x}"));
        if tag & 0x20 != 0 {
            out.push('(');
            elements(contents, certificate, out);
            out.push(')');
        } else if !certificate {
            // The key itself; of an ECDSA or Ed25519 key the length is that of its curve.
            out.push_str(if matches!(tag, 0x03 | 0x04 | 0x06) {
                "="
            } else {
                ""
            });
            out.push_str(&if matches!(tag, 0x03 | 0x04 | 0x06) {
                length.to_string()
            } else {
                String::new()
            });
        } else if !varies(*tag, length) {
            out.extend(contents.iter().map(|byte| format!("{byte:02x}")));
        }
        out.push(' ');
        rest = &rest[start + length..];
    }
}

/// Numbers, times, bits, and what is as long as a key's identifier.
fn varies(tag: u8, length: usize) -> bool {
    match tag {
        0x02 | 0x03 | 0x17 | 0x18 => true,
        0x04 => matches!(length, 20 | 22 | 24),
        _ => length == 20,
    }
}
