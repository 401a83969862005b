//! Who comes in by themselves and who waits for a person, and what the person's word then does.
//!
//! Pure: the caller says what the machine may be ([`Arrival`]) and what its token is worth.

use cartable_common::{DeviceId, UtcDay, UtcMillis};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{device::DeviceStatus, enrolment::Arrival, enrolment_token::Admits, verdict::text_enum};

/// Days after its end for which a token still lets machines ask. A delivery is unpacked for weeks, and a laptop that was
/// set up on the last day may be switched on after the holidays; what is older is not somebody who was late.
pub const SPENT_TOKEN_DAYS: i64 = 30;

/// Most machines that wait through one token at a time: three classes, and two pages for a person to read. A token that
/// leaked fills no more of the queue than that; ending it ends that too, also for those that name a lost key that it let in.
pub const MAX_WAITING_PER_TOKEN: i64 = 100;

/// Days after its last ask on which a request lapses that nobody decided about: a laptop that asked on the last day of school is
/// looked at after the summer, which is nine weeks. One that is still there asks every hour and waits on; what a stranger's
/// machine said of itself is kept no longer than this after it went away. Counted from the last ask and not from the first: a
/// token is over sooner than that, and who lapsed could not ask anew.
pub const WAITING_DAYS: i64 = 90;

/// Most requests that are decided in one unit of work: all that one token can make wait.
pub const MOST_AT_ONCE: usize = 100;

/// What a person said of a device that letting a key in takes back: the device is in service again. Whoever approves is told.
pub const LIFTED: [DeviceStatus; 3] = [DeviceStatus::Quarantined, DeviceStatus::Revoked, DeviceStatus::Released];

text_enum! {
    /// Why a machine waits for a person.
    pub enum WaitsFor {
        /// The machine is known and was enrolled before, or is recorded as one without an agent.
        Replacement = "replacement",
        /// Its token lets in recorded machines alone, and nobody recorded its serial number.
        UnlistedSerial = "unlisted_serial",
        /// Its token was used up, or ended lately by itself.
        SpentToken = "spent_token",
        /// It is recorded and awaited at another site than that of its token.
        OtherSite = "other_site",
        /// Its certificate ended so long ago, or for so many times, that the rule grants no other.
        Recovery = "recovery",
        /// It has no token but the key of another machine: an image was copied, or a main board exchanged.
        ClonedKey = "cloned_key",
    }
}

text_enum! {
    /// Where a request to be let in is kept. A further kind of request is one more of these.
    pub enum Source {
        /// A key that waits for a device that is known.
        Enrolment = "enrolment",
        /// A key that belongs to no device yet.
        Newcomer = "newcomer",
        /// A device's own key, whose certificate has ended.
        Recovery = "recovery",
    }
}

text_enum! {
    /// What a person says to a request.
    pub enum Ruling {
        /// It is let in.
        Approve = "approve",
        /// It is not, with this key.
        Refuse = "refuse",
    }
}

text_enum! {
    /// Why a request cannot be let in.
    pub enum Hindrance {
        /// The device was given away: it is somebody else's.
        GivenAway = "given_away",
        /// The machine is a device of a site that this person does not see.
        Elsewhere = "elsewhere",
        /// Another request of the same selection is for the same device: one of them is looked at alone.
        Twice = "twice",
        /// The device would be given a serial number that another device has.
        SerialTaken = "serial_taken",
    }
}

/// What a token that was presented is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It lets a machine in.
    Open,
    /// It did, until lately: a machine may ask a person.
    Spent,
}

/// How a machine comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// At once.
    ByItself,
    /// Once a person said so.
    Waits(WaitsFor),
}

