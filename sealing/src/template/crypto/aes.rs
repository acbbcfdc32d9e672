//! `encryptAES` and `decryptAES`: AES-256-CBC under a password that is cut or filled with zeros to 32 bytes.
//! Neither stretches the password nor authenticates the text: sprig's format, not one to choose.

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::REFUSED;
use crate::base64;
use crate::template::arguments::Param::Text as Str;
use crate::template::functions::{Call, CallError, Function, OUT_OF_RANGE, failed, function};
use crate::template::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    function("decryptAES", &[Str, Str], decrypt),
    function("encryptAES", &[Str, Str], encrypt).varying(),
];

/// Length of a block and of the IV, in bytes.
const BLOCK: usize = 16;

fn key(password: &[u8]) -> Result<UnboundCipherKey, CallError> {
    let mut key = Zeroizing::new([0; 32]);
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    UnboundCipherKey::new(&AES_256, &*key).map_err(|_| REFUSED)
}

/// `base64(IV || CBC(key, IV, PKCS7(text)))`, FIPS 197 and SP 800-38A; nothing for no text.
fn encrypt(call: &Call<'_>) -> Result<Value, CallError> {
    let plaintext = call.text(1);
    if plaintext.is_empty() {
        return Ok(Value::text(""));
    }
    let padding = BLOCK - plaintext.len() % BLOCK;
    let mut text = Zeroizing::new(plaintext.to_vec());
    text.extend(std::iter::repeat_n(
        u8::try_from(padding).unwrap_or(0),
        padding,
    ));
    let iv: [u8; BLOCK] = call.random()?;
    let encrypting = EncryptingKey::cbc(key(call.text(0))?).map_err(|_| REFUSED)?;
    let context = EncryptionContext::Iv128(FixedLength::from(iv));
    encrypting
        .less_safe_encrypt(&mut text, context)
        .map_err(|_| REFUSED)?;
    Ok(Value::text(base64::encode(&[&iv[..], &text].concat())))
}

/// Takes the last byte for the length of the padding and looks at no other, as sprig does.
fn decrypt(call: &Call<'_>) -> Result<Value, CallError> {
    let text = call.text(1);
    if text.is_empty() {
        return Ok(Value::text(""));
    }
    let bytes = base64::decode(text).map_err(|illegal| CallError::Echo(illegal.to_string()))?;
    let (iv, ciphertext) = bytes.split_first_chunk::<BLOCK>().ok_or(OUT_OF_RANGE)?;
    if ciphertext.len() % BLOCK != 0 {
        return Err(failed("crypto/cipher: input not full blocks"));
    }
    let decrypting = DecryptingKey::cbc(key(call.text(0))?).map_err(|_| REFUSED)?;
    let context = DecryptionContext::Iv128(FixedLength::from(*iv));
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    let plain = decrypting
        .decrypt(&mut plaintext, context)
        .map_err(|_| REFUSED)?;
    let padding = plain
        .last()
        .ok_or(failed("runtime error: index out of range"))?;
    let length = plain
        .len()
        .checked_sub(usize::from(*padding))
        .ok_or(OUT_OF_RANGE)?;
    Ok(Value::text(&plain[..length]))
}
