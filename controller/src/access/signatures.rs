//! Which signatures a project demands of the commits of a repository, and whose count.
//! It must not read a commit or a key: who signed is for `git::signature` to say.

use std::fmt::Write;

use crds::{AppProject, GitPolicy, GpgPolicy, SignatureKey};

use super::denied::{Denied, Reason};
use super::pattern::{Pattern, Separator, permits};
use super::source;
use super::unsigned::SignatureError;
use crate::git::signature::{KeyId, Principals, Problem, Signed, Signer, Trust};

/// Keys, or entries that can't be read, that a message lists, so that it stays readable.
const TOLD: usize = 5;

/// What a project says about signatures.
#[derive(Clone, Debug, Default)]
pub(super) struct SignatureRules {
    /// `signatureKeys`: for all repositories.
    keys: Vec<KeyId>,
    /// `sourceIntegrity.git.policies`
    policies: Vec<Policy>,
    /// `signet.dev/allowed-signers`: for all repositories that no policy excepts.
    signers: Option<Principals>,
}

#[derive(Clone, Debug)]
struct Policy {
    repositories: Vec<Pattern>,
    /// None in mode `none`: the repositories need no signature.
    keys: Option<Vec<KeyId>>,
    /// Mode `strict`
    whole_history: bool,
}

/// Whose signature a commit needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignatureDemand {
    project: String,
    keys: Vec<KeyId>,
    signers: Option<Principals>,
    /// Mode `strict`
    pub(super) whole_history: bool,
}

impl SignatureRules {
    /// Reads all that a project says; every denial names the field that can't be read.
    pub(super) fn read(name: &str, project: &AppProject) -> Result<Self, Vec<Denied>> {
        let mut denied = Vec::new();
        let rules = Self {
            keys: legacy_keys(project, &mut denied),
            policies: policies(project, &mut denied),
            signers: signers(project).unwrap_or_else(|problem| {
                denied.push(problem);
                None
            }),
        };
        for problem in &mut denied {
            problem
                .message
                .insert_str(0, &format!("AppProject {name}: "));
        }
        match denied.is_empty() {
            true => Ok(rules),
            false => Err(denied),
        }
    }

    /// What a commit of `url` needs; none when it needs no signature. `Err` when the policies contradict each other.
    pub(super) fn demand(
        &self,
        project: &str,
        url: &str,
    ) -> Result<Option<SignatureDemand>, String> {
        let url = source::normalise(url);
        let matching: Vec<_> = self
            .policies
            .iter()
            .enumerate()
            .filter(|(_, policy)| permits(&policy.repositories, &url))
            .collect();
        let (keys, whole_history) = match matching.as_slice() {
            [] => (&self.keys, false),
            [(_, policy)] => match &policy.keys {
                None => return Ok(None),
                Some(keys) => (keys, policy.whole_history),
            },
            [(first, _), (second, _), ..] => {
                return Err(format!(
                    "spec.sourceIntegrity.git.policies[{first}] and [{second}] both match the repository, expected one"
                ));
            }
        };
        let demanded = !matching.is_empty() || !keys.is_empty() || self.signers.is_some();
        Ok(demanded.then(|| SignatureDemand {
            project: project.to_owned(),
            keys: keys.to_vec(),
            signers: self.signers.clone(),
            whole_history,
        }))
    }
}

fn legacy_keys(project: &AppProject, denied: &mut Vec<Denied>) -> Vec<KeyId> {
    let (keys, integrity) = (&project.spec.signature_keys, &project.spec.source_integrity);
    if integrity.is_some() && !keys.is_empty() {
        denied.push(invalid(
            "spec.sourceIntegrity: found spec.signatureKeys as well, expected one of them",
        ));
    }
    let read = |(index, key): (usize, &SignatureKey)| {
        KeyId::parse(&key.key_id)
            .map_err(|problem| {
                denied.push(invalid(format!(
                    "spec.signatureKeys[{index}].keyID: {problem}"
                )));
            })
            .ok()
    };
    keys.iter().enumerate().filter_map(read).collect()
}

fn policies(project: &AppProject, denied: &mut Vec<Denied>) -> Vec<Policy> {
    let integrity = project.spec.source_integrity.as_ref();
    let git = integrity.and_then(|integrity| integrity.git.as_ref());
    let read = |(index, policy)| {
        Policy::read(policy)
            .map_err(|mut problem| {
                let path = format!("spec.sourceIntegrity.git.policies[{index}]");
                problem.message.insert_str(0, &path);
                denied.push(problem);
            })
            .ok()
    };
    let all = git.iter().flat_map(|git| &git.policies);
    all.enumerate().filter_map(read).collect()
}

