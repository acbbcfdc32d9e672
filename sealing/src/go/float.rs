//! Floating point numbers as Go reads and writes them.
//! Knows no number that is whole.

/// Go's `FormatFloat(x, 'g', -1, 64)`, which `%v` and templates print.
pub(crate) fn float64_text(float: f64) -> String {
    if !float.is_finite() {
        return non_finite_text(float);
    }
    shortest(&format!("{float:e}"), &float.to_string())
}

/// Go's `FormatFloat(x, 'g', -1, 32)`: digits enough for 32 bits only.
#[allow(
    clippy::cast_possible_truncation,
    reason = "to lose digits is the purpose"
)]
#[must_use]
pub fn float32_text(float: f64) -> String {
    let narrow = float as f32;
    if !narrow.is_finite() {
        return non_finite_text(f64::from(narrow));
    }
    shortest(&format!("{narrow:e}"), &narrow.to_string())
}

fn non_finite_text(float: f64) -> String {
    let text = match float {
        _ if float.is_nan() => "NaN",
        _ if float > 0.0 => "+Inf",
        _ => "-Inf",
    };
    text.to_owned()
}

/// The shortest digits that give the same number back, with an exponent of at least two digits below 1e-4 and from
/// 1e6. Rust and Go agree on the digits.
fn shortest(scientific: &str, plain: &str) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return plain.to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// Go's `ParseFloat(text, 64)`, without numbers beyond the range.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        let float = hexadecimal_float(&unsigned[2..])?;
        return Some(if text.starts_with('-') { -float } else { float });
    }
    let special = ["inf", "infinity", "nan"]
        .iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word));
    if unsigned.eq_ignore_ascii_case("nan") && unsigned.len() != text.len() {
        return None;
    }
    if special {
        return text.parse().ok();
    }
    unsigned
        .starts_with(|first: char| first.is_ascii_digit() || first == '.')
        .then(|| text.parse().ok())
        .flatten()
        .filter(|float: &f64| float.is_finite())
}

/// Digits with an exponent of two: `1.8p3` is 12.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 13 {
        return None;
    }
    let digits = u64::from_str_radix(&digits, 16).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let shift = exponent.checked_sub(i32::try_from(fraction.len()).ok()? * 4)?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "13 hexadecimal digits are exact"
    )]
    let float = digits as f64 * 2_f64.powi(shift);
    float.is_finite().then_some(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        // Read off Go's own Printf.
        for (float, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (12_345_678.5, "1.23456785e+07"),
            (1e21, "1e+21"),
            (0.0001, "0.0001"),
            (0.000_012_34, "1.234e-05"),
            (-2.5, "-2.5"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(float64_text(float), text);
        }
        assert_eq!(
            float32_text(123_456_789_012_345_678_901_234_567_890.0),
            "1.2345679e+29"
        );
    }
}
