//! Checksums. None of them hides a password.
//! Keeps nothing.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};

use crate::template::arguments::Param::Text as Str;
use crate::template::functions::{Call, CallError, Function, function};
use crate::template::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("adler32sum", &[Str], adler32sum),
    function("sha1sum", &[Str], |call| {
        sum(call, &SHA1_FOR_LEGACY_USE_ONLY)
    }),
    function("sha256sum", &[Str], |call| sum(call, &SHA256)),
    function("sha512sum", &[Str], |call| sum(call, &SHA512)),
];

/// `hex(H(text))` with `H` of FIPS 180-4. SHA-1 is broken for signatures (RFC 6194) and here for old files only.
fn sum(call: &Call<'_>, algorithm: &'static Algorithm) -> Result<Value, CallError> {
    let hash = digest(algorithm, call.text(0));
    let hex: String = hash
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Value::text(hex))
}

/// `b << 16 | a` in decimal: RFC 1950 §8.2. A checksum against accidents, not a hash.
fn adler32sum(call: &Call<'_>) -> Result<Value, CallError> {
    const MODULUS: u32 = 65_521;
    let (a, b) = call.text(0).iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (a + b) % MODULUS)
    });
    Ok(Value::text((b << 16 | a).to_string()))
}
