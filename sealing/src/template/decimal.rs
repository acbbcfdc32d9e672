//! Decimal numbers of any length, for the functions that add up fractions: 0.1 and 0.2 are 0.3.
//! Knows no value of a template.

use num_bigint::BigInt;

/// Digits after the point that a division gives.
const DIVISION_PLACES: i64 = 16;

/// `digits * 10^exponent`.
#[derive(Debug)]
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The shortest decimal that reads as this number; `None` for what is none.
    pub(super) fn of(float: f64) -> Option<Self> {
        if !float.is_finite() {
            return None;
        }
        let text = format!("{float:e}");
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Some(Self {
            digits: format!("{whole}{fraction}").parse().ok()?,
            exponent: exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?,
        })
    }

    pub(super) fn to_float(&self) -> f64 {
        let text = format!("{}e{}", self.digits, self.exponent);
        let float: f64 = text.parse().unwrap_or_default();
        // Go has no negative zero here.
        if float == 0.0 { 0.0 } else { float }
    }

    /// Bytes of its digits.
    pub(super) fn size(&self) -> usize {
        usize::try_from(self.digits.bits() / 8).unwrap_or(usize::MAX)
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self {
            digits: self.digits_at(exponent) + other.digits_at(exponent),
            exponent,
        }
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self {
            digits: self.digits_at(exponent) - other.digits_at(exponent),
            exponent,
        }
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        Self {
            digits: &self.digits * &other.digits,
            exponent: self.exponent + other.exponent,
        }
    }

    /// Rounded half away from zero; `None` by zero.
    pub(super) fn divided_by(&self, other: &Self) -> Option<Self> {
        let zero = BigInt::ZERO;
        if other.digits == zero {
            return None;
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let (mut dividend, mut divisor) = (self.digits.clone(), other.digits.clone());
        if shift >= 0 {
            dividend *= power_of_ten(shift);
        } else {
            divisor *= power_of_ten(-shift);
        }
        let mut digits = &dividend / &divisor;
        let twice_rest = (&dividend - &digits * &divisor).magnitude() * 2_u32;
        if twice_rest >= *divisor.magnitude() {
            let negative = (dividend < zero) != (divisor < zero);
            digits += if negative { -1 } else { 1 };
        }
        Some(Self {
            digits,
            exponent: -DIVISION_PLACES,
        })
    }

    /// The digits for a lower exponent.
    fn digits_at(&self, exponent: i64) -> BigInt {
        &self.digits * power_of_ten(self.exponent - exponent)
    }
}

/// Exponents are those of floating point numbers and small multiples of them.
fn power_of_ten(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}
