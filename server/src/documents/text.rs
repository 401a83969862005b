//! Makes text printable: PDF/A allows no character without a glyph, and what people type may hold any.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::world::is_printable;

/// Stands for a character that no bundled font has.
const UNKNOWN: char = '?';

/// Every text in `value`, made printable.
pub(super) fn make_printable(value: &mut Value) {
    match value {
        Value::String(text) => {
            if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                *text = printable(text);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(make_printable),
        Value::Object(fields) => fields.values_mut().for_each(make_printable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` composed (NFC), on one line, without invisible marks, with a sign for each character that has no glyph.
fn printable(text: &str) -> String {
    let character = |c: char| match c {
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => Some(' '),
        c if is_invisible(c) => None,
        '\u{a0}' | '\u{202f}' | ' ' => Some(c),
        c if !is_private(c) && is_printable(c) => Some(c),
        _ => Some(UNKNOWN),
    };
    text.nfc().filter_map(character).collect()
}

/// Marks that change how others are shown, and have no look of their own: a name must not reorder the line it is in.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Characters that mean something only to one font: PDF/A has no place for them, though the bundled fonts draw some.
const fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names_and_the_rest_is_harmless() {
        for name in
            ["Inès Lefèvre-Ōkubo", "Łukasz Żółć", "Ζωή", "Дмитрий", "O’Brien & fils", "#read(\"/etc/passwd\")", "*x*"]
        {
            assert_eq!(printable(name), name);
        }
        assert_eq!(printable("e\u{301}"), "é");
        assert_eq!(printable("a\nb\u{202e}c\u{200b}"), "a bc");
        assert_eq!(printable("\u{e000}\u{1f9ff}"), "??");
        let mut value = serde_json::json!({ "a": ["\u{0}", { "b": "x\ty" }], "n": 1 });
        make_printable(&mut value);
        assert_eq!(value, serde_json::json!({ "a": [" ", { "b": "x y" }], "n": 1 }));
    }
}
