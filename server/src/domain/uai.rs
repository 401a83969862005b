//! The code of a French school (UAI, formerly RNE): seven digits and the letter that checks them.

/// The letters a code ends with: the alphabet without I, O and Q, which look like digits.
const CHECK_LETTERS: &[u8; 23] = b"ABCDEFGHJKLMNPRSTUVWXYZ";
const DIGITS: usize = 7;

/// A UAI code whose check letter is right, in capitals.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UaiCode(String);

/// A text that is not a UAI code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUai {
    /// Not seven digits and a letter.
    #[error("a UAI code is seven digits and a letter, such as 0750655E")]
    Form,
    /// The letter contradicts the digits: one of them was mistyped.
    #[error("UAI code: the letter for these digits is {expected}, so a digit or the letter was mistyped")]
    CheckLetter {
        /// The letter that would fit.
        expected: char,
    },
}

impl UaiCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for UaiCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for UaiCode {
    type Err = InvalidUai;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = text.trim().to_ascii_uppercase();
        let Some((digits, letter)) = code.split_at_checked(DIGITS) else { return Err(InvalidUai::Form) };
        let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
        let number: usize = digits.parse().map_err(|_| InvalidUai::Form)?;
        if !all_digits || letter.len() != 1 || !letter.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(InvalidUai::Form);
        }
        let expected = char::from(CHECK_LETTERS[number % CHECK_LETTERS.len()]);
        if letter.starts_with(expected) { Ok(Self(code)) } else { Err(InvalidUai::CheckLetter { expected }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_letter_finds_a_mistyped_digit() {
        assert_eq!("0750655e".parse::<UaiCode>().unwrap().as_str(), "0750655E");
        assert_eq!(" 0951099D ".parse::<UaiCode>().unwrap().as_str(), "0951099D");
        assert_eq!("0750656E".parse::<UaiCode>(), Err(InvalidUai::CheckLetter { expected: 'F' }));
        for text in ["", "0750655", "075065EE", "+750655E", "0750655É", "０７５０６５５E", "07506555E"] {
            assert_eq!(text.parse::<UaiCode>(), Err(InvalidUai::Form), "{text}");
        }
    }
}
