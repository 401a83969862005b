//! What a person may order of an agent: a closed list, each order signed, each answered once. docs/actions.md says what
//! each does and why nothing else can be ordered.
//!
//! What is signed is the exact text of an [`ActionOrder`], carried as a string, so that nothing has to be written the same
//! way twice. The signer's certificate names [`ACTION_PURPOSE`] and comes directly from a root: neither a gateway nor a
//! proxy that somebody took over holds its key.

use serde::{Deserialize, Serialize};

use crate::{
    describe::{Described, Field, reported, reported_enum},
    id::{ActionId, DeviceId, EnrolmentId},
    text::Text,
    units::{UtcDay, UtcMillis},
};

/// The extended key usage of whoever signs orders: 2.25.169346191561911435487065396823946326932 (ITU-T X.667, an identifier
/// made of a UUID), as the content of its DER. No certificate for TLS has it.
pub const ACTION_PURPOSE: &[u8] = &[
    0x69, 0x81, 0xFE, 0xE6, 0xF1, 0xF7, 0xF1, 0xA4, 0xC2, 0x92, 0x8B, 0x9D, 0xB4, 0xC0, 0xDF, 0xF6, 0xE6, 0xF9, 0xE7,
    0x14,
];

/// Most orders in one answer, and most results in one check-in.
pub const MAX_ACTIONS: usize = 5;

/// Longest time in days between an order and its end: an agent obeys none that would live longer.
pub const MAX_ACTION_DAYS: i64 = 31;

/// Longest text of one order in bytes; ours have about 400.
pub const MAX_ORDER_BYTES: usize = 4096;

/// Most lines of the agent's log in one answer.
pub const MAX_LOG_LINES: usize = 200;

/// Longest name of a place in characters: that of a school.
pub const MAX_PLACE_CHARS: usize = 80;

reported_enum! {
    /// What is ordered. There is no other: no program, no file, no picture of a screen.
    pub enum ActionKind {
        /// Come back soon after this contact.
        CheckIn = "check_in",
        /// Send a whole report with this contact.
        FullReport = "full_report",
        /// Start the short self-test of each drive.
        SelfTest = "self_test",
        /// Tell whoever uses the laptop until when and where to bring it back.
        ReturnNotice = "return_notice",
        /// Send the agent's own log.
        SendLog = "send_log",
    }
}

/// Until when and where a laptop is to be brought back. The laptop makes the sentence, in its own language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnNotice {
    /// The day, as a moment within it (UTC).
    pub due_at: UtcMillis,
    /// The place: at most [`MAX_PLACE_CHARS`] characters, shown as plain text.
    pub place: Text,
}

/// One order, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionOrder {
    /// Which order.
    pub action_id: ActionId,
    /// The device it is for.
    pub device_id: DeviceId,
    /// The enrolment it is for: a laptop that was enrolled anew does not do what the old one was told.
    pub enrolment_id: EnrolmentId,
    /// What to do.
    pub kind: ActionKind,
    /// What a return notice says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<ReturnNotice>,
    /// Grows with each order for a device. An agent does nothing twice and nothing that is older than what it did.
    pub counter: i64,
    /// When it was ordered, by the server's clock.
    pub issued_at: UtcMillis,
    /// From when it is too late to do it.
    pub expires_at: UtcMillis,
}

/// An order with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAction {
    /// The [`ActionOrder`] in JSON: exactly these bytes are signed, after [`signed_message`].
    pub text: String,
    /// ECDSA on P-256 with SHA-256, in DER, base64.
    pub signature: String,
}

/// Orders, and whose word they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedActions {
    /// The signer's certificate, issued by a root for [`ACTION_PURPOSE`]: DER, base64.
    pub certificate: String,
    /// At most [`MAX_ACTIONS`].
    pub orders: Vec<SignedAction>,
}

/// What is signed: the text, after words that set it apart from everything else that a key of this authority signs.
pub fn signed_message(text: &str) -> Vec<u8> {
    [&b"cartable-action-1\n"[..], text.as_bytes()].concat()
}

reported_enum! {
    /// What became of an order.
    pub enum ActionOutcome {
        /// It was done. A self-test was started; a notice lies ready for the desktop.
        Done = "done",
        /// This agent does not know such an order.
        Unsupported = "unsupported",
        /// This computer cannot do it.
        NotPossible = "not_possible",
        /// It was not a fair moment: an exam, an empty battery, a metered network, a drive that sleeps.
        NotNow = "not_now",
        /// The drive refused.
        Refused = "refused",
        /// It came too late.
        Expired = "expired",
        /// It, or a later one, was done before.
        Replayed = "replayed",
        /// The computer or the agent stopped while it was being done: whether it was, nobody knows. It is not done again.
        Interrupted = "interrupted",
        /// It failed.
        Failed = "failed",
    }
}

