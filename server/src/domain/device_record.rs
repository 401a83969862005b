//! Devices that are entered by hand or from a list: what may be typed, and whether an agent is awaited on them.

use cartable_common::{
    SerialNumber, Text,
    report::{Chassis, Hardware},
};

use super::verdict::text_enum;

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
}
