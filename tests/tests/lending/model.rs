//! Loans against a small model, on both engines: whatever is tried in whatever order by whom, the store allows exactly
//! what the model allows, and says the same of where each device is; also when units of work meet. SQL that is written by
//! hand is tried beside.

use cartable_common::{DeviceId, UtcMillis, report::Hardware};
use cartable_server::{
    domain::{
        borrower::{Borrower, BorrowerKind, Reference},
        device::DeviceStatus,
        loan::{Condition, LendingState},
        paris,
        policy::Policy,
        programme::{Programme, ProgrammeKind, Term},
        scope::Scope,
    },
    store::{
        Store, borrower,
        device::{self, NewDevice},
        lending::{Clerk, Handing, Lending, LendingError, Refused, Wish},
        loan, programme,
    },
};
use cartable_tests::{fleet::at, in_process::InProcess, on_both_engines, raw::Raw, stores::TestStore};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree as _},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use uuid::Uuid;

on_both_engines! {
    whatever_is_tried_the_store_and_the_model_agree,
    units_of_work_that_meet_never_lend_a_device_twice,
    a_return_that_is_undone_leaves_the_loan_as_it_was,
}

/// By how much the clock goes on between two steps: returns can be undone only at once.
const STEP_MILLIS: i64 = 1_000;
const SEQUENCES: usize = 40;

/// What a clerk tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Try {
    Reserve,
    Cancel,
    HandOver,
    Lend,
    Extend,
    TakeBack,
    UndoReturn,
    Lose,
    Steal,
    WriteOff,
    PutInStock,
}

const TRIES: [Try; 11] = [
    Try::Reserve,
    Try::Cancel,
    Try::HandOver,
    Try::Lend,
    Try::Extend,
    Try::TakeBack,
    Try::UndoReturn,
    Try::Lose,
    Try::Steal,
    Try::WriteOff,
    Try::PutInStock,
];

/// One step: who tries what with which device, for which borrower, under which programme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub(crate) what: Try,
    pub(crate) clerk: usize,
    pub(crate) device: usize,
    pub(crate) borrower: usize,
    pub(crate) programme: usize,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    // Handing over and taking back are tried more often, so that long lives are seen too.
    let what = (0usize..20).prop_map(|number| match number {
        0..11 => TRIES[number],
        11..15 => Try::Lend,
        15..17 => Try::TakeBack,
        17..19 => Try::PutInStock,
        _ => Try::UndoReturn,
    });
    let one = (what, 0usize..3, 0usize..3, 0usize..3, 0usize..3)
        .prop_map(|(what, clerk, device, borrower, programme)| Move { what, clerk, device, borrower, programme });
    vec(one, 1..40)
}

/// What the model knows of a device.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    at: LendingState,
    /// Borrower, programme and extensions of its newest loan.
    borrower: usize,
    programme: usize,
    extensions: u32,
    /// Before the return that may be undone: where it was, and who took it back.
    undoable: Option<(LendingState, usize)>,
}

impl Known {
    fn new() -> Self {
        Self { at: LendingState::InStock, borrower: 0, programme: 0, extensions: 0, undoable: None }
    }

