//! Base64 and JSON.
//! Like sprig's, the decoders never fail: base64 that is none becomes Go's error text, JSON that is none becomes nil.

use gotmpl::Value;

use super::Arity::Exactly;
use super::{Call, CallError, Function, bytes, function, text};
use crate::base64;
use crate::template::json;

pub(super) const FUNCTIONS: &[Function] = &[
    function("b64dec", Exactly(1), b64dec),
    function("b64enc", Exactly(1), |call| {
        text(base64::encode(&call.bytes(0)?))
    }),
    function("fromJson", Exactly(1), |call| {
        Ok(json::decode(call.text(0)?))
    }),
    function("toJson", Exactly(1), |call| {
        text(json::encode(&call.args[0], true))
    }),
    function("toRawJson", Exactly(1), |call| {
        text(json::encode(&call.args[0], false))
    }),
];

fn b64dec(call: &Call<'_>) -> Result<Value, CallError> {
    match base64::decode(&call.bytes(0)?) {
        Ok(decoded) => bytes(&decoded),
        Err(error) => text(error.to_string()),
    }
}