reported! {
    /// What one drive answered to a self-test.
    pub struct SelfTestAnswer {
        /// Which drive, by its place in the report: the first is 0.
        fr "Quel disque, par sa place dans le relevé : le premier est 0.",
        drive: u16,
        /// Whether the self-test was started; what it found comes with a later report.
        fr "Si l'autotest a démarré ; son résultat vient avec un relevé suivant.",
        outcome: ActionOutcome,
    }
}

reported_enum! {
    /// How serious a line of the log is.
    pub enum LogLevel {
        /// A person must act.
        Error = "error",
        /// Somebody may have to.
        Warn = "warn",
        /// The agent's daily life.
        Info = "info",
    }
}

reported! {
    /// A line of the agent's own log: words that stand in the agent's program, and numbers.
    pub struct LogLine {
        /// The day, by the computer's clock, without the hour: the lines stand in their order.
        fr "Le jour, à l'horloge de l'ordinateur, sans l'heure : les lignes se suivent dans leur ordre.",
        at: Option<UtcDay>,
        /// How serious it is.
        fr "Sa gravité.",
        level: LogLevel,
        /// What happened, in the agent's own fixed words, with numbers: never a name, a file or an address.
        fr "Ce qui s'est passé, dans les mots fixes de l'agent, avec des nombres : jamais un nom, un fichier ni une adresse.",
        words: Text,
    }
}

/// What the agent answers to an order, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionResult {
    /// Which order.
    pub action_id: ActionId,
    /// What became of it.
    pub outcome: ActionOutcome,
    /// What each drive answered to a self-test.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drives: Vec<SelfTestAnswer>,
    /// The agent's own log, where it was asked for: at most [`MAX_LOG_LINES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
}

impl ActionResult {
    /// A result that says no more than what became of the order.
    #[must_use]
    pub const fn plain(action_id: ActionId, outcome: ActionOutcome) -> Self {
        Self { action_id, outcome, drives: Vec::new(), log: Vec::new() }
    }
}

impl Described for ActionResult {
    const UNIT: &'static str = "structure";
    const FIELDS: &'static [Field] = &[
        Field { name: "action_id", unit: "text", why: "Which order.", why_fr: "Quelle demande.", fields: &[] },
        Field {
            name: "outcome",
            unit: <ActionOutcome as Described>::UNIT,
            why: "What became of it.",
            why_fr: "Ce qu'il en est advenu.",
            fields: &[],
        },
        Field {
            name: "drives",
            unit: "list",
            why: "What each drive answered to a self-test.",
            why_fr: "Ce que chaque disque a répondu à un autotest.",
            fields: SelfTestAnswer::FIELDS,
        },
        Field {
            name: "log",
            unit: "list",
            why: "The agent's own log, where it was asked for.",
            why_fr: "Le journal de l'agent lui-même, s'il a été demandé.",
            fields: LogLine::FIELDS,
        },
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_version_orders_or_answers_is_read_as_unknown() {
        let read = |text| serde_json::from_str::<ActionKind>(text).unwrap();
        assert_eq!(read("\"self_test\""), ActionKind::SelfTest);
        assert_eq!(read("\"open_a_shell\""), ActionKind::Unknown);
        assert_eq!(serde_json::from_str::<ActionOutcome>("\"x\"").unwrap(), ActionOutcome::Unknown);
    }

    #[test]
    fn a_result_says_no_more_than_it_must() {
        let result = ActionResult::plain(ActionId(uuid::Uuid::nil()), ActionOutcome::Done);
        let text = serde_json::to_string(&result).unwrap();
        assert_eq!(text, r#"{"action_id":"00000000-0000-0000-0000-000000000000","outcome":"done"}"#);
    }

    #[test]
    fn the_purpose_is_the_identifier_that_is_written_beside_it() {
        let arc = ACTION_PURPOSE[1..].iter().fold(0_u128, |arc, byte| (arc << 7) | u128::from(byte & 0x7F));
        assert_eq!(ACTION_PURPOSE[0], 2 * 40 + 25);
        assert_eq!(arc, 169_346_191_561_911_435_487_065_396_823_946_326_932);
    }
}
