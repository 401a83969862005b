//! Needs: what a site asks a device for. Why it comes first is a short list of codes, never text about a child.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{
    authority::{Action, Actor, Object, Role, can},
    borrower::Level,
    programme::Programme,
    scope::Scope,
    verdict::text_enum,
};

text_enum! {
    /// Why a need may come before others.
    pub enum NeedReason {
        /// A pupil of an ULIS.
        Ulis = "ulis",
        /// No computer at home.
        NoComputer = "no_computer",
        /// One computer at home for brothers and sisters.
        Shared = "shared",
        /// Scholarship of the first band.
        Band1 = "band_1",
        /// Scholarship of the second band.
        Band2 = "band_2",
        /// Scholarship of the third band.
        Band3 = "band_3",
        /// The device lent before broke, was lost or stolen, and the loan goes on.
        Replacement = "replacement",
    }
}

impl NeedReason {
    const fn is_band(self) -> bool {
        matches!(self, Self::Band1 | Self::Band2 | Self::Band3)
    }
}

/// The reasons of one need: each once, in their own order, and none that contradict each other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reasons(Vec<NeedReason>);

/// Reasons that cannot be true together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Two bands of scholarship.
    #[error("a pupil has a scholarship of one band only")]
    TwoBands,
    /// No computer, and one that is shared.
    #[error("`no_computer` and `shared` exclude each other: a computer that is shared is one")]
    NoneAndShared,
}

impl Reasons {
    /// These reasons, in whatever order and however often they were given.
    pub fn new(given: impl IntoIterator<Item = NeedReason>) -> Result<Self, Contradiction> {
        let mut reasons: Vec<NeedReason> = given.into_iter().collect();
        reasons.sort_unstable();
        reasons.dedup();
        if reasons.iter().filter(|reason| reason.is_band()).count() > 1 {
            return Err(Contradiction::TwoBands);
        }
        if reasons.contains(&NeedReason::NoComputer) && reasons.contains(&NeedReason::Shared) {
            return Err(Contradiction::NoneAndShared);
        }
        Ok(Self(reasons))
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = NeedReason> + '_ {
        self.0.iter().copied()
    }

    /// As the database and the API write them.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        self.0.iter().map(|reason| reason.as_str()).collect()
    }
}

text_enum! {
    /// What became of a need.
    pub enum NeedState {
        /// Waiting for a device.
        Open = "open",
        /// A device is set aside or lent for it.
        Met = "met",
        /// The site no longer asks for it.
        Withdrawn = "withdrawn",
    }
}

/// A site's request for one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Never given to another.
    pub id: Uuid,
    /// The site that asks.
    pub site: Uuid,
    /// Under which programme.
    pub programme: Uuid,
    /// The class level.
    pub level: Option<Level>,
    /// Why it may come before others.
    pub reasons: Reasons,
    /// For whom, by reference, where the site knows it already.
    pub borrower: Option<Uuid>,
    /// When it was entered.
    pub entered_at: UtcMillis,
}

/// Whether somebody with this role may see the class level of a need: the roles that may see who borrowers are. In a
/// small collège a level can be a name.
#[must_use]
pub fn shows_level(role: Role) -> bool {
    can(Actor { role, scope: &Scope::Everything }, Action::SeeIdentity, Object::OwnScope).is_allowed()
}

/// Whether somebody with this role may see under which programme a need is: those who enter needs, and those to whom the
/// programme shows who is in it.
#[must_use]
pub fn shows_programme(role: Role, programme: Option<&Programme>) -> bool {
    role == Role::Referent || programme.is_some_and(|programme| programme.shows_membership_to(role))
}

/// Whether somebody with this role may see what leads from a need under `programme` to a person: its borrower, its
/// device, its loan. A need says why it comes first ("ulis", a scholarship): beside a reference that is data about a
/// child, which a role that sees no identities does not get even where the programme shows it who is in it.
#[must_use]
pub fn shows_person(role: Role, programme: Option<&Programme>) -> bool {
    shows_level(role) && shows_programme(role, programme)
}

/// Most needs that are entered with one form: a school's largest level.
pub const MOST_AT_ONCE: u32 = 500;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reasons_that_exclude_each_other_are_refused() {
        use NeedReason::{Band1, Band3, NoComputer, Shared, Ulis};
        assert_eq!(Reasons::new([Band1, Band3]), Err(Contradiction::TwoBands));
        assert_eq!(Reasons::new([Shared, Ulis, NoComputer]), Err(Contradiction::NoneAndShared));
        assert_eq!(Reasons::new([Band3, Ulis, Band3]).unwrap().codes(), ["ulis", "band_3"]);
        assert!(Reasons::new([]).unwrap().codes().is_empty());
    }

    #[test]
    fn an_auditor_sees_what_needs_are_but_not_whose() {
        let mut programme = crate::domain::programme::sample("D9");
        for role in [Role::Administrator, Role::ProgrammeManager, Role::Referent] {
            assert!(
                shows_level(role) && shows_programme(role, Some(&programme)) && shows_person(role, Some(&programme))
            );
        }
        assert!(!shows_level(Role::Auditor) && !shows_programme(Role::Auditor, Some(&programme)));
        programme.membership = vec![Role::Auditor];
        assert!(shows_programme(Role::Auditor, Some(&programme)), "it may know who is in the programme");
        assert!(!shows_person(Role::Auditor, Some(&programme)), "but never whose reasons these are");
        assert!(!shows_programme(Role::Auditor, None));
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(picks in proptest::collection::vec(0..NeedReason::ALL.len(), 0..10)) {
            let given: Vec<NeedReason> = picks.iter().map(|pick| NeedReason::ALL[*pick]).collect();
            let backwards = given.iter().rev().chain(&given).copied();
            prop_assert_eq!(Reasons::new(given.clone()), Reasons::new(backwards));
        }
    }
}
