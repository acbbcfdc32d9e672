//! Certificates that templates make: authorities, self-signed ones, and ones signed by an authority.
//! They are those of Go's `CreateCertificate` for sprig's template, field by field.

use std::net::IpAddr;
use std::rc::Rc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::KeySize;

use super::keys::PrivateKey;
use super::{REFUSED, SLOW_WORK, der};
use crate::base64;
use crate::pem;
use crate::template::arguments::Param::{Certificate as Cert, Int, List as Any, Text as Str};
use crate::template::functions::{Call, CallError, Function, failed, function};
use crate::template::time::Time;
use crate::template::value::{Certificate, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    function("buildCustomCert", &[Str, Str], build),
    function("genCA", &[Str, Int], |call| {
        authority(call, &new_key(call)?)
    })
    .varying(),
    function("genCAWithKey", &[Str, Int, Str], |call| {
        authority(call, &given_key(call, 2)?)
    })
    .varying(),
    function("genSelfSignedCert", &[Str, Any, Any, Int], |call| {
        self_signed(call, &new_key(call)?)
    })
    .varying(),
    function(
        "genSelfSignedCertWithKey",
        &[Str, Any, Any, Int, Str],
        |call| self_signed(call, &given_key(call, 4)?),
    )
    .varying(),
    function("genSignedCert", &[Str, Any, Any, Int, Cert], |call| {
        signed(call, &new_key(call)?)
    })
    .varying(),
    function(
        "genSignedCertWithKey",
        &[Str, Any, Any, Int, Cert, Str],
        |call| signed(call, &given_key(call, 5)?),
    )
    .varying(),
];

/// What certificates and keys have as PEM labels.
const LABEL: &str = "CERTIFICATE";

fn new_key(call: &Call<'_>) -> Result<PrivateKey, CallError> {
    PrivateKey::generate_rsa(call, KeySize::Rsa2048)
}

fn given_key(call: &Call<'_>, index: usize) -> Result<PrivateKey, CallError> {
    call.run.spend(SLOW_WORK)?;
    let key = PrivateKey::from_pem(call.text(index));
    key.map_err(|flaw| CallError::Failed(format!("parsing private key: {flaw}").into()))
}

/// Reads the certificate and the key of an existing pair, both in base64 of PEM.
fn build(call: &Call<'_>) -> Result<Value, CallError> {
    let cert =
        base64::decode(call.text(0)).map_err(|_| failed("unable to decode base64 certificate"))?;
    let key =
        base64::decode(call.text(1)).map_err(|_| failed("unable to decode base64 private key"))?;
    let blocks = pem::blocks(&cert);
    let block = blocks
        .first()
        .ok_or(failed("unable to decode certificate"))?;
    Issuer::read(&block.der).ok_or(failed("error parsing certificate: decodedCert.Bytes"))?;
    PrivateKey::from_pem(&key)
        .map_err(|flaw| CallError::Failed(format!("error parsing private key: {flaw}").into()))?;
    Ok(Value::Certificate(Rc::new(Certificate {
        cert: cert.into(),
        key: key.into(),
    })))
}

/// What a certificate says of its owner.
struct Subject {
    name: Vec<u8>,
    addresses: Vec<IpAddr>,
    domains: Vec<String>,
    days: i64,
    is_authority: bool,
}

/// What a certificate needs of the one that signs it.
struct Issuer<'a> {
    name: &'a [u8],
    public_key: &'a [u8],
    key_id: Option<&'a [u8]>,
}

impl<'a> Issuer<'a> {
    /// Reads a certificate (RFC 5280 §4.1).
    fn read(certificate: &'a [u8]) -> Option<Self> {
        let parts = der::all(der::first(certificate)?.contents)?;
        let fields = der::all(parts.first().filter(|_| parts.len() == 3)?.contents)?;
        let start = usize::from(fields.first()?.tag == 0xa0);
        let (name, public_key) = (fields.get(start + 4)?, fields.get(start + 5)?);
        let is_sequence = name.tag == der::SEQUENCE && public_key.tag == der::SEQUENCE;
        let extensions = fields.iter().find(|field| field.tag == 0xa3);
        is_sequence.then_some(Self {
            name: name.whole,
            public_key: public_key.whole,
            key_id: extensions.and_then(|field| key_id(field.contents)),
        })
    }
}

