//! Kinds that the cluster makes by itself and no repository should: Argo CD's default exclusions.
//! Objects of these kinds are left out with a warning, wherever they come from.

use crate::sync::key::GroupKind;

const EXCLUDED: [(&str, &[&str]); 11] = [
    ("", &["Endpoints"]),
    ("discovery.k8s.io", &["EndpointSlice"]),
    ("coordination.k8s.io", &["Lease"]),
    (
        "authentication.k8s.io",
        &["SelfSubjectReview", "TokenReview"],
    ),
    (
        "authorization.k8s.io",
        &[
            "LocalSubjectAccessReview",
            "SelfSubjectAccessReview",
            "SelfSubjectRulesReview",
            "SubjectAccessReview",
        ],
    ),
    ("certificates.k8s.io", &["CertificateSigningRequest"]),
    ("cert-manager.io", &["CertificateRequest"]),
    (
        "cilium.io",
        &["CiliumEndpoint", "CiliumEndpointSlice", "CiliumIdentity"],
    ),
    ("kyverno.io", REPORTS),
    ("reports.kyverno.io", REPORTS),
    ("wgpolicyk8s.io", REPORTS),
];

/// What policy engines report.
const REPORTS: &[&str] = &[
    "AdmissionReport",
    "BackgroundScanReport",
    "ClusterAdmissionReport",
    "ClusterBackgroundScanReport",
    "ClusterEphemeralReport",
    "ClusterPolicyReport",
    "EphemeralReport",
    "PolicyReport",
    "UpdateRequest",
];

/// True for a kind that is never applied.
pub(in crate::sync) fn is_excluded(kind: &GroupKind) -> bool {
    EXCLUDED
        .iter()
        .any(|(group, kinds)| kind.group == *group && kinds.contains(&kind.kind.as_str()))
}
