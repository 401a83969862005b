//! What a template sees while it becomes a PDF: the templates' own files, the document's data, the bundled fonts, the
//! day. No other file, no package, no network, no clock.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use typst::{
    Library, LibraryExt as _, World,
    diag::{FileError, FileResult, SourceDiagnostic, Warned},
    foundations::{Bytes, Datetime, Duration, Smart},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::template::TemplateError;

/// The document's data, as templates read it.
pub(super) const DATA: &str = "data.json";
/// PDF/A-2a for archives, PDF/UA-1 for screen readers.
const STANDARDS: [PdfStandard; 2] = [PdfStandard::A_2a, PdfStandard::Ua_1];

struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
}

static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts: Vec<Font> = typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
    Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
});
static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));

/// Whether a bundled font has a glyph for `character`: PDF/A allows no other.
pub(super) fn is_printable(character: char) -> bool {
    FONTS.fonts.iter().any(|font| font.info().coverage.contains(character.into()))
}

/// The files of the templates, by name.
pub(super) type Files = BTreeMap<String, Bytes>;

/// What one document is made from.
pub(super) struct Room {
    pub(super) files: Arc<Files>,
    /// The template.
    pub(super) main: String,
    /// What [`DATA`] holds.
    pub(super) data: String,
    /// Year, month, day.
    pub(super) day: (i32, u8, u8),
    /// What tells this document from every other.
    pub(super) identity: String,
}

/// [`Room`], as Typst asks it.
struct Prepared {
    files: Arc<Files>,
    main: FileId,
    data: Bytes,
    today: Option<Datetime>,
}

fn id(name: &str) -> Option<FileId> {
    Some(RootedPath::new(VirtualRoot::Project, VirtualPath::new(name).ok()?).intern())
}

impl Prepared {
    fn bytes(&self, id: FileId) -> FileResult<Bytes> {
        if *id.root() != VirtualRoot::Project {
            let why = "packages are not loaded here: put what you need into a file beside the template";
            return Err(FileError::Other(Some(why.into())));
        }
        let name = id.vpath().get_without_slash();
        if name == DATA {
            return Ok(self.data.clone());
        }
        self.files.get(name).cloned().ok_or_else(|| FileError::NotFound(name.into()))
    }
}

impl World for Prepared {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let bytes = self.bytes(id)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| FileError::InvalidUtf8)?;
        Ok(Source::new(id, text.to_owned()))
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.bytes(id)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        self.today
    }
}

/// The PDF. Takes a while and much stack: call it through [`super::Documents`].
pub(super) fn print(room: &Room) -> Result<Vec<u8>, TemplateError> {
    let unnamed = || TemplateError::of_file(&room.main, "this is no name of a file");
    let (year, month, day) = room.day;
    let today = Datetime::from_ymd(year, month, day);
    let world = Prepared {
        files: Arc::clone(&room.files),
        main: id(&room.main).ok_or_else(unnamed)?,
        data: Bytes::from_string(room.data.clone()),
        today,
    };
    let clash = |_| TemplateError::of_file(&room.main, "PDF/A-2a and PDF/UA-1 do not go together in this version");
    let standards = PdfStandards::new(&STANDARDS).map_err(clash)?;
    let made = pdf(&world, &room.identity, standards);
    // Nothing of a person stays behind in what the compiler remembers.
    typst::comemo::evict(0);
    made.map_err(|errors| fault(&world, &room.main, errors))
}

fn pdf(world: &Prepared, identity: &str, standards: PdfStandards) -> Result<Vec<u8>, Vec<SourceDiagnostic>> {
    let Warned { output, .. } = typst::compile::<PagedDocument>(world);
    let document = output.map_err(Vec::from_iter)?;
    let options = PdfOptions {
        ident: Smart::Custom(identity.to_owned()),
        creator: Smart::Custom(Some("Cartable".into())),
        timestamp: world.today.map(Timestamp::new_utc),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(Vec::from_iter)
}

/// The first error, with where it is.
fn fault(world: &Prepared, main: &str, errors: Vec<SourceDiagnostic>) -> TemplateError {
    let Some(error) = errors.into_iter().next() else { return TemplateError::of_file(main, "it could not be made") };
    let mut message = error.message.to_string();
    for hint in &error.hints {
        message = format!("{message} ({})", hint.v);
    }
    let place = error.span.id().and_then(|id| {
        use typst::WorldExt as _;
        let (source, range) = (world.source(id).ok()?, world.range(error.span)?);
        let line = source.lines().byte_to_line(range.start)?;
        Some((id.vpath().get_without_slash().to_owned(), line + 1))
    });
    match place {
        Some((file, line)) => TemplateError { file, line: Some(line), message },
        None => TemplateError::of_file(main, &message),
    }
}
