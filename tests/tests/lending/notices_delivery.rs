//! Notices against a real mail server, on both engines: one letter for a recipient, none twice, none lost, none on
//! holidays, none about what has come back.

use std::sync::atomic::{AtomicI64, Ordering};

use cartable_common::UtcMillis;
use cartable_server::{
    config::{MailSettings, Security},
    domain::{
        borrower::BorrowerKind,
        campaign::{CampaignState, Choice, Desks},
        policy::Policy,
        school_calendar::Zone,
        scope::Scope,
    },
    jobs::notices::{Done, NoticesError, Writing},
    mail::smtp::Mailer,
    pki::MasterKey,
    store::{
        Store,
        campaign::{self, Campaign},
        campaign_excuse, message, message_attempt,
    },
    vault::Vault,
};
use cartable_tests::{fleet::at, lent::Lent, mail_server::MailServer, on_both_engines, raw::Raw, stores::TestStore};
use jiff::civil::{Date, date};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines! {
    a_mail_server_that_is_down_for_an_hour_loses_and_doubles_nothing,
    sixty_devices_of_one_borrower_are_one_letter,
    nothing_leaves_on_holidays,
    a_referent_gets_one_digest_and_a_family_without_address_is_passed_on,
    a_returned_loan_never_leaves,
    a_closed_campaign_and_an_excused_loan_write_to_nobody,
    a_job_that_did_not_run_for_days_writes_once_what_still_matters,
    what_comes_while_a_letter_begins_to_be_tried_is_not_lost,
}

/// A clock that the test drives, a mail server, and the job between them.
pub(crate) struct Stage<'a> {
    store: &'a Store,
    pub(crate) vault: Vault,
    policy: Policy,
    pub(crate) mail: MailServer,
    mailer: Mailer,
    clock: AtomicI64,
}

impl<'a> Stage<'a> {
    pub(crate) async fn new(test: &'a TestStore) -> Self {
        let mail = MailServer::start().await.unwrap();
        let settings = MailSettings {
            host: "127.0.0.1".into(),
            port: mail.port(),
            security: Security::None,
            login: None,
            from: "Département <cartable@val.example>".into(),
            reply_to: None,
            authority: None,
        };
        let vault = Vault::new(&MasterKey::of([7; 32]));
        let clock = AtomicI64::new(at(0, 0, 0).get());
        Self {
            store: &test.store,
            vault,
            policy: Policy::default(),
            mail,
            mailer: Mailer::new(settings).unwrap(),
            clock,
        }
    }

    pub(crate) fn set(&self, now: UtcMillis) {
        self.clock.store(now.get(), Ordering::Relaxed);
    }

    async fn try_run(&self) -> Result<Done, NoticesError> {
        let clock = || UtcMillis::new(self.clock.load(Ordering::Relaxed)).unwrap();
        let writing = Writing {
            store: self.store,
            vault: &self.vault,
            mailer: Some(&self.mailer),
            policy: &self.policy,
            clock: &clock,
        };
        writing.run(&CancellationToken::new()).await
    }

    pub(crate) async fn run(&self) -> Done {
        self.try_run().await.unwrap()
    }

    /// A run that is dropped at the await after a letter was taken: nothing more is written, as in a crash.
    pub(crate) async fn crash_after_sending(&mut self) {
        self.mail.be_silent(true);
        let stopped = async {
            while self.mail.taken().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = self.try_run() => panic!("the server never answers"),
            () = stopped => {}
        }
        self.mail.stop().await;
        self.mail.be_silent(false);
        self.mail.resume().await.unwrap();
    }

    /// Recipients of the letters taken, in order of their addresses.
    pub(crate) fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> = self.mail.taken().into_iter().flat_map(|letter| letter.to).collect();
        all.sort();
        all
    }
}

/// The test's `today` is Tuesday 24 November 2026; hand-overs were in September.
pub(crate) const SEPTEMBER: i64 = -70;

pub(crate) fn in_days(days: i64) -> Date {
    date(2026, 11, 24).checked_add(jiff::Span::new().days(days)).unwrap()
}

