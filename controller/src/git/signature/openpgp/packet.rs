//! The frames of OpenPGP (RFC 9580 §4): a tag and a body, one after the other.
//! It must not read a body.

use super::super::bytes::Bytes;

/// A packet's kind and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// All packets of a block.
pub(super) fn packets(block: &[u8]) -> Result<Vec<Packet<'_>>, &'static str> {
    let mut bytes = Bytes(block);
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let first = bytes.u8()?;
        let (tag, length) = match first {
            0xc0..=0xff => (first & 0x3f, new_length(&mut bytes)?),
            0x80..=0xbf => (first >> 2 & 0x0f, old_length(first & 3, &mut bytes)?),
            _ => return Err("it is not made of OpenPGP packets"),
        };
        let body = bytes.take(length)?;
        packets.push(Packet { tag, body });
    }
    Ok(packets)
}

/// §4.2.1. Lengths in parts are for what is streamed: keys and signatures are not.
fn new_length(bytes: &mut Bytes<'_>) -> Result<usize, &'static str> {
    Ok(match bytes.u8()? {
        one @ 0..=191 => usize::from(one),
        first @ 192..=223 => (usize::from(first) - 192) * 256 + usize::from(bytes.u8()?) + 192,
        255 => wide(bytes.u32()?)?,
        224..=254 => return Err("it has a packet in parts"),
    })
}

/// §4.2.2.
fn old_length(kind: u8, bytes: &mut Bytes<'_>) -> Result<usize, &'static str> {
    Ok(match kind {
        0 => usize::from(bytes.u8()?),
        1 => usize::from(bytes.u16()?),
        2 => wide(bytes.u32()?)?,
        _ => return Err("it has a packet without length"),
    })
}

fn wide(length: u32) -> Result<usize, &'static str> {
    usize::try_from(length).map_err(|_| "it ends too early")
}

/// The length of a subpacket (§5.2.3.7), which has no parts.
pub(super) fn subpacket_length(bytes: &mut Bytes<'_>) -> Result<usize, &'static str> {
    Ok(match bytes.u8()? {
        one @ 0..=191 => usize::from(one),
        255 => wide(bytes.u32()?)?,
        first => (usize::from(first) - 192) * 256 + usize::from(bytes.u8()?) + 192,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_length_is_read() {
        let long = [&[0xc2, 192, 8][..], &[7; 200]].concat();
        for (block, tag, length) in [
            (&[0x88, 1, 9][..], 2, 1),
            (&[0x89, 0, 2, 9, 9], 2, 2),
            (&[0x8a, 0, 0, 0, 1, 9], 2, 1),
            (&[0xc6, 1, 9], 6, 1),
            (&[0xc6, 255, 0, 0, 0, 1, 9], 6, 1),
            (&long, 2, 200),
        ] {
            let packets = packets(block).unwrap();
            assert_eq!(packets.len(), 1, "{block:?}");
            assert_eq!((packets[0].tag, packets[0].body.len()), (tag, length));
        }
    }

    #[test]
    fn what_is_cut_streamed_or_no_packet_is_an_error() {
        for block in [
            &[0x88, 2, 9][..],
            &[0x8b, 9],
            &[0xc2, 224, 9],
            &[0x12, 1, 9],
            &[0x8a, 0xff, 0xff, 0xff, 0xff],
            &[0xc2],
        ] {
            assert!(packets(block).is_err(), "{block:?}");
        }
    }
}
