//! SQL put together from fixed pieces, with every value bound: for lists whose filters vary.
//!
//! Text from outside never becomes SQL: pieces are `&'static str`, and a value only ever becomes a numbered parameter.

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{StoreError, Tx};
use crate::domain::scope::Scope;

/// A value to bind, as both engines know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Id(Uuid),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

/// A statement under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Clause {
    sql: String,
    values: Vec<Value>,
}

/// Binds every value of a clause to a query of either engine.
macro_rules! bound {
    ($query:expr, $values:expr) => {
        $values.iter().fold($query, |query, value| match value {
            Value::Text(text) => query.bind(text.clone()),
            Value::Number(number) => query.bind(*number),
            Value::Id(id) => query.bind(*id),
        })
    };
}

impl Clause {
    /// A statement that begins with `sql`.
    pub(super) fn new(sql: &'static str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new() }
    }

    /// Adds a fixed piece.
    pub(super) fn sql(&mut self, piece: &'static str) -> &mut Self {
        self.sql.push_str(piece);
        self
    }

    /// Adds one value as a parameter.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.sql.push('$');
        self.sql.push_str(&self.values.len().to_string());
        self
    }

    /// Adds `(…, …)` with one parameter for each value; never matches when there is none.
    pub(super) fn values<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.sql("(NULL");
        for value in values {
            self.sql(", ").value(value);
        }
        self.sql(")")
    }

    /// Adds ` AND column IN (sites)`, or ` = site`, unless the scope is the whole programme.
    pub(super) fn within(&mut self, column: &'static str, scope: &Scope) -> &mut Self {
        match scope {
            Scope::Everything => {}
            // The sites of most people: an index then gives its rows in order.
            Scope::Sites(sites) if sites.len() == 1 => {
                self.sql(" AND ").sql(column).sql(" = ").value(sites[0]);
            }
            Scope::Sites(sites) => {
                self.sql(" AND ").sql(column).sql(" IN ").values(sites.iter().copied());
            }
        }
        self
    }

    /// Runs it for its rows.
    pub(super) async fn rows<T>(&self, tx: &mut Tx) -> Result<Vec<T>, StoreError>
    where
        T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let sql = || sqlx::AssertSqlSafe(self.sql.clone());
        Ok(on!(tx, |c| bound!(sqlx::query_as(sql()), self.values).fetch_all(c).await)?)
    }

    /// Runs it for the one number it gives.
    pub(super) async fn number(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        let sql = || sqlx::AssertSqlSafe(self.sql.clone());
        Ok(on!(tx, |c| bound!(sqlx::query_scalar(sql()), self.values).fetch_one(c).await)?)
    }
}

/// `%text%` for LIKE with `ESCAPE '\'`, where `text` matches only itself.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_numbered_parameters_and_nothing_else() {
        let mut clause = Clause::new("SELECT 1 FROM t WHERE a = ");
        clause.value("x' OR 1=1 --").within("site_id", &Scope::Sites(vec![])).sql(" AND b = ").value(3);
        assert_eq!(clause.sql, "SELECT 1 FROM t WHERE a = $1 AND site_id IN (NULL) AND b = $2");
        assert_eq!(clause.values, [Value::from("x' OR 1=1 --"), Value::from(3)]);
    }

    #[test]
    fn wildcards_typed_by_people_match_themselves() {
        assert_eq!(containing(r"50%_\"), r"%50\%\_\\%");
    }
}
