//! The lending of a demonstration: its eight programmes, who holds which device, and what has gone wrong with some.
//!
//! Everybody in it is invented. Who borrowers are is sealed as for real, with the installation's own key.

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    domain::{
        authority::Role,
        borrower::{Borrower, BorrowerKind, Guardian, Identity, Level, Reference},
        loan::{Condition, HandedOver, Loan, LoanState, Return, Signature, Theft},
        paris,
        programme::{Programme as Scheme, ProgrammeKind, Term},
        school_calendar::{Zone, school_year_end},
    },
    store::{Store, Tx, borrower, lending_bulk, programme},
    vault::Vault,
};
use jiff::{ToSpan as _, civil::Date};
use uuid::Uuid;

use crate::simulator::{Machine, Roster, condition::Contact, programme::Programme, random::Random};

/// Who did it, in the loans' histories.
const ACTOR: &str = "cargo demo";

/// Devices lent since: a few days apart.
const TERM_BEGAN_DAYS: i64 = 78;

/// A machine and the device that it is in the database.
pub type Placed<'a> = (&'a Machine, DeviceId);

/// Writes programmes, borrowers, loans and warranties of a new fleet whose devices are in the database.
pub async fn write(
    store: &Store,
    vault: &Vault,
    roster: &Roster,
    sites: &[Uuid],
    placed: &[Placed<'_>],
    epoch: UtcMillis,
) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let mut schemes = vec![];
    for (kind, _) in Programme::SIZES {
        let scheme = scheme(kind)?;
        programme::put(&mut tx, &scheme, epoch.plus_days(-400)).await?;
        schemes.push((kind, scheme));
    }
    let institutions = institutions(&mut tx, roster, sites, epoch).await?;
    let mut loans = vec![];
    for &(machine, device) in placed {
        let mut random = Random::of(machine.index, "loan", 0);
        let Some(story) = Story::of(machine, &mut random, epoch) else { continue };
        let Some((_, scheme)) = schemes.iter().find(|(kind, _)| *kind == machine.programme) else { continue };
        let borrower = match machine.programme {
            Programme::SchoolPool => institutions[machine.site],
            Programme::RecycledToAssociations => institutions[roster.sites.len() + machine.site % ASSOCIATIONS.len()],
            _ => person(&mut tx, vault, machine, sites[machine.site], &story, epoch).await?,
        };
        let zone: Option<Zone> = roster.sites[machine.site].zone.parse().ok();
        let handed = story.handed(scheme, zone, &mut random);
        loans.push(Loan {
            id: Uuid::now_v7(),
            device,
            borrower,
            programme: scheme.id,
            site: Some(sites[machine.site]),
            reserved_at: story.began,
            state: story.state(handed),
        });
    }
    lending_bulk::record(&mut tx, &loans, ACTOR).await?;
    let tablets = placed.iter().filter(|(machine, _)| machine.condition.contact == Contact::NoAgent);
    lending_bulk::expect_no_contact(&mut tx, tablets.map(|(_, device)| *device)).await?;
    lending_bulk::set_warranties(&mut tx, placed.iter().filter_map(|one| warranty(one, epoch))).await?;
    Ok(tx.commit().await?)
}

/// Whether it takes contacts to see what became of a machine's loan.
pub fn is_told_by_contacts(machine: &Machine, epoch: UtcMillis) -> bool {
    Story::of(machine, &mut Random::of(machine.index, "loan", 0), epoch).is_none_or(|story| story.end != End::Runs)
}

/// One machine in four has a warranty that is not over.
fn warranty(&(machine, device): &Placed<'_>, epoch: UtcMillis) -> Option<(DeviceId, Date)> {
    let mut random = Random::of(machine.index, "warranty", 0);
    let days = i64::try_from(random.between(10, 900)).unwrap_or_default();
    random.happens(250).then(|| (device, paris::date(epoch.plus_days(days))))
}

