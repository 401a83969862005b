//! Every built-in template with every sample, what each PDF declares, and what templates and people's texts cannot do.
//! With `CARTABLE_SAMPLES=DIR` the PDFs are also written there, to be looked at.

use std::path::Path;

use super::*;
use crate::domain::{document::DocumentKind, language::Language};

fn deep<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    on_deep_stack(work).unwrap()
}

fn written(directory: &Path, name: &str, text: &str) {
    std::fs::write(directory.join(name), text).unwrap();
}

/// Loads a directory that holds this one file.
fn load_one(name: &str, text: &str) -> Result<Templates, TemplateError> {
    let directory = tempfile::tempdir().unwrap();
    written(directory.path(), name, text);
    let path = directory.path().to_owned();
    deep(move || Templates::load(&path))
}

/// A receipt that holds the least a PDF needs, then `body`.
fn receipt(body: &str) -> String {
    format!("// version: t-1\n#set document(title: \"t\", date: datetime.today())\n#set text(lang: \"fr\")\n{body}\n")
}

#[test]
fn every_built_in_template_is_made_for_archives_and_screen_readers() {
    deep(|| {
        let templates = Templates::built_in().unwrap();
        assert_eq!(templates.list().count(), DocumentKind::ALL.len());
        for kind in DocumentKind::ALL {
            let template = templates.of_kind(*kind, None).unwrap();
            for language in Language::ALL {
                for (index, data) in sample::of(*kind, language, template).into_iter().enumerate() {
                    let pdf =
                        templates.print(template, &data).unwrap_or_else(|error| panic!("{kind} {index}: {error}"));
                    declares(&pdf, language);
                    if let Some(folder) = std::env::var_os("CARTABLE_SAMPLES") {
                        let name = format!("{kind}-{index}.{}.pdf", language.as_str());
                        std::fs::write(Path::new(&folder).join(name), pdf).unwrap();
                    }
                }
            }
        }
    });
}

/// The metadata that archives and screen readers look for.
fn declares(pdf: &[u8], language: Language) {
    let text = String::from_utf8_lossy(pdf);
    assert!(text.starts_with("%PDF-1.7"), "{}", &text[..20]);
    for mark in [
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "/MarkInfo",
        "/StructTreeRoot",
        &format!("<rdf:li>{}", language.as_str()),
    ] {
        assert!(text.contains(mark), "{mark}");
    }
}

#[test]
fn what_people_write_stays_text() {
    const HOSTILE: [&str; 6] = [
        "#read(\"/etc/passwd\")",
        "*x* _y_ = z",
        "#panic(\"x\")",
        "\\ $ @ref <label> // comment",
        "\u{202e}\u{0}\u{e000}\u{1f600}",
        "</svg><script>alert(1)</script>",
    ];
    deep(|| {
        let templates = Templates::built_in().unwrap();
        for kind in DocumentKind::ALL {
            let template = templates.of_kind(*kind, None).unwrap();
            for hostile in HOSTILE {
                for mut data in sample::of(*kind, Language::French, template) {
                    spoil(&mut data, hostile);
                    text::make_printable(&mut data);
                    let made = templates.print(template, &data);
                    assert!(made.is_ok(), "{kind} {hostile:?}: {}", made.unwrap_err());
                }
            }
        }
    });
}

