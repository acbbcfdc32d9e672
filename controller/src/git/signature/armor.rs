//! ASCII armour: the lines of base64 between `-----BEGIN …-----` and `-----END …-----`.
//! It must not look into what they hold. The checksum of OpenPGP's armour is passed over, as RFC 9580 §6.1 asks.

use base64::{Engine, prelude::BASE64_STANDARD};

/// The bytes of the one block that is the whole text.
pub(super) fn only(text: &str, label: &str) -> Result<Vec<u8>, &'static str> {
    let (block, rest) = first(text.trim(), label)?.ok_or("it has no armour")?;
    if !text.trim().starts_with("-----BEGIN ") || !rest.trim().is_empty() {
        return Err("there is more than one block of armour");
    }
    Ok(block)
}

/// The bytes of all blocks of this label, whatever stands between them.
pub(super) fn all(mut text: &str, label: &str) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut blocks = Vec::new();
    while let Some((block, rest)) = first(text, label)? {
        blocks.push(block);
        text = rest;
    }
    Ok(blocks)
}

fn first<'a>(text: &'a str, label: &str) -> Result<Option<(Vec<u8>, &'a str)>, &'static str> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let Some((_, after)) = text.split_once(&begin) else {
        return Ok(None);
    };
    let (body, rest) = after
        .split_once(&end)
        .ok_or("its armour has a begin and no end")?;
    Ok(Some((decode(body)?, rest)))
}

fn decode(body: &str) -> Result<Vec<u8>, &'static str> {
    let lines = body.lines().map(str::trim);
    let base64: String = lines
        .filter(|line| !line.contains(": ") && !line.starts_with('='))
        .collect();
    BASE64_STANDARD
        .decode(base64)
        .map_err(|_| "its armour is not base64")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_checksum_and_line_ends_are_no_content() {
        let text = "-----BEGIN A-----\r\nVersion: 1\r\nComment: x\r\n\r\nAAEC\r\nAwQF\r\n=abcd\r\n-----END A-----\r\n";
        assert_eq!(only(text, "A"), Ok(vec![0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn one_block_is_the_whole_text_and_several_may_have_words_between_them() {
        let block = "-----BEGIN A-----\n\nAAEC\n-----END A-----";
        let two = format!("first\n{block}\nsecond\n{block}\n");
        assert_eq!(all(&two, "A").map(|blocks| blocks.len()), Ok(2));
        assert_eq!(all("none", "A"), Ok(vec![]));
        for text in [
            &two,
            &format!("{block}\nmore"),
            &format!("before\n{block}"),
            "none",
        ] {
            assert!(only(text, "A").is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_base64_or_has_no_end_is_an_error() {
        assert!(only("-----BEGIN A-----\n\nAAE\n-----END A-----", "A").is_err());
        assert!(only("-----BEGIN A-----\n\nAAEC\n", "A").is_err());
    }
}
