//! What the list of devices can be asked: search, filters, sorts, and where a page begins.

use uuid::Uuid;

use super::page::{Cursor, CursorKey};
use crate::domain::{
    device::DeviceStatus,
    flag::{FlagCode, Severity},
};

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceSort {
    /// Serial number.
    #[default]
    Serial,
    /// Maker and model.
    Model,
    /// Site's name.
    Site,
    /// Worst open flag.
    Severity,
    /// Day of the last contact; devices that never came are the longest gone.
    Contact,
}

impl DeviceSort {
    /// Every sort.
    pub const ALL: [Self; 5] = [Self::Serial, Self::Model, Self::Site, Self::Severity, Self::Contact];

    /// The name in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Model => "model",
            Self::Site => "site",
            Self::Severity => "severity",
            Self::Contact => "contact",
        }
    }

    /// The sort of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }

    /// Whether a page of this sort may begin after `key`.
    pub const fn has_key(self, key: &CursorKey) -> bool {
        match self {
            Self::Serial | Self::Model | Self::Site => matches!(key, CursorKey::Text(_)),
            Self::Severity => matches!(key, CursorKey::Number(_)),
            Self::Contact => matches!(key, CursorKey::Number(_) | CursorKey::Absent),
        }
    }

    /// The column of the sort.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Serial => "sort_serial",
            Self::Model => "sort_model",
            Self::Site => "sort_site",
            Self::Severity => "worst_severity",
            Self::Contact => "last_contact_day",
        }
    }
}

/// Which devices, by whether they were archived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archived {
    /// Those in service.
    #[default]
    Exclude,
    /// Only archived ones.
    Only,
    /// All.
    Include,
}

/// The way a list runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceQuery {
    /// Part of a serial number, model, asset tag or site, however it is written; every word must occur.
    pub search: Option<String>,
    /// Only this status.
    pub status: Option<DeviceStatus>,
    /// Only this site.
    pub site: Option<Uuid>,
    /// Only devices with this flag open.
    pub flag: Option<FlagCode>,
    /// Only devices whose worst open flag is at least this.
    pub min_severity: Option<Severity>,
    /// Whether archived devices are listed.
    pub archived: Archived,
    /// What it is sorted by.
    pub sort: DeviceSort,
    /// Which way.
    pub direction: Direction,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows on this page; [`super::device_list::PAGE_ROWS`] when zero.
    pub limit: usize,
}
