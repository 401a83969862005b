//! A list on its way into a file: CSV a piece at a time, as it is read, or a workbook in a file of its own. Every list
//! that goes out, goes out through here.

use std::future::Future;

use super::write::{BYTE_ORDER_MARK, Delimiter, Unwritable, Workbook, csv_line};
use crate::store::{Store, StoreError, Tx, page::Cursor};

/// Rows that are read at a time.
pub const ROWS_AT_A_TIME: usize = 500;

/// A page of rows, and where the next one begins.
pub type Rows = (Vec<Vec<String>>, Option<Cursor>);

/// Why a list broke off on its way out.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailed {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workbook.
    #[error(transparent)]
    Workbook(#[from] Unwritable),
}

/// A list that is all there already, since its rows were reckoned together.
#[derive(Clone, Debug)]
pub struct Whole {
    /// What stands above the columns.
    pub headings: Vec<String>,
    /// Every row.
    pub rows: Vec<Vec<String>>,
}

impl Sheet for Whole {
    fn headings(&self) -> Vec<String> {
        self.headings.clone()
    }

    async fn page(&self, _: &mut Tx, _: Option<Cursor>) -> Result<Rows, StoreError> {
        Ok((self.rows.clone(), None))
    }
}

/// A list that can go out: its headings, and its rows a page at a time, within what its reader may see.
pub trait Sheet: Send + Sync {
    /// What stands above the columns.
    fn headings(&self) -> Vec<String>;

    /// The rows behind `after`.
    fn page(&self, tx: &mut Tx, after: Option<Cursor>) -> impl Future<Output = Result<Rows, StoreError>> + Send;

    /// A piece of CSV: the next page, with the headings before the first one; and where the one after begins.
    fn csv_piece(
        &self,
        store: &Store,
        after: Option<Cursor>,
        delimiter: Delimiter,
    ) -> impl Future<Output = Result<(String, Option<Cursor>), ExportFailed>> + Send {
        async move {
            let mut text = String::new();
            if after.is_none() {
                text.push_str(BYTE_ORDER_MARK);
                text.push_str(&csv_line(self.headings(), delimiter));
            }
            let mut tx = store.read().await?;
            let (rows, next) = self.page(&mut tx, after).await?;
            for row in &rows {
                text.push_str(&csv_line(row, delimiter));
            }
            Ok((text, next))
        }
    }

    /// The whole as a workbook, in a file that nobody else sees.
    fn workbook(&self, store: &Store) -> impl Future<Output = Result<std::fs::File, ExportFailed>> + Send {
        async move {
            let mut book = Workbook::new(&self.headings())?;
            let mut after = None;
            loop {
                let mut tx = store.read().await?;
                let (rows, next) = self.page(&mut tx, after).await?;
                drop(tx);
                for row in rows {
                    book.push(row)?;
                }
                match next {
                    Some(cursor) => after = Some(cursor),
                    None => break,
                }
            }
            Ok(tokio::task::spawn_blocking(move || book.finish_in_file())
                .await
                .unwrap_or_else(|_| Err(Unwritable::stopped()))?)
        }
    }
}
