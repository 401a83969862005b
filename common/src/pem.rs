//! The text form of certificates, requests and keys (RFC 7468).

use data_encoding::BASE64;

/// Characters in a line (RFC 7468, section 2).
const LINE: usize = 64;

/// `der` as a block of PEM with the label `label`.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_64_characters() {
        let text = encode("X", &[0; 49]);
        let lengths: Vec<usize> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [17, 64, 4, 15], "{text}");
    }
}
