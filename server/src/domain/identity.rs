//! What may stand in an identity, and whether it may be forgotten. What an identity is stands in [`super::borrower`].

use cartable_common::text::is_unshowable;
use jiff::civil::Date;

use super::borrower::{Guardian, Identity};

/// Longest name in characters.
pub const MAX_NAME_CHARS: usize = 120;
/// Longest class in characters.
const MAX_CLASS_CHARS: usize = 20;
/// Longest e-mail address (RFC 5321, 4.5.3.1.3).
const MAX_EMAIL_CHARS: usize = 254;
/// Longest telephone number as people write it.
const MAX_PHONE_CHARS: usize = 24;
/// Holders of parental authority: two, and room for a guardian and an institution.
pub const MAX_GUARDIANS: usize = 4;
/// Longest number that a school's own system gives a person.
pub const MAX_NATURAL_KEY_CHARS: usize = 40;

/// What cannot be in an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// A name is missing, or too long.
    #[error("a person's name has 1 to {MAX_NAME_CHARS} characters")]
    Name,
    /// The class.
    #[error("a class has at most {MAX_CLASS_CHARS} characters")]
    Class,
    /// An e-mail address.
    #[error("an e-mail address looks like name@example.org")]
    Email,
    /// A telephone number.
    #[error("a telephone number has digits, spaces, dots and a leading +")]
    Phone,
    /// Too many guardians, or one without a name.
    #[error("at most {MAX_GUARDIANS} holders of parental authority, each with a name")]
    Guardians,
}

/// Whether notices can be sent there, as far as its form tells.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.split_once('@') else { return false };
    let odd =
        |c: char| c.is_whitespace() || is_unshowable(c) || matches!(c, '@' | '<' | '>' | ',' | ';' | '"' | '(' | ')');
    // A domain as DNS has it: neither an address in brackets nor letters that only look like others.
    let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let dotted = host.contains('.') && host.split('.').all(label);
    !name.is_empty() && dotted && text.chars().count() <= MAX_EMAIL_CHARS && !name.contains(odd)
}

pub(super) fn is_line(text: &str, longest: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= longest && !text.contains(char::is_control)
}

fn is_phone(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '.' | '+' | '-' | '(' | ')');
    text.chars().count() <= MAX_PHONE_CHARS && text.chars().all(fits) && text.chars().any(|c| c.is_ascii_digit())
}

fn guardian(guardian: &Guardian) -> Result<(), InvalidIdentity> {
    if !is_line(&guardian.name, MAX_NAME_CHARS) {
        return Err(InvalidIdentity::Guardians);
    }
    if guardian.email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(InvalidIdentity::Email);
    }
    if guardian.phone.as_deref().is_some_and(|phone| !is_phone(phone)) {
        return Err(InvalidIdentity::Phone);
    }
    Ok(())
}

impl Identity {
    /// What is wrong with it, if anything: asked before it is sealed.
    pub fn check(&self) -> Result<(), InvalidIdentity> {
        if !is_line(&self.name, MAX_NAME_CHARS) {
            return Err(InvalidIdentity::Name);
        }
        if self.class.as_deref().is_some_and(|class| !is_line(class, MAX_CLASS_CHARS)) {
            return Err(InvalidIdentity::Class);
        }
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(InvalidIdentity::Email);
        }
        if self.guardians.len() > MAX_GUARDIANS {
            return Err(InvalidIdentity::Guardians);
        }
        self.guardians.iter().try_for_each(guardian)
    }
}

/// Why who a borrower is may not be forgotten yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the borrower holds {open_loans} device(s): who holds public property is known until it is returned or given up"
)]
pub struct StillNeeded {
    /// How many loans are open.
    pub open_loans: i64,
}

/// Whether who a borrower is may be forgotten on request. While a loan is open it may not: RGPD art. 17(3)(e), the
/// claim to the device's return. What is not needed for that (class, addresses, numbers) can be taken out by changing
/// the identity (art. 16).
pub const fn may_be_erased(open_loans: i64) -> Result<(), StillNeeded> {
    if open_loans == 0 { Ok(()) } else { Err(StillNeeded { open_loans }) }
}

/// Days ahead of today on which somebody may be recorded to leave: the end of the next school year.
const LEAVING_AHEAD_DAYS: i32 = 400;
/// Before this year nobody left.
const FIRST_LEAVING_YEAR: i16 = 2000;

/// Whether somebody may be said to leave on `day`. A campaign that asks who left must be able to rely on it: nobody
/// leaves in ten years' time.
#[must_use]
pub fn may_have_left_on(day: Date, today: Date) -> bool {
    let latest = today.checked_add(jiff::Span::new().days(LEAVING_AHEAD_DAYS)).unwrap_or(today);
    day <= latest && day.year() >= FIRST_LEAVING_YEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            name: "Inès Martin".into(),
            class: Some("5e B".into()),
            email: Some("ines@example.org".into()),
            guardians: vec![Guardian { name: "Paul Martin".into(), email: None, phone: Some("+33 6 12.34".into()) }],
            language: None,
        }
    }

    #[test]
    fn what_cannot_be_written_to_or_read_is_refused() {
        assert_eq!(identity().check(), Ok(()));
        let with = |change: fn(&mut Identity)| {
            let mut changed = identity();
            change(&mut changed);
            changed.check()
        };
        assert_eq!(with(|one| one.name = " ".into()), Err(InvalidIdentity::Name));
        assert_eq!(with(|one| one.class = Some("x".repeat(21))), Err(InvalidIdentity::Class));
        assert_eq!(with(|one| one.guardians[0].name.clear()), Err(InvalidIdentity::Guardians));
        assert_eq!(with(|one| one.guardians = vec![one.guardians[0].clone(); 5]), Err(InvalidIdentity::Guardians));
        assert_eq!(with(|one| one.guardians[0].phone = Some("n/a".into())), Err(InvalidIdentity::Phone));
        for bad in [
            "a",
            "@b.fr",
            "a@b",
            "a@b..fr",
            "a b@c.fr",
            "a@b.fr\r\nBcc: x@y.fr",
            "a@b.fr,c@d.fr",
            "<a@b.fr>",
            "a@\u{202e}b.fr",
            "a\u{200b}@b.fr",
            "a@[127.0.0.1]",
            "a@b.f\u{440}",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn whoever_holds_a_device_is_known() {
        assert_eq!(may_be_erased(0), Ok(()));
        assert_eq!(may_be_erased(2), Err(StillNeeded { open_loans: 2 }));
    }
}