fn scheme(kind: Programme) -> anyhow::Result<Scheme> {
    use ProgrammeKind::{Gift, IndividualLoan, InstitutionalPool, StaffLoan};
    const LAPTOP: &[&str] = &["chargeur", "housse"];
    const TABLET: &[&str] = &["chargeur", "coque"];
    const DEPARTMENT: &str = "Département";
    let (name, lends, term, accessories, owner) = match kind {
        Programme::FirstPupilLaptops => ("Ordinateurs 2021", IndividualLoan, Term::SchoolYearEnd, LAPTOP, DEPARTMENT),
        Programme::PupilLaptops => ("Ultra-portables", IndividualLoan, Term::SchoolYearEnd, LAPTOP, DEPARTMENT),
        Programme::SchoolPool => ("Parcs des collèges", InstitutionalPool, Term::Open, &["chargeur"][..], DEPARTMENT),
        Programme::Teachers => ("Enseignants", StaffLoan, Term::Days(1_460), LAPTOP, DEPARTMENT),
        Programme::PupilTablets => ("Tablettes", IndividualLoan, Term::SchoolYearEnd, TABLET, DEPARTMENT),
        Programme::CareTablets => {
            ("Tablettes 2", IndividualLoan, Term::Days(365), TABLET, "Syndicat mixte Valmarin numérique")
        }
        Programme::RecycledToPupils => ("Seconde vie, familles", Gift, Term::Open, &["chargeur"][..], DEPARTMENT),
        Programme::RecycledToAssociations => {
            ("Seconde vie, associations", Gift, Term::Open, &["chargeur"][..], DEPARTMENT)
        }
    };
    Ok(Scheme {
        id: Uuid::now_v7(),
        code: kind.code().parse()?,
        name: name.to_owned(),
        kind: lends,
        term,
        renewals_allowed: u32::from(lends == IndividualLoan),
        accessories: accessories.iter().map(|&name| name.to_owned()).collect(),
        owner: owner.to_owned(),
        agreement_template: "agreement".to_owned(),
        // Who is in the sixth scheme is for few to know.
        membership: if kind == Programme::CareTablets { vec![] } else { vec![Role::Referent, Role::Auditor] },
        notice_days: vec![-21, -7, -1, 0, 7, 21],
        open: true,
    })
}

const ASSOCIATIONS: [&str; 3] = ["Ressourcerie du Val", "Emmaüs Valmarin", "Le Clavier partagé"];

/// One institution for each collège, in their order, then the associations.
async fn institutions(tx: &mut Tx, roster: &Roster, sites: &[Uuid], epoch: UtcMillis) -> anyhow::Result<Vec<Uuid>> {
    let colleges = roster.sites.iter().zip(sites).map(|(site, id)| (site.name.clone(), Some(*id)));
    let associations = ASSOCIATIONS.iter().map(|&name| (name.to_owned(), None));
    let mut ids = vec![];
    for (number, (name, site)) in (0..).zip(colleges.chain(associations)) {
        let mut random = Random::of(number, "institution", 0);
        let made = Borrower {
            institution_name: Some(name),
            kind: BorrowerKind::Institution,
            ..blank(&mut random, site, epoch.plus_days(-400))
        };
        borrower::insert(tx, &made, None).await?;
        ids.push(made.id);
    }
    Ok(ids)
}

fn blank(random: &mut Random, site: Option<Uuid>, created_at: UtcMillis) -> Borrower {
    Borrower {
        id: random.uuid(),
        reference: Reference::from_random(random.draw().to_be_bytes()),
        kind: BorrowerKind::Person,
        institution_name: None,
        site,
        level: None,
        left_site_day: None,
        created_at,
        identity_erased_at: None,
    }
}

/// Records the invented person who holds a machine, and seals who it is.
async fn person(
    tx: &mut Tx,
    vault: &Vault,
    machine: &Machine,
    site: Uuid,
    story: &Story,
    epoch: UtcMillis,
) -> anyhow::Result<Uuid> {
    const FIRST: [&str; 16] = [
        "Inès", "Yanis", "Louise", "Adam", "Chloé", "Ilyes", "Zoé", "Noah", "Aïcha", "Hugo", "Léna", "Sacha", "Manon",
        "Rayan", "Élise", "Tom",
    ];
    const LAST: [&str; 16] = [
        "Garonnet",
        "Valdrin",
        "Besseau",
        "Coulibert",
        "Marchenoir",
        "Tilleret",
        "Ouzanne",
        "Perrachon",
        "Lestavel",
        "Bourdeix",
        "Hamzaoui-Clerc",
        "Quintrand",
        "Dacosta-Roy",
        "Fauvergue",
        "Nguyen-Laval",
        "Sarrazy",
    ];
    let mut random = Random::of(machine.index, "person", 0);
    let last = *random.pick(&LAST);
    let name = format!("{} {last}", random.pick(&FIRST));
    let staff = machine.programme == Programme::Teachers;
    let level = if staff {
        Level::Staff
    } else if machine.programme == Programme::PupilTablets {
        // Every pupil of an ULIS has one.
        Level::Ulis
    } else {
        *random.pick(&[Level::Sixieme, Level::Cinquieme, Level::Quatrieme, Level::Troisieme, Level::Ulis])
    };
    let guardian = Guardian {
        name: format!("{} {last}", random.pick(&FIRST)),
        email: Some(format!("famille{}@exemple.invalid", machine.index)),
        ..Guardian::default()
    };
    let identity = Identity {
        name,
        class: (!staff).then(|| format!("{} {}", level.as_str(), random.pick(&["A", "B", "C", "D"]))),
        email: staff.then(|| format!("agent{}@exemple.invalid", machine.index)),
        guardians: if staff { vec![] } else { vec![guardian] },
        language: None,
    };
    let made = Borrower {
        level: Some(level),
        left_site_day: story.left.map(|left| left.day_number()),
        ..blank(&mut random, Some(site), epoch.plus_days(-200))
    };
    borrower::insert(tx, &made, None).await?;
    borrower::put_identity(tx, made.id, &vault.seal_identity(made.id, &identity)?, epoch).await?;
    Ok(made.id)
}

