//! Passwords: `bcrypt`, `htpasswd` and `derivePassword`.
//! All are slow on purpose, and so paid for from a rendering's budget.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::{REFUSED, SLOW_WORK};
use crate::template::arguments::Param::{Text as Str, Uint32};
use crate::template::functions::{Call, CallError, Function, function};
use crate::template::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("bcrypt", &[Str], |call| {
        Ok(Value::text(hashed(call, call.text(0))?))
    })
    .varying(),
    function(
        "derivePassword",
        &[Uint32, Str, Str, Str, Str],
        derive_password,
    ),
    function("htpasswd", &[Str, Str], htpasswd).varying(),
];

/// Go's default cost.
const COST: u32 = 10;

/// Longest password that bcrypt looks at, in bytes.
const MAX_PASSWORD: usize = 72;

/// `$2a$10$…`: bcrypt with a fresh salt of 16 bytes. What can't be hashed is said in the result.
fn hashed(call: &Call<'_>, password: &[u8]) -> Result<String, CallError> {
    call.run.spend(SLOW_WORK)?;
    if password.len() > MAX_PASSWORD {
        let text = "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes";
        return Ok(text.to_owned());
    }
    let parts = bcrypt::hash_with_salt(password, COST, call.random()?).map_err(|_| REFUSED)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}

fn htpasswd(call: &Call<'_>) -> Result<Value, CallError> {
    let user = call.text(0);
    if user.contains(&b':') {
        return Ok(Value::text([b"invalid username: ", &**user].concat()));
    }
    let hash = hashed(call, call.text(1))?;
    Ok(Value::text([&**user, b":", hash.as_bytes()].concat()))
}

/// Names the algorithm in its salts.
const SEED: &[u8] = b"com.lyndir.masterpassword";

/// Patterns by type of password; the seed's first byte picks one.
const PATTERNS: [(&str, &[&str]); 6] = [
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

/// The characters that a letter of a pattern stands for.
fn alphabet(letter: char) -> &'static [u8] {
    match letter {
        'V' => b"AEIOU",
        'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        'v' => b"aeiou",
        'c' => b"bcdfghjklmnpqrstvwxyz",
        'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        'n' => b"0123456789",
        'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// `derivePassword counter type password user site`: the Master Password algorithm, version 3.
/// `key = scrypt(password, SEED || len(user) || user, N=2^15, r=8, p=2)`, then
/// `HMAC-SHA256(key, SEED || len(site) || site || counter)` picks a pattern and a character for each of its letters.
fn derive_password(call: &Call<'_>) -> Result<Value, CallError> {
    let kind = call.text(1);
    let Some((_, patterns)) = PATTERNS.iter().find(|(name, _)| *name.as_bytes() == **kind) else {
        return Ok(Value::text(
            [b"cannot find password template ", &**kind].concat(),
        ));
    };
    call.run.spend(SLOW_WORK)?;
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let (password, user, site) = (call.text(2), call.text(3), call.text(4));
    let salt = [SEED, &length(user), user].concat();
    let mut key = Zeroizing::new([0; 64]);
    let params = scrypt::Params::new(15, 8, 2).map_err(|_| REFUSED)?;
    scrypt::scrypt(password, &salt, &params, &mut *key).map_err(|_| REFUSED)?;
    let counter = u32::try_from(call.int(0)).unwrap_or(u32::MAX).to_be_bytes();
    let message = [SEED, &length(site), site, &counter].concat();
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*key), &message);
    let (first, rest) = seed.as_ref().split_first().ok_or(REFUSED)?;
    let pattern = patterns[usize::from(*first) % patterns.len()];
    let characters = pattern.chars().zip(rest).map(|(letter, byte)| {
        let alphabet = alphabet(letter);
        alphabet[usize::from(*byte) % alphabet.len()]
    });
    Ok(Value::text(characters.collect::<Vec<u8>>()))
}
