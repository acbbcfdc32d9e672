//! Bytes read from the front, with nothing read past their end.
//! It knows no format beyond what OpenPGP and SSH write numbers and strings with.

/// The text or packet ends where more has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooShort;

impl From<TooShort> for &'static str {
    fn from(_: TooShort) -> Self {
        "it ends too early"
    }
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], TooShort> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(TooShort)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], TooShort> {
        self.take(N)?.try_into().map_err(|_| TooShort)
    }

    pub(super) fn u8(&mut self) -> Result<u8, TooShort> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, TooShort> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, TooShort> {
        self.array().map(u32::from_be_bytes)
    }

    /// `string` of RFC 4251 §5.
    pub(super) fn string(&mut self) -> Result<&'a [u8], TooShort> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| TooShort)?)
    }

    /// Multiprecision integer of RFC 9580 §3.2.
    pub(super) fn mpi(&mut self) -> Result<&'a [u8], TooShort> {
        let bits = self.u16()?;
        self.take(usize::from(bits).div_ceil(8))
    }
}
