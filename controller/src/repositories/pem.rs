//! The first PEM block of a text, as people paste it, with Windows' line ends and text around it; and the little DER we read.
//! It decrypts nothing.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// A PEM block (RFC 7468), decoded.
pub(super) struct Pem<'a> {
    pub(super) label: &'a str,
    /// Its headers or its label say that a passphrase is needed.
    pub(super) encrypted: bool,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// The first block of `text`; `None` when there is none that is whole.
pub(super) fn read(text: &str) -> Option<Pem<'_>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let mut encrypted = label.starts_with("ENCRYPTED");
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    for line in body.lines().map(str::trim) {
        match line.contains(':') {
            true => encrypted |= line.contains("ENCRYPTED"),
            false => base64.push_str(line),
        }
    }
    // What is encrypted after all is not looked into: some of it is no base64 of ours.
    let der = match encrypted {
        true => Vec::new(),
        false => STANDARD.decode(base64.as_bytes()).ok()?,
    };
    Some(Pem {
        label,
        encrypted,
        der: Zeroizing::new(der),
    })
}

/// The two numbers of an RSA public key: `SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017, A.1.1).
pub(super) fn two_integers(der: &[u8]) -> Option<[&[u8]; 2]> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    let (body, _) = element(der, SEQUENCE)?;
    let (first, rest) = element(body, INTEGER)?;
    let (second, _) = element(rest, INTEGER)?;
    Some([first, second])
}

/// The content of the element that `der` begins with, and what is behind it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = der else {
        return None;
    };
    if *found != tag {
        return None;
    }
    let (length, rest) = match usize::from(*length) {
        short if short < 0x80 => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long & 0x7f)?;
            let length = digits.iter().fold(0_usize, |sum, digit| {
                sum.saturating_mul(0x100)
                    .saturating_add(usize::from(*digit))
            });
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}
