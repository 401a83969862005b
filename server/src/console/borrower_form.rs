//! What people type about a borrower, and what is wrong with it.

use serde::Deserialize;
use uuid::Uuid;

use super::{component::Choice, desk_way::DeskWay, once};
use crate::domain::{
    borrower::{Borrower, BorrowerKind, Guardian, Identity, IdentityLanguage, Level},
    identity::{InvalidIdentity, MAX_NAME_CHARS, MAX_NATURAL_KEY_CHARS},
};

/// Who a person is, as typed. `Debug` shows nothing.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct IdentityForm {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) email: String,
    pub(super) language: String,
    pub(super) guardian_1_name: String,
    pub(super) guardian_1_email: String,
    pub(super) guardian_1_phone: String,
    pub(super) guardian_2_name: String,
    pub(super) guardian_2_email: String,
    pub(super) guardian_2_phone: String,
}

impl std::fmt::Debug for IdentityForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityForm([redacted])")
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn guardian(name: &str, email: &str, phone: &str) -> Option<Guardian> {
    let guardian = Guardian { name: name.trim().to_owned(), email: some(email), phone: some(phone) };
    (guardian != Guardian::default()).then_some(guardian)
}

impl IdentityForm {
    /// The form of an identity that is known. Guardians beyond two stay as they are when it comes back.
    pub(super) fn of(identity: &Identity) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let nobody = Guardian::default();
        let guardian = |index: usize| identity.guardians.get(index).unwrap_or(&nobody);
        Self {
            name: identity.name.clone(),
            class: text(&identity.class),
            email: text(&identity.email),
            language: match identity.language {
                Some(IdentityLanguage::English) => "en".to_owned(),
                Some(IdentityLanguage::French) | None => "fr".to_owned(),
            },
            guardian_1_name: guardian(0).name.clone(),
            guardian_1_email: text(&guardian(0).email),
            guardian_1_phone: text(&guardian(0).phone),
            guardian_2_name: guardian(1).name.clone(),
            guardian_2_email: text(&guardian(1).email),
            guardian_2_phone: text(&guardian(1).phone),
        }
    }

    /// Whether nothing was typed.
    pub(super) fn is_empty(&self) -> bool {
        let IdentityForm { name, class, email, guardian_1_name, guardian_2_name, .. } = self;
        [name, class, email, guardian_1_name, guardian_2_name].iter().all(|text| text.trim().is_empty())
    }

    /// The identity that the form describes; `before` keeps what the form does not show.
    pub(super) fn read(&self, before: Option<&Identity>) -> Result<Identity, InvalidIdentity> {
        let typed = [
            guardian(&self.guardian_1_name, &self.guardian_1_email, &self.guardian_1_phone),
            guardian(&self.guardian_2_name, &self.guardian_2_email, &self.guardian_2_phone),
        ];
        let kept = before.map_or(&[][..], |before| before.guardians.get(2..).unwrap_or_default());
        let identity = Identity {
            name: self.name.trim().to_owned(),
            class: some(&self.class),
            email: some(&self.email),
            guardians: typed.into_iter().flatten().chain(kept.iter().cloned()).collect(),
            language: Some(if self.language == "en" { IdentityLanguage::English } else { IdentityLanguage::French }),
        };
        identity.check().map(|()| identity)
    }
}

/// The word for what is wrong.
pub(super) const fn problem(wrong: InvalidIdentity) -> &'static str {
    match wrong {
        InvalidIdentity::Name => "borrower-problem-name",
        InvalidIdentity::Class => "borrower-problem-class",
        InvalidIdentity::Email => "borrower-problem-email",
        InvalidIdentity::Phone => "borrower-problem-phone",
        InvalidIdentity::Guardians => "borrower-problem-guardians",
    }
}

/// A borrower to record, as typed, without who it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct BorrowerForm {
    pub(super) kind: String,
    pub(super) site: String,
    pub(super) level: String,
    pub(super) institution: String,
    pub(super) number: String,
    #[serde(flatten)]
    pub(super) identity: IdentityForm,
    /// What tells this form from every other: see [`super::once`].
    pub(super) once: String,
    #[serde(flatten)]
    pub(super) way: DeskWay,
}

