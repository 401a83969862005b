//! Why a row, or a file, cannot be taken. Each reason has its sentence in both languages, and says what to do.

use serde::{Deserialize, Serialize};

use crate::domain::verdict::text_enum;

text_enum! {
    /// Why a cell or a row cannot be taken.
    pub enum Reason {
        /// More cells than the header has columns: usually a delimiter inside an unquoted cell.
        TooManyCells = "too_many_cells",
        /// Characters that could not be read in the file's encoding.
        Undecodable = "undecodable",
        /// Tabs, line breaks or other control characters.
        ControlCharacter = "control_character",
        /// Longer than its field.
        TooLong = "too_long",
        /// Nothing tells which thing the row is about.
        NoKey = "no_key",
        /// A value that this row needs is missing.
        Missing = "missing",
        /// An earlier row of the file is about the same thing.
        DuplicateRow = "duplicate_row",
        /// An earlier row of the file has the same asset tag.
        DuplicateTag = "duplicate_tag",
        /// A serial number that makers leave when they forget it.
        Placeholder = "placeholder",
        /// Several devices have this serial number.
        AmbiguousSerial = "ambiguous_serial",
        /// Another device has this asset tag.
        TagTaken = "tag_taken",
        /// Two keys of the row belong to two different things.
        KeyConflict = "key_conflict",
        /// Not a word of the list.
        UnknownWord = "unknown_word",
        /// Not a date.
        DateForm = "date_form",
        /// A day that the calendar does not have.
        NoSuchDay = "no_such_day",
        /// A year that is surely a typing error.
        DateRange = "date_range",
        /// An end before its beginning.
        EndBeforeStart = "end_before_start",
        /// A day that has not come yet.
        InTheFuture = "in_the_future",
        /// Not a UAI code.
        UaiForm = "uai_form",
        /// A UAI code with a mistyped digit or letter.
        UaiLetter = "uai_letter",
        /// No site has this code or name.
        UnknownSite = "unknown_site",
        /// Not a programme's code.
        ProgrammeForm = "programme_form",
        /// No programme has this code.
        UnknownProgramme = "unknown_programme",
        /// The programme is closed.
        ProgrammeClosed = "programme_closed",
        /// No device has this serial number or asset tag.
        UnknownDevice = "unknown_device",
        /// The device is archived.
        DeviceArchived = "device_archived",
        /// Only a loan makes a device reserved or lent.
        StateNeedsLoan = "state_needs_loan",
        /// A state that only a work order gives or takes.
        StateNeedsOrder = "state_needs_order",
        /// What the last borrower left on the device is not proved erased: the desk would not put it in stock either.
        NotErased = "not_erased",
        /// Only a lot of donation makes a device or a loan ceded.
        CededNeedsLot = "ceded_needs_lot",
        /// The device is on an open loan, which decides where it is.
        OpenLoan = "open_loan",
        /// The device cannot be lent where it is: lost, stolen, given up or ceded.
        NotLendable = "not_lendable",
        /// The device is in a lot of donation: it is promised to somebody.
        InLot = "in_lot",
        /// Not a borrower's reference.
        ReferenceForm = "reference_form",
        /// No borrower has this reference or number.
        UnknownBorrower = "unknown_borrower",
        /// The borrower belongs to another site.
        BorrowerElsewhere = "borrower_elsewhere",
        /// Two reasons of a need that cannot be true together.
        ReasonsExclude = "reasons_exclude",
        /// A person and an institution do not turn into each other.
        KindChanged = "kind_changed",
        /// Only an institution has a name in clear.
        NotAnInstitution = "not_an_institution",
        /// An address that no mail reaches.
        EmailForm = "email_form",
        /// The stored loan of that device and day is another borrower's or programme's.
        OtherLoan = "other_loan",
        /// A loan that has ended cannot be changed by a file.
        LoanEnded = "loan_ended",
        /// A return without the condition in which the device came back.
        NoCondition = "no_condition",
        /// A theft without the reference of the complaint.
        NoPoliceReport = "no_police_report",
        /// This value cannot be erased.
        CannotErase = "cannot_erase",
    }
}

/// One reason, where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The column's heading in the file; absent where the whole row is meant.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none", default)]
    pub column: Option<String>,
    /// Why.
    #[serde(rename = "r")]
    pub reason: Reason,
    /// What stood there, cut; never what is personal.
    #[serde(rename = "v", skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
}

impl Fault {
    /// A reason that is about the whole row.
    #[must_use]
    pub const fn of_row(reason: Reason) -> Self {
        Self { column: None, reason, value: None }
    }
}
