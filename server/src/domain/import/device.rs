//! Devices in a file: one row a machine, by serial number or asset tag.
//!
//! What an enrolled agent measures (maker, model, kind, serial number) is not changed by a file: the machine's own word
//! counts, and the next report would change it back.

use std::collections::{HashMap, HashSet};

use cartable_common::{
    SerialNumber,
    limits::{MAX_SERIAL_CHARS, MAX_TEXT_CHARS},
    report::Chassis,
};
use uuid::Uuid;

use super::{
    FieldChange, Outcome,
    cells::{Cells, Line, Reading, Wanted},
    fault::{Fault, Reason},
    field::Field,
    foreign::Format,
    value::{self, day_text},
    words::{GRADES, Worded as _},
};
use crate::domain::{device::is_same_code, fold::fold, loan::LendingState};

/// Longest asset tag in characters.
const MAX_TAG_CHARS: usize = 64;
/// Longest word of a closed list.
const MAX_WORD_CHARS: usize = 80;
/// Longest name of a site.
const MAX_SITE_CHARS: usize = 200;

/// A row that could be read.
#[derive(Clone, Debug)]
pub struct DeviceRecord {
    /// Its line.
    pub line: u32,
    /// The serial number, a key.
    pub serial: Wanted<String>,
    /// The asset tag, a key.
    pub asset_tag: Wanted<String>,
    manufacturer: Wanted<String>,
    model: Wanted<String>,
    chassis: Wanted<Chassis>,
    /// The code of a programme.
    pub programme: Wanted<String>,
    /// The code or the folded name of a site.
    pub site: Wanted<String>,
    lending: Wanted<LendingState>,
    /// Whether `lending` only says where a new device begins.
    lending_is_hint: bool,
    grade: Wanted<String>,
    warranty_until: Wanted<i64>,
    headings: Headings,
}

/// The headings that faults name which need the store to be found.
#[derive(Clone, Debug, Default)]
struct Headings {
    serial: Option<String>,
    asset_tag: Option<String>,
    programme: Option<String>,
    site: Option<String>,
    lending: Option<String>,
}

/// A device, as imports know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Which one.
    pub id: Uuid,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its sticker.
    pub asset_tag: Option<String>,
    /// Its maker.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// What it is.
    pub chassis: Option<String>,
    /// Its programme's code.
    pub programme: Option<String>,
    /// Its site.
    pub site: Option<Uuid>,
    /// Where it is in its lending.
    pub lending: LendingState,
    /// Its grade.
    pub grade: Option<String>,
    /// The last day of its warranty.
    pub warranty_until: Option<i64>,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether an agent was ever enrolled on it.
    pub enrolled: bool,
    /// Whether it is on an open loan.
    pub on_loan: bool,
}

/// What is known of what some rows name.
#[derive(Clone, Debug, Default)]
pub struct KnownDevices {
    /// The devices with one of the serial numbers or asset tags.
    pub devices: Vec<KnownDevice>,
    /// Sites by code, and by folded name where only one has it.
    pub sites: HashMap<String, Uuid>,
    /// Programmes by code, and whether each is open.
    pub programmes: HashMap<String, bool>,
    /// The devices that a row says are in stock ([`DeviceRecord::says_in_stock`]) although what their last borrower left is
    /// not proved erased.
    pub left_behind: HashSet<Uuid>,
}

/// The part of what is known that one row may be about.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    /// The devices with the row's serial number or asset tag.
    pub devices: Vec<&'a KnownDevice>,
    /// Sites by code, and by folded name where only one has it.
    pub sites: &'a HashMap<String, Uuid>,
    /// Programmes by code, and whether each is open.
    pub programmes: &'a HashMap<String, bool>,
    /// The devices on which a last borrower may have left something.
    pub left_behind: &'a HashSet<Uuid>,
}

