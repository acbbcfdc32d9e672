//! DSA keys, for `genPrivateKey "dsa"`: obsolete since FIPS 186-5, and here because sprig has them.
//! Makes keys and signs nothing.

use num_bigint::BigUint;
use zeroize::Zeroizing;

use super::{REFUSED, der};
use crate::template::functions::{Call, CallError};

/// The 2048-bit group with a subgroup of 256 bits of RFC 5114 §2.3. Sprig searches a group of that size anew for each
/// key, which takes seconds and gains nothing.
const P: &str = "87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00E00DF8F1D61957D4FAF7DF4561B2AA30\
    16C3D91134096FAA3BF4296D830E9A7C209E0C6497517ABD5A8A9D306BCF67ED91F9E6725B4758C022E0B1EF4275BF7B6C5BFC11D45F9088\
    B941F54EB1E59BB8BC39A0BF12307F5C4FDB70C581B23F76B63ACAE1CAA6B7902D52526735488A0EF13C6D9A51BFA4AB3AD8347796524D8E\
    F6A167B5A41825D967E144E5140564251CCACB83E6B486F6B3CA3F7971506026C0B857F689962856DED4010ABD0BE621C3A3960A54E710C3\
    75F26375D7014103A4B54330C198AF126116D2276E11715F693877FAD7EF09CADB094AE91E1A1597";
const Q: &str = "8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3";
const G: &str = "3FB32C9B73134D0B2E77506660EDBD484CA7B18F21EF205407F4793A1A0BA12510DBC15077BE463FFF4FED4AAC0BB555\
    BE3A6C1B0C6B47B1BC3773BF7E8C6F62901228F8C28CBB18A55AE31341000A650196F931C77A57F2DDF463E5E9EC144B777DE62AAAB8A862\
    8AC376D282D6ED3864E67982428EBC831D14348F6F2F9193B5045AF2767164E1DFC967C1FB3F2E55A4BD1BFFE83B9C80D052B985D182EA0A\
    DB2A3B7313D3FE14C8484B1E052588B9B7D2BBD2DF016199ECD06E1557CD0915B3353BBB64E0EC377FD028370DF92B52C7891428CDC67EB6\
    184B523D1DB246C32F63078490F00EF8D647D148D47954515E2327CFEF98C582664B4C0F6CC41659";

fn number(digits: &str) -> Result<BigUint, CallError> {
    BigUint::parse_bytes(digits.as_bytes(), 16).ok_or(REFUSED)
}

/// `SEQUENCE { 0, p, q, g, y = g^x mod p, x }` with x from 1 to q - 1, as OpenSSL writes it.
pub(super) fn generate(call: &Call<'_>) -> Result<Zeroizing<Vec<u8>>, CallError> {
    let (p, q, g) = (number(P)?, number(Q)?, number(G)?);
    // 64 bits more than q has leave no bias to speak of (FIPS 186-4 §B.1.1).
    let drawn = Zeroizing::new(call.random::<40>()?);
    let one = BigUint::from(1_u32);
    let x = BigUint::from_bytes_be(&*drawn) % (&q - &one) + one;
    let y = g.modpow(&x, &p);
    let x = Zeroizing::new(x.to_bytes_be());
    let parts = [&p, &q, &g, &y].map(|number| der::unsigned(&number.to_bytes_be()));
    let [p, q, g, y] = &parts;
    let x = Zeroizing::new(der::unsigned(&x));
    Ok(Zeroizing::new(der::sequence(&[
        &der::unsigned(&[]),
        p,
        q,
        g,
        y,
        &x,
    ])))
}
