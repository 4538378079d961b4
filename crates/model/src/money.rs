//! Money in integer minor units (cents), never in floating point.

use std::fmt;
use std::str::FromStr;

/// An ISO 4217 code, or a three-to-five-letter code of a crypto-currency (`BTC`, `USDT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 5]);

/// A text that is no currency code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no currency code: expected three to five capital letters")]
pub struct CurrencyError(String);

impl FromStr for Currency {
    type Err = CurrencyError;
    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        let bytes = text.as_bytes();
        if !(3..=5).contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_uppercase) {
            return Err(CurrencyError(text.chars().take(20).collect()));
        }
        let mut code = [0; 5];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }
}

impl Currency {
    /// The code.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|b| *b == 0).unwrap_or(5);
        std::str::from_utf8(&self.0[..len]).unwrap_or("")
    }

    /// Digits after the decimal point of the minor unit (ISO 4217, table A.1; 8 for BTC and LTC,
    /// 6 for USDT, USDC and TRX; ETH is kept at 9, in gwei, so that amounts fit 64 bits).
    pub fn minor_digits(&self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "BTC" | "LTC" | "BCH" | "DOGE" => 8,
            "ETH" => 9,
            "USDT" | "USDC" | "TRX" => 6,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount: signed minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money {
    /// Signed minor units: 1234 with EUR is 12.34 euro.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let unit = 10u64.pow(digits);
        let abs = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        if digits == 0 {
            write!(f, "{sign}{abs} {}", self.currency)
        } else {
            write!(
                f,
                "{sign}{}.{:0width$} {}",
                abs / unit,
                abs % unit,
                self.currency,
                width = digits as usize
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_minor_units_with_the_currencys_digits() {
        let show = |minor, code: &str| Money { minor, currency: code.parse().unwrap() }.to_string();
        assert_eq!(show(-1205, "EUR"), "-12.05 EUR");
        assert_eq!(show(1205, "JPY"), "1205 JPY");
        assert_eq!(show(1, "BTC"), "0.00000001 BTC");
        assert_eq!(show(i64::MIN, "EUR"), "-92233720368547758.08 EUR");
        assert!("eur".parse::<Currency>().is_err());
    }
}
