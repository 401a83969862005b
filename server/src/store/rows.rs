//! Many rows in one statement: the way every bulk read and write of the store is made.
//!
//! A statement's text holds `{rows}` where a table stands; it becomes `UNNEST` of one array a column on PostgreSQL and
//! `json_each` of one JSON text on SQLite. So a statement has few parameters whatever the number of rows (PostgreSQL
//! allows 65,535, SQLite 32,766), its text is constant, and both engines keep it prepared.

use std::fmt::Write as _;

use data_encoding::HEXUPPER;
use sqlx::{AssertSqlSafe, FromRow, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{StoreError, Tx};

/// The type of a column of [`Rows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Uuid,
    Int,
    Text,
    Bytes,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    Uuid(Uuid),
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Null,
}

impl From<Uuid> for Cell {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Cell {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows on their way into one statement, as the table `r` of `{rows}`.
#[derive(Clone, Debug)]
pub(crate) struct Rows<const N: usize> {
    columns: [(&'static str, Type); N],
    rows: Vec<[Cell; N]>,
}

/// A row type that both engines can fill.
pub(crate) trait AnyRow: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> AnyRow for T {}

impl Rows<1> {
    /// A list of identifiers, as column `id`.
    pub(crate) fn of_ids(ids: impl IntoIterator<Item = Uuid>) -> Self {
        let rows = ids.into_iter().map(|id| [Cell::Uuid(id)]).collect();
        Self { columns: [("id", Type::Uuid)], rows }
    }
}

impl<const N: usize> Rows<N> {
    pub(crate) const fn new(columns: [(&'static str, Type); N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    pub(crate) fn push(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Runs `sql` with these rows and tells how many rows it touched. Without rows, nothing runs.
    pub(crate) async fn execute(&self, tx: &mut Tx, sql: &str) -> Result<u64, StoreError> {
        if self.is_empty() {
            return Ok(0);
        }
        match tx {
            Tx::Sqlite(connection) => {
                let sql = AssertSqlSafe(sql.replace("{rows}", &self.sqlite_source()));
                Ok(sqlx::query(sql).bind(self.json()).execute(&mut **connection).await?.rows_affected())
            }
            Tx::Postgres(connection) => {
                let sql = AssertSqlSafe(sql.replace("{rows}", &self.postgres_source()));
                let mut query = sqlx::query(sql);
                for column in self.arrays()? {
                    query = match column {
                        Array::Uuid(values) => query.bind(values),
                        Array::Int(values) => query.bind(values),
                        Array::Text(values) => query.bind(values),
                        Array::Bytes(values) => query.bind(values),
                    };
                }
                Ok(query.execute(&mut **connection).await?.rows_affected())
            }
        }
    }

    /// Runs `sql` with these rows and reads what it returns. Without rows, nothing runs.
    pub(crate) async fn fetch<T: AnyRow>(&self, tx: &mut Tx, sql: &str) -> Result<Vec<T>, StoreError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        match tx {
            Tx::Sqlite(connection) => {
                let sql = AssertSqlSafe(sql.replace("{rows}", &self.sqlite_source()));
                Ok(sqlx::query_as(sql).bind(self.json()).fetch_all(&mut **connection).await?)
            }
            Tx::Postgres(connection) => {
                let sql = AssertSqlSafe(sql.replace("{rows}", &self.postgres_source()));
                let mut query = sqlx::query_as(sql);
                for column in self.arrays()? {
                    query = match column {
                        Array::Uuid(values) => query.bind(values),
                        Array::Int(values) => query.bind(values),
                        Array::Text(values) => query.bind(values),
                        Array::Bytes(values) => query.bind(values),
                    };
                }
                Ok(query.fetch_all(&mut **connection).await?)
            }
        }
    }

    fn sqlite_source(&self) -> String {
        let mut columns = Vec::with_capacity(N);
        for (index, (name, kind)) in self.columns.iter().enumerate() {
            columns.push(match kind {
                Type::Uuid | Type::Bytes => format!("unhex(value ->> {index}) AS {name}"),
                Type::Int | Type::Text => format!("value ->> {index} AS {name}"),
            });
        }
        format!("(SELECT {} FROM json_each($1)) AS r", columns.join(", "))
    }

    fn postgres_source(&self) -> String {
        let mut arrays = Vec::with_capacity(N);
        for (index, (_, kind)) in self.columns.iter().enumerate() {
            let kind = match kind {
                Type::Uuid => "uuid",
                Type::Int => "bigint",
                Type::Text => "text",
                Type::Bytes => "bytea",
            };
            arrays.push(format!("${}::{kind}[]", index + 1));
        }
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        format!("UNNEST({}) AS r ({})", arrays.join(", "), names.join(", "))
    }

    /// The rows as a JSON array of arrays; UUIDs and bytes as hexadecimal digits.
    fn json(&self) -> String {
        let mut json = String::with_capacity(self.rows.len() * N * 16);
        json.push('[');
        for (number, row) in self.rows.iter().enumerate() {
            json.push_str(if number == 0 { "[" } else { ",[" });
            for (index, cell) in row.iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write_cell(&mut json, cell);
            }
            json.push(']');
        }
        json.push(']');
        json
    }

    fn arrays(&self) -> Result<Vec<Array>, StoreError> {
        (0..N).map(|index| self.array(index)).collect()
    }

    fn array(&self, index: usize) -> Result<Array, StoreError> {
        let (name, kind) = self.columns[index];
        let mismatch = || StoreError::Corrupt { what: name, why: "a value of another type than its column".to_owned() };
        let cells = self.rows.iter().map(|row| &row[index]);
        Ok(match kind {
            Type::Uuid => Array::Uuid(
                cells
                    .map(|cell| match cell {
                        Cell::Uuid(value) => Ok(Some(*value)),
                        Cell::Null => Ok(None),
                        Cell::Int(_) | Cell::Text(_) | Cell::Bytes(_) => Err(mismatch()),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Type::Int => Array::Int(
                cells
                    .map(|cell| match cell {
                        Cell::Int(value) => Ok(Some(*value)),
                        Cell::Null => Ok(None),
                        Cell::Uuid(_) | Cell::Text(_) | Cell::Bytes(_) => Err(mismatch()),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Type::Text => Array::Text(
                cells
                    .map(|cell| match cell {
                        Cell::Text(value) => Ok(Some(value.clone())),
                        Cell::Null => Ok(None),
                        Cell::Uuid(_) | Cell::Int(_) | Cell::Bytes(_) => Err(mismatch()),
                    })
                    .collect::<Result<_, _>>()?,
            ),
            Type::Bytes => Array::Bytes(
                cells
                    .map(|cell| match cell {
                        Cell::Bytes(value) => Ok(Some(value.clone())),
                        Cell::Null => Ok(None),
                        Cell::Uuid(_) | Cell::Int(_) | Cell::Text(_) => Err(mismatch()),
                    })
                    .collect::<Result<_, _>>()?,
            ),
        })
    }
}

enum Array {
    Uuid(Vec<Option<Uuid>>),
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

fn write_cell(json: &mut String, cell: &Cell) {
    match cell {
        Cell::Uuid(value) => {
            json.push('"');
            HEXUPPER.encode_append(value.as_bytes(), json);
            json.push('"');
        }
        Cell::Bytes(value) => {
            json.push('"');
            HEXUPPER.encode_append(value, json);
            json.push('"');
        }
        // Writing to a String cannot fail.
        Cell::Int(value) => {
            let _ = write!(json, "{value}");
        }
        // Serialising a string cannot fail; an absent value would be refused by the column.
        Cell::Text(value) => json.push_str(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())),
        Cell::Null => json.push_str("null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_names_each_column_once_on_both_engines() {
        let rows = Rows::new([("device_id", Type::Uuid), ("at", Type::Int), ("code", Type::Text)]);
        assert_eq!(
            rows.sqlite_source(),
            "(SELECT unhex(value ->> 0) AS device_id, value ->> 1 AS at, value ->> 2 AS code FROM json_each($1)) AS r"
        );
        assert_eq!(rows.postgres_source(), "UNNEST($1::uuid[], $2::bigint[], $3::text[]) AS r (device_id, at, code)");
    }

    #[test]
    fn json_keeps_quotes_large_numbers_and_absence() {
        let mut rows = Rows::new([("a", Type::Uuid), ("b", Type::Int), ("c", Type::Text)]);
        rows.push([Uuid::max().into(), i64::MAX.into(), "say \"é\"\n".into()]);
        rows.push([Cell::Null, Cell::Null, Cell::Null]);
        assert_eq!(
            rows.json(),
            r#"[["FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",9223372036854775807,"say \"é\"\n"],[null,null,null]]"#
        );
    }
}
