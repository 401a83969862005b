//! Templates: those that are built in, and the files of the directory that replaces them. Each says its version in its
//! first line and is made once with sample data when it is loaded, so that a mistake shows then and not at a desk.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use typst::foundations::Bytes;

use super::{
    sample,
    world::{self, DATA, Files, Room},
};
use crate::{
    domain::{document::DocumentKind, language::Language},
    store::document,
};

/// What all templates may draw on.
const SHARED: &str = "cartable.typ";
/// The built-in files, by name.
const BUILT_IN: [(&str, &str); 10] = [
    ("agreement.typ", include_str!("../../documents/agreement.typ")),
    ("campaign_letter.typ", include_str!("../../documents/campaign_letter.typ")),
    (SHARED, include_str!("../../documents/cartable.typ")),
    ("donation_deed.typ", include_str!("../../documents/donation_deed.typ")),
    ("erasure_certificate.typ", include_str!("../../documents/erasure_certificate.typ")),
    ("labels.typ", include_str!("../../documents/labels.typ")),
    ("packing_list.typ", include_str!("../../documents/packing_list.typ")),
    ("receipt.typ", include_str!("../../documents/receipt.typ")),
    ("site_list.typ", include_str!("../../documents/site_list.typ")),
    ("yearly_report.typ", include_str!("../../documents/yearly_report.typ")),
];
/// A programme's own agreement: `agreement-NAME.typ`.
const OWN_AGREEMENT: &str = "agreement-";
/// Before the version in a template's first line.
const VERSION: &str = "// version: ";
/// What a directory of templates may hold.
const KINDS_OF_FILES: [&str; 5] = ["typ", "svg", "png", "jpg", "jpeg"];
/// Largest file: a logo with room to spare.
const MAX_FILE_BYTES: u64 = 2 << 20;
/// Most files.
const MAX_FILES: usize = 64;
/// Longest name of a template and longest version: both stand on the loan.
const MAX_NAME_CHARS: usize = 40;
const MAX_VERSION_CHARS: usize = 20;

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong there.
    pub message: String,
}

impl TemplateError {
    pub(super) fn of_file(file: &str, message: &str) -> Self {
        Self { file: file.to_owned(), line: None, message: message.to_owned() }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(
            f,
            ": {}. Correct the file, or take it out of the directory to use the built-in one; \
             `cartable-server documents check` tries again",
            self.message
        )
    }
}

impl std::error::Error for TemplateError {}

/// A template, as documents record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name: that of its file, without the ending.
    pub name: String,
    /// Its version, as its first line says.
    pub version: String,
    /// SHA-256 of its file, followed by those of the shared files in the order of their names.
    pub sha256: [u8; 32],
}

impl Template {
    /// What a loan keeps of the agreement that was signed.
    #[must_use]
    pub fn label(&self) -> String {
        document::label(&self.name, &self.version)
    }
}

/// All templates, with the files they may draw on.
#[derive(Clone)]
pub struct Templates {
    files: Arc<Files>,
    by_name: BTreeMap<String, Template>,
    replaced: Vec<String>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Templates({:?}, replaced: {:?})", self.by_name.keys(), self.replaced)
    }
}

impl Templates {
    /// Those that are built in. A unit test makes each of them.
    pub fn built_in() -> Result<Self, TemplateError> {
        Self::of(built_in_files(), Vec::new())
    }

    /// The built-in ones with the files of `directory` in their place or beside them; what came from there is checked.
    pub fn load(directory: &Path) -> Result<Self, TemplateError> {
        let mut files = built_in_files();
        let own = read_directory(directory)?;
        let replaced: Vec<String> = own.keys().cloned().collect();
        files.extend(own);
        let located = |error: TemplateError| error.below(directory, &replaced);
        let templates = Self::of(files, replaced.clone()).map_err(located)?;
        templates.check_replaced().map_err(located)?;
        Ok(templates)
    }

    fn of(files: Files, replaced: Vec<String>) -> Result<Self, TemplateError> {
        let is_shared = |name: &str| kind_of(name).is_none();
        let mut templates = BTreeMap::new();
        for (name, bytes) in files.iter().filter(|(name, _)| !is_shared(name)) {
            let mut hasher = Sha256::new();
            hasher.update(bytes);
            for shared in files.iter().filter(|(name, _)| is_shared(name)).map(|(_, bytes)| bytes) {
                hasher.update(shared);
            }
            let (stem, version) = (name.trim_end_matches(".typ").to_owned(), version(name, bytes)?);
            if stem.chars().count() > MAX_NAME_CHARS {
                let why = format!("a template's name has at most {MAX_NAME_CHARS} characters");
                return Err(TemplateError::of_file(name, &why));
            }
            let template = Template { name: stem.clone(), version, sha256: hasher.finalize().into() };
            templates.insert(stem, template);
        }
        Ok(Self { files: Arc::new(files), by_name: templates, replaced })
    }