/// Whether a machine comes in by itself; `elsewhere` is the device of another site that it says it is, if it does. A recorded
/// one that is awaited comes in through every open token of its site: recording its serial number was a person's word. That
/// word is not another site's, and a token of one site opens no other.
#[must_use]
pub const fn entry(arrival: &Arrival, elsewhere: Option<DeviceId>, worth: Worth, admits: Admits) -> Entry {
    match (worth, arrival, elsewhere, admits) {
        (Worth::Spent, ..) => Entry::Waits(WaitsFor::SpentToken),
        (Worth::Open, Arrival::Replacement(_), ..) => Entry::Waits(WaitsFor::Replacement),
        (Worth::Open, Arrival::FirstEnrolment(_), Some(_), _) => Entry::Waits(WaitsFor::OtherSite),
        (Worth::Open, Arrival::NewDevice, _, Admits::Recorded) => Entry::Waits(WaitsFor::UnlistedSerial),
        (Worth::Open, Arrival::NewDevice, _, Admits::Anyone) | (Worth::Open, Arrival::FirstEnrolment(_), None, _) => {
            Entry::ByItself
        }
    }
}

/// Whether a device that is recorded at the site `listed` is another site's than the token's. One without a site is nobody's.
#[must_use]
pub fn is_elsewhere(listed: Option<Uuid>, token: Uuid) -> bool {
    listed.is_some_and(|listed| listed != token)
}

/// Whether machines may still ask through a token that lets none in any more: nobody ended it, and its own end is at most
/// [`SPENT_TOKEN_DAYS`] ago.
#[must_use]
pub fn may_still_ask(was_ended: bool, expires_at: UtcMillis, now: UtcMillis) -> bool {
    !was_ended && expires_at.plus_days(SPENT_TOKEN_DAYS) > now
}

/// When a request lapses that was last made on that day; nothing for one that does not lapse, of which no day is kept: a device's
/// own key that recovers, or one that a restored database has forgotten, was let in once and waits as long as it takes.
#[must_use]
pub fn lapses_at(last_ask: Option<UtcDay>) -> Option<UtcMillis> {
    last_ask.map(|day| day.start().plus_days(WAITING_DAYS))
}

/// What letting a request in does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Records a new device.
    NewDevice,
    /// Gives a recorded device its first key.
    FirstKey(DeviceId),
    /// Makes the key the only one of a device that had another.
    Replaces(DeviceId),
    /// Gives a device's own key another certificate.
    Renews(DeviceId),
    /// Nothing: it cannot be let in.
    Impossible(Hindrance),
}

impl Effect {
    /// The device that is known, and that this is about.
    #[must_use]
    pub const fn device(self) -> Option<DeviceId> {
        match self {
            Self::NewDevice | Self::Impossible(_) => None,
            Self::FirstKey(id) | Self::Replaces(id) | Self::Renews(id) => Some(id),
        }
    }