fn signers(project: &AppProject) -> Result<Option<Principals>, Denied> {
    let name = crds::names::ALLOWED_SIGNERS;
    let annotations = project.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(name))
        .map(|text| Principals::parse(text))
        .transpose()
        .map_err(|problem| invalid(format!("annotation {name}: {problem}")))
}

fn invalid(message: impl Into<String>) -> Denied {
    Denied::new(Reason::ProjectInvalid, message)
}

impl Policy {
    fn read(policy: &GitPolicy) -> Result<Self, Denied> {
        let gpg = policy.gpg.as_ref();
        let GpgPolicy { mode, keys, .. } =
            gpg.ok_or_else(|| invalid(".gpg: expected mode and keys"))?;
        // A star reaches over slashes here, as in Argo CD: rather a repository too many is verified than one too few.
        let pattern = |url: &str| Pattern::new(&source::normalise_pattern(url), Separator::None);
        let repositories = policy.repos.iter().enumerate().map(|(index, repository)| {
            pattern(&repository.url)
                .map_err(|problem| invalid(format!(".repos[{index}].url: {problem}")))
        });
        let ids = keys.iter().enumerate().map(|(index, key)| {
            KeyId::parse(key).map_err(|problem| invalid(format!(".gpg.keys[{index}]: {problem}")))
        });
        let ids = ids.collect::<Result<_, _>>()?;
        Ok(Self {
            repositories: repositories.collect::<Result<_, _>>()?,
            keys: match mode.as_str() {
                "none" => None,
                "head" | "strict" => Some(ids),
                other => {
                    let message =
                        format!(".gpg.mode: found \"{other}\", expected none, head or strict");
                    return Err(invalid(message));
                }
            },
            whole_history: mode == "strict",
        })
    }
}

impl SignatureDemand {
    /// Until when, in seconds since 1970, `signed` is signed as demanded; `object` names it, `now` is the clock.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(
        &self,
        signed: &Signed,
        object: &str,
        trust: &Trust,
        now: i64,
    ) -> Result<Option<i64>, SignatureError> {
        let object = object.to_owned();
        match trust.verify(signed, now) {
            Ok(verified) if self.accepts(&verified.signer) => Ok(verified.until),
            Ok(verified) => Err(SignatureError::NotListed {
                object,
                signer: verified.signer.to_string(),
                project: self.project.clone(),
            }),
            Err(Problem::NotSigned) => Err(SignatureError::NotSigned {
                object,
                expected: self.expected(),
            }),
            Err(Problem::UnknownKey { signer, store }) => Err(SignatureError::UnknownKey {
                object,
                signer,
                store,
                unread: unread(trust.unread(store)),
            }),
            Err(Problem::Invalid { signer, problem }) => Err(SignatureError::Invalid {
                object,
                signer,
                problem,
            }),
            Err(Problem::Unreadable(problem)) => {
                Err(SignatureError::Unreadable { object, problem })
            }
        }
    }

    /// Whether this signature is enough. Who lists a key lists its subkeys, as in Argo CD.
    fn accepts(&self, signer: &Signer) -> bool {
        match signer {
            Signer::OpenPgp { key, primary } => self
                .keys
                .iter()
                .any(|listed| listed.means(key) || listed.means(primary)),
            Signer::Ssh { principals, .. } => self
                .signers
                .as_ref()
                .is_some_and(|signers| principals.iter().any(|names| names.meet(signers))),
        }
    }

    /// Whose signature counts, for people.
    fn expected(&self) -> String {
        let mut text = String::new();
        let told: Vec<_> = self
            .keys
            .iter()
            .take(TOLD)
            .map(ToString::to_string)
            .collect();
        match told.len() {
            0 => {}
            1 => text = format!("OpenPGP key {}", told[0]),
            _ => text = format!("one of the OpenPGP keys {}", told.join(", ")),
        }
        if let Some(more) = self.keys.len().checked_sub(TOLD).filter(|more| *more > 0) {
            let _ = write!(text, " and {more} more");
        }
        if let Some(signers) = &self.signers {
            let or = if text.is_empty() { "" } else { ", or by " };
            let _ = write!(text, "{or}the SSH signer {signers}");
        }
        match text.is_empty() {
            true => format!("a key, of which project {} lists none", self.project),
            false => text,
        }
    }
}

