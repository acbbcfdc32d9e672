//! Certificates: the public half of a sealing key, as a PEM file that anybody may have.
//! The only file that touches X.509; checks no signature, usage or chain, because a certificate here is only a carrier.

use std::fmt;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyUsagePurpose,
};
use x509_cert::der::{Decode as _, Encode as _};

use crate::envelope::PublicKey;
use crate::fingerprint::Fingerprint;
use crate::pem;

const PEM_LABEL: &str = "CERTIFICATE";

/// Why a certificate can't be used for sealing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No certificate in the data.
    #[error("data does not contain any valid RSA or ECDSA certificates")]
    NotFound,
    /// A certificate for another kind of key.
    #[error("expected RSA public key but found one of algorithm {algorithm}")]
    NotRsa {
        /// Object identifier of the algorithm.
        algorithm: String,
    },
    /// An RSA key that is malformed or outside 1024 to 8192 bits.
    #[error("the certificate's RSA public key is unusable: expected 1024 to 8192 bits")]
    UnusableKey,
    /// Past its end.
    #[error("the certificate expired at {not_after}")]
    Expired {
        /// End of validity.
        not_after: Timestamp,
    },
    /// Could not be made.
    #[error("cannot sign a certificate: {reason}")]
    Sign {
        /// What the library said; it never quotes the key.
        reason: String,
    },
}

/// An RSA certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    pem: String,
    public_key: PublicKey,
    fingerprint: Fingerprint,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Certificate {
    /// Reads the first `CERTIFICATE` block of a PEM file; other blocks, such as a private key, are passed over.
    /// An expired certificate is read too: see [`Certificate::check_valid_at`].
    ///
    /// # Errors
    /// When there is no certificate, or its key is not RSA.
    pub fn from_pem(text: &[u8]) -> Result<Self, CertificateError> {
        pem::blocks(text)
            .into_iter()
            .filter(|block| block.label == PEM_LABEL && !block.has_headers)
            .find_map(|block| Some((x509_cert::Certificate::from_der(&block.der).ok()?, block)))
            .ok_or(CertificateError::NotFound)
            .and_then(|(certificate, block)| Self::from_parsed(&certificate, &block.der))
    }

    fn from_parsed(
        certificate: &x509_cert::Certificate,
        der: &[u8],
    ) -> Result<Self, CertificateError> {
        let body = certificate.tbs_certificate();
        let key = body.subject_public_key_info();
        if key.algorithm.oid != rsa_encryption() {
            return Err(CertificateError::NotRsa {
                algorithm: key.algorithm.oid.to_string(),
            });
        }
        let public_key = key
            .to_der()
            .ok()
            .and_then(|der| PublicKey::from_spki_der(&der))
            .ok_or(CertificateError::UnusableKey)?;
        let (modulus, exponent) = public_key.parts();
        Ok(Self {
            pem: pem::encode(PEM_LABEL, der).to_string(),
            fingerprint: Fingerprint::of(&modulus, &exponent),
            public_key,
            not_before: timestamp(body.validity().not_before),
            not_after: timestamp(body.validity().not_after),
        })
    }

    /// Makes a self-signed certificate for a PKCS#8 private key, of the shape that upstream's controller makes:
    /// X.509 v3, SHA-256 with RSA, critical `encipherOnly`, critical `CA:TRUE`, subject key identifier, and an empty
    /// name unless `common_name` is given. Times are cut to whole seconds.
    pub(crate) fn self_signed(
        pkcs8: &[u8],
        common_name: &str,
        not_before: Timestamp,
        ttl: Duration,
    ) -> Result<Self, CertificateError> {
        let sign = |error: rcgen::Error| CertificateError::Sign {
            reason: error.to_string(),
        };
        let key = rcgen::KeyPair::try_from(pkcs8).map_err(sign)?;
        let start = u64::try_from(not_before.as_second()).unwrap_or(0);
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if !common_name.is_empty() {
            params
                .distinguished_name
                .push(DnType::CommonName, common_name);
        }
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::EncipherOnly];
        params.not_before = epoch + Duration::from_secs(start);
        params.not_after =
            epoch + Duration::from_secs(start.saturating_add(ttl.as_secs()).min(LAST_SECOND));
        let signed = params.self_signed(&key).map_err(sign)?;
        Self::from_pem(pem::encode(PEM_LABEL, signed.der()).as_bytes())
    }

    /// The key to seal with.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The public name of the key.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Start of validity; sealing keys are ordered by it.
    #[must_use]
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// End of validity. It matters for sealing only: what was sealed before opens for ever.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The certificate as one PEM block, line feed at the end.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Refuses a certificate that is past its end at `now`. Its beginning is not checked, as upstream does not.
    ///
    /// # Errors
    /// [`CertificateError::Expired`].
    pub fn check_valid_at(&self, now: Timestamp) -> Result<(), CertificateError> {
        if now > self.not_after {
            return Err(CertificateError::Expired {
                not_after: self.not_after,
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Certificate")
            .field("fingerprint", &self.fingerprint)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// 9999-12-31T23:59:59Z, the last time that X.509 can say (RFC 5280 §4.1.2.5).
const LAST_SECOND: u64 = 253_402_300_799;

/// `rsaEncryption`, RFC 8017 §A.1.
fn rsa_encryption() -> x509_cert::der::asn1::ObjectIdentifier {
    x509_cert::der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1")
}

fn timestamp(time: x509_cert::time::Time) -> Timestamp {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden_errors::assert_said;

    #[test]
    fn what_is_no_private_key_signs_nothing() {
        let signed = Certificate::self_signed(b"no key", "", Timestamp::UNIX_EPOCH, Duration::ZERO);
        assert_said("certificate", &[&signed.expect_err("refused")]);
    }
}