/// What became of a loan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Runs,
    Returned(UtcMillis),
    Lost(UtcMillis),
    Stolen(UtcMillis),
}

/// A loan's story.
#[derive(Clone, Copy, Debug)]
struct Story {
    began: UtcMillis,
    /// A due date other than the programme's.
    due: Option<Date>,
    end: End,
    /// When the borrower left the collège.
    left: Option<UtcMillis>,
}

impl Story {
    /// The story of a machine; none for one that nobody borrowed.
    fn of(machine: &Machine, random: &mut Random, epoch: UtcMillis) -> Option<Self> {
        let ago = |days: u64| epoch.plus_days(-i64::try_from(days).unwrap_or_default());
        let silent = match machine.condition.contact {
            Contact::Silent(days) => u64::from(days),
            Contact::NeverEnrolled(_) => return None,
            Contact::Live | Contact::NoAgent => 0,
        };
        let began = epoch.plus_days(-TERM_BEGAN_DAYS).plus_days(i64::try_from(random.below(8)).unwrap_or_default());
        // Whoever has been silent for longer had it from before.
        let began = began.min(ago(silent + 20));
        let runs = Self { began, due: None, end: End::Runs, left: None };
        let due = |days: u64| Self { due: Some(paris::date(ago(days))), ..runs };
        let ended = |end| Self { end, ..runs };
        let drawn = random.below(1000);
        Some(match (machine.programme, machine.condition.contact) {
            // Set aside for good, until a lot gives them away.
            (Programme::RecycledToPupils | Programme::RecycledToAssociations, _) => runs,
            (Programme::SchoolPool | Programme::Teachers, Contact::Live) => runs,
            (Programme::SchoolPool | Programme::Teachers, Contact::Silent(_)) => match drawn {
                0..100 => ended(End::Lost(ago(silent - silent / 4))),
                100..150 => ended(End::Stolen(ago(silent - silent / 4))),
                150..300 => return None,
                _ => runs,
            },
            (_, Contact::Live) => match drawn {
                0..25 => due(random.between(5, 40)),
                25..32 => ended(End::Returned(ago(9))),
                32..36 => ended(End::Lost(ago(12))),
                36..39 => ended(End::Stolen(ago(15))),
                39..54 => Self { left: Some(ago(6)), ..runs },
                54..84 => Self {
                    due: paris::date(epoch).checked_add(i64::try_from(random.between(2, 20)).unwrap_or(9).days()).ok(),
                    ..runs
                },
                84..89 => return None,
                _ => runs,
            },
            (_, Contact::NoAgent) => match drawn {
                0..35 => due(random.between(3, 40)),
                35..45 => ended(End::Lost(ago(30))),
                45..50 => ended(End::Stolen(ago(25))),
                50..65 => ended(End::Returned(ago(5))),
                65..130 => return None,
                _ => runs,
            },
            (_, Contact::Silent(_) | Contact::NeverEnrolled(_)) => match drawn {
                0..250 => ended(End::Lost(ago(silent - silent / 4))),
                250..330 => ended(End::Stolen(ago(silent - silent / 4))),
                330..600 => due(silent / 2),
                600..700 => ended(End::Returned(ago(silent - 1))),
                700..800 => return None,
                _ => runs,
            },
        })
    }

    fn handed(&self, scheme: &Scheme, zone: Option<Zone>, random: &mut Random) -> HandedOver {
        let day = paris::date(self.began);
        let due = self.due.or_else(|| match scheme.term {
            Term::SchoolYearEnd => Some(school_year_end(day, zone, &[])),
            other => other.due(day, zone, &[]),
        });
        HandedOver {
            at: self.began.plus_millis(60_000),
            due,
            extensions: 0,
            accessories: scheme.accessories.clone(),
            signature: Some(if random.happens(700) { Signature::Drawn } else { Signature::Paper }),
            agreement_version: Some("agreement 1".to_owned()),
        }
    }

    fn state(&self, handed: HandedOver) -> LoanState {
        match self.end {
            End::Runs => LoanState::HandedOver(handed),
            End::Returned(at) => {
                LoanState::Returned(handed, Return { at, condition: Condition::Good, missing: vec![] })
            }
            End::Lost(at) => LoanState::Lost(handed, at),
            End::Stolen(at) => LoanState::Stolen(handed, Theft { at, police_report: "PV 2026/0417".to_owned() }),
        }
    }
}
