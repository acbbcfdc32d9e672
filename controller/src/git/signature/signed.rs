//! A commit or an annotated tag taken apart as `git verify-commit` and `git verify-tag` do: signed bytes and signature.
//! It must not judge the signature.

/// What begins the signature of a tag, which ends its message.
const BEGINS: [&[u8]; 4] = [
    b"-----BEGIN PGP SIGNATURE-----",
    b"-----BEGIN PGP MESSAGE-----",
    b"-----BEGIN SIGNED MESSAGE-----",
    b"-----BEGIN SSH SIGNATURE-----",
];
/// The header with the signature of a commit.
const HEADER: &[u8] = b"gpgsig";

/// Bytes that were signed, and the signature over them, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub payload: Vec<u8>,
    pub signature: Option<String>,
    /// When it was made, in seconds since 1970, as its committer or tagger says.
    pub time: Option<i64>,
}

impl Signed {
    /// The signature is the header `gpgsig`; signed is everything but the headers of that beginning.
    ///
    /// # Errors
    /// When it has two signatures, or one that is no text.
    pub fn commit(raw: &[u8]) -> Result<Self, &'static str> {
        let (mut payload, mut signature) = (Vec::with_capacity(raw.len()), None::<Vec<u8>>);
        let mut left_out = None;
        let mut rest = raw;
        while !rest.is_empty() {
            let (line, after) = line(rest);
            if line == b"\n" {
                payload.extend_from_slice(rest);
                break;
            }
            rest = after;
            let (name, value) = match line.strip_prefix(b" ") {
                Some(value) => (left_out, value),
                None => header(line),
            };
            left_out = name;
            match name {
                None => payload.extend_from_slice(line),
                Some(Header::Signature) if line.starts_with(HEADER) && signature.is_some() => {
                    return Err("there are two of them");
                }
                Some(Header::Signature) => {
                    signature.get_or_insert_default().extend_from_slice(value);
                }
                Some(Header::OfAnotherHash) => {}
            }
        }
        Self::new(payload, signature, b"committer ")
    }

    /// The signature is the end of the message, from the last line that begins one; signed is what stands before.
    ///
    /// # Errors
    /// When the signature is no text.
    pub fn tag(raw: &[u8]) -> Result<Self, &'static str> {
        let (mut at, mut found) = (0, None);
        while at < raw.len() {
            let (line, _) = line(&raw[at..]);
            if BEGINS.iter().any(|begin| line.starts_with(begin)) {
                found = Some(at);
            }
            at += line.len();
        }
        let (payload, signature) = raw.split_at(found.unwrap_or(raw.len()));
        let signature = found.map(|_| signature.to_vec());
        Self::new(payload.to_vec(), signature, b"tagger ")
    }

    fn new(
        payload: Vec<u8>,
        signature: Option<Vec<u8>>,
        person: &[u8],
    ) -> Result<Self, &'static str> {
        let signature = signature
            .map(String::from_utf8)
            .transpose()
            .map_err(|_| "it is no text")?;
        let time = time(&payload, person);
        Ok(Self {
            payload,
            signature,
            time,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    Signature,
    /// The signature that the commit has in a repository of another hash: git leaves it out of what is signed.
    OfAnotherHash,
}

/// Which of the two it is, if one, and its value.
fn header(line: &[u8]) -> (Option<Header>, &[u8]) {
    match line.strip_prefix(HEADER) {
        None => (None, line),
        Some(rest) => match rest.strip_prefix(b" ") {
            Some(value) => (Some(Header::Signature), value),
            None => (Some(Header::OfAnotherHash), rest),
        },
    }
}

/// The first line with its end, and what follows.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n');
    text.split_at(end.map_or(text.len(), |end| end + 1))
}

/// The time at the end of a header like `committer NAME <MAIL> SECONDS ZONE`.
fn time(payload: &[u8], person: &[u8]) -> Option<i64> {
    let mut rest = payload;
    while !rest.is_empty() {
        let (line, after) = line(rest);
        if line == b"\n" {
            return None;
        }
        if let Some(value) = line.strip_prefix(person) {
            let text = String::from_utf8_lossy(value);
            let (_, seconds) = text.rsplit_once("> ")?;
            return seconds.split(' ').next()?.parse().ok();
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "tree 1\nauthor A <a@b> 1 +0000\ncommitter B <b@c> 2 +0100\n";

    #[test]
    fn the_signature_leaves_a_commit_and_nothing_else_does() {
        let raw = format!("{HEAD}gpgsig one\n two\n \n three\nencoding x\n\nmessage\ngpgsig no\n");
        let signed = Signed::commit(raw.as_bytes()).unwrap();
        assert_eq!(
            signed.payload,
            format!("{HEAD}encoding x\n\nmessage\ngpgsig no\n").as_bytes()
        );
        assert_eq!(signed.signature.as_deref(), Some("one\ntwo\n\nthree\n"));
        assert_eq!(signed.time, Some(2));
    }

    #[test]
    fn a_signature_for_another_hash_is_neither_signed_nor_used() {
        let raw = format!("{HEAD}gpgsig-sha256 other\n more\ngpgsig one\n two\n\nmessage\n");
        let signed = Signed::commit(raw.as_bytes()).unwrap();
        assert_eq!(signed.payload, format!("{HEAD}\nmessage\n").as_bytes());
        assert_eq!(signed.signature.as_deref(), Some("one\ntwo\n"));
    }

    #[test]
    fn a_commit_without_the_header_is_not_signed_and_one_with_two_is_refused() {
        let raw = format!("{HEAD}\n-----BEGIN PGP SIGNATURE-----\n");
        let signed = Signed::commit(raw.as_bytes()).unwrap();
        assert_eq!((signed.signature, signed.payload), (None, raw.into_bytes()));
        let raw = format!("{HEAD}gpgsig one\ngpgsig two\n\nmessage\n");
        assert!(Signed::commit(raw.as_bytes()).is_err());
    }

    #[test]
    fn the_last_beginning_of_a_signature_ends_a_tags_message() {
        let head = "object 1\ntype commit\ntag v1\ntagger T <t@u> 3 +0000\n\nmessage\n";
        let first = "-----BEGIN SSH SIGNATURE-----\nquoted\n";
        let last = "-----BEGIN PGP SIGNATURE-----\nreal\n";
        let signed = Signed::tag(format!("{head}{first}{last}").as_bytes()).unwrap();
        assert_eq!(signed.payload, format!("{head}{first}").as_bytes());
        assert_eq!(signed.signature.as_deref(), Some(last));
        assert_eq!(signed.time, Some(3));
        assert_eq!(Signed::tag(head.as_bytes()).unwrap().signature, None);
    }

    #[test]
    fn a_time_that_is_none_is_none() {
        let raw = "tree 1\ncommitter B <b@c> then\n\ncommitter C <c@d> 7 +0000\n";
        assert_eq!(Signed::commit(raw.as_bytes()).unwrap().time, None);
    }
}