/// The subject key identifier among the extensions.
fn key_id(extensions: &[u8]) -> Option<&[u8]> {
    let extensions = der::all(der::first(extensions)?.contents)?;
    let found = extensions.iter().find_map(|extension| {
        let parts = der::all(extension.contents)?;
        (parts.first()?.contents == KEY_ID).then(|| parts.last().map(|value| value.contents))?
    })?;
    der::first(found).map(|id| id.contents)
}

fn authority(call: &Call<'_>, key: &PrivateKey) -> Result<Value, CallError> {
    let subject = Subject {
        name: distinguished_name(call.text(0)),
        addresses: Vec::new(),
        domains: Vec::new(),
        days: call.int(1),
        is_authority: true,
    };
    certified(call, &subject, key, None, key)
}

fn self_signed(call: &Call<'_>, key: &PrivateKey) -> Result<Value, CallError> {
    certified(call, &end_entity(call)?, key, None, key)
}

fn signed(call: &Call<'_>, key: &PrivateKey) -> Result<Value, CallError> {
    let Value::Certificate(authority) = &call.args[4] else {
        return Err(failed("unable to decode certificate"));
    };
    let blocks = pem::blocks(&authority.cert);
    let block = blocks
        .first()
        .ok_or(failed("unable to decode certificate"))?;
    let issuer = Issuer::read(&block.der)
        .ok_or(failed("error parsing certificate: decodedSignerCert.Bytes"))?;
    let signer = PrivateKey::from_pem(&authority.key)
        .map_err(|flaw| CallError::Failed(format!("error parsing private key: {flaw}").into()))?;
    if signer
        .public_key()
        .is_some_and(|public_key| public_key != issuer.public_key)
    {
        return Err(failed(
            "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
        ));
    }
    certified(call, &end_entity(call)?, key, Some(&issuer), &signer)
}

/// `name addresses domains days …`.
fn end_entity(call: &Call<'_>) -> Result<Subject, CallError> {
    Ok(Subject {
        name: distinguished_name(call.text(0)),
        addresses: call
            .items(1)
            .iter()
            .map(address)
            .collect::<Result<_, _>>()?,
        domains: call.items(2).iter().map(domain).collect::<Result<_, _>>()?,
        days: call.int(3),
        is_authority: false,
    })
}

fn address(value: &Value) -> Result<IpAddr, CallError> {
    let Value::Text(text) = value else {
        return Err(failed("error parsing ip: not a string"));
    };
    let parsed: Result<IpAddr, _> = text.lossy().parse();
    parsed.map_err(|_| CallError::Echo(format!("error parsing ip: {}", text.lossy())))
}

fn domain(value: &Value) -> Result<String, CallError> {
    match value {
        Value::Text(text) if text.is_ascii() => Ok(text.lossy().into_owned()),
        Value::Text(_) => Err(failed(
            "error creating certificate: x509: a name cannot be encoded as an IA5String",
        )),
        _ => Err(failed("error processing alternate dns name: not a string")),
    }
}

/// A name that is only a common name, or empty.
fn distinguished_name(common_name: &[u8]) -> Vec<u8> {
    if common_name.is_empty() {
        return der::sequence(&[]);
    }
    let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(byte);
    let tag = if common_name.iter().all(printable) {
        der::PRINTABLE_STRING
    } else {
        der::UTF8_STRING
    };
    let attribute = der::sequence(&[b"\x06\x03\x55\x04\x03", &der::element(tag, &[common_name])]);
    der::sequence(&[&der::element(der::SET, &[&attribute])])
}

/// Makes the certificate of a key, signed by its issuer or itself, with the key.
fn certified(
    call: &Call<'_>,
    subject: &Subject,
    key: &PrivateKey,
    issuer: Option<&Issuer<'_>>,
    signer: &PrivateKey,
) -> Result<Value, CallError> {
    let unsupported =
        failed("error creating certificate: x509: only RSA, ECDSA and Ed25519 keys are supported");
    let Some(public_key) = key.public_key() else {
        return Err(unsupported);
    };
    let serial: [u8; 16] = call.random()?;
    let algorithm = signer.algorithm();
    let issuer_name = issuer.map_or(&*subject.name, |issuer| issuer.name);
    let start = Time::of_timestamp(call.run.now());
    let end = start.add(subject.days.saturating_mul(86_400_000_000_000));
    let body = der::sequence(&[
        b"\xa0\x03\x02\x01\x02",
        &der::unsigned(&serial),
        &algorithm,
        issuer_name,
        &der::sequence(&[&moment(&start), &moment(&end)]),
        &subject.name,
        &public_key,
        &der::element(
            0xa3,
            &[&extensions(subject, &public_key, issuer, issuer_name)],
        ),
    ]);
    let Some(signature) = signer.sign(&body) else {
        return Err(unsupported);
    };
    let certificate = der::sequence(&[&body, &algorithm, &der::bits(&signature)]);
    Ok(Value::Certificate(Rc::new(Certificate {
        cert: pem::encode(LABEL, &certificate).as_str().into(),
        key: key.pem().map_err(|_| REFUSED)?,
    })))
}

