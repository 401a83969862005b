//! Pages of lists.

use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;
use crate::store::page::{Cursor, Page, Total};

/// Rows on a page unless something else is asked for.
pub const DEFAULT_ROWS: u16 = 50;
/// Most rows on a page.
pub const MAX_ROWS: u16 = 200;

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PageBody<T> {
    /// The rows.
    items: Vec<T>,
    /// Give it as `after` for the next page; null on the last.
    next: Option<String>,
    /// The size of the whole list.
    total: TotalBody,
}

/// The size of a list.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct TotalBody {
    /// How many rows it has.
    count: i64,
    /// False where counting stopped early: there are more than `count`.
    exact: bool,
}

impl<T> PageBody<T> {
    /// The page, its rows written with `body`.
    pub fn of<R>(page: Page<R>, body: impl FnMut(R) -> T) -> Self {
        let total = match page.total {
            Total::Exact(count) => TotalBody { count, exact: true },
            Total::MoreThan(count) => TotalBody { count, exact: false },
        };
        let items = page.rows.into_iter().map(body).collect();
        Self { items, next: page.next.map(|next| next.to_string()), total }
    }
}

/// The number of rows that was asked for.
pub fn limit(asked: Option<u16>) -> Result<u16, Problem> {
    let limit = asked.unwrap_or(DEFAULT_ROWS);
    let fits = (1..=MAX_ROWS).contains(&limit);
    fits.then_some(limit).ok_or_else(|| Problem::invalid(format!("`limit` is a whole number from 1 to {MAX_ROWS}.")))
}

/// The place that was asked for.
pub fn after(asked: Option<&str>) -> Result<Option<Cursor>, Problem> {
    let parse = |text: &str| text.parse().map_err(|_| foreign_cursor());
    asked.map(parse).transpose()
}

/// `after` is no value that this list, sorted like this, gave out.
pub fn foreign_cursor() -> Problem {
    Problem::invalid("`after` is the value of `next` of the page before, unchanged, with the same sort.")
}
