//! Tells apart why a unit of work failed: what may work at the next attempt, what one row is to blame for, and what
//! keeps the database from storing anything.

use super::StoreError;

/// What to do about a failed unit of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another unit of work was in the way: repeat this one.
    Collision,
    /// Something in this unit of work is at fault: without it, the rest would be stored.
    Content,
    /// The database stores nothing now: disk full, input or output error, no connection.
    Unavailable,
}

/// SQLite's primary result codes that blame the content: error, too big, constraint, mismatch, range.
const SQLITE_CONTENT: [u32; 5] = [1, 18, 19, 20, 25];
/// PostgreSQL's classes that blame the content: data, integrity, syntax and access, limits, raised by a trigger.
const POSTGRES_CONTENT: [&str; 5] = ["22", "23", "42", "54", "P0"];
/// PostgreSQL: serialization failure and deadlock.
const POSTGRES_COLLISION: [&str; 2] = ["40001", "40P01"];

/// PostgreSQL: a text with a character that it cannot hold, which is NUL.
const POSTGRES_NUL: &str = "22021";

impl StoreError {
    /// Whether somebody sent a text that cannot be stored or looked for: one with a NUL.
    pub fn is_unstorable_text(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        error.code().is_some_and(|code| code == POSTGRES_NUL)
    }

    /// Whether trying again in a moment may help.
    pub fn is_unavailable(&self) -> bool {
        self.failure() != Failure::Content
    }

    /// Whether a rule of uniqueness on `column` was broken: another row has this value.
    pub fn is_duplicate_of(&self, column: &str) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        // SQLite names the column in its message, PostgreSQL in the constraint's name.
        error.is_unique_violation()
            && (error.message().contains(column) || error.constraint().is_some_and(|name| name.contains(column)))
    }

    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().map_or(Failure::Unavailable, |code| of(&code)),
            Self::Database(
                sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::Decode(_)
                | sqlx::Error::Encode(_)
                | sqlx::Error::RowNotFound,
            )
            | Self::Corrupt { .. } => Failure::Content,
            Self::Database(_) | Self::Address { .. } | Self::Migration(_) => Failure::Unavailable,
        }
    }
}

/// PostgreSQL's codes have five characters, SQLite's are numbers of at most four digits.
fn of(code: &str) -> Failure {
    if code.len() == 5 {
        if POSTGRES_COLLISION.contains(&code) {
            Failure::Collision
        } else if POSTGRES_CONTENT.contains(&&code[..2]) {
            Failure::Content
        } else {
            Failure::Unavailable
        }
    } else {
        let primary = code.parse().map(|extended: u32| extended & 0xff);
        if primary.is_ok_and(|primary| SQLITE_CONTENT.contains(&primary)) {
            Failure::Content
        } else {
            Failure::Unavailable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_nobodys_fault_and_a_constraint_is_the_contents() {
        for unavailable in ["13", "778", "5", "53100", "57P01", "08006"] {
            assert_eq!(of(unavailable), Failure::Unavailable, "{unavailable}");
        }
        for content in ["2067", "275", "23505", "22P05", "P0001"] {
            assert_eq!(of(content), Failure::Content, "{content}");
        }
        assert_eq!(of("40P01"), Failure::Collision);
    }
}