/// RFC 5280 §4.1.2.5: two digits for the year up to 2049.
fn moment(time: &Time) -> Vec<u8> {
    if (1950..2050).contains(&time.civil().year) {
        der::element(0x17, &[time.format("060102150405Z").as_bytes()])
    } else {
        der::element(0x18, &[time.format("20060102150405Z").as_bytes()])
    }
}

const KEY_USAGE: &[u8] = b"\x55\x1d\x0f";
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const KEY_ID: &[u8] = b"\x55\x1d\x0e";
const AUTHORITY_KEY_ID: &[u8] = b"\x55\x1d\x23";
const ALTERNATIVE_NAMES: &[u8] = b"\x55\x1d\x11";

fn extension(object: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: Vec<u8> = if critical {
        der::element(der::BOOLEAN, &[&[0xff]])
    } else {
        Vec::new()
    };
    der::sequence(&[
        &der::element(der::OBJECT, &[object]),
        &critical,
        &der::element(der::OCTET_STRING, &[value]),
    ])
}

fn extensions(
    subject: &Subject,
    public_key: &[u8],
    issuer: Option<&Issuer<'_>>,
    issuer_name: &[u8],
) -> Vec<u8> {
    // Digital signature and key encipherment; for an authority also the signing of certificates.
    let usage: &[u8] = if subject.is_authority {
        b"\x03\x02\x02\xa4"
    } else {
        b"\x03\x02\x05\xa0"
    };
    // Servers and clients of TLS.
    let purposes = der::sequence(&[
        b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
        b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02",
    ]);
    let authority: &[u8] = if subject.is_authority {
        b"\x01\x01\xff"
    } else {
        b""
    };
    let mut all = vec![
        extension(KEY_USAGE, true, usage),
        extension(EXTENDED_KEY_USAGE, false, &purposes),
        extension(BASIC_CONSTRAINTS, true, &der::sequence(&[authority])),
    ];
    if subject.is_authority {
        let id = digest(&SHA256, public_bits(public_key));
        all.push(extension(
            KEY_ID,
            false,
            &der::element(der::OCTET_STRING, &[&id.as_ref()[..20]]),
        ));
    }
    let issuer_id = issuer
        .and_then(|issuer| issuer.key_id)
        .filter(|_| issuer_name != subject.name);
    if let Some(id) = issuer_id {
        all.push(extension(
            AUTHORITY_KEY_ID,
            false,
            &der::sequence(&[&der::element(0x80, &[id])]),
        ));
    }
    if !subject.domains.is_empty() || !subject.addresses.is_empty() {
        // Critical where the subject has no other name.
        let critical = subject.name == der::sequence(&[]);
        all.push(extension(
            ALTERNATIVE_NAMES,
            critical,
            &alternative_names(subject),
        ));
    }
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    der::sequence(&all)
}

/// The bits of a `SubjectPublicKeyInfo`, whose hash is the key's identifier (RFC 7093 §2).
fn public_bits(public_key: &[u8]) -> &[u8] {
    let parts = der::first(public_key).and_then(|info| der::all(info.contents));
    let bits = parts.and_then(|parts| parts.last().map(|bits| bits.contents));
    bits.and_then(|bits| bits.get(1..)).unwrap_or_default()
}

fn alternative_names(subject: &Subject) -> Vec<u8> {
    let domains = subject
        .domains
        .iter()
        .map(|domain| der::element(0x82, &[domain.as_bytes()]));
    let addresses = subject
        .addresses
        .iter()
        .map(|address| match address.to_canonical() {
            IpAddr::V4(address) => der::element(0x87, &[&address.octets()]),
            IpAddr::V6(address) => der::element(0x87, &[&address.octets()]),
        });
    let names: Vec<Vec<u8>> = domains.chain(addresses).collect();
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    der::sequence(&names)
}
