//! Documents: which kinds are printed, and how each is numbered. The number stands on the page and in its QR code.

use super::verdict::text_enum;

text_enum! {
    /// What is printed.
    pub enum DocumentKind {
        /// What a borrower signs when a device is handed over.
        Agreement = "agreement",
        /// What a borrower is given when a device comes back.
        Receipt = "receipt",
        /// The loans of a site.
        SiteList = "site_list",
        /// Labels to stick on devices.
        Labels = "labels",
        /// Letters of a return campaign to the borrowers of a site.
        CampaignLetter = "campaign_letter",
        /// What proves that the drives of a device were erased.
        ErasureCertificate = "erasure_certificate",
        /// What giver and recipient sign when a lot is handed over.
        DonationDeed = "donation_deed",
        /// What lies in the boxes of a lot.
        PackingList = "packing_list",
        /// The figures of a year. Made on demand and not recorded: it names the fingerprint of its figures.
        YearlyReport = "yearly_report",
    }
}

impl DocumentKind {
    /// The letters that its numbers begin with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Agreement => "AGR",
            Self::Receipt => "REC",
            Self::SiteList => "LST",
            Self::Labels => "LBL",
            Self::CampaignLetter => "LTR",
            Self::ErasureCertificate => "ERA",
            Self::DonationDeed => "DON",
            Self::PackingList => "PCK",
            Self::YearlyReport => "FIG",
        }
    }

    fn of_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.prefix() == prefix)
    }
}

/// Digits that a serial number is filled up to: numbers sort as text until a million documents of a kind in a year.
const DIGITS: usize = 6;
/// Most digits of a serial number.
const MAX_DIGITS: usize = 9;

/// The number of a document: `AGR-2026-000123`. Each kind counts from 1 each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentNumber {
    /// What it is.
    pub kind: DocumentKind,
    /// The year in which it was made, in Paris.
    pub year: i16,
    /// Its place among those of its kind and year.
    pub serial: u32,
}

/// A text that is no document's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document's number looks like AGR-2026-000123")]
pub struct InvalidNumber;

impl std::fmt::Display for DocumentNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:04}-{:0DIGITS$}", self.kind.prefix(), self.year, self.serial)
    }
}

impl std::str::FromStr for DocumentNumber {
    type Err = InvalidNumber;
    /// Small letters and zeros that were left out don't count: people type it from paper.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().to_ascii_uppercase();
        let mut parts = text.split('-');
        let (Some(prefix), Some(year), Some(serial), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidNumber);
        };
        let digits =
            |text: &str, longest| (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(serial, MAX_DIGITS) {
            return Err(InvalidNumber);
        }
        let kind = DocumentKind::of_prefix(prefix).ok_or(InvalidNumber)?;
        let serial = serial.parse().ok().filter(|serial| *serial > 0).ok_or(InvalidNumber)?;
        Ok(Self { kind, year: year.parse().map_err(|_| InvalidNumber)?, serial })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written_and_as_people_type_it() {
        for kind in DocumentKind::ALL {
            for serial in [1, 123, 999_999, 1_000_000, 999_999_999] {
                let number = DocumentNumber { kind: *kind, year: 2026, serial };
                assert_eq!(number.to_string().parse(), Ok(number));
            }
        }
        let number = DocumentNumber { kind: DocumentKind::Agreement, year: 2026, serial: 123 };
        assert_eq!(number.to_string(), "AGR-2026-000123");
        assert_eq!(" agr-2026-123 ".parse(), Ok(number));
        for bad in [
            "",
            "AGR",
            "AGR-2026",
            "AGR-2026-",
            "AGR-2026-0",
            "XYZ-2026-1",
            "AGR-2026-1-1",
            "AGR-2026-1234567890",
            "AGR-+26-1",
        ] {
            assert_eq!(bad.parse::<DocumentNumber>(), Err(InvalidNumber), "{bad}");
        }
    }
}
