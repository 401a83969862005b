//! Why an act of refurbishment is not done: in words for the API and the log, as codes for catalogues.

use super::{StoreError, work_photo::MOST_PHOTOS};
use crate::domain::{loan::LendingState, part::InvalidPart, work_order::Refused as Step};

/// Why an act of refurbishment is not done. Nothing of it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such device, or it belongs to other sites.
    #[error("there is no such device, or it belongs to a site that is not yours")]
    NoDevice,
    /// The device was put away.
    #[error("the device is archived")]
    Archived,
    /// The device is elsewhere.
    #[error("a device comes to refurbishment from intake or from stock; this one is {0}")]
    NotHere(LendingState),
    /// There is no such order, or its device is not the clerk's.
    #[error("there is no such work order, or its device belongs to a site that is not yours")]
    NoOrder,
    /// A later order, or a loan, has its device since.
    #[error("the device went on since this order was closed")]
    WentOn,
    /// Parts were taken from its unit.
    #[error("parts were taken from this unit: it is not put together again by reopening its order")]
    Harvested,
    /// Parts are taken from a unit that is for parts alone.
    #[error("parts are taken from a unit whose order was closed for parts")]
    NotForParts,
    /// More of a part than one unit has.
    #[error("a unit has at most {0} of these, what was taken from it already counted in")]
    MoreThanItHas(i64),
    /// The last inspection found it broken or missing.
    #[error("the last inspection found this part of the unit faulty or missing")]
    FoundFaulty,
    /// A drive of a unit whose drives were declared absent.
    #[error("every drive of this unit was declared absent")]
    DrivesAbsent,
    /// Parts are used while a unit is repaired.
    #[error("parts are used on an order that is at repair")]
    NotAtRepair,
    /// There is no such part.
    #[error("there is no such part")]
    NoPart,
    /// None of it is left.
    #[error("none of this part is left in stock")]
    NoneLeft,
    /// The part fits another model.
    #[error("this part fits another model")]
    OtherModel,
    /// A part that makes no sense.
    #[error(transparent)]
    Part(#[from] InvalidPart),
    /// It has as many photographs as an order may have.
    #[error("an order has at most {MOST_PHOTOS} photographs")]
    TooManyPhotos,
    /// There is no such photograph.
    #[error("there is no such photograph")]
    NoPhoto,
    /// The order does not allow the step.
    #[error(transparent)]
    Step(#[from] Step),
}

impl Refused {
    /// Every code, for catalogues of words.
    pub const CODES: [&'static str; 26] = [
        "no-device",
        "archived",
        "not-here",
        "no-order",
        "went-on",
        "harvested",
        "not-for-parts",
        "more-than-it-has",
        "found-faulty",
        "drives-absent",
        "not-at-repair",
        "no-part",
        "none-left",
        "other-model",
        "bad-part",
        "too-many-photos",
        "no-photo",
        "not-from",
        "swollen",
        "not-erased",
        "waived-only",
        "faulty",
        "better-than-found",
        "not-working",
        "not-waivable",
        "no-reason",
    ];

    /// What it is called in catalogues of words.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoDevice => "no-device",
            Self::Archived => "archived",
            Self::NotHere(_) => "not-here",
            Self::NoOrder => "no-order",
            Self::WentOn => "went-on",
            Self::Harvested => "harvested",
            Self::NotForParts => "not-for-parts",
            Self::MoreThanItHas(_) => "more-than-it-has",
            Self::FoundFaulty => "found-faulty",
            Self::DrivesAbsent => "drives-absent",
            Self::NotAtRepair => "not-at-repair",
            Self::NoPart => "no-part",
            Self::NoneLeft => "none-left",
            Self::OtherModel => "other-model",
            Self::Part(_) => "bad-part",
            Self::TooManyPhotos => "too-many-photos",
            Self::NoPhoto => "no-photo",
            Self::Step(Step::NotFrom { .. }) => "not-from",
            Self::Step(Step::Swollen) => "swollen",
            Self::Step(Step::NotErased) => "not-erased",
            Self::Step(Step::WaivedOnly) => "waived-only",
            Self::Step(Step::Faulty) => "faulty",
            Self::Step(Step::BetterThanFound(_)) => "better-than-found",
            Self::Step(Step::NotWorking) => "not-working",
            Self::Step(Step::NotWaivable) => "not-waivable",
            Self::Step(Step::NoReason) => "no-reason",
        }
    }
}

/// Why an act of refurbishment failed.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It is not allowed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Step> for WorkError {
    fn from(step: Step) -> Self {
        Self::Refused(Refused::Step(step))
    }
}

impl From<InvalidPart> for WorkError {
    fn from(invalid: InvalidPart) -> Self {
        Self::Refused(Refused::Part(invalid))
    }
}
