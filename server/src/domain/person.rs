//! A person who signs in: name, role, sites. What the password must be.

use uuid::Uuid;

use crate::domain::{
    authority::{Action, Actor, Decision, Object, Role, can},
    language::Language,
    scope::Scope,
};

/// A person of the staff, as of this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Never given to another.
    pub id: Uuid,
    /// What the person types to sign in, and what the audit names.
    pub login: Login,
    /// For greeting.
    pub display_name: String,
    /// What the person is trusted with.
    pub role: Role,
    /// The sites the person works for.
    pub scope: Scope,
    /// The language the person chose, if any.
    pub language: Option<Language>,
}

impl Person {
    /// Whether this person may do `action` to `object`.
    pub fn can(&self, action: Action, object: Object) -> Decision {
        can(Actor { role: self.role, scope: &self.scope }, action, object)
    }
}

/// Shortest and longest login in characters.
const LOGIN_CHARS: std::ops::RangeInclusive<usize> = 2..=64;

/// What a person types to sign in: lower case letters, digits and `. _ - @`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

/// A text that cannot be a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a login has 2 to 64 characters: letters without accents, digits and . _ - @")]
pub struct InvalidLogin;

impl Login {
    /// The login.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Login {
    type Err = InvalidLogin;
    /// Case and surrounding space don't count, so that nobody stands before a closed door for a capital letter.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let folded = text.trim().to_ascii_lowercase();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        (LOGIN_CHARS.contains(&folded.len()) && folded.chars().all(allowed)).then_some(Self(folded)).ok_or(InvalidLogin)
    }
}

/// Shortest password in characters: ANSSI, "Recommandations relatives à l'authentification multifacteur et aux mots
/// de passe", asks for 12 at least; OWASP ASVS 5.0, 6.2.1, for 8, better 15.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Shortest password of an administrator, in characters (ANSSI, MonServiceSécurisé: 16).
pub const MIN_ADMINISTRATOR_PASSWORD_CHARS: usize = 16;
/// Longest password in bytes: far above every passphrase (ASVS 6.2.9 asks for at least 64 characters), low enough
/// that nobody makes the server hash a book.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// A password with fewer different characters than this is a held-down key, not a secret.
const MIN_DIFFERENT_CHARS: usize = 5;

/// Why a password is not good enough. There are no composition rules (ASVS 6.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// Too short for the role.
    #[error("the password has fewer than {0} characters: choose a longer one, several words are fine")]
    TooShort(usize),
    /// Too long to hash.
    #[error("the password has more than {MAX_PASSWORD_BYTES} bytes: choose a shorter one")]
    TooLong,
    /// A few characters repeated.
    #[error("the password repeats a few characters: choose another, several words are fine")]
    Repetitive,
    /// It holds the login, or the name of this program.
    #[error("the password holds the login or the word cartable: choose another, several words are fine")]
    Guessable,
}

/// Whether `password` is good enough for a person with this login and role.
pub fn check_password(password: &str, login: &Login, role: Role) -> Result<(), WeakPassword> {
    let shortest = match role {
        Role::Administrator => MIN_ADMINISTRATOR_PASSWORD_CHARS,
        Role::ProgrammeManager | Role::Technician | Role::Referent | Role::Refurbisher | Role::Auditor => {
            MIN_PASSWORD_CHARS
        }
    };
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(WeakPassword::TooLong);
    }
    if password.chars().count() < shortest {
        return Err(WeakPassword::TooShort(shortest));
    }
    let different: std::collections::BTreeSet<char> = password.chars().collect();
    if different.len() < MIN_DIFFERENT_CHARS {
        return Err(WeakPassword::Repetitive);
    }
    let folded = password.to_lowercase();
    if folded.contains("cartable") || (login.as_str().len() > 2 && folded.contains(login.as_str())) {
        return Err(WeakPassword::Guessable);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_folded_and_bounded() {
        assert_eq!(" Anne.Martin ".parse::<Login>().unwrap().as_str(), "anne.martin");
        for bad in ["", "a", "é.dupont", "a b", "x\u{0}y", &"a".repeat(65), "<img>", "a'--"] {
            assert_eq!(bad.parse::<Login>(), Err(InvalidLogin), "{bad}");
        }
    }

    #[test]
    fn passwords_are_judged_by_length_and_guessability_alone() {
        let login: Login = "anne".parse().unwrap();
        let judge = |password: &str, role| check_password(password, &login, role);
        assert_eq!(judge("cheval pile agrafe", Role::Administrator), Ok(()));
        assert_eq!(judge("é".repeat(600).as_str(), Role::Technician), Err(WeakPassword::TooLong));
        assert_eq!(judge("court", Role::Technician), Err(WeakPassword::TooShort(12)));
        assert_eq!(judge("treize lettres", Role::Administrator), Err(WeakPassword::TooShort(16)));
        assert_eq!(judge("treize lettres", Role::Technician), Ok(()));
        assert_eq!(judge("aaaaaaaaaaaaaaaa", Role::Technician), Err(WeakPassword::Repetitive));
        assert_eq!(judge("je suis Anne moi", Role::Technician), Err(WeakPassword::Guessable));
        assert_eq!(judge("mon Cartable bleu", Role::Technician), Err(WeakPassword::Guessable));
    }
}