impl DeviceRecord {
    /// Reads a row.
    pub fn read(reading: Reading<'_>, line: &Line) -> Result<Self, Vec<Fault>> {
        let mut cells = Cells::new(reading, line);
        let foreign = cells.format() != Format::Cartable;
        let serial = cells.parse(Field::SerialNumber, MAX_SERIAL_CHARS, |text| {
            SerialNumber::parse(text).map(|serial| serial.as_str().to_owned()).ok_or(Reason::Placeholder)
        });
        let asset_tag = cells.text(Field::AssetTag, MAX_TAG_CHARS);
        if cells.is_sound() && serial.value().is_none() && asset_tag.value().is_none() {
            cells.refuse_row(Reason::NoKey);
        }
        let chassis = match cells.parse(Field::Chassis, MAX_WORD_CHARS, |text| {
            let found = if foreign { Format::chassis(text) } else { Chassis::from_word(text) };
            if foreign { Ok(found) } else { found.map(Some).ok_or(Reason::UnknownWord) }
        }) {
            Wanted::Set(Some(chassis)) => Wanted::Set(chassis),
            Wanted::Set(None) | Wanted::Keep => Wanted::Keep,
            Wanted::Erase => Wanted::Erase,
        };
        let lending = cells.parse(Field::LendingState, MAX_WORD_CHARS, |text| {
            if foreign {
                Ok(Format::first_state(text))
            } else {
                LendingState::from_word(text).ok_or(Reason::UnknownWord)
            }
        });
        let record = Self {
            line: line.number,
            serial,
            asset_tag,
            manufacturer: cells.text(Field::Manufacturer, MAX_TEXT_CHARS),
            model: cells.text(Field::Model, MAX_TEXT_CHARS),
            chassis,
            programme: cells.parse(Field::Programme, MAX_WORD_CHARS, value::programme),
            site: cells.parse(Field::Site, MAX_SITE_CHARS, site_key),
            lending,
            lending_is_hint: foreign,
            grade: cells.parse(Field::Grade, MAX_WORD_CHARS, |text| {
                let grade = text.to_uppercase();
                if GRADES.contains(&grade.as_str()) { Ok(grade) } else { Err(Reason::UnknownWord) }
            }),
            warranty_until: cells.parse(Field::WarrantyUntil, MAX_WORD_CHARS, value::day),
            headings: headings(reading),
        };
        if cells.is_sound() { Ok(record) } else { Err(cells.faults()) }
    }

    /// Whether the row says that its device is in stock.
    #[must_use]
    pub fn says_in_stock(&self) -> bool {
        !self.lending_is_hint && self.lending.value() == Some(&LendingState::InStock)
    }

    /// What the row does, given what is known. `touched` holds the devices that earlier rows are about.
    pub fn decide(&self, known: &Around<'_>, touched: &mut HashSet<Uuid>, new_id: Uuid) -> Outcome<KnownDevice> {
        let device = match self.find(known) {
            Ok(device) => device,
            Err(fault) => return Outcome::Bad(vec![fault]),
        };
        if let Some(device) = device
            && !touched.insert(device.id)
        {
            return Outcome::Bad(vec![Fault::of_row(Reason::DuplicateRow)]);
        }
        match self.after(device, known, new_id) {
            Err(faults) => Outcome::Bad(faults),
            Ok(after) => match device {
                None => Outcome::New(after),
                Some(before) if *before == after => Outcome::Same,
                Some(before) => Outcome::Changed(after.clone(), changes(before, &after)),
            },
        }
    }