/// What the form asks for.
pub(super) struct Wanted {
    pub(super) kind: BorrowerKind,
    pub(super) site: Option<Uuid>,
    pub(super) level: Option<Level>,
    pub(super) institution: Option<String>,
    pub(super) number: Option<String>,
    pub(super) identity: Option<Identity>,
}

impl BorrowerForm {
    /// The id of the borrower that this form records: the same for the same form sent again.
    pub(super) fn id(&self) -> Option<Uuid> {
        let who = &self.identity;
        let typed = [
            self.kind.as_str(),
            &self.site,
            &self.level,
            &self.institution,
            &self.number,
            &who.name,
            &who.class,
            &who.email,
            &who.language,
            &who.guardian_1_name,
            &who.guardian_1_email,
            &who.guardian_1_phone,
            &who.guardian_2_name,
            &who.guardian_2_email,
            &who.guardian_2_phone,
        ];
        once::id(&self.once, &typed)
    }

    /// What it asks for, or the word for what is wrong.
    pub(super) fn read(&self) -> Result<Wanted, &'static str> {
        let kind: BorrowerKind = self.kind.parse().map_err(|_| "borrower-problem-kind")?;
        let site = match self.site.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| "borrower-problem-site")?),
        };
        let wanted = Wanted { kind, site, level: None, institution: None, number: None, identity: None };
        match kind {
            BorrowerKind::Institution => {
                let name = institution_name(&self.institution).ok_or("borrower-problem-institution")?;
                Ok(Wanted { institution: Some(name), ..wanted })
            }
            BorrowerKind::Person => {
                let number = some(&self.number);
                if number.as_deref().is_some_and(|number| number.chars().count() > MAX_NATURAL_KEY_CHARS) {
                    return Err("borrower-problem-number");
                }
                let identity =
                    if self.identity.is_empty() { None } else { Some(self.identity.read(None).map_err(problem)?) };
                Ok(Wanted { level: level(&self.level)?, number, identity, ..wanted })
            }
        }
    }
}

/// An institution's name that can be shown.
pub(super) fn institution_name(text: &str) -> Option<String> {
    some(text).filter(|name| name.chars().count() <= MAX_NAME_CHARS && !name.contains(char::is_control))
}

/// The class level that was chosen.
pub(super) fn level(text: &str) -> Result<Option<Level>, &'static str> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| "borrower-problem-level"),
    }
}

/// The choices of a class level; the first is none.
pub(super) fn levels(present: &str, words: super::i18n::Words) -> Vec<Choice> {
    let none = Choice { value: String::new(), label: words.say("borrower-no-level"), selected: present.is_empty() };
    let choice = |level: &Level| Choice {
        value: level.as_str().to_owned(),
        label: words.word("level", level.as_str()),
        selected: level.as_str() == present,
    };
    std::iter::once(none).chain(Level::ALL.iter().map(choice)).collect()
}

/// How a borrower is called where people read: an institution by its name, a person by the reference.
pub(super) fn called(borrower: &Borrower) -> String {
    borrower.institution_name.clone().unwrap_or_else(|| borrower.reference.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_keeps_the_guardians_that_it_does_not_show() {
        let guardian = |name: &str| Guardian { name: name.into(), ..Guardian::default() };
        let before = Identity {
            name: "Inès".into(),
            guardians: vec![guardian("A"), guardian("B"), guardian("C")],
            language: Some(IdentityLanguage::English),
            ..Identity::default()
        };
        assert_eq!(IdentityForm::of(&before).read(Some(&before)), Ok(before.clone()));
        let without = IdentityForm { guardian_2_name: String::new(), ..IdentityForm::of(&before) };
        assert_eq!(without.read(Some(&before)).unwrap().guardians, [guardian("A"), guardian("C")]);
        assert_eq!(format!("{without:?}"), "IdentityForm([redacted])");
    }

    #[test]
    fn a_person_may_be_recorded_before_who_it_is_is_known() {
        let person = BorrowerForm { kind: "person".into(), level: "5e".into(), ..BorrowerForm::default() };
        let wanted = person.read().map_err(str::to_owned);
        assert!(wanted.is_ok_and(|wanted| wanted.identity.is_none() && wanted.level == Some(Level::Cinquieme)));
        let institution = BorrowerForm { kind: "institution".into(), ..BorrowerForm::default() };
        assert_eq!(institution.read().err(), Some("borrower-problem-institution"));
    }
}