/// Puts `text` into every field that a device or a person fills.
fn spoil(value: &mut Value, text: &str) {
    const FILLED: [&str; 24] = [
        "asset_tag",
        "serial",
        "model",
        "name",
        "class",
        "reference",
        "commune",
        "uai",
        "by",
        "accessories",
        "missing",
        "signatories",
        "referents",
        "owner",
        "contact",
        "legal_form",
        "registration",
        "commitments",
        "proof",
        "drives",
        "tool",
        "operator",
        "witness",
        "absent",
    ];
    match value {
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match field {
                    Value::String(old) if FILLED.contains(&key.as_str()) => text.clone_into(old),
                    Value::Array(list) if FILLED.contains(&key.as_str()) && list.iter().all(Value::is_string) => {
                        list.fill(Value::from(text));
                    }
                    Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Array(_)
                    | Value::Object(_) => spoil(field, text),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|one| spoil(one, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_template_reads_nothing_but_what_lies_beside_it() {
    let allowed = receipt("#import \"/cartable.typ\": data\n= #data.document.number");
    assert!(load_one("receipt.typ", &allowed).is_ok());
    for (body, word) in [
        ("#read(\"/etc/passwd\")", "etc/passwd"),
        ("#read(\"../../../etc/passwd\")", ""),
        ("#image(\"logo.svg\", alt: \"x\")", "logo.svg"),
        ("#import \"@preview/cetz:0.3.0\"", "packages are not loaded"),
        ("#plugin(\"/usr/lib/x.wasm\")", ""),
    ] {
        let error = load_one("receipt.typ", &receipt(body)).unwrap_err();
        assert!(error.message.contains(word), "{body}: {error}");
        assert_eq!(error.line, Some(4), "{body}: {error}");
    }
}

#[test]
fn a_mistake_is_told_with_its_file_and_line() {
    let error = load_one("receipt.typ", &receipt("#unknown")).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("/receipt.typ:4: unknown variable: unknown") && told.contains("documents check"), "{told}");
    let error = load_one("receipt.typ", "#set text(lang: \"fr\")").unwrap_err();
    assert!(error.to_string().contains("receipt.typ:1: the first line must say the version"), "{error}");
    // Without a title no screen reader can announce it.
    let error = load_one("receipt.typ", "// version: 1\n= Reçu").unwrap_err();
    assert!(error.message.to_lowercase().contains("title"), "{error}");
    let missing = deep(|| Templates::load(Path::new("/nowhere/at/all")));
    assert!(missing.unwrap_err().to_string().starts_with("/nowhere/at/all: "));
    let endless = load_one("receipt.typ", &receipt("#let n = 0\n#while n < 1 {}")).unwrap_err();
    assert!(endless.message.contains("infinite"), "{endless}");
}

#[test]
fn a_directory_replaces_and_adds_and_changes_the_hash() {
    let built_in = Templates::built_in().unwrap();
    let old = built_in.of_kind(DocumentKind::Receipt, None).unwrap();
    let own = load_one("receipt.typ", &receipt("= Reçu")).unwrap();
    let new = own.of_kind(DocumentKind::Receipt, None).unwrap();
    assert_eq!((new.name.as_str(), new.version.as_str()), ("receipt", "t-1"));
    assert_ne!(new.sha256, old.sha256);
    assert_eq!(own.of_kind(DocumentKind::Labels, None), built_in.of_kind(DocumentKind::Labels, None));

    // A programme's own agreement, which the others do not use.
    let own = load_one("agreement-staff.typ", &receipt("= Convention")).unwrap();
    let of = |name| own.of_kind(DocumentKind::Agreement, Some(name)).unwrap().name.as_str();
    assert_eq!((of("staff"), of("pret")), ("agreement-staff", "agreement"));
    assert_eq!(own.of_kind(DocumentKind::Receipt, Some("staff")).unwrap().name, "receipt");

    // What all templates share counts for each of them.
    let shared = load_one("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>").unwrap();
    for template in shared.list() {
        let before = built_in.list().find(|one| one.name == template.name).unwrap();
        assert_ne!(template.sha256, before.sha256, "{}", template.name);
    }
}

#[test]
fn the_built_in_files_are_written_once() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("new");
    let files = Templates::write_built_in(&out).unwrap();
    assert!(files.iter().any(|file| file.ends_with("cartable.typ")) && files.len() == DocumentKind::ALL.len() + 1);
    assert!(Templates::write_built_in(&out).is_err(), "nothing is overwritten");
    let loaded = deep(move || Templates::load(&out)).unwrap();
    let hashes = |templates: &Templates| templates.list().map(|one| one.sha256).collect::<Vec<_>>();
    assert_eq!(hashes(&loaded), hashes(&Templates::built_in().unwrap()), "the same as built in");
}
