//! Looks at PDFs as people and scanners do: their text (pdftotext), and the codes on their pages (pdftoppm, zbarimg).

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::Context as _;

/// Dots per inch at which each page is scanned. zbarimg looks for the corners of all QR codes of a page at once and now
/// and then misses one among dozens, at each resolution another: a hand scanner sees one label at a time.
const RESOLUTIONS: [&str; 3] = ["200", "300", "400"];

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let missing = || format!("{program} cannot be run: ./tests/run installs poppler-utils and zbar-tools");
    let output = Command::new(program).args(arguments).output().with_context(missing)?;
    let said = String::from_utf8_lossy(&output.stderr);
    // zbarimg ends with 4 when a page has no code.
    let fine = output.status.success() || (program == "zbarimg" && output.status.code() == Some(4));
    anyhow::ensure!(fine, "{program} {arguments:?}: {said}");
    Ok(output.stdout)
}

/// The text of a PDF, page after page, its spaces made plain.
pub fn text(pdf: &[u8]) -> anyhow::Result<String> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("a.pdf");
    std::fs::write(&path, pdf)?;
    let text = run("pdftotext", &["-layout", utf8(&path)?, "-"])?;
    let plain = |c: char| if matches!(c, '\u{a0}' | '\u{202f}' | '\n' | '\u{c}') { ' ' } else { c };
    let words: String = String::from_utf8_lossy(&text).chars().map(plain).collect();
    Ok(words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first page of a PDF as a picture of that height, PNG.
pub fn first_page(pdf: &[u8], height: u32) -> anyhow::Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let (path, page) = (directory.path().join("a.pdf"), directory.path().join("page"));
    std::fs::write(&path, pdf)?;
    let height = height.to_string();
    let scale = ["-scale-to-x", "-1", "-scale-to-y", &height];
    let arguments = ["-f", "1", "-l", "1", "-singlefile", "-png", utf8(&path)?, utf8(&page)?];
    run("pdftoppm", &[&scale[..], &arguments[..]].concat())?;
    Ok(std::fs::read(page.with_extension("png"))?)
}

/// What stands in the QR codes (`QR-Code:…`) and bar codes (`CODE-128:…`) of a PDF's pages, and how many pages it has.
pub fn codes(pdf: &[u8]) -> anyhow::Result<(BTreeSet<String>, usize)> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("a.pdf");
    std::fs::write(&path, pdf)?;
    let (mut found, mut pages) = (BTreeSet::new(), 0);
    for resolution in RESOLUTIONS {
        let scanned = tempfile::tempdir()?;
        run("pdftoppm", &["-r", resolution, "-png", utf8(&path)?, utf8(&scanned.path().join("page"))?])?;
        pages = 0;
        for entry in std::fs::read_dir(scanned.path())? {
            let codes = run("zbarimg", &["--quiet", utf8(&entry?.path())?])?;
            found.extend(String::from_utf8_lossy(&codes).lines().map(str::to_owned));
            pages += 1;
        }
    }
    Ok((found, pages))
}

fn utf8(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is no text")
}
