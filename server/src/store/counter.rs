//! Totals that lists and the overview show, kept by the transactions that change what they count.
//!
//! Counting a million rows takes 100 ms; reading a total takes one row. Changes are deltas, applied last in a unit of
//! work and in one order, so that several server processes neither lose one nor wait for each other for long.
//!
//! | name | key | counts |
//! |---|---|---|
//! | `device_status` | a [`DeviceStatus`], or `archived` | devices; archived ones only under `archived` |
//! | `flag_code` | a [`FlagCode`] | open flags |
//! | `flag_severity` | `1`, `2` or `3` | devices whose worst open flag has this severity |

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    rows::{Rows, Type},
};
use crate::domain::{device::DeviceStatus, flag::FlagCode, scope::Scope};

/// Which total, without the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Devices by status, not archived.
    Status(DeviceStatus),
    /// Archived devices.
    Archived,
    /// Open flags by code.
    Flag(FlagCode),
    /// Devices by the severity of their worst open flag.
    Severity(i64),
}

impl Counter {
    fn name(self) -> &'static str {
        match self {
            Self::Status(_) | Self::Archived => "device_status",
            Self::Flag(_) => "flag_code",
            Self::Severity(_) => "flag_severity",
        }
    }

    fn key(self) -> String {
        match self {
            Self::Status(status) => status.as_str().to_owned(),
            Self::Archived => "archived".to_owned(),
            Self::Flag(code) => code.as_str().to_owned(),
            Self::Severity(severity) => severity.to_string(),
        }
    }
}

/// What a unit of work adds to totals and takes from them; written by [`Deltas::apply`] as its last statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deltas(BTreeMap<(&'static str, String, Uuid), i64>);

impl Deltas {
    /// Adds `delta` to a total of `site` (`None`: devices without a site).
    pub fn add(&mut self, counter: Counter, site: Option<Uuid>, delta: i64) {
        *self.0.entry((counter.name(), counter.key(), site.unwrap_or_default())).or_default() += delta;
    }

    /// Moves one from a total to another.
    pub fn shift(&mut self, from: Counter, to: Counter, site: Option<Uuid>) {
        self.add(from, site, -1);
        self.add(to, site, 1);
    }

    /// A device's worst severity went from one to another; 0 is none and is not counted.
    pub fn severity(&mut self, from: i64, to: i64, site: Option<Uuid>) {
        if from != to {
            if from > 0 {
                self.add(Counter::Severity(from), site, -1);
            }
            if to > 0 {
                self.add(Counter::Severity(to), site, 1);
            }
        }
    }

    /// Writes the changes.
    pub async fn apply(self, tx: &mut Tx) -> Result<(), StoreError> {
        let mut rows =
            Rows::new([("name", Type::Text), ("key", Type::Text), ("site_id", Type::Uuid), ("delta", Type::Int)]);
        for ((name, key, site), delta) in self.0 {
            if delta != 0 {
                rows.push([name.into(), key.into(), site.into(), delta.into()]);
            }
        }
        let sql = "INSERT INTO counter (name, key, site_id, value) SELECT name, key, site_id, delta FROM {rows} \
                   WHERE true ON CONFLICT (name, key, site_id) DO UPDATE SET value = counter.value + excluded.value";
        rows.execute(tx, sql).await?;
        Ok(())
    }
}

/// One total.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Total {
    /// See the table above.
    pub name: String,
    /// See the table above.
    pub key: String,
    /// How many.
    pub value: i64,
}

/// All totals within `scope`, summed over its sites.
pub async fn totals(tx: &mut Tx, scope: &Scope) -> Result<Vec<Total>, StoreError> {
    // PostgreSQL's sum of BIGINT is a NUMERIC.
    match scope {
        Scope::Everything => {
            let sql = "SELECT name, key, CAST(sum(value) AS BIGINT) AS value FROM counter GROUP BY name, key";
            Ok(on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?)
        }
        Scope::Sites(sites) => {
            let sql = "SELECT name, key, CAST(sum(value) AS BIGINT) AS value FROM counter \
                       JOIN {rows} ON r.id = counter.site_id GROUP BY name, key";
            Rows::of_ids(sites.iter().copied()).fetch(tx, sql).await
        }
    }
}