async fn a_mail_server_that_is_down_for_an_hour_loses_and_doubles_nothing(test: &TestStore) {
    let mut stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let mut expected = Vec::new();
    // The borrower of number 0 would have the reference of nobody.
    for number in 1..=20_u8 {
        let email = format!("f{number:02}@x.example");
        let family = lent.family(number, &[&email], at(SEPTEMBER, 0, 0)).await.unwrap();
        lent.lend(number.into(), family, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
        expected.push(email);
    }
    // What was handed over in September was confirmed then; the confirmations that waited are too old.
    stage.mail.stop().await;
    for minute in (0..60).step_by(5) {
        stage.set(at(0, 0, minute));
        let error = stage.try_run().await.unwrap_err();
        assert!(matches!(error, NoticesError::Mail(_)), "{error}");
    }
    assert!(stage.mail.taken().is_empty());
    stage.mail.resume().await.unwrap();
    stage.mail.be_busy(true);
    stage.set(at(0, 1, 0));
    let done = stage.run().await;
    assert_eq!((done.sent, done.postponed), (0, 20), "the server is back and still busy");
    stage.mail.be_busy(false);
    for minute in (65..180).step_by(5) {
        stage.set(at(0, 0, minute));
        stage.run().await;
    }
    assert_eq!(stage.recipients(), expected, "each once");
    let ids: std::collections::BTreeSet<String> =
        stage.mail.taken().iter().map(|letter| letter.header("Message-ID").to_owned()).collect();
    assert_eq!(ids.len(), 20);
    assert!(ids.iter().all(|id| id.ends_with("@val.example>")), "{ids:?}");
    // No address and no name is in the database, even in what a mail server said.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let named = "SELECT count(*) FROM message WHERE error LIKE '%@%' OR COALESCE(deliveries, '') LIKE '%@%'";
    assert_eq!(raw.number(named).await.unwrap(), 0);
    assert_eq!(raw.number("SELECT count(*) FROM message WHERE state = 'sent'").await.unwrap(), 20);
    let read = "SELECT count(*) FROM audit WHERE action = 'borrower.identity_read'";
    // One for the look at who belongs together, and one for each attempt.
    assert_eq!(raw.number(read).await.unwrap(), 41, "each reading of who somebody is left its row");
}

async fn sixty_devices_of_one_borrower_are_one_letter(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
    for number in 0..60 {
        lent.lend(number, family, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    }
    for minute in [0, 5, 10] {
        stage.set(at(0, 0, minute));
        stage.run().await;
    }
    let taken = stage.mail.taken();
    assert_eq!(taken.len(), 1, "one letter");
    let text = taken[0].text();
    for number in 0..60 {
        assert!(text.contains(&format!("PC-{number:04}")), "{text}");
    }
    assert!(!text.contains("Martin"), "nobody's name is in a letter");
    // The next step of the schedule, six days later, is one more.
    stage.set(at(6, 0, 0));
    stage.run().await;
    assert_eq!(stage.mail.taken().len(), 2);
}

async fn nothing_leaves_on_holidays(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
    // Due on Monday 28 December, in the holidays from 19 December to 3 January.
    let loan = lent.lend(1, family, date(2026, 12, 28), at(SEPTEMBER, 0, 0)).await.unwrap();
    let days_with_letters = |from: i64, until: i64| {
        let stage = &stage;
        async move {
            let mut days = Vec::new();
            for day in from..until {
                let before = stage.mail.taken().len();
                for hour in [-8, 0, 8] {
                    stage.set(at(day, hour, 0));
                    stage.run().await;
                }
                if stage.mail.taken().len() > before {
                    days.push(in_days(day));
                }
            }
            days
        }
    };
    // 21 days before is Monday 7 December; 7 days before, 1 day before and the day itself lie in the holidays: on Monday
    // 4 January, the first school day, one letter says it. 7 days after is that same Monday; 21 days after, 18 January.
    let days = days_with_letters(0, 60).await;
    assert_eq!(days, [date(2026, 12, 7), date(2027, 1, 4), date(2027, 1, 18)]);
    assert_eq!(stage.mail.taken().len(), 3);
    // A return at Christmas of another year is confirmed at once: somebody was at the desk.
    stage.set(at(396, 0, 0));
    lent.take_back(&loan, at(396, 0, 0)).await.unwrap();
    stage.run().await;
    assert_eq!(stage.mail.taken().len(), 4, "{} in zone {}", in_days(396), Zone::A);
}

async fn a_referent_gets_one_digest_and_a_family_without_address_is_passed_on(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    lent.referent("cdi@college.example").await.unwrap();
    let pool = lent.borrower(2, BorrowerKind::Institution, at(SEPTEMBER, 0, 0)).await.unwrap();
    for number in 0..30 {
        lent.lend(number, pool, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    }
    let nameless = lent.borrower(3, BorrowerKind::Person, at(SEPTEMBER, 0, 0)).await.unwrap();
    lent.lend(99, nameless, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    stage.set(at(0, 0, 0));
    let done = stage.run().await;
    assert_eq!((done.sent, done.failed), (1, 1), "{done:?}");
    let digest = &stage.mail.taken()[0];
    assert_eq!(digest.to, ["cdi@college.example"]);
    assert!((0..30).all(|number| digest.text().contains(&format!("PC-{number:04}"))), "{}", digest.text());
    assert!(digest.text().contains(&in_days(7).to_string()), "the due date stands in the table");
    stage.set(at(0, 0, 5));
    stage.run().await;
    assert_eq!(stage.mail.taken().len(), 2);
    let passed_on = &stage.mail.taken()[1];
    assert_eq!(passed_on.to, ["cdi@college.example"]);
    assert!(passed_on.text().contains("PC-0099"), "{}", passed_on.text());
    stage.set(at(0, 0, 10));
    stage.run().await;
    assert_eq!(stage.mail.taken().len(), 2, "nothing more");
}

async fn a_returned_loan_never_leaves(test: &TestStore) {
    let mut stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
    let returned = lent.lend(1, family, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    let kept = lent.lend(2, family, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    stage.mail.be_busy(true);
    stage.run().await;
    stage.mail.stop().await;
    // Both are in a message that waits; one comes back before it leaves.
    lent.take_back(&returned, at(0, 0, 20)).await.unwrap();
    stage.mail.resume().await.unwrap();
    stage.mail.be_busy(false);
    stage.set(at(0, 0, 30));
    stage.run().await;
    let taken = stage.mail.taken();
    let reminder = taken.iter().find(|letter| letter.text().contains("PC-0002")).expect("the reminder");
    assert!(!reminder.text().contains("PC-0001"), "{}", reminder.text());
    assert_eq!(taken.len(), 2, "the reminder and the confirmation of the return");
    // One that is returned before anything was grouped, and a message of which nothing is left.
    stage.set(at(6, 0, 0));
    stage.mail.be_busy(true);
    stage.run().await;
    lent.take_back(&kept, at(6, 0, 1)).await.unwrap();
    stage.mail.be_busy(false);
    for minute in [30, 60, 90] {
        stage.set(at(6, 0, minute));
        stage.run().await;
    }
    let taken = stage.mail.taken();
    assert_eq!(taken.len(), 3, "only the confirmation followed");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM message WHERE state = 'cancelled'").await.unwrap(), 1);
    assert_eq!(raw.number("SELECT count(*) FROM notice WHERE dropped_why = 'loan_ended'").await.unwrap(), 2);
}

async fn a_closed_campaign_and_an_excused_loan_write_to_nobody(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
    lent.lend(1, family, in_days(90), at(SEPTEMBER, 0, 0)).await.unwrap();
    let excused = lent.lend(2, family, in_days(90), at(SEPTEMBER, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    let mut ids = Vec::new();
    for name in ["Ouverte", "Close"] {
        let campaign = Campaign {
            id: Uuid::now_v7(),
            name: name.into(),
            state: CampaignState::Planned,
            choice: Choice::default(),
            first: in_days(7),
            last: in_days(14),
            desks: Desks { desks: 1, slots: 5 },
            created_by: "marie".into(),
            created_at: at(0, 0, 0),
        };
        campaign::insert(&mut tx, &campaign).await.unwrap();
        campaign::start(&mut tx, campaign.id, &stage.policy, at(0, 0, 0)).await.unwrap();
        let why = ("absent", "marie");
        campaign_excuse::excuse(&mut tx, &Scope::Everything, (campaign.id, excused.id), why, at(0, 0, 0))
            .await
            .unwrap();
        ids.push(campaign.id);
    }
    // The second one had only the loan that the first one excused, and expects it again.
    assert!(campaign_excuse::undo(&mut tx, &Scope::Everything, (ids[1], excused.id)).await.unwrap());
    assert!(campaign::close(&mut tx, ids[1], at(0, 0, 0)).await.unwrap());
    tx.commit().await.unwrap();
    stage.set(at(0, 0, 5));
    stage.run().await;
    let taken = stage.mail.taken();
    assert_eq!(taken.len(), 1, "one letter, of the campaign that runs, about the loan that it expects");
    let text = taken[0].text();
    assert!(text.contains("PC-0001") && text.contains("Ouverte") && !text.contains("PC-0002"), "{text}");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM notice WHERE dropped_why = 'not_expected'").await.unwrap(), 2);
}

async fn a_job_that_did_not_run_for_days_writes_once_what_still_matters(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
    // Due on Wednesday 25 November: "tomorrow" and "today" are missed, the job runs on Friday.
    lent.lend(1, family, in_days(1), at(SEPTEMBER, 0, 0)).await.unwrap();
    // 7 days before was Thursday 26 November.
    lent.lend(2, family, in_days(9), at(SEPTEMBER, 0, 0)).await.unwrap();
    stage.set(at(3, 0, 0));
    stage.run().await;
    stage.set(at(3, 0, 30));
    stage.run().await;
    let taken = stage.mail.taken();
    assert_eq!(taken.len(), 1, "one letter for both");
    assert!(taken[0].text().contains("PC-0001") && taken[0].text().contains("PC-0002"), "{}", taken[0].text());
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let steps = "SELECT count(*) FROM notice WHERE kind = 'loan_due' AND step IN (0, -7)";
    assert_eq!(raw.number(steps).await.unwrap(), 2);
    assert_eq!(raw.number("SELECT count(*) FROM notice WHERE kind = 'loan_due'").await.unwrap(), 2);
}

async fn what_comes_while_a_letter_begins_to_be_tried_is_not_lost(test: &TestStore) {
    let stage = Stage::new(test).await;
    let (now, today) = (at(0, 0, 0), in_days(0));
    let lent = Lent::new(&test.store, test.url(), &stage.vault, now).await.unwrap();
    let family = lent.family(1, &["f@x.example"], now).await.unwrap();
    let grouped = async || {
        let mut tx = test.store.write().await.unwrap();
        let waiting = message::waiting(&mut tx, None, today).await.unwrap();
        message::group(&mut tx, &waiting, "val.example", now).await.unwrap();
        tx.commit().await.unwrap();
    };
    // Each hand-over is confirmed.
    lent.lend(1, family, in_days(200), now).await.unwrap();
    grouped().await;
    let due = message::due(&mut test.store.read().await.unwrap(), None, now).await.unwrap();
    lent.lend(2, family, in_days(200), now).await.unwrap();
    let mut trying = test.store.write().await.unwrap();
    let attempt = message_attempt::begin(&mut trying, due[0].id, today, now).await.unwrap().unwrap();
    assert_eq!(attempt.lines.len(), 1);
    // Another process, whose lease of the job is still good.
    let committed = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        trying.commit().await.unwrap();
    };
    tokio::join!(grouped(), committed);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let joined = "SELECT count(*) FROM notice n JOIN message m ON m.id = n.message_id WHERE m.state =";
    assert_eq!(raw.number(&format!("{joined} 'sending'")).await.unwrap(), 1, "what the attempt says");
    assert_eq!(raw.number(&format!("{joined} 'waiting'")).await.unwrap(), 1, "the other is in a letter of its own");
}
