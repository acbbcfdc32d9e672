//! Floating point numbers with a given precision, as Go's `%e` and `%g` write them.
//! The shortest form is in `go::float`.

/// `1.5e+06`: an exponent of at least two digits.
pub(super) fn scientific(float: f64, precision: usize) -> String {
    let text = format!("{float:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// So many digits at most, with an exponent where the number is small or has more digits before the point.
pub(super) fn general(float: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let text = scientific(float, precision - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let point = exponent + 1;
    let digits = i64::try_from(digits).unwrap_or(i64::MAX);
    let mut limit = i64::try_from(precision).unwrap_or(i64::MAX);
    if limit > digits && digits >= point {
        limit = digits;
    }
    if exponent < -4 || exponent >= limit {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let places = usize::try_from((digits - point).max(0)).unwrap_or(0);
    format!("{float:.places$}")
}