    /// Whether the step is allowed; if so, it is taken.
    fn take(&mut self, step: Move) -> bool {
        use LendingState::{InStock, Intake, Lent, Lost, Reserved, Stolen, WrittenOff};
        // Site 1 is not clerk 2's; programme 2 is closed; borrower 2 belongs to site 2, device 2 too.
        let sees = |site: usize| step.clerk != 1 || site != 2;
        if !sees(step.device) {
            return false;
        }
        let open = |programme: usize| programme != 2;
        let wish = sees(step.borrower) && open(step.programme);
        let same = self.borrower == step.borrower && self.programme == step.programme;
        let next = match (step.what, self.at) {
            (Try::Reserve, InStock) if wish => Reserved,
            (Try::Cancel, Reserved) => InStock,
            // The borrower of the reservation must be the clerk's as well.
            (Try::HandOver, Reserved) if sees(self.borrower) => Lent,
            (Try::Lend, InStock) if wish => Lent,
            (Try::Lend, Reserved) if wish && same => Lent,
            (Try::Extend, Lent) if self.extensions < RENEWALS => Lent,
            (Try::TakeBack, Lent | Lost | Stolen | WrittenOff) => Intake,
            (Try::UndoReturn, Intake) => match self.undoable {
                Some((before, clerk)) if clerk == step.clerk => before,
                _ => return false,
            },
            (Try::Lose, Lent) => Lost,
            (Try::Steal, Lent | Lost) => Stolen,
            (Try::WriteOff, Lent | Lost | Stolen) => WrittenOff,
            (Try::PutInStock, Intake) => InStock,
            _ => return false,
        };
        if matches!(step.what, Try::Reserve | Try::Lend) {
            (self.borrower, self.programme, self.extensions) = (step.borrower, step.programme, 0);
        }
        self.extensions += u32::from(step.what == Try::Extend);
        self.undoable = (step.what == Try::TakeBack).then_some((self.at, step.clerk));
        self.at = next;
        true
    }
}

const RENEWALS: u32 = 2;

/// Sites, borrowers, programmes and clerks: made once.
pub(crate) struct World {
    store: Store,
    policy: Policy,
    sites: [Uuid; 2],
    pub(crate) borrowers: [Uuid; 3],
    pub(crate) programmes: [Uuid; 3],
    scopes: [Scope; 3],
}

impl World {
    pub(crate) async fn new(test: &TestStore) -> Self {
        let cartable = InProcess::new(&test.store);
        let sites = [cartable.site(1).await.unwrap(), cartable.site(2).await.unwrap()];
        let (borrowers, programmes) = ([(); 3].map(|()| Uuid::new_v4()), [(); 3].map(|()| Uuid::new_v4()));
        let mut tx = test.store.write().await.unwrap();
        for (index, id) in borrowers.into_iter().enumerate() {
            let borrower = Borrower {
                id,
                reference: Reference::from_random(*id.as_bytes().first_chunk().unwrap()),
                kind: BorrowerKind::Person,
                institution_name: None,
                site: Some(sites[usize::from(index == 2)]),
                level: None,
                left_site_day: None,
                created_at: at(0, 0, 0),
                identity_erased_at: None,
            };
            borrower::insert(&mut tx, &borrower, None).await.unwrap();
        }
        for (index, id) in programmes.into_iter().enumerate() {
            let programme = Programme {
                id,
                code: format!("P{index}").parse().unwrap(),
                name: format!("Programme {index}"),
                kind: ProgrammeKind::IndividualLoan,
                term: Term::Days(30),
                renewals_allowed: RENEWALS,
                accessories: vec!["chargeur".into(), "sacoche".into()],
                owner: "Département".into(),
                agreement_template: "agreement".into(),
                membership: vec![],
                notice_days: vec![],
                open: true,
            };
            programme::put(&mut tx, &programme, at(0, 0, 0)).await.unwrap();
        }
        programme::close(&mut tx, programmes[2], at(0, 0, 0)).await.unwrap();
        tx.commit().await.unwrap();
        let scopes = [Scope::Everything, Scope::Sites(vec![sites[0]]), Scope::Sites(sites.to_vec())];
        Self { store: test.store.clone(), policy: Policy::default(), sites, borrowers, programmes, scopes }
    }

    pub(crate) async fn device(&self, index: usize) -> DeviceId {
        let id = DeviceId(Uuid::new_v4());
        let new = NewDevice {
            id,
            status: DeviceStatus::Active,
            hardware: Hardware::default(),
            asset_tag: None,
            programme: None,
            site: Some(self.sites[usize::from(index == 2)]),
            enrolled_at: Some(at(0, 0, 0)),
        };
        let mut tx = self.store.write().await.unwrap();
        device::insert(&mut tx, &new, at(0, 0, 0)).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    fn clerk(&self, index: usize, now: UtcMillis) -> Clerk<'_> {
        let actor = ["anne", "bruno", "chloe"][index];
        Clerk { actor, token: None, scope: &self.scopes[index], policy: &self.policy, now }
    }

