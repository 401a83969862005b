//! Devices that are entered by hand or from a list: what may be typed, and whether an agent is awaited on them.

use cartable_common::{
    SerialNumber, Text,
    report::{Chassis, Hardware},
};

use jiff::civil::Date;
use uuid::Uuid;

use super::{grade::Grade, import::cells::Wanted, verdict::text_enum};

text_enum! {
    /// Whether an agent is awaited on a device.
    #[derive(Default)]
    pub enum ContactExpected {
        /// An agent reports, or will once it is installed.
        #[default]
        Agent = "agent",
        /// None: a tablet, a machine that is only listed. Its silence means nothing.
        None = "none",
    }
}

/// How a device stands when its record is corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// It was put away.
    pub archived: bool,
    /// An agent was enrolled on it.
    pub enrolled: bool,
    /// Its site.
    pub site: Option<Uuid>,
    /// Whether an agent is awaited on it.
    pub expected: ContactExpected,
    /// The site of its open loan, if it is reserved, lent, lost or stolen.
    pub lent_at: Option<Option<Uuid>>,
}

/// What staff correct of what they wrote down about a device. Contents of [`Wanted::Keep`] stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// Its site.
    pub site: Wanted<Uuid>,
    /// The code of its programme.
    pub programme: Wanted<String>,
    /// Serial number.
    pub serial: Wanted<SerialNumber>,
    /// Maker.
    pub manufacturer: Wanted<Text>,
    /// Model.
    pub model: Wanted<Text>,
    /// The last day of the maker's warranty.
    pub warranty_until: Wanted<Date>,
    /// What an inspection found.
    pub grade: Wanted<Grade>,
    /// Whether an agent is awaited.
    pub contact_expected: Option<ContactExpected>,
}

/// Why a record stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionRefused {
    /// It was put away.
    #[error("the device is archived")]
    Archived,
    /// Serial number, maker or model of a machine that says them itself.
    #[error("serial number, maker and model are what the agent on this device says")]
    Measured,
    /// Its open loan belongs to another site.
    #[error("the device is on an open loan of another site: take it back first")]
    LentElsewhere,
    /// Its open loan is under a programme.
    #[error("the device is on an open loan: its programme changes when it is back")]
    LentUnder,
    /// Whoever holds it could enrol an agent that nobody approves.
    #[error("the device is on an open loan: an agent is awaited on it when it is back")]
    LentWithoutAgent,
    /// Nothing to know it by would be left.
    #[error("a device needs a serial number or an asset tag")]
    Nameless,
    /// Another device has the serial number.
    #[error("a device of this maker with this serial number is recorded already")]
    Known,
    /// There is no such site, or it is not theirs.
    #[error("there is no such site, or it is not one of yours")]
    Site,
    /// There is no such programme.
    #[error("there is no such programme")]
    Programme,
}

impl CorrectionRefused {
    /// The code of each, for catalogues.
    pub const CODES: [&'static str; 9] = [
        "archived",
        "measured",
        "lent-elsewhere",
        "lent-under",
        "lent-without-agent",
        "nameless",
        "known",
        "site",
        "programme",
    ];

    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Measured => "measured",
            Self::LentElsewhere => "lent-elsewhere",
            Self::LentUnder => "lent-under",
            Self::LentWithoutAgent => "lent-without-agent",
            Self::Nameless => "nameless",
            Self::Known => "known",
            Self::Site => "site",
            Self::Programme => "programme",
        }
    }
}

impl Correction {
    /// Whether a device that stands so may be corrected so. Of a device on an open loan nothing is written that
    /// contradicts the loan: it stays at the loan's site and under its programme. Any programme at all is refused then,
    /// so that nobody learns by trying under which one it is lent; and none begins to await an agent, for the first to
    /// enrol would be let in although others hold the machine.
    pub fn check(&self, stands: Stands) -> Result<(), CorrectionRefused> {
        if stands.archived {
            return Err(CorrectionRefused::Archived);
        }
        let measured = self.serial != Wanted::Keep || self.manufacturer != Wanted::Keep || self.model != Wanted::Keep;
        if stands.enrolled && measured {
            return Err(CorrectionRefused::Measured);
        }
        let Some(loan_site) = stands.lent_at else { return Ok(()) };
        let site = self.site.clone().over(stands.site);
        if site != stands.site && site != loan_site {
            return Err(CorrectionRefused::LentElsewhere);
        }
        if self.programme != Wanted::Keep {
            return Err(CorrectionRefused::LentUnder);
        }
        let begins = self.contact_expected == Some(ContactExpected::Agent) && stands.expected == ContactExpected::None;
        if begins && !stands.enrolled { Err(CorrectionRefused::LentWithoutAgent) } else { Ok(()) }
    }
}

/// Longest asset tag in characters: labels have room for far fewer.
pub const MAX_ASSET_TAG_CHARS: usize = 64;
/// Longest maker's or model's name, and serial number, in characters.
const MAX_TYPED_CHARS: usize = 128;

