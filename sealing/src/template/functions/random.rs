//! Random text and numbers. Every one of these functions gives something else each time it is called.
//! Draws from the generator that the caller hands in.

use super::Param::{Int, Text as Str};
use super::{Call, CallError, Function, Value, check_length, failed, function, text};
use crate::base64;
use crate::template::text::runes;

pub(super) const FUNCTIONS: &[Function] = &[
    function("randAlpha", &[Int], |call| {
        drawn(call, char::is_ascii_alphabetic)
    })
    .varying(),
    function("randAlphaNum", &[Int], |call| {
        drawn(call, char::is_ascii_alphanumeric)
    })
    .varying(),
    function("randAscii", &[Int], |call| {
        drawn(call, |next| (' '..='~').contains(next))
    })
    .varying(),
    function("randBytes", &[Int], rand_bytes).varying(),
    function("randInt", &[Int, Int], rand_int).varying(),
    function("randNumeric", &[Int], |call| {
        drawn(call, char::is_ascii_digit)
    })
    .varying(),
    function("shuffle", &[Str], shuffle).varying(),
    function("uuidv4", &[], uuid).varying(),
];

/// An evenly distributed number below the limit, which is not 0.
fn below(call: &Call<'_>, limit: u64) -> Result<u64, CallError> {
    // What is beyond the last whole multiple of the limit would favour small numbers.
    let usable = u64::MAX - u64::MAX % limit;
    loop {
        let number = u64::from_le_bytes(call.random()?);
        if number < usable {
            return Ok(number % limit);
        }
    }
}

fn index_below(call: &Call<'_>, length: usize) -> Result<usize, CallError> {
    let number = below(call, u64::try_from(length).unwrap_or(u64::MAX))?;
    Ok(usize::try_from(number).unwrap_or(0))
}

/// So many ASCII characters of a sort; none for a negative number.
fn drawn(call: &Call<'_>, sort: fn(&char) -> bool) -> Result<Value, CallError> {
    let alphabet: Vec<char> = ('\0'..='\u{7f}').filter(sort).collect();
    let length = usize::try_from(call.int(0)).unwrap_or(0);
    check_length(Some(length))?;
    let characters = (0..length).map(|_| Ok(alphabet[index_below(call, alphabet.len())?]));
    text(characters.collect::<Result<String, CallError>>()?)
}

/// So many bytes in base64.
fn rand_bytes(call: &Call<'_>) -> Result<Value, CallError> {
    let length = usize::try_from(call.int(0))
        .map_err(|_| failed("runtime error: makeslice: len out of range"))?;
    check_length(length.checked_mul(2))?;
    let mut bytes = zeroize::Zeroizing::new(vec![0; length]);
    if !(call.run.fill)(&mut bytes) {
        return Err(failed("the random number generator failed"));
    }
    text(base64::encode(&bytes))
}

/// From the first number to before the second.
fn rand_int(call: &Call<'_>) -> Result<Value, CallError> {
    let (least, end) = (call.int(0), call.int(1));
    let count = end.wrapping_sub(least);
    match u64::try_from(count) {
        Ok(count) if count > 0 => {
            let number = below(call, count)?;
            Ok(Value::int(least.wrapping_add_unsigned(number)))
        }
        _ => Err(failed("invalid argument to Intn")),
    }
}

/// The characters in another order (Fisher and Yates).
fn shuffle(call: &Call<'_>) -> Result<Value, CallError> {
    let mut characters: Vec<char> = runes(call.text(0)).collect();
    for last in (1..characters.len()).rev() {
        characters.swap(last, index_below(call, last + 1)?);
    }
    text(characters.into_iter().collect::<String>())
}

/// A random UUID: RFC 9562 §5.4.
fn uuid(call: &Call<'_>) -> Result<Value, CallError> {
    let mut bytes: [u8; 16] = call.random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    text(parts.join("-"))
}
