//! Base64, base32 and JSON.
//! The names with `must` fail where the others give nothing.

use super::Param::{Any, Text as Str};
use super::{Call, CallError, Function, Value, function, text};
use crate::base64;
use crate::template::json::{Style, read, write};

const HTML: Style = Style {
    html: true,
    pretty: false,
};
const PRETTY: Style = Style {
    html: true,
    pretty: true,
};
const RAW: Style = Style {
    html: false,
    pretty: false,
};

pub(super) const FUNCTIONS: &[Function] = &[
    function("b32dec", &[Str], |call| {
        text(
            decode_base32(call.text(0)).unwrap_or_else(|at| {
                format!("illegal base32 data at input byte {at}").into_bytes()
            }),
        )
    }),
    function("b32enc", &[Str], |call| text(encode_base32(call.text(0)))),
    function("b64dec", &[Str], |call| {
        text(
            base64::decode(call.text(0)).unwrap_or_else(|illegal| illegal.to_string().into_bytes()),
        )
    }),
    function("b64enc", &[Str], |call| text(base64::encode(call.text(0)))),
    function("fromJson", &[Str], |call| {
        match read(call.run, call.text(0)) {
            Err(CallError::Failed(_) | CallError::Echo(_)) => Ok(Value::Nil),
            result => result,
        }
    }),
    function("mustFromJson", &[Str], |call| read(call.run, call.text(0))),
    function("mustToJson", &[Any], |call| {
        write(&call.args[0], HTML).map(Value::Text)
    }),
    function("mustToPrettyJson", &[Any], |call| {
        write(&call.args[0], PRETTY).map(Value::Text)
    }),
    function("mustToRawJson", &[Any], |call| {
        write(&call.args[0], RAW).map(Value::Text)
    }),
    function("toJson", &[Any], |call| or_nothing(call, HTML)),
    function("toPrettyJson", &[Any], |call| or_nothing(call, PRETTY)),
    function("toRawJson", &[Any], |call| {
        write(&call.args[0], RAW).map(Value::Text)
    }),
];

/// Nothing for what JSON has no form for.
fn or_nothing(call: &Call<'_>, style: Style) -> Result<Value, CallError> {
    match write(&call.args[0], style) {
        Err(CallError::Echo(_)) => text(""),
        result => result.map(Value::Text),
    }
}

/// RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn encode_base32(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for group in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(block);
        let characters = (group.len() * 8).div_ceil(5);
        for index in 0..8 {
            let value = usize::try_from(bits >> (35 - 5 * index) & 31).unwrap_or(0);
            out.push(if index < characters {
                BASE32[value]
            } else {
                b'='
            });
        }
    }
    out
}

/// As Go decodes: line ends are passed over, and the offset of what is wrong counts without them.
fn decode_base32(text: &[u8]) -> Result<Vec<u8>, usize> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    let mut out = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let values = quantum(&text, start)?;
        let bits = values
            .iter()
            .enumerate()
            .fold(0_u64, |bits, (index, value)| {
                bits | u64::from(*value) << (35 - 5 * index)
            });
        out.extend_from_slice(&bits.to_be_bytes()[3..3 + values.len() * 5 / 8]);
        if values.len() < 8 {
            break;
        }
        start += 8;
    }
    Ok(out)
}

/// Values of up to eight characters; fewer where padding ends the text.
fn quantum(text: &[u8], start: usize) -> Result<Vec<u8>, usize> {
    let mut values = Vec::new();
    for index in 0..8 {
        let at = start + index;
        let Some(byte) = text.get(at) else {
            return Err(start);
        };
        if *byte == b'=' && index >= 2 && text.len() - at <= 8 {
            return check_padding(text, at, index).map(|()| values);
        }
        let value = BASE32.iter().position(|known| known == byte).ok_or(at)?;
        values.push(u8::try_from(value).unwrap_or(0));
    }
    Ok(values)
}

/// Padding after so many characters of a quantum; offsets as Go counts them.
fn check_padding(text: &[u8], at: usize, characters: usize) -> Result<(), usize> {
    let missing = 7 - characters;
    let rest = &text[at + 1..];
    if rest.len() < missing {
        return Err(text.len());
    }
    if let Some(other) = rest[..missing].iter().position(|byte| *byte != b'=') {
        return Err(at + other);
    }
    // Such lengths leave part of a byte.
    if matches!(characters, 3 | 6) {
        Err(at)
    } else {
        Ok(())
    }
}