    fn find<'k>(&self, known: &Around<'k>) -> Result<Option<&'k KnownDevice>, Fault> {
        let serial = self.serial.value();
        let with_serial: Vec<&KnownDevice> =
            known.devices.iter().copied().filter(|device| is_same(device.serial.as_ref(), serial)).collect();
        let tag = self.asset_tag.value();
        let with_tag = known.devices.iter().copied().find(|device| is_same(device.asset_tag.as_ref(), tag));
        match (with_serial.as_slice(), with_tag) {
            ([], None) => Ok(None),
            ([one], None) => Ok(Some(one)),
            ([], Some(tagged)) if serial.is_none() || tagged.serial.is_none() => Ok(Some(tagged)),
            ([], Some(_)) => Err(self.fault(self.headings.asset_tag.as_ref(), Reason::TagTaken, tag)),
            (several, Some(tagged)) if several.iter().any(|device| device.id == tagged.id) => Ok(Some(tagged)),
            ([one], Some(_)) if one.asset_tag.is_some() => {
                Err(self.fault(self.headings.asset_tag.as_ref(), Reason::KeyConflict, tag))
            }
            ([_], Some(_)) => Err(self.fault(self.headings.asset_tag.as_ref(), Reason::TagTaken, tag)),
            _ => Err(self.fault(self.headings.serial.as_ref(), Reason::AmbiguousSerial, serial)),
        }
    }

    #[expect(clippy::unused_self, reason = "reads as what the row says")]
    fn fault(&self, column: Option<&String>, reason: Reason, value: Option<&String>) -> Fault {
        Fault { column: column.cloned(), reason, value: value.cloned() }
    }

    fn after(&self, before: Option<&KnownDevice>, known: &Around<'_>, new_id: Uuid) -> Result<KnownDevice, Vec<Fault>> {
        let mut faults = Vec::new();
        if before.is_some_and(|device| device.archived) {
            faults.push(Fault::of_row(Reason::DeviceArchived));
        }
        let site = self.site_id(known, &mut faults);
        let programme = self.programme_code(before, known, &mut faults);
        let lending = self.lending_after(before, known, &mut faults);
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut after = before.cloned().unwrap_or_else(|| unknown(new_id));
        if !after.enrolled {
            after.serial = keep_key(&self.serial, after.serial.as_ref()).over(after.serial);
            after.manufacturer = self.manufacturer.clone().over(after.manufacturer);
            after.model = self.model.clone().over(after.model);
            after.chassis = wanted_chassis(&self.chassis).over(after.chassis);
        }
        after.asset_tag = keep_key(&self.asset_tag, after.asset_tag.as_ref()).over(after.asset_tag);
        after.programme = programme.over(after.programme);
        after.site = site.over(after.site);
        after.lending = lending;
        after.grade = self.grade.clone().over(after.grade);
        after.warranty_until = self.warranty_until.clone().over(after.warranty_until);
        Ok(after)
    }

    fn site_id(&self, known: &Around<'_>, faults: &mut Vec<Fault>) -> Wanted<Uuid> {
        match &self.site {
            Wanted::Keep => Wanted::Keep,
            Wanted::Erase => Wanted::Erase,
            Wanted::Set(key) => {
                if let Some(id) = known.sites.get(key) {
                    return Wanted::Set(*id);
                }
                faults.push(self.fault(self.headings.site.as_ref(), Reason::UnknownSite, Some(key)));
                Wanted::Keep
            }
        }
    }

    fn programme_code(
        &self,
        before: Option<&KnownDevice>,
        known: &Around<'_>,
        faults: &mut Vec<Fault>,
    ) -> Wanted<String> {
        if let Wanted::Set(code) = &self.programme {
            let unchanged = before.is_some_and(|device| device.programme.as_ref() == Some(code));
            let reason = match known.programmes.get(code) {
                None => Some(Reason::UnknownProgramme),
                Some(false) if !unchanged => Some(Reason::ProgrammeClosed),
                Some(_) => None,
            };
            faults.extend(reason.map(|reason| self.fault(self.headings.programme.as_ref(), reason, Some(code))));
        }
        self.programme.clone()
    }

    /// Where the device is after the row. Loans decide about what is reserved or lent, and lots of donation about what has
    /// changed owner; a file never does. It puts no device in stock that the desk would refuse.
    fn lending_after(&self, before: Option<&KnownDevice>, known: &Around<'_>, faults: &mut Vec<Fault>) -> LendingState {
        let stored = before.map(|device| device.lending);
        let Wanted::Set(wanted) = self.lending else { return stored.unwrap_or(LendingState::InStock) };
        if let Some(stored) = stored
            && (self.lending_is_hint || stored == wanted)
        {
            return stored;
        }
        let of_bench = |state| matches!(state, LendingState::Refurbishment | LendingState::SetAside);
        let reason = if of_bench(wanted) || stored.is_some_and(of_bench) {
            Some(Reason::StateNeedsOrder)
        } else if before.is_some_and(|device| device.on_loan) {
            Some(Reason::OpenLoan)
        } else if matches!(wanted, LendingState::Lent | LendingState::Reserved) {
            Some(Reason::StateNeedsLoan)
        } else if wanted == LendingState::Ceded {
            Some(Reason::CededNeedsLot)
        } else if wanted == LendingState::InStock && before.is_some_and(|device| known.left_behind.contains(&device.id))
        {
            Some(Reason::NotErased)
        } else {
            None
        };
        faults.extend(reason.map(|reason| self.fault(self.headings.lending.as_ref(), reason, None)));
        wanted
    }
}