    /// Takes the step in a unit of work of its own; false when it is refused.
    pub(crate) async fn take(&self, step: Move, id: DeviceId, now: UtcMillis) -> bool {
        let mut lending = Lending::begin(&self.store, self.clerk(step.clerk, now)).await.unwrap();
        // What a page would have shown a clerk without limits: the newest loan, whosever it is.
        let loans = loan::of_device(lending.tx(), &Scope::Everything, id).await.unwrap();
        let newest = loans.iter().max_by_key(|loan| (loan.is_open(), loan.reserved_at, loan.id));
        let loan = newest.map_or_else(Uuid::nil, |loan| loan.id);
        let wish =
            Wish { device: id, borrower: self.borrowers[step.borrower], programme: self.programmes[step.programme] };
        let handing = Handing { accessories: vec!["chargeur".into()], ..Handing::default() };
        let done = match step.what {
            Try::Reserve => lending.reserve(wish).await.map(drop),
            Try::Cancel => lending.cancel(loan).await.map(drop),
            Try::HandOver => lending.hand_over(loan, handing).await.map(drop),
            Try::Lend => lending.lend(wish, handing).await.map(drop),
            Try::Extend => {
                let due = newest.and_then(|loan| loan.state.handed_over()).and_then(|handed| handed.due);
                let due = due.map_or_else(|| paris::date(now), |due| due.tomorrow().unwrap());
                lending.extend(loan, due).await.map(drop)
            }
            Try::TakeBack => lending.take_back(loan, Condition::Worn, vec!["chargeur".into()]).await.map(drop),
            Try::UndoReturn => lending.undo_return(loan).await.map(drop),
            Try::Lose => lending.lose(loan).await.map(drop),
            Try::Steal => lending.steal(loan, "PV 2026/1").await.map(drop),
            Try::WriteOff => lending.write_off(loan).await.map(drop),
            Try::PutInStock => lending.put_in_stock(id).await,
        };
        match done {
            Ok(()) => {
                lending.commit().await.unwrap();
                true
            }
            // A refusal leaves nothing behind, even when the unit of work goes on.
            Err(LendingError::Refused(_)) => {
                lending.commit().await.unwrap();
                false
            }
            Err(error) => panic!("{step:?}: {error}"),
        }
    }
}

/// What stands against a device in the database: where it is, and where its newest loan says it is.
pub(crate) async fn stored(raw: &mut Raw, id: DeviceId) -> (String, String, i64) {
    let device = raw.uuid(id.0);
    let at = raw.texts(&format!("SELECT lending_state FROM device WHERE id = {device}")).await.unwrap().remove(0);
    let newest = format!(
        "SELECT state FROM loan WHERE device_id = {device} ORDER BY ended_at IS NOT NULL, reserved_at DESC, id DESC LIMIT 1"
    );
    let newest = raw.texts(&newest).await.unwrap().pop().unwrap_or_default();
    let open = format!("SELECT count(*) FROM loan WHERE device_id = {device} AND ended_at IS NULL");
    (at, newest, raw.number(&open).await.unwrap())
}

fn agrees(at: &str, newest: &str) -> bool {
    match newest {
        "" | "cancelled" => at == "in_stock",
        "returned" => at == "intake" || at == "in_stock",
        "handed_over" => at == "lent",
        same => at == same,
    }
}

