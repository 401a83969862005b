//! Lists as files: the one way in which a list of the console goes out as CSV, written as it is read, or as a workbook;
//! and the links to them below each list.

use askama::{Template, filters::HtmlSafe};
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde::Deserialize;

use super::{error::Refusal, i18n::Words};
use crate::{
    app::App,
    exchange::{
        export::ExportKind,
        sheet::{ExportFailed, Sheet},
        write::Delimiter,
    },
    store::page::Cursor,
};

/// Bytes of a workbook sent at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// How a file is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    delimiter: String,
}

impl Asked {
    fn delimiter(&self) -> Result<Delimiter, Refusal> {
        match self.delimiter.as_str() {
            "" | "comma" => Ok(Delimiter::Comma),
            "semicolon" => Ok(Delimiter::Semicolon),
            _ => Err(Refusal::Nonsense),
        }
    }
}

/// `sheet` as the file called `name` (`loans.csv`, `loans.xlsx`).
pub(super) async fn send(
    app: &App,
    name: &str,
    asked: &Asked,
    sheet: impl Sheet + Clone + 'static,
) -> Result<Response, Refusal> {
    let (content_type, body) = match name.rsplit_once('.') {
        Some((_, "csv")) => ("text/csv; charset=utf-8", csv(app, sheet, asked.delimiter()?)),
        Some((_, "xlsx")) => {
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", workbook(app, &sheet).await?)
        }
        _ => return Err(Refusal::NotFound),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"cartable-{name}\"")),
    ];
    Ok((headers, body).into_response())
}

/// What is left to write.
enum Left {
    From(Option<Cursor>),
    Nothing,
}

fn csv(app: &App, sheet: impl Sheet + Clone + 'static, delimiter: Delimiter) -> Body {
    let store = app.store.clone();
    Body::from_stream(stream::try_unfold(Left::From(None), move |left| {
        let (store, sheet) = (store.clone(), sheet.clone());
        async move {
            let Left::From(after) = left else { return Ok::<_, ExportFailed>(None) };
            let (text, next) = sheet.csv_piece(&store, after, delimiter).await?;
            Ok(Some((text, next.map_or(Left::Nothing, |cursor| Left::From(Some(cursor))))))
        }
    }))
}

async fn workbook(app: &App, sheet: &impl Sheet) -> Result<Body, Refusal> {
    let file = sheet.workbook(&app.store).await.map_err(|error| match error {
        ExportFailed::Store(error) => error.into(),
        ExportFailed::Workbook(error) => {
            tracing::error!(%error, "an export could not be written");
            Refusal::Broken
        }
    })?;
    Ok(Body::from_stream(stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        use tokio::io::AsyncReadExt as _;
        let mut piece = vec![0; PIECE_BYTES];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
    })))
}

/// The links to a list's files, with the list's filters.
#[derive(Clone, Debug, Template)]
#[template(path = "downloads.html")]
pub(super) struct Downloads {
    label: String,
    csv: String,
    excel: String,
    xlsx: String,
    words: Words,
}

impl HtmlSafe for Downloads {}

impl Downloads {
    /// Of a list without filters.
    pub(super) fn whole(kind: ExportKind, words: Words) -> Self {
        Self::new(&format!("/exports/{kind}"), |path| format!("{path}?"), words)
    }

    /// Of the list whose files stand below `path`; `address` makes an address with the list's filters, ending in `?` or
    /// `&`.
    pub(super) fn new(path: &str, address: impl Fn(&str) -> String, words: Words) -> Self {
        let plain = |address: String| address.trim_end_matches(['?', '&']).to_owned();
        let csv = address(&format!("{path}.csv"));
        Self {
            label: words.say("download-list"),
            excel: format!("{csv}delimiter=semicolon"),
            csv: plain(csv),
            xlsx: plain(address(&format!("{path}.xlsx"))),
            words,
        }
    }
}
