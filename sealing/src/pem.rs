//! PEM files: a sequence of labelled base64 blocks between other text.
//! Does not know what a block holds.

use zeroize::Zeroizing;

use crate::base64;

/// One `-----BEGIN label-----` block of a file.
pub(crate) struct PemBlock {
    /// The word after BEGIN, such as `CERTIFICATE`.
    pub(crate) label: String,
    /// True when `Name: value` lines stand before the data, as in keys encrypted the old way.
    pub(crate) has_headers: bool,
    /// The bytes of the block; a private key in most of our uses.
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// The well-formed blocks of a file, in order. Text between blocks and blocks with broken base64 are passed over, as
/// OpenSSL and Go do.
pub(crate) fn blocks(text: &[u8]) -> Vec<PemBlock> {
    let mut blocks = Vec::new();
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    while let Some(line) = lines.next() {
        let Some(label) = marker(line, b"-----BEGIN ") else {
            continue;
        };
        let mut has_headers = false;
        let mut body = Zeroizing::new(Vec::new());
        let end = lines.by_ref().find(|line| {
            if line.contains(&b':') {
                has_headers = true;
            } else if !line.starts_with(b"-----") {
                body.extend_from_slice(line);
            }
            line.starts_with(b"-----")
        });
        if end.and_then(|line| marker(line, b"-----END ")) != Some(label) {
            continue;
        }
        if let (Ok(der), Ok(label)) = (base64::decode(&body), str::from_utf8(label)) {
            blocks.push(PemBlock {
                label: label.to_owned(),
                has_headers,
                der: Zeroizing::new(der),
            });
        }
    }
    blocks
}

/// One block as text: 64 characters in a line, line feed at the end.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(base64::encode(der));
    let capacity = body.len() + body.len() / 64 + 2 * label.len() + 40;
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The label of a BEGIN or END line.
fn marker<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(prefix)?.strip_suffix(b"-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_other_text_and_broken_ones_are_passed_over() {
        let text = "subject=x\n-----BEGIN A-----\nAAEC\n-----END A-----\r\nnoise\n\
            -----BEGIN B-----\n!!\n-----END B-----\n-----BEGIN C-----\nProc-Type: 4,ENCRYPTED\n\nAw==\n-----END C-----";
        let found = blocks(text.as_bytes());
        let facts: Vec<_> = found
            .iter()
            .map(|block| (block.label.as_str(), block.has_headers, block.der.to_vec()))
            .collect();
        assert_eq!(facts, [("A", false, vec![0, 1, 2]), ("C", true, vec![3])]);
    }

    #[test]
    fn a_block_reads_back_as_written() {
        let bytes: Vec<u8> = (0..=255).collect();
        let found = blocks(encode("X Y", &bytes).as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].label.as_str(), &*found[0].der), ("X Y", &bytes));
    }
}