async fn whatever_is_tried_the_store_and_the_model_agree(test: &TestStore) {
    let world = World::new(test).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut taken = std::collections::BTreeMap::<String, [u32; 2]>::new();
    for _ in 0..SEQUENCES {
        let moves = moves().new_tree(&mut runner).unwrap().current();
        let devices = [world.device(0).await, world.device(1).await, world.device(2).await];
        let mut known = [Known::new(), Known::new(), Known::new()];
        for (number, step) in moves.iter().enumerate() {
            let now = at(1, 0, 0).plus_millis(i64::try_from(number).unwrap() * STEP_MILLIS);
            let id = devices[step.device];
            let allowed = known[step.device].take(*step);
            let done = world.take(*step, id, now).await;
            assert_eq!(done, allowed, "step {number} of {moves:#?}");
            taken.entry(format!("{:?}", step.what)).or_default()[usize::from(done)] += 1;
            let (at, newest, open) = stored(&mut raw, id).await;
            assert_eq!(at, known[step.device].at.as_str(), "step {number} of {moves:#?}");
            assert!(agrees(&at, &newest), "{at} but the newest loan is {newest}: step {number} of {moves:#?}");
            assert_eq!(open, i64::from(matches!(at.as_str(), "reserved" | "lent")), "step {number} of {moves:#?}");
        }
    }
    assert!(taken.values().all(|[refused, done]| *refused > 0 && *done > 0), "each act is seen both ways: {taken:?}");
    let acts = raw.number("SELECT count(*) FROM audit WHERE action LIKE 'loan.%' OR action LIKE 'device.put%'").await;
    let events = raw.number("SELECT count(*) FROM loan_event").await.unwrap();
    assert_eq!(acts.unwrap(), events, "each step leaves one row in the audit");
}

async fn units_of_work_that_meet_never_lend_a_device_twice(test: &TestStore) {
    let world = std::sync::Arc::new(World::new(test).await);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    for _ in 0..10 {
        let id = world.device(0).await;
        let race = |what: Try| {
            let tasks: Vec<_> = (0..6)
                .map(|number| {
                    let world = std::sync::Arc::clone(&world);
                    let (clerk, borrower) = (number % 2, number % 2);
                    let step = Move { what, clerk, device: 0, borrower, programme: 0 };
                    tokio::spawn(async move { world.take(step, id, at(1, 0, 0)).await })
                })
                .collect();
            async move {
                let mut won = 0;
                for task in tasks {
                    won += u32::from(task.await.unwrap());
                }
                won
            }
        };
        assert_eq!(race(Try::Lend).await, 1, "one of six hands it over");
        assert_eq!(stored(&mut raw, id).await, ("lent".into(), "handed_over".into(), 1));
        assert_eq!(race(Try::TakeBack).await, 1, "one of six takes it back");
        assert_eq!(stored(&mut raw, id).await, ("intake".into(), "returned".into(), 0));
        assert_eq!(race(Try::PutInStock).await, 1);
        assert_eq!(race(Try::Reserve).await, 1);
        assert_eq!(stored(&mut raw, id).await, ("reserved".into(), "reserved".into(), 1));
    }
}

async fn a_return_that_is_undone_leaves_the_loan_as_it_was(test: &TestStore) {
    let world = World::new(test).await;
    let id = world.device(0).await;
    let (mut now, scope) = (at(1, 0, 0), Scope::Everything);
    let step = |what, clerk| Move { what, clerk, device: 0, borrower: 0, programme: 0 };
    for what in [Try::Lend, Try::Extend, Try::Steal] {
        assert!(world.take(step(what, 0), id, now).await);
    }
    let read = async || {
        let mut tx = world.store.read().await.unwrap();
        loan::of_device(&mut tx, &scope, id).await.unwrap().remove(0)
    };
    let before = read().await;
    assert!(world.take(step(Try::TakeBack, 0), id, now).await);
    assert!(!world.take(step(Try::UndoReturn, 1), id, now).await, "another's return");
    assert!(world.take(step(Try::UndoReturn, 0), id, now).await);
    assert_eq!(read().await, before, "with its complaint, its due date and its accessories");
    assert!(world.take(step(Try::TakeBack, 0), id, now).await);
    now = now.plus_days(1);
    assert!(!world.take(step(Try::UndoReturn, 0), id, now).await, "too late");
    let mut lending = Lending::begin(&world.store, world.clerk(0, now)).await.unwrap();
    let again = lending.take_back_device(id, Condition::Good, &[]).await;
    assert!(matches!(again, Err(LendingError::Refused(Refused::NotLent(LendingState::Intake)))), "{again:?}");
}
