//! DER, as much as keys and certificates need: building elements, and walking over them.
//! Knows no key and no certificate.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// One element: tag, length, contents.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
            out.push(0x80 | u8::try_from(bytes.len()).unwrap_or(0));
            out.extend_from_slice(bytes);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, parts)
}

/// A number that is not negative, from its big-endian bytes.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = &bytes[start..];
    let zero: &[u8] = if bytes.first().is_none_or(|first| *first >= 0x80) {
        &[0]
    } else {
        &[]
    };
    element(INTEGER, &[zero, bytes])
}

/// Bits that fill whole bytes.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes])
}

/// The first element of some bytes: its tag, its contents, the whole of it, and what follows.
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
    pub(super) whole: &'a [u8],
    pub(super) rest: &'a [u8],
}

pub(super) fn first(bytes: &[u8]) -> Option<Element<'_>> {
    let (tag, length) = (*bytes.first()?, *bytes.get(1)?);
    let (start, length) = match length {
        0..=0x7f => (2, usize::from(length)),
        0x81..=0x84 => {
            let count = usize::from(length & 0x7f);
            let digits = bytes.get(2..2 + count)?;
            (
                2 + count,
                digits
                    .iter()
                    .fold(0, |length, byte| length << 8 | usize::from(*byte)),
            )
        }
        _ => return None,
    };
    let end = start.checked_add(length)?;
    Some(Element {
        tag,
        contents: bytes.get(start..end)?,
        whole: bytes.get(..end)?,
        rest: bytes.get(end..)?,
    })
}

/// All elements in a row.
pub(super) fn all(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let element = first(rest)?;
        rest = element.rest;
        found.push(element);
    }
    Some(found)
}