    /// The template for a document of that kind; for an agreement, the own one of the programme if there is one.
    #[must_use]
    pub fn of_kind(&self, kind: DocumentKind, agreement: Option<&str>) -> Option<&Template> {
        let own = agreement.filter(|_| kind == DocumentKind::Agreement);
        let own = own.and_then(|name| self.by_name.get(&format!("{OWN_AGREEMENT}{name}")));
        own.or_else(|| self.by_name.get(kind.as_str()))
    }

    /// Every template, by name.
    pub fn list(&self) -> impl Iterator<Item = &Template> {
        self.by_name.values()
    }

    /// The files that came from a directory.
    #[must_use]
    pub fn replaced(&self) -> &[String] {
        &self.replaced
    }

    /// Makes each template with sample data, in both languages.
    pub fn check(&self) -> Result<(), TemplateError> {
        self.by_name.values().try_for_each(|template| self.check_one(template))
    }

    fn check_replaced(&self) -> Result<(), TemplateError> {
        let own = |template: &&Template| self.replaced.contains(&format!("{}.typ", template.name));
        let shares = self.replaced.iter().any(|name| kind_of(name).is_none());
        self.by_name.values().filter(|template| shares || own(template)).try_for_each(|one| self.check_one(one))
    }

    fn check_one(&self, template: &Template) -> Result<(), TemplateError> {
        let Some(kind) = kind_of(&format!("{}.typ", template.name)) else { return Ok(()) };
        for language in Language::ALL {
            for data in sample::of(kind, language, template) {
                self.print(template, &data)?;
            }
        }
        Ok(())
    }

    /// The PDF of `template` with `data`. Takes a while and much stack: call it through [`super::Documents`].
    pub(super) fn print(&self, template: &Template, data: &serde_json::Value) -> Result<Vec<u8>, TemplateError> {
        let said = |pointer: &str| data.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
        let made: jiff::civil::Date = said("/document/date").parse().unwrap_or_default();
        let part = |value: i8| u8::try_from(value).unwrap_or(1);
        let room = Room {
            files: Arc::clone(&self.files),
            main: format!("{}.typ", template.name),
            data: data.to_string(),
            day: (made.year().into(), part(made.month()), part(made.day())),
            identity: said("/document/number").to_owned(),
        };
        world::print(&room)
    }

    /// Writes the built-in files into `directory`, for editing; an existing file is left alone and is an error.
    pub fn write_built_in(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(directory)?;
        let mut written = Vec::new();
        for (name, text) in BUILT_IN {
            let path = directory.join(name);
            let mut file = std::fs::File::create_new(&path)?;
            std::io::Write::write_all(&mut file, text.as_bytes())?;
            written.push(path);
        }
        Ok(written)
    }
}

impl TemplateError {
    /// The same, with the file's whole path where it lies in `directory`.
    fn below(mut self, directory: &Path, own: &[String]) -> Self {
        if own.contains(&self.file) {
            self.file = directory.join(&self.file).display().to_string();
        }
        self
    }
}

fn built_in_files() -> Files {
    BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), Bytes::from_string(*text))).collect()
}

/// What a template of that file name prints; none for a file that templates share.
fn kind_of(name: &str) -> Option<DocumentKind> {
    let stem = name.strip_suffix(".typ")?;
    if stem.strip_prefix(OWN_AGREEMENT).is_some_and(|own| !own.is_empty()) {
        return Some(DocumentKind::Agreement);
    }
    stem.parse().ok()
}

fn version(name: &str, bytes: &Bytes) -> Result<String, TemplateError> {
    let text = String::from_utf8_lossy(bytes);
    let first = text.lines().next().unwrap_or_default();
    let version = first.strip_prefix(VERSION).map(str::trim).unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if (1..=MAX_VERSION_CHARS).contains(&version.len()) && version.chars().all(allowed) {
        return Ok(version.to_owned());
    }
    let message = format!(
        "the first line must say the version, such as `{VERSION}2027-1` (1 to {MAX_VERSION_CHARS} letters, digits, `.`, \
         `-`, `_`)"
    );
    Err(TemplateError { file: name.to_owned(), line: Some(1), message })
}

fn read_directory(directory: &Path) -> Result<Files, TemplateError> {
    let shown = directory.display().to_string();
    let failed = |error: std::io::Error| TemplateError::of_file(&shown, &error.to_string());
    let mut files = Files::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let known = path.extension().is_some_and(|found| KINDS_OF_FILES.iter().any(|kind| found == *kind));
        if !known || name == DATA || !path.is_file() {
            continue;
        }
        let refuse = |why: &str| TemplateError::of_file(&path.display().to_string(), why);
        let size = std::fs::metadata(&path).map_err(|error| refuse(&error.to_string()))?.len();
        if size > MAX_FILE_BYTES {
            return Err(refuse("larger than 2 MiB"));
        }
        if files.len() == MAX_FILES {
            return Err(TemplateError::of_file(&shown, &format!("more than {MAX_FILES} files")));
        }
        files.insert(name, Bytes::new(std::fs::read(&path).map_err(|error| refuse(&error.to_string()))?));
    }
    Ok(files)
}