/// A device as typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    /// Serial number.
    pub serial: &'a str,
    /// What staff stuck on it.
    pub asset_tag: &'a str,
    /// Laptop, tablet…
    pub kind: &'a str,
    /// Maker.
    pub manufacturer: &'a str,
    /// Model.
    pub model: &'a str,
}

/// A device that can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What is known of the machine.
    pub hardware: Hardware,
    /// What staff stuck on it.
    pub asset_tag: Option<String>,
}

/// Why a device cannot be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDevice {
    /// Nothing to know it by.
    #[error("a device needs a serial number or an asset tag")]
    Nameless,
    /// The serial number.
    #[error("this serial number is a placeholder, or longer than {MAX_TYPED_CHARS} characters")]
    Serial,
    /// The asset tag.
    #[error("an asset tag has at most {MAX_ASSET_TAG_CHARS} characters")]
    AssetTag,
    /// The kind.
    #[error("there is no such kind of device")]
    Kind,
    /// Maker or model.
    #[error("a maker and a model have at most {MAX_TYPED_CHARS} characters each")]
    Model,
}

impl Typed<'_> {
    /// The device that was typed.
    pub fn read(self) -> Result<Described, InvalidDevice> {
        let fits = |text: &str, longest| text.chars().count() <= longest && !text.contains(char::is_control);
        let (serial, tag) = (self.serial.trim(), self.asset_tag.trim());
        if serial.is_empty() && tag.is_empty() {
            return Err(InvalidDevice::Nameless);
        }
        let number = SerialNumber::parse(serial).filter(|_| fits(serial, MAX_TYPED_CHARS));
        if number.is_none() && !serial.is_empty() {
            return Err(InvalidDevice::Serial);
        }
        if !fits(tag, MAX_ASSET_TAG_CHARS) {
            return Err(InvalidDevice::AssetTag);
        }
        if !fits(self.manufacturer, MAX_TYPED_CHARS) || !fits(self.model, MAX_TYPED_CHARS) {
            return Err(InvalidDevice::Model);
        }
        let chassis = Chassis::ALL.iter().find(|kind| kind.as_str() == self.kind).ok_or(InvalidDevice::Kind)?;
        let hardware = Hardware {
            serial_number: number.into(),
            manufacturer: Text::meaningful(self.manufacturer),
            model: Text::meaningful(self.model),
            chassis: Some(*chassis),
            ..Hardware::default()
        };
        Ok(Described { hardware, asset_tag: Some(tag.to_owned()).filter(|tag| !tag.is_empty()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_its_serial_number_or_its_tag() {
        let typed = Typed { serial: " PF2ABCDE ", kind: "tablet", model: "Tab M10", ..Typed::default() };
        let read = typed.read().unwrap();
        assert_eq!(read.hardware.serial_number.get().map(SerialNumber::as_str), Some("PF2ABCDE"));
        assert_eq!((read.hardware.chassis, read.asset_tag), (Some(Chassis::Tablet), None));
        assert_eq!(Typed { serial: "", ..typed }.read(), Err(InvalidDevice::Nameless));
        assert!(Typed { serial: "", asset_tag: "T-1", ..typed }.read().is_ok());
        assert_eq!(Typed { serial: "To be filled by O.E.M.", ..typed }.read(), Err(InvalidDevice::Serial));
        assert_eq!(Typed { kind: "toaster", ..typed }.read(), Err(InvalidDevice::Kind));
        assert_eq!(Typed { model: "a\nb", ..typed }.read(), Err(InvalidDevice::Model));
    }

    #[test]
    fn a_correction_never_contradicts_an_open_loan_or_the_machine() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let free = Stands {
            archived: false,
            enrolled: false,
            site: Some(here),
            expected: ContactExpected::None,
            lent_at: None,
        };
        let lent = Stands { lent_at: Some(Some(here)), ..free };
        let enrolled = Stands { enrolled: true, ..free };
        let moved = Correction { site: Wanted::Set(there), ..Correction::default() };
        let under = Correction { programme: Wanted::Erase, ..Correction::default() };
        let awaits = Correction { contact_expected: Some(ContactExpected::Agent), ..Correction::default() };
        let maker = Correction { manufacturer: Wanted::Erase, ..Correction::default() };
        let graded = Correction { grade: Wanted::Set(Grade::B), ..Correction::default() };
        for correction in [&moved, &under, &awaits, &maker, &graded] {
            assert_eq!(correction.check(free), Ok(()));
            let archived = Stands { archived: true, ..free };
            assert_eq!(correction.check(archived), Err(CorrectionRefused::Archived));
        }
        assert_eq!(moved.check(lent), Err(CorrectionRefused::LentElsewhere));
        assert_eq!(moved.check(Stands { lent_at: Some(Some(there)), ..free }), Ok(()), "to where the loan is");
        assert_eq!(under.check(lent), Err(CorrectionRefused::LentUnder));
        assert_eq!(awaits.check(lent), Err(CorrectionRefused::LentWithoutAgent));
        assert_eq!((maker.check(lent), graded.check(lent)), (Ok(()), Ok(())));
        assert_eq!(maker.check(enrolled), Err(CorrectionRefused::Measured));
        assert_eq!(graded.check(enrolled), Ok(()));
    }
}
