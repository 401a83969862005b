//! PDFs from templates that a département can replace: agreements, receipts, lists of loans, letters of return campaigns,
//! labels, deeds and packing lists of donations, the yearly report.
//!
//! A template is a Typst file that is given the document's data as plain values; it reads no file but those beside it,
//! no package, no network. Every PDF declares PDF/A-2a and PDF/UA-1, or is not made. What is made is recorded with its
//! number, its template's version and both hashes; the PDF itself is not kept. Who a borrower is is opened under audit,
//! and nothing of it stays in memory afterwards.

mod data;
mod donation;
mod erasure;
mod labels;
mod letters;
mod loans;
mod make;
mod people;
mod report;
mod sample;
mod symbol;
mod template;
mod text;
mod world;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use self::data::Letterhead;
pub use self::{
    data::{NoSuchHolder, Signatories},
    donation::LotPaper,
    labels::LabelsWanted,
    letters::LettersWanted,
    loans::{HandOverWanted, Names},
    make::{Made, MakeError, Maker},
    template::{Template, TemplateError, Templates},
};
use crate::{config::DocumentSettings, domain::disclosure::Discloser};

/// Documents made at the same time: each takes a core.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a template may take.
const LONGEST: Duration = Duration::from_mins(1);
/// Stack of the thread that makes a document: templates nest deeply. Only what is used takes memory.
const STACK_BYTES: usize = 64 << 20;

fn deep_thread() -> std::thread::Builder {
    std::thread::Builder::new().name("document".to_owned()).stack_size(STACK_BYTES)
}

/// Does `work` with the stack that templates need, and waits for it; for the command line and at start. A panic is an
/// error.
pub fn on_deep_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<T> {
    deep_thread().spawn(work)?.join().map_err(|_| std::io::Error::other("the compiler of templates failed"))
}

/// What makes documents. Shared, cheap to clone.
#[derive(Clone, Debug)]
pub struct Documents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    templates: Templates,
    letterhead: Letterhead,
    gate: Arc<Semaphore>,
}

impl Documents {
    /// With the templates of the directory that is configured, each checked; `console` is the console's address.
    pub fn new(settings: &DocumentSettings, console: Option<&str>) -> Result<Self, TemplateError> {
        let templates = match settings.templates.clone() {
            Some(directory) => {
                let shown = directory.display().to_string();
                let loaded = on_deep_stack(move || Templates::load(&directory));
                loaded.map_err(|error| TemplateError::of_file(&shown, &error.to_string()))??
            }
            None => Templates::built_in()?,
        };
        let letterhead = Letterhead {
            issuer: settings.issuer.clone(),
            contact: settings.contact.clone(),
            console: console.map(str::to_owned),
        };
        Ok(Self(Arc::new(Inner { templates, letterhead, gate: Arc::new(Semaphore::new(AT_ONCE)) })))
    }

    /// The templates in use.
    #[must_use]
    pub fn templates(&self) -> &Templates {
        &self.0.templates
    }

    /// What the agreements of a programme are called: its template's name and version.
    #[must_use]
    pub fn agreement_label(&self, programme_template: &str) -> String {
        let kind = crate::domain::document::DocumentKind::Agreement;
        let template = self.0.templates.of_kind(kind, Some(programme_template));
        template.map(Template::label).unwrap_or_default()
    }

    /// What families read on their laptops, in the same names.
    #[must_use]
    pub fn discloser(&self) -> Discloser {
        let Letterhead { issuer, contact, .. } = &self.0.letterhead;
        Discloser::new(issuer.as_deref(), contact.as_deref())
    }

    fn letterhead(&self) -> &Letterhead {
        &self.0.letterhead
    }

    /// Makes the PDF on a thread of its own, a few at a time, within a time limit. A template that never ends keeps its
    /// turn, so that two of them stop documents and nothing else.
    async fn print(&self, template: &Template, data: Value) -> Result<Vec<u8>, MakeError> {
        let turn = timeout(PATIENCE, Arc::clone(&self.0.gate).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(MakeError::Busy) };
        let (answer, made) = oneshot::channel();
        let (documents, template) = (self.clone(), template.clone());
        let work = move || {
            let pdf = documents.0.templates.print(&template, &data);
            drop(turn);
            // Whoever asked may have left.
            let _ = answer.send(pdf);
        };
        deep_thread().spawn(work).map_err(|_| MakeError::Busy)?;
        match timeout(LONGEST, made).await {
            Ok(Ok(pdf)) => Ok(pdf?),
            Ok(Err(_)) => Err(MakeError::Broken),
            Err(_) => Err(MakeError::TooLong),
        }
    }
}
