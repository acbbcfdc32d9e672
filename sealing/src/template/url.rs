//! URLs as Go's net/url takes them apart and puts them together.
//! Follows no link; what is no URL is refused without being quoted.

/// Parts of a URL, decoded but for the query.
#[derive(Default)]
pub(super) struct Url {
    pub(super) scheme: String,
    pub(super) opaque: Vec<u8>,
    pub(super) user: Option<User>,
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<u8>,
    pub(super) fragment: Vec<u8>,
}

pub(super) struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// Where in a URL something stands, which decides what is escaped there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Host,
    Path,
    User,
    Fragment,
}

impl Url {
    /// `None` for what is no URL.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (rest, fragment) = cut(text, b'#');
        if rest.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return None;
        }
        let mut url = Self {
            fragment: unescape(fragment.unwrap_or_default(), Place::Fragment)?,
            ..Self::default()
        };
        let rest = url.take_scheme(rest)?;
        let (rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Some(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return None;
            }
        }
        let has_host =
            rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///"));
        let path = if has_host {
            url.take_authority(&rest[2..])?
        } else {
            rest
        };
        url.path = unescape(path, Place::Path)?;
        Some(url)
    }

    fn take_scheme<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let is_part = |(index, byte): (usize, &u8)| {
            byte.is_ascii_alphabetic()
                || (index > 0 && (byte.is_ascii_digit() || b"+-.".contains(byte)))
        };
        let length = text
            .iter()
            .enumerate()
            .take_while(|part| is_part(*part))
            .count();
        if text.get(length) != Some(&b':') {
            return Some(text);
        }
        if length == 0 {
            return None;
        }
        self.scheme = String::from_utf8_lossy(&text[..length]).to_ascii_lowercase();
        Some(&text[length + 1..])
    }

    fn take_authority<'t>(&mut self, text: &'t [u8]) -> Option<&'t [u8]> {
        let length = text
            .iter()
            .position(|byte| *byte == b'/')
            .unwrap_or(text.len());
        let (authority, path) = text.split_at(length);
        let host = match authority.iter().rposition(|byte| *byte == b'@') {
            None => authority,
            Some(at) => {
                self.user = Some(User::parse(&authority[..at])?);
                &authority[at + 1..]
            }
        };
        let colon = match host.starts_with(b"[") {
            true => Some(host.iter().rposition(|byte| *byte == b']')? + 1)
                .filter(|end| *end < host.len()),
            false => host.iter().rposition(|byte| *byte == b':'),
        };
        if let Some(colon) = colon {
            let port = host[colon..].strip_prefix(b":")?;
            if !port.iter().all(u8::is_ascii_digit) {
                return None;
            }
        }
        self.host = unescape(host, Place::Host)?;
        Some(path)
    }

    /// The host without its port and brackets.
    pub(super) fn hostname(&self) -> &[u8] {
        let host = &*self.host;
        if let Some(inner) = host.strip_prefix(b"[")
            && let Some(end) = inner.iter().position(|byte| *byte == b']')
        {
            return &inner[..end];
        }
        cut(host, b':').0
    }

    pub(super) fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend([self.scheme.as_bytes(), b":"].concat());
        }
        if self.opaque.is_empty() {
            self.push_hierarchy(&mut out);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.extend([b"?", &*self.query].concat());
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend(escape(&self.fragment, Place::Fragment));
        }
        out
    }

    fn push_hierarchy(&self, out: &mut Vec<u8>) {
        if !self.host.is_empty()
            || self.user.is_some()
            || (!self.scheme.is_empty() && !self.path.is_empty())
        {
            out.extend(b"//");
            if let Some(user) = &self.user {
                out.extend(user.text());
                out.push(b'@');
            }
            out.extend(escape(&self.host, Place::Host));
        }
        let path = if *self.path == *b"*" {
            b"*".to_vec()
        } else {
            escape(&self.path, Place::Path)
        };
        if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend(b"./");
        }
        out.extend(path);
    }
}

impl User {
    fn parse(text: &[u8]) -> Option<Self> {
        let valid =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !text.iter().all(valid) {
            return None;
        }
        let (name, password) = cut(text, b':');
        let password = match password {
            Some(password) => Some(unescape(password, Place::User)?),
            None => None,
        };
        Some(Self {
            name: unescape(name, Place::User)?,
            password,
        })
    }

    pub(super) fn text(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Place::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend(escape(password, Place::User));
        }
        out
    }
}

/// What stands before and after the first such byte.
fn cut(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn unescape(text: &[u8], place: Place) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            // A host holds no ASCII characters that would have to be escaped.
            if place == Place::Host && byte.is_ascii() && must_escape(byte, place) {
                return None;
            }
            out.push(byte);
            continue;
        }
        let digit = |index: usize| char::from(*rest.get(index)?).to_digit(16);
        let (high, low) = (digit(0)?, digit(1)?);
        if place == Place::Host && high < 8 && rest[..2] != *b"25" {
            return None;
        }
        out.push(u8::try_from(high * 16 + low).ok()?);
        rest = &rest[2..];
    }
    Some(out)
}

fn escape(text: &[u8], place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if must_escape(byte, place) {
            out.extend(format!("%{byte:02X}").bytes());
        } else {
            out.push(byte);
        }
    }
    out
}

fn must_escape(byte: u8, place: Place) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    match place {
        Place::Host => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Place::Path => !b"$&+,/:;=@".contains(&byte),
        Place::User => !b"$&+,;=".contains(&byte),
        Place::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
    }
}
