//! How the values of `domain` are described in the OpenAPI document, and moments as the API writes them.

use std::borrow::Cow;

use cartable_common::UtcMillis;
use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema, Type,
        schema::{KnownFormat, SchemaFormat},
    },
};

use crate::domain::{
    allocation::Place,
    approval::{Hindrance, Ruling, Source as RequestSource, WaitsFor},
    borrower::{BorrowerKind, Level},
    campaign::{CampaignState, ReturnState},
    device::DeviceStatus,
    device_action::{ActionState, Kind as ActionKind},
    device_action_bulk::LeftOut,
    device_record::ContactExpected,
    disposition::{CheckKind, Confidence, Disposition},
    document::DocumentKind,
    donation::{Estimation, LotState, RecipientClass, UnitState, basis::LegalBasis},
    enrolment_token::{Admits, TokenKind},
    exam::ExamState,
    fitness::{Answer, RequirementKind, Use},
    flag::{FlagCode, Severity},
    forecast::ReadyFor,
    grade::Grade,
    import::{Blanks, ImportState, Kind as ImportKind, OnError, OutcomeName},
    loan::{Condition, LendingState, LoanStateName},
    need::{NeedReason, NeedState},
    part::PartKind,
    programme::ProgrammeKind,
    school_calendar::Zone,
    timestamp::rfc3339,
    verdict::Verdict,
    work_order::{Disposition as WorkDisposition, MoveName, Stage},
};
use crate::store::{
    allocation::{AllocationState, LineState},
    work_inspection::InspectionKind,
};

/// A moment in UTC, RFC 3339 to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub UtcMillis);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

impl From<UtcMillis> for Moment {
    fn from(moment: UtcMillis) -> Self {
        Self(moment)
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        let description = "A moment in UTC, to the millisecond (RFC 3339).";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(format))
            .description(Some(description))
            .examples(["2026-11-24T11:30:00.000Z"])
            .into()
    }
}

impl ToSchema for Moment {}

/// Describes enumerations of `domain` as the texts they are written as.
macro_rules! text_schema {
    ($($name:ident: $description:literal;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .enum_values(Some($name::ALL.iter().map(|value| value.as_str())))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

text_schema! {
    ActionKind: "What an agent is told to do.";
    ActionState: "Where an order to an agent stands; `over` was not answered in time.";
    LeftOut: "Why a device is left out of an order to many.";
    ExamState: "Where an exam stands.";
    ContactExpected: "Whether an agent is awaited on a device.";
    Grade: "What an inspection found, from as good as new to fit for parts.";
    DeviceStatus: "Where a device stands with the server.";
    FlagCode: "Which rule speaks.";
    Severity: "How much a flag needs a person.";
    Verdict: "What the evidence supports; unknown is never healthy.";
    TokenKind: "For one device, or for several.";
    Admits: "Which devices a token lets in without a person; `recorded` are those that are recorded and awaited.";
    WaitsFor: "Why a machine waits for a person.";
    RequestSource: "A key that waits for a known device, one that belongs to none, or a device's own that recovers.";
    Ruling: "What a person says to a request.";
    Hindrance: "Why a request cannot be let in.";
    DocumentKind: "What was printed.";
    LoanStateName: "Where a loan stands.";
    Condition: "What the desk saw when a device came back.";
    NeedReason: "Why a need may come before others.";
    NeedState: "What became of a need.";
    AllocationState: "Where a proposal stands.";
    LineState: "Where a line of a proposal stands.";
    Place: "Where a device comes from.";
    CampaignState: "Where a campaign stands.";
    ReturnState: "Where a loan stands in a campaign; `expected` is not back yet.";
    ImportKind: "What a file lists.";
    ImportState: "Where an import has come to.";
    OnError: "What happens with bad rows.";
    Blanks: "What blank cells mean.";
    OutcomeName: "What becomes of a row.";
    BorrowerKind: "A person or an institution.";
    Level: "A person's class level.";
    ProgrammeKind: "What a programme does with devices.";
    Disposition: "What a device should become, best first.";
    Confidence: "How sure an advice is.";
    CheckKind: "A check that could change an advice.";
    Answer: "Whether a requirement is met; unknown is never met.";
    Use: "A next life.";
    RequirementKind: "What a use requires.";
    LendingState: "Where a device is in its lending.";
    Zone: "Academic zone, which sets the school holidays.";
    Stage: "Where an open work order is.";
    WorkDisposition: "What a unit became; `donate` is ready for donation, not donated.";
    MoveName: "A step of a work order.";
    PartKind: "What a part is.";
    ReadyFor: "What units are to be ready for.";
    InspectionKind: "Before anything was done, or after everything was.";
    LotState: "Where a lot of donation stands.";
    UnitState: "Where a unit of a lot stands.";
    RecipientClass: "What a recipient of donations is, as the law lists it.";
    LegalBasis: "The text under which a lot is given.";
    Estimation: "How a unit's value was estimated.";
}
