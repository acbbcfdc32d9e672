//! Names of zones at the beginning of a text, such as `CEST`, `GMT+3` or `+0530`.
//! Knows no zone: any name of the right shape is one.

/// How much of a text is the name of a zone.
pub(super) fn name_length(value: &str) -> Option<usize> {
    if value.len() < 3 {
        return None;
    }
    if value.starts_with("ChST") || value.starts_with("MeST") {
        return Some(4);
    }
    if let Some(rest) = value.strip_prefix("GMT") {
        return Some(3 + signed_hours(rest).unwrap_or(0));
    }
    if value.starts_with(['+', '-']) {
        return signed_hours(value);
    }
    let capitals = value
        .bytes()
        .take(6)
        .take_while(u8::is_ascii_uppercase)
        .count();
    match capitals {
        5 if value.as_bytes()[4] == b'T' => Some(5),
        4 if value.as_bytes()[3] == b'T' || value.starts_with("WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

fn signed_hours(value: &str) -> Option<usize> {
    let digits = value
        .strip_prefix(['+', '-'])?
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let hours: u32 = value.get(1..=digits)?.parse().ok()?;
    (hours <= 23).then_some(digits + 1)
}
