//! Names of sites, their communes and those who answer for them: one line each.

use super::identity::{MAX_NAME_CHARS, is_line};

/// Whether a text may be such a name: something, on one line, within [`MAX_NAME_CHARS`].
#[must_use]
pub fn is_name(text: &str) -> bool {
    is_line(text, MAX_NAME_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_with_something_on_it() {
        assert!(is_name("Collège Les Tilleuls") && is_name(&"é".repeat(MAX_NAME_CHARS)));
        assert!(!is_name(" ") && !is_name("a\nb") && !is_name(&"é".repeat(MAX_NAME_CHARS + 1)));
    }
}