/// A key is never erased: a device without any could not be found again.
fn keep_key(wanted: &Wanted<String>, before: Option<&String>) -> Wanted<String> {
    let same = is_same(before, wanted.value());
    if same || *wanted == Wanted::Erase { Wanted::Keep } else { wanted.clone() }
}

fn is_same(one: Option<&String>, other: Option<&String>) -> bool {
    one.zip(other).is_some_and(|(one, other)| is_same_code(one, other))
}

fn wanted_chassis(wanted: &Wanted<Chassis>) -> Wanted<String> {
    match wanted {
        Wanted::Keep => Wanted::Keep,
        Wanted::Erase => Wanted::Erase,
        Wanted::Set(chassis) => Wanted::Set(chassis.as_str().to_owned()),
    }
}

fn headings(reading: Reading<'_>) -> Headings {
    let of = |field| reading.mapping.column(field).and_then(|column| reading.headings.get(column)).cloned();
    Headings {
        serial: of(Field::SerialNumber),
        asset_tag: of(Field::AssetTag),
        programme: of(Field::Programme),
        site: of(Field::Site),
        lending: of(Field::LendingState),
    }
}

/// What a cell names a site by: its code where it has the form of one, else its folded name.
pub fn site_key(text: &str) -> Result<String, Reason> {
    match value::uai(text) {
        Ok(code) => Ok(code),
        // Seven digits and a letter were surely meant as a code.
        Err(Reason::UaiLetter) => Err(Reason::UaiLetter),
        Err(_) if text.len() == 8 && text.bytes().take(6).all(|byte| byte.is_ascii_digit()) => Err(Reason::UaiForm),
        Err(_) => Ok(fold(text)),
    }
}

fn unknown(id: Uuid) -> KnownDevice {
    KnownDevice {
        id,
        serial: None,
        asset_tag: None,
        manufacturer: None,
        model: None,
        chassis: None,
        programme: None,
        site: None,
        lending: LendingState::InStock,
        grade: None,
        warranty_until: None,
        archived: false,
        enrolled: false,
        on_loan: false,
    }
}

fn changes(before: &KnownDevice, after: &KnownDevice) -> Vec<FieldChange> {
    let site = |device: &KnownDevice| device.site.map(|id| id.to_string());
    let day = |device: &KnownDevice| device.warranty_until.map(day_text);
    let pairs = [
        (Field::SerialNumber, before.serial.clone(), after.serial.clone()),
        (Field::AssetTag, before.asset_tag.clone(), after.asset_tag.clone()),
        (Field::Manufacturer, before.manufacturer.clone(), after.manufacturer.clone()),
        (Field::Model, before.model.clone(), after.model.clone()),
        (Field::Chassis, before.chassis.clone(), after.chassis.clone()),
        (Field::Programme, before.programme.clone(), after.programme.clone()),
        (Field::Site, site(before), site(after)),
        (Field::LendingState, Some(before.lending.to_string()), Some(after.lending.to_string())),
        (Field::Grade, before.grade.clone(), after.grade.clone()),
        (Field::WarrantyUntil, day(before), day(after)),
    ];
    pairs
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(field, before, after)| FieldChange { field, before, after })
        .collect()
}
