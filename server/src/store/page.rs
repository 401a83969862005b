//! Key-set pages: a page begins after the last row of the one before, so page 400 costs what page 1 costs.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clause::Clause;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where the next page begins; absent on the last.
    pub next: Option<Cursor>,
    /// How many rows the whole list has.
    pub total: Total,
}

/// The size of a whole list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// That many.
    Exact(i64),
    /// Counting stopped there: there are more.
    MoreThan(i64),
}

/// The place in a list after one row: the row's sort value and id. Written as text that says nothing to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The value of the sort's column.
    #[serde(rename = "k")]
    pub key: CursorKey,
    /// The row.
    #[serde(rename = "i")]
    pub id: Uuid,
}

/// A sort's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CursorKey {
    /// A text column.
    Text(String),
    /// A number column.
    Number(i64),
    /// Two number columns, the first deciding.
    Pair(i64, i64),
    /// The column is null there.
    Absent,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&serde_json::to_vec(self).map_err(|_| std::fmt::Error)?))
    }
}

impl Cursor {
    /// After a row of a list that is read newest first.
    pub(super) fn newest(at: cartable_common::UtcMillis, id: Uuid) -> Self {
        Self { key: CursorKey::Number(at.get()), id }
    }
}

/// Restricts a list that is read newest first, by `columns` (` AND (created_at, id) < (`), to what is older than the
/// row of `after`. A cursor of another kind of list restricts nothing.
pub(super) fn older(clause: &mut Clause, columns: &'static str, after: Option<&Cursor>) {
    if let Some(Cursor { key: CursorKey::Number(at), id }) = after {
        clause.sql(columns).value(*at).sql(", ").value(*id).sql(")");
    }
}

/// Leaves `limit` of the rows, of which one more was read; where the next page begins, if there is one.
pub(super) fn cut<T>(rows: &mut Vec<T>, limit: usize, place: impl Fn(&T) -> Cursor) -> Option<Cursor> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    rows.last().filter(|_| more).map(place)
}

/// A text that no page gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this page address is not one that Cartable gave out: start again from the first page")]
pub struct InvalidCursor;

impl std::str::FromStr for Cursor {
    type Err = InvalidCursor;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidCursor)?;
        let cursor: Self = serde_json::from_slice(&bytes).map_err(|_| InvalidCursor)?;
        // No stored text holds a NUL, and PostgreSQL refuses it even in a question.
        let is_text_with_nul = matches!(&cursor.key, CursorKey::Text(text) if text.contains('\0'));
        if is_text_with_nul { Err(InvalidCursor) } else { Ok(cursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        for key in [CursorKey::Text("é\"'%".into()), CursorKey::Number(-3), CursorKey::Pair(3, 9), CursorKey::Absent] {
            let cursor = Cursor { key, id: Uuid::from_u128(7) };
            assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
        assert_eq!("x'".parse::<Cursor>(), Err(InvalidCursor));
        assert_eq!("".parse::<Cursor>(), Err(InvalidCursor));
        let nul = Cursor { key: CursorKey::Text("a\0".into()), id: Uuid::nil() };
        assert_eq!(nul.to_string().parse::<Cursor>(), Err(InvalidCursor));
    }
}
