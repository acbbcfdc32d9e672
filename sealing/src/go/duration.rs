//! Durations in nanoseconds, as text: `1h15m30.918s`.
//! Knows no time that they are added to.

/// Go's `Duration.String`.
pub(crate) fn text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    let shown = match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{size}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(size, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(size, 6)),
        _ => {
            let (seconds, rest) = (size / 1_000_000_000, size % 1_000_000_000);
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let last = decimal(seconds % 60 * 1_000_000_000 + rest, 9);
            match (hours, minutes) {
                (0, 0) => format!("{last}s"),
                (0, _) => format!("{minutes}m{last}s"),
                _ => format!("{hours}h{minutes}m{last}s"),
            }
        }
    };
    format!("{sign}{shown}")
}

/// A number with the point before its last `places` digits, without zeros at the end.
fn decimal(number: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let width = usize::try_from(places).unwrap_or(0);
    let fraction = format!("{:0width$}", number % unit);
    let fraction = fraction.trim_end_matches('0');
    match fraction {
        "" => (number / unit).to_string(),
        _ => format!("{}.{fraction}", number / unit),
    }
}

/// Go's `ParseDuration`: numbers with units, such as `1h30m` or `-1.5h`, or a bare `0`. `None` for any other text, and
/// for more nanoseconds than 64 bits hold.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanos, after) = step(rest)?;
        total = total.checked_add(nanos).filter(|total| *total <= 1 << 63)?;
        rest = after;
    }
    if negative {
        return Some(0_i64.wrapping_sub_unsigned(total));
    }
    i64::try_from(total).ok()
}

/// One number with its unit.
fn step(text: &str) -> Option<(u64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let mut rest = &text[whole..];
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        fraction = &after[..digits(after)];
        rest = &after[fraction.len()..];
    }
    if whole + fraction.len() == 0 {
        return None;
    }
    let end = rest
        .find(|next: char| next == '.' || next.is_ascii_digit())
        .unwrap_or(rest.len());
    let unit: u64 = match &rest[..end] {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: u64 = match &text[..whole] {
        "" => 0,
        digits => digits.parse().ok()?,
    };
    let nanos = whole.checked_mul(unit).filter(|nanos| *nanos <= 1 << 63)?;
    Some((nanos.checked_add(part_of(fraction, unit))?, &rest[end..]))
}

/// The fraction of a unit that these digits are, in nanoseconds.
fn part_of(fraction: &str, unit: u64) -> u64 {
    let digits = &fraction[..fraction.len().min(18)];
    let number: u128 = digits.parse().unwrap_or(0);
    let scale = 10_u128.pow(u32::try_from(digits.len()).unwrap_or(0));
    u64::try_from(number * u128::from(unit) / scale).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        // Read off Go's own ParseDuration.
        const SECOND: i64 = 1_000_000_000;
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("5s", 5 * SECOND),
            ("+5s", 5 * SECOND),
            ("-5s", -5 * SECOND),
            ("1h30m", 5400 * SECOND),
            ("1.5h", 5400 * SECOND),
            ("1h.5m", 3630 * SECOND),
            (".5s", SECOND / 2),
            ("1.s", SECOND),
            ("87600h0m0s", 87_600 * 3600 * SECOND),
            ("1ms2us3ns", 1_002_003),
            ("1µs1μs", 2_000),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(parse(text), Some(nanos), "{text}");
        }
        for text in [
            "",
            "+",
            "1",
            "s",
            ".s",
            "5 s",
            "1h 2m",
            "30d",
            "1m30",
            "1..5s",
            "--5s",
            "9223372036854775808ns",
            "99999999999999999999h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
