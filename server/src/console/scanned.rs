//! What a scanner or a hand put into a field for a code, made into the code itself. Pure: nothing is looked up here.
//!
//! The desks' script does the same before it sends a code; pages work without it.

/// Format characters (Unicode's category Cf) that are met in scans and pasted text: invisible, and never meant.
const INVISIBLE: [(char, char); 12] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff9}', '\u{fffb}'),
    ('\u{e0000}', '\u{e007f}'),
];

/// A French keyboard's keys without Shift where digits stand, and the digits there on the keyboard that the scanner
/// believes in (QWERTY). The hyphen and the low line are among them, but stand in codes as well.
const DIGITS: [(char, char); 10] = [
    ('&', '1'),
    ('é', '2'),
    ('"', '3'),
    ('\'', '4'),
    ('(', '5'),
    ('-', '6'),
    ('è', '7'),
    ('_', '8'),
    ('ç', '9'),
    ('à', '0'),
];

/// The other keys that differ and may stand in a label, a serial number or an address.
const KEYS: [(char, char); 17] = [
    (')', '-'),
    ('°', '_'),
    ('a', 'q'),
    ('q', 'a'),
    ('z', 'w'),
    ('w', 'z'),
    ('A', 'Q'),
    ('Q', 'A'),
    ('Z', 'W'),
    ('W', 'Z'),
    (',', 'm'),
    ('?', 'M'),
    ('M', ':'),
    (':', '.'),
    ('!', '/'),
    ('§', '?'),
    (';', ','),
];

/// The code without control and format characters, without the scanner's mark of the symbology (`]C1` before Code 128,
/// ISO/IEC 15424) and without the stars that begin and end a Code 39.
pub(super) fn clean(text: &str) -> String {
    let invisible =
        |letter: char| letter.is_control() || INVISIBLE.iter().any(|(from, to)| (*from..=*to).contains(&letter));
    let seen: String = text.chars().filter(|letter| !invisible(*letter)).collect();
    let code = without_symbology(seen.trim());
    code.strip_prefix('*')
        .and_then(|rest| rest.strip_suffix('*'))
        .filter(|inner| !inner.is_empty())
        .unwrap_or(code)
        .trim()
        .to_owned()
}

fn without_symbology(code: &str) -> &str {
    let Some(rest) = code.strip_prefix(']') else { return code };
    let mut letters = rest.chars();
    let marked = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && letters.next().is_some_and(|letter| letter.is_ascii_alphanumeric());
    if marked && !letters.as_str().is_empty() { letters.as_str() } else { code }
}

/// What the scanner meant, if the code looks as if the scanner typed on an English keyboard and the computer read a
/// French one: a French keyboard's signs in the place of digits, and not one digit.
pub(super) fn retyped(code: &str) -> Option<String> {
    let told = |letter: char| !matches!(letter, '-' | '_') && DIGITS.iter().any(|(sign, _)| *sign == letter);
    if code.chars().any(|letter| letter.is_ascii_digit()) || !code.chars().any(told) {
        return None;
    }
    let meant = |letter: char| {
        let key = DIGITS.iter().chain(&KEYS).find(|(sign, _)| *sign == letter);
        key.map_or(letter, |(_, meant)| *meant)
    };
    Some(code.chars().map(meant).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_or_meant_is_left_out() {
        for text in [
            "CD-0001",
            " CD-0001\r\n",
            "\u{2}CD-0001\u{3}",
            "CD\u{1d}-0001",
            "\u{feff}CD-\u{200b}0001\u{200e}",
            "]C1CD-0001",
            "]A0*CD-0001*",
            "*CD-0001*",
            "\u{2}]C1\u{1d}CD-0001",
        ] {
            assert_eq!(clean(text), "CD-0001", "{text:?}");
        }
        for text in ["]", "]C1", "*", "**", "5*3", "*5", "]1CD", "]é1CD"] {
            assert_eq!(clean(text), text, "{text:?}");
        }
        assert_eq!(clean("\u{200b}\u{2}"), "");
    }

    #[test]
    fn an_english_scanner_on_a_french_keyboard_is_understood() {
        for (read, meant) in [
            ("CDç-)&&àé", "CD96-1102"),
            ("CD)àà\"", "CD-003"),
            ("B)èK\"?)Aé\"Z", "B-7K3M-Q23W"),
            ("httpsM!!cqrtqble:exq,ple!devices!à&ç", "https://cartable.example/devices/019"),
        ] {
            assert_eq!(retyped(read).as_deref(), Some(meant), "{read}");
        }
        // Codes as they are: none of them is touched.
        for code in ["CD-0001", "ABC-DEF", "A_B-C", "PF2ABCDE", "CD-0001(2)", ""] {
            assert_eq!(retyped(code), None, "{code}");
        }
    }
}