    /// Its code, for catalogues and scripts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::FirstKey(_) => "first_key",
            Self::Replaces(_) => "replaces",
            Self::Renews(_) => "renews",
            Self::Impossible(_) => "impossible",
        }
    }

    /// The codes of all of them.
    pub const CODES: [&'static str; 5] = ["new_device", "first_key", "replaces", "renews", "impossible"];

    /// What a preview keeps of it: the decision is held against this, so that nothing happens that was not shown. For a newcomer
    /// it is [`mark_of_newcomer`](Self::mark_of_newcomer).
    #[must_use]
    pub fn mark(self) -> String {
        match self {
            Self::FirstKey(id) | Self::Replaces(id) | Self::Renews(id) => format!("{}:{id}", self.code()),
            Self::Impossible(hindrance) => format!("{}:{hindrance}", self.code()),
            Self::NewDevice => self.code().to_owned(),
        }
    }

    /// The same for a machine that is no device yet: with its site, and with what it said of itself and brought when it was shown. It asks
    /// again and may say something else.
    #[must_use]
    pub fn mark_of_newcomer(self, site: Option<Uuid>, said: &[Option<&str>]) -> String {
        let site = site.map_or_else(|| "-".to_owned(), |site| site.to_string());
        let said = HEXLOWER.encode(&Sha256::digest(format!("{said:?}")));
        format!("{}:{site}:{said}", self.mark())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_recorded_comes_in_by_itself_where_the_token_says_so() {
        let id = DeviceId(Uuid::nil());
        let arrivals = [Arrival::NewDevice, Arrival::FirstEnrolment(id), Arrival::Replacement(id)];
        let through = |admits| arrivals.map(|arrival| entry(&arrival, None, Worth::Open, admits));
        let replacement = Entry::Waits(WaitsFor::Replacement);
        assert_eq!(through(Admits::Anyone), [Entry::ByItself, Entry::ByItself, replacement]);
        let unlisted = Entry::Waits(WaitsFor::UnlistedSerial);
        assert_eq!(through(Admits::Recorded), [unlisted, Entry::ByItself, replacement]);
        for admits in [Admits::Anyone, Admits::Recorded] {
            for arrival in arrivals {
                let waits = Entry::Waits(WaitsFor::SpentToken);
                assert_eq!(
                    entry(&arrival, None, Worth::Spent, admits),
                    waits,
                    "{arrival:?}: a spent token lets nobody in"
                );
            }
            let elsewhere = entry(&Arrival::FirstEnrolment(id), Some(id), Worth::Open, admits);
            assert_eq!(elsewhere, Entry::Waits(WaitsFor::OtherSite), "a token opens its own site");
        }
    }

    #[test]
    fn a_device_without_a_site_is_not_elsewhere() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!([None, Some(one), Some(two)].map(|listed| is_elsewhere(listed, one)), [false, false, true]);
    }

    #[test]
    fn a_token_that_a_person_ended_is_good_for_nothing() {
        let end = UtcMillis::new(1_796_000_000_000).unwrap();
        assert!(may_still_ask(false, end, end.plus_days(-1)), "used up before its end");
        assert!(may_still_ask(false, end, end.plus_days(SPENT_TOKEN_DAYS - 1)));
        assert!(!may_still_ask(false, end, end.plus_days(SPENT_TOKEN_DAYS)));
        assert!(!may_still_ask(true, end, end.plus_days(-1)));
    }

    #[test]
    fn a_request_lapses_after_the_day_of_its_last_ask_and_tells_no_hour() {
        let asked = UtcMillis::new(1_796_000_000_000).unwrap();
        let lapses = lapses_at(Some(asked.into())).unwrap();
        assert_eq!((lapses.day_number(), lapses.get() % UtcMillis::DAY), (asked.day_number() + WAITING_DAYS, 0));
        assert_eq!(lapses_at(None), None, "a key that was let in once waits as long as it takes");
        const { assert!(WAITING_DAYS > 9 * 7, "the summer is waited for") }
    }

    #[test]
    fn a_mark_tells_effects_and_devices_apart() {
        let (one, two) = (DeviceId(Uuid::from_u128(1)), DeviceId(Uuid::from_u128(2)));
        let effects = [
            Effect::NewDevice,
            Effect::FirstKey(one),
            Effect::Replaces(one),
            Effect::Replaces(two),
            Effect::Renews(one),
            Effect::Impossible(Hindrance::Twice),
            Effect::Impossible(Hindrance::GivenAway),
        ];
        let marks: std::collections::BTreeSet<String> = effects.iter().map(|effect| effect.mark()).collect();
        assert_eq!(marks.len(), effects.len(), "{marks:?}");
        let said = [Some("PF2NEW"), Some("LENOVO"), None];
        let newcomers = [
            Effect::NewDevice.mark_of_newcomer(None, &said),
            Effect::NewDevice.mark_of_newcomer(Some(one.0), &said),
            Effect::NewDevice.mark_of_newcomer(None, &[Some("PF2OTHER"), Some("LENOVO"), None]),
            Effect::NewDevice.mark_of_newcomer(None, &[Some("PF2NEW"), None, Some("LENOVO")]),
            Effect::FirstKey(one).mark_of_newcomer(None, &said),
        ];
        let told: std::collections::BTreeSet<&String> = newcomers.iter().collect();
        assert_eq!(told.len(), newcomers.len(), "{newcomers:?}");
        assert!(effects.iter().all(|effect| Effect::CODES.contains(&effect.code())));
        assert_eq!((Effect::Replaces(two).device(), Effect::NewDevice.device()), (Some(two), None));
    }
}
