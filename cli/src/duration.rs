//! Times as people type them: `90s`, `5m`, `1h`, or a bare number of seconds.
//! Must not know what they are for.

use std::time::Duration;

/// Reads one number and one unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(
        text.find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len()),
    );
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("expected a number with s, m or h, such as 90s".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a number with s, m or h, such as 90s".to_owned())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

/// The shortest spelling that `parse` reads back.
pub(crate) fn display(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds > 0 && seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds > 0 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_displayed_is_read_back() {
        for (typed, shown) in [
            ("90s", "90s"),
            ("60", "1m"),
            ("5m", "5m"),
            ("120m", "2h"),
            ("0", "0s"),
        ] {
            assert_eq!(parse(typed).map(display), Ok(shown.to_owned()));
        }
        for wrong in ["", "m", "1d", "1.5h", "-1s", "1 s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
