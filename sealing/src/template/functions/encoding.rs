//! Base64 and JSON.
//! Like sprig's, the decoders never fail: base64 that is none becomes Go's error text, JSON that is none becomes nil.

use gotmpl::Value;

use super::Arity::Exactly;
use super::{Call, CallError, Function, bytes, text};
use crate::base64;
use crate::template::json;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "b64dec",
        arity: Exactly(1),
        call: b64dec,
    },
    Function {
        name: "b64enc",
        arity: Exactly(1),
        call: |call| text(base64::encode(&call.bytes(0)?)),
    },
    Function {
        name: "fromJson",
        arity: Exactly(1),
        call: |call| Ok(json::decode(call.text(0)?)),
    },
    Function {
        name: "toJson",
        arity: Exactly(1),
        call: |call| text(json::encode(&call.args[0], true)),
    },
    Function {
        name: "toRawJson",
        arity: Exactly(1),
        call: |call| text(json::encode(&call.args[0], false)),
    },
];

fn b64dec(call: &Call<'_>) -> Result<Value, CallError> {
    match base64::decode(&call.bytes(0)?) {
        Ok(decoded) => bytes(&decoded),
        Err(error) => text(error.to_string()),
    }
}
