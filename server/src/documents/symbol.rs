//! QR codes, bar codes and drawn signatures as SVG, drawn from numbers: whatever they hold, they are shapes alone.

use std::fmt::Write as _;

use barcoders::sym::code128::Code128;
use qrcode::{Color, EcLevel, QrCode};

use crate::domain::signature::{Drawing, HEIGHT, WIDTH};

/// White modules around a QR code (ISO/IEC 18004: four).
const QR_QUIET: usize = 4;
/// White modules on either side of a bar code (ISO/IEC 15417: ten).
const BAR_QUIET: usize = 10;
/// Height of a bar code's drawing; templates stretch it.
const BAR_HEIGHT: usize = 40;
/// What `barcoders` wants before a text of the character set B: letters, digits and signs of ASCII.
const SET_B: char = 'Ɓ';

/// The QR code of `text`; none where it is too long for one.
pub(super) fn qr(text: &str, small: bool) -> Option<String> {
    let level = if small { EcLevel::L } else { EcLevel::M };
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let (width, colors) = (code.width(), code.to_colors());
    let side = width + 2 * QR_QUIET;
    let mut path = String::new();
    for (row, line) in colors.chunks(width).enumerate() {
        for (start, length) in runs(line.iter().map(|color| *color == Color::Dark)) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{} {}h{length}v1h-{length}z", start + QR_QUIET, row + QR_QUIET);
        }
    }
    Some(svg(side, side, &format!("<path d=\"{path}\"/>")))
}

/// The bar code (Code 128, set B) of `text`; none where it holds what the set does not.
pub(super) fn bar_code(text: &str) -> Option<String> {
    if text.is_empty() || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return None;
    }
    let modules = Code128::new(format!("{SET_B}{text}")).ok()?.encode();
    let mut path = String::new();
    for (start, length) in runs(modules.iter().map(|module| *module == 1)) {
        let _ = write!(path, "M{} 0h{length}v{BAR_HEIGHT}h-{length}z", start + BAR_QUIET);
    }
    Some(svg(modules.len() + 2 * BAR_QUIET, BAR_HEIGHT, &format!("<path d=\"{path}\"/>")))
}

/// A signature as it was drawn.
pub(super) fn signature(drawing: &Drawing) -> String {
    let path = format!(
        "<path d=\"{}\" fill=\"none\" stroke=\"#16203a\" stroke-width=\"4\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/>",
        drawing.path()
    );
    svg(usize::from(WIDTH), usize::from(HEIGHT), &path)
}

fn svg(width: usize, height: usize, content: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">{content}</svg>"
    )
}

/// Where dark modules begin, and how many follow one another.
fn runs(dark: impl Iterator<Item = bool>) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (place, _) in dark.enumerate().filter(|(_, dark)| *dark) {
        match found.last_mut() {
            Some((start, length)) if *start + *length == place => *length += 1,
            _ => found.push((place, 1)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_join_what_touches() {
        let dark = [true, true, false, true].into_iter();
        assert_eq!(runs(dark), [(0, 2), (3, 1)]);
        assert!(runs(std::iter::empty()).is_empty());
    }

    #[test]
    fn a_symbol_is_shapes_whatever_it_holds() {
        let hostile = "\"/><script>alert(1)</script>";
        for drawn in [qr(hostile, false).unwrap(), bar_code(hostile).unwrap()] {
            assert!(
                drawn.starts_with("<svg") && !drawn.contains("script") && drawn.matches('<').count() == 3,
                "{drawn}"
            );
        }
        assert_eq!(bar_code("étiquette"), None, "set B has no accents");
        assert_eq!(bar_code(""), None);
        assert_eq!(qr(&"x".repeat(5_000), true), None);
        let drawing: Drawing = "1,2 3,4 5,6 7,8 9,9".parse().unwrap();
        assert!(signature(&drawing).contains("M1 2L3 4"));
    }

    #[test]
    fn a_bar_code_has_its_check_and_its_quiet_zone() {
        // Start, eleven characters, check: eleven modules each; stop: thirteen.
        let modules = 11 * 13 + 13 + 2 * BAR_QUIET;
        assert!(bar_code("CD72-004512").unwrap().contains(&format!("width=\"{modules}\"")));
    }
}