fn unread(entries: &[String]) -> String {
    let told: Vec<_> = entries.iter().take(TOLD).map(String::as_str).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(", as far as it can be read: {}", told.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Denied, Project};

    fn signed_project(annotation: Option<&str>, spec: &Value) -> Result<Project, Vec<Denied>> {
        let mut project = json!({"metadata": {"name": "shop"}, "spec": spec});
        if let Some(signers) = annotation {
            project["metadata"]["annotations"] = json!({"signet.dev/allowed-signers": signers});
        }
        Project::new(&serde_json::from_value(project).expect("an AppProject"))
    }

    const KEY: &str = "4AEE18F83AFDEB23";

    fn policy(url: &str, mode: &str) -> Value {
        json!({"repos": [{"url": url}, {"url": "!https://git.example/shop/open"}], "gpg": {"mode": mode, "keys": [KEY]}})
    }

    #[test]
    fn a_repository_needs_the_signature_that_its_policy_the_old_list_or_the_annotation_demands() {
        let policies =
            |policies: &[Value]| json!({"sourceIntegrity": {"git": {"policies": policies}}});
        let head = || policies(&[policy("https://git.example/*", "head")]);
        let none = || policies(&[policy("*", "none")]);
        let (shop, open) = (
            "https://Git.example/shop/a.git",
            "https://git.example/shop/open",
        );
        for (annotation, spec, url, demanded) in [
            (None, json!({}), shop, false),
            (None, json!({"signatureKeys": [{"keyID": KEY}]}), shop, true),
            (None, head(), shop, true),
            (None, head(), open, false),
            (None, head(), "https://git.example.com/shop", false),
            (None, none(), shop, false),
            (Some("*@a.org"), json!({}), shop, true),
            (Some("*@a.org"), head(), open, true),
            (Some("*@a.org"), none(), shop, false),
            (Some("*@a.org"), none(), open, true),
            (
                None,
                json!({"sourceIntegrity": {"git": {"policies": []}}}),
                shop,
                false,
            ),
        ] {
            let project = signed_project(annotation, &spec).expect("a project");
            let demand = project.demanded_signature(url).expect("no contradiction");
            assert_eq!(demand.is_some(), demanded, "{annotation:?} {spec} {url}");
        }
    }

    #[test]
    fn two_policies_for_one_repository_refuse_it_and_no_other() {
        let both = [
            policy("https://git.example/*", "head"),
            policy("https://git.example/shop*", "none"),
        ];
        let spec = json!({"sourceIntegrity": {"git": {"policies": both}}});
        let project = signed_project(None, &spec).expect("a project");
        let denied = project
            .demanded_signature("https://git.example/shop")
            .map(|_| ());
        assert_eq!(
            denied.map_err(|denied| denied.to_string()),
            Err("ProjectInvalid: AppProject shop: spec.sourceIntegrity.git.policies[0] and [1] both match the repository, expected one: https://git.example/shop".to_owned())
        );
        assert!(
            project
                .demanded_signature("https://git.example/other")
                .is_ok()
        );
    }

    #[test]
    fn a_rule_about_signatures_that_can_not_be_read_is_named() {
        let gpg = |gpg: Value| json!({"sourceIntegrity": {"git": {"policies": [{"repos": [{"url": "*"}], "gpg": gpg}]}}});
        for (annotation, spec, problem) in [
            (
                None,
                json!({"signatureKeys": [{"keyID": "3AFDEB23"}]}),
                "spec.signatureKeys[0].keyID: found \"3AFDEB23\", expected the 16 digits of a key's id or the 40 of its fingerprint",
            ),
            (
                None,
                json!({"signatureKeys": [{"keyID": KEY}], "sourceIntegrity": {}}),
                "spec.sourceIntegrity: found spec.signatureKeys as well, expected one of them",
            ),
            (
                None,
                gpg(json!({"mode": "all"})),
                "spec.sourceIntegrity.git.policies[0].gpg.mode: found \"all\", expected none, head or strict",
            ),
            (
                None,
                gpg(json!({"mode": "head", "keys": ["x"]})),
                "spec.sourceIntegrity.git.policies[0].gpg.keys[0]: found \"x\", expected the 16 digits of a key's id or the 40 of its fingerprint",
            ),
            (
                None,
                gpg(json!(null)),
                "spec.sourceIntegrity.git.policies[0].gpg: expected mode and keys",
            ),
            (
                Some(""),
                json!({}),
                "annotation signet.dev/allowed-signers: expected names or patterns, with commas between them",
            ),
        ] {
            let denied = signed_project(annotation, &spec).expect_err("a rule that can't be read");
            let texts: Vec<_> = denied.iter().map(ToString::to_string).collect();
            assert_eq!(
                texts,
                [format!("ProjectInvalid: AppProject shop: {problem}")]
            );
        }
    }
}
