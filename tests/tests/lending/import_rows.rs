//! Imports, on both engines: 50,000 rows with 500 bad ones of 20 kinds, each reported; a second time nothing changes;
//! all or nothing; interrupted and gone on; blank cells; identities sealed; loans and their devices.
//!
//! `CARTABLE_IMPORT_ROWS=5000` makes the large file smaller.

use std::{collections::BTreeMap, fmt::Write as _, time::Instant};

use cartable_server::{
    clock,
    domain::import::{Blanks, Counts, ImportState, Kind, OnError, OutcomeName, fault::Fault},
    exchange::{
        bad_rows::{self, BadRows},
        ledger::{self, Brought},
        run::{GoOn, Runner},
        write::Delimiter,
    },
    store::{
        audit,
        import::{self, Import},
        programme,
    },
};
use cartable_tests::{
    imports::vault, in_process::InProcess, on_both_engines, raw::Raw, simulator::site::uai_code, stores::TestStore,
};
use uuid::Uuid;

on_both_engines! {
    fifty_thousand_rows_with_five_hundred_bad_ones,
    all_or_nothing_writes_nothing_when_one_row_is_bad,
    an_interrupted_import_goes_on_where_it_stopped,
    blank_cells_erase_only_when_asked,
    borrowers_are_recognised_by_their_number_and_sealed,
    loans_come_in_once_and_move_their_devices,
    lists_of_snipe_it_and_glpi_are_taken_as_they_come,
    a_mapping_is_remembered_for_the_same_headings,
}

/// Brings a file and begins a pass.
async fn begun(test: &TestStore, kind: Kind, text: &str, on_error: OnError, blanks: Blanks, write: bool) -> Uuid {
    cartable_tests::imports::begun(test, kind, text, (on_error, blanks), write).await.unwrap()
}

async fn ran(test: &TestStore, id: Uuid) -> Import {
    Runner::new(test.store.clone(), vault()).run(id, |_| GoOn::Yes).await.unwrap()
}

async fn checked(test: &TestStore, kind: Kind, text: &str) -> Import {
    let id = begun(test, kind, text, OnError::Stop, Blanks::Keep, false).await;
    ran(test, id).await
}

async fn applied(test: &TestStore, kind: Kind, text: &str, on_error: OnError) -> Import {
    let id = begun(test, kind, text, on_error, Blanks::Keep, true).await;
    ran(test, id).await
}

async fn faults(test: &TestStore, id: Uuid) -> Vec<(i64, Vec<Fault>)> {
    let mut tx = test.store.read().await.unwrap();
    let rows = import::rows(&mut tx, id, Some(OutcomeName::Bad), 0, i64::MAX).await.unwrap();
    rows.iter().map(|row| (row.line, bad_rows::faults(row))).collect()
}

async fn texts(test: &TestStore, sql: &str) -> Vec<String> {
    Raw::connect(test.url()).await.unwrap().texts(sql).await.unwrap()
}

async fn count(test: &TestStore, table: &str) -> String {
    texts(test, &format!("SELECT CAST(count(*) AS TEXT) FROM {table}")).await.remove(0)
}

/// Sites 1 to 5 and the programmes D1 (open) and D2 (closed).
async fn places(test: &TestStore) -> InProcess {
    let cartable = InProcess::new(&test.store);
    for number in 1..=5 {
        cartable.site(number).await.unwrap();
    }
    let mut tx = test.store.write().await.unwrap();
    for (number, code) in [(1, "D1"), (2, "D2")] {
        let new: cartable_server::domain::programme::Programme = cartable_server::domain::programme::Programme {
            id: Uuid::from_u128(number),
            code: code.parse().unwrap(),
            name: code.to_owned(),
            kind: cartable_server::domain::programme::ProgrammeKind::IndividualLoan,
            term: cartable_server::domain::programme::Term::Open,
            renewals_allowed: 1,
            accessories: vec![],
            owner: "Département".to_owned(),
            agreement_template: "prêt".to_owned(),
            membership: vec![],
            notice_days: vec![],
            open: true,
        };
        programme::put(&mut tx, &new, clock::now()).await.unwrap();
    }
    programme::close(&mut tx, Uuid::from_u128(2), clock::now()).await.unwrap();
    tx.commit().await.unwrap();
    cartable
}

const HEAD: &str = "Numéro de série;Étiquette;Fabricant;Modèle;Type d'appareil;Dispositif;Établissement (UAI);\
    État de prêt;Grade;Fin de garantie\r\n";

/// The kinds of bad rows: a name, the reason expected, and the row for a number that nobody else has.
const BAD: [(&str, &str, &str); 23] = [
    ("no key", "no_key", ";;Lenovo;L13;;;;;;"),
    ("serial too long", "too_long", "{long};X{n};;;;;;;;"),
    ("tag too long", "too_long", "BS{n};{long};;;;;;;;"),
    ("control character", "control_character", "BS{n};BT{n};\"a\tb\";;;;;;;"),
    ("undecodable", "undecodable", "BS{n};BT{n};a\u{fffd}b;;;;;;;"),
    ("placeholder", "placeholder", "To be filled by O.E.M.;BT{n};;;;;;;;"),
    ("same serial twice", "duplicate_row", "S00000;BT{n};;;;;;;;"),
    ("same tag twice", "duplicate_tag", "BS{n};T00000;;;;;;;;"),
    ("unknown kind", "unknown_word", "BS{n};BT{n};;;Grille-pain;;;;;"),
    ("unknown grade", "unknown_word", "BS{n};BT{n};;;;;;;E;"),
    ("unknown state", "unknown_word", "BS{n};BT{n};;;;;;Peut-être;;"),
    ("state that needs a loan", "state_needs_loan", "BS{n};BT{n};;;;;;Prêté;;"),
    ("state that needs an order", "state_needs_order", "BS{n};BT{n};;;;;;Mis de côté;;"),
    ("programme's form", "programme_form", "BS{n};BT{n};;;;élèves ASE;;;;"),
    ("unknown programme", "unknown_programme", "BS{n};BT{n};;;;D9;;;;"),
    ("closed programme", "programme_closed", "BS{n};BT{n};;;;D2;;;;"),
    ("UAI's form", "uai_form", "BS{n};BT{n};;;;;07506550;;;"),
    ("UAI's letter", "uai_letter", "BS{n};BT{n};;;;;0750656E;;;"),
    ("unknown site", "unknown_site", "BS{n};BT{n};;;;;Collège Nulle-Part;;;"),
    ("no date", "date_form", "BS{n};BT{n};;;;;;;;bientôt"),
    ("no such day", "no_such_day", "BS{n};BT{n};;;;;;;;31/02/2027"),
    ("another century", "date_range", "BS{n};BT{n};;;;;;;;01/01/2927"),
    ("too many cells", "too_many_cells", "BS{n};BT{n};;;;;;;;;;x"),
];

/// A file of `rows` rows of which one in a hundred is bad; and, by line, the reason expected.
fn large(rows: usize) -> (String, BTreeMap<i64, &'static str>) {
    let (mut text, mut expected) = (HEAD.to_owned(), BTreeMap::new());
    for number in 0..rows {
        if number % 100 == 50 {
            let (_, reason, row) = BAD[number / 100 % BAD.len()];
            let row = row.replace("{n}", &number.to_string()).replace("{long}", &"x".repeat(65));
            let _ = write!(text, "{row}\r\n");
            expected.insert(i64::try_from(number).unwrap() + 2, reason);
        } else {
            let uai = uai_code(96, 1 + u32::try_from(number % 5).unwrap());
            let grade = ["A", "B", "", "C"][number % 4];
            let _ =
                write!(text, "S{number:05};T{number:05};Lenovo;ThinkPad L13;Portable;D1;{uai};;{grade};31/08/2028\r\n");
        }
    }
    (text, expected)
}

fn rows() -> usize {
    std::env::var("CARTABLE_IMPORT_ROWS").map_or(50_000, |text| text.parse().unwrap())
}

async fn fifty_thousand_rows_with_five_hundred_bad_ones(test: &TestStore) {
    places(test).await;
    let (text, expected) = large(rows());
    let (bad, all) = (i64::try_from(expected.len()).unwrap(), i64::try_from(rows()).unwrap());
    let begin = Instant::now();
    let import = checked(test, Kind::Devices, &text).await;
    println!("{}: checked {all} rows in {:?}", test.url().split(':').next().unwrap(), begin.elapsed());
    assert_eq!(import.state, ImportState::Checked);
    assert_eq!(import.counts, Counts { new: all - bad, bad, ..Counts::default() });
    assert_eq!(count(test, "device").await, "0", "a check writes nothing");
    let found: BTreeMap<i64, String> = faults(test, import.id)
        .await
        .into_iter()
        .map(|(line, faults)| (line, faults.iter().map(|f| f.reason.to_string()).collect::<Vec<_>>().join(",")))
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!((*found.0, found.1.as_str()), (*expected.0, *expected.1));
    }

    let begin = Instant::now();
    let import = applied(test, Kind::Devices, &text, OnError::Skip).await;
    println!("{}: wrote {all} rows in {:?}", test.url().split(':').next().unwrap(), begin.elapsed());
    assert_eq!((import.state, import.counts.new, import.counts.bad), (ImportState::Done, all - bad, bad));
    assert_eq!(count(test, "device").await, (all - bad).to_string());
    let pending = texts(test, "SELECT CAST(sum(value) AS TEXT) FROM counter WHERE key = 'pending'").await;
    assert_eq!(pending, [(all - bad).to_string()]);

    let state = "SELECT serial_number || asset_tag || search_text FROM device ORDER BY serial_number";
    let before = texts(test, state).await;
    let begin = Instant::now();
    let import = applied(test, Kind::Devices, &text, OnError::Skip).await;
    println!("{}: the same {all} rows again in {:?}", test.url().split(':').next().unwrap(), begin.elapsed());
    assert_eq!(import.counts, Counts { same: all - bad, bad, ..Counts::default() });
    assert_eq!(texts(test, state).await, before);
    let mut tx = test.store.read().await.unwrap();
    let acts = audit::list(&mut tx, None, 10).await.unwrap();
    assert_eq!(acts[0].action, "import.end");
    assert!(acts[0].details.contains("\"same\"") && !acts[0].details.contains("S0"), "{}", acts[0].details);
}

async fn all_or_nothing_writes_nothing_when_one_row_is_bad(test: &TestStore) {
    places(test).await;
    let good = "Numéro de série,Étiquette,Modèle\nA1,1,L13\nA2,2,L13\n";
    let import = applied(test, Kind::Devices, &format!("{good}A3,1,L14\n"), OnError::Stop).await;
    assert_eq!((import.state, import.counts.bad), (ImportState::Refused, 1));
    assert_eq!(count(test, "device").await, "0");
    let import = applied(test, Kind::Devices, good, OnError::Stop).await;
    assert_eq!((import.state, import.counts.new), (ImportState::Done, 2));
    // The bad row alone, downloaded, corrected and sent again.
    let id = begun(test, Kind::Devices, &format!("{good}A3,1,=L14\n"), OnError::Skip, Blanks::Keep, true).await;
    let import = ran(test, id).await;
    let mut tx = test.store.read().await.unwrap();
    let bad = import::rows(&mut tx, import.id, Some(OutcomeName::Bad), 0, 10).await.unwrap();
    drop(tx);
    let table = ledger::find(&test.store, &vault(), id).await.unwrap();
    let file = BadRows::of(table, Delimiter::Semicolon);
    let csv = file.head(["Ligne", "Motif"]) + &file.page(&bad, |fault| fault.reason.to_string());
    assert!(csv.contains("\"4\";\"duplicate_tag\";\"A3\";\"1\";\"'=L14\""), "{csv}");
    let corrected = csv.replace("\"A3\";\"1\"", "\"A3\";\"3\"");
    let import = applied(test, Kind::Devices, &corrected, OnError::Stop).await;
    assert_eq!(import.counts, Counts { new: 1, ..Counts::default() });
    let models = texts(test, "SELECT model FROM device WHERE serial_number = 'A3'").await;
    assert_eq!(models, ["=L14"], "the guard of the export is no part of the value");
}

async fn an_interrupted_import_goes_on_where_it_stopped(test: &TestStore) {
    places(test).await;
    let (text, _) = large(3_500);
    let id = begun(test, Kind::Devices, &text, OnError::Skip, Blanks::Keep, true).await;
    // This process stops after the second chunk, and still holds the import.
    let mut chunks = 0;
    let stopped = Runner::new(test.store.clone(), vault());
    let import = stopped
        .run(id, |_| {
            chunks += 1;
            if chunks == 2 { GoOn::No } else { GoOn::Yes }
        })
        .await
        .unwrap();
    assert_eq!((import.state, import.done), (ImportState::Applying, 2_000));
    let other = Runner::new(test.store.clone(), vault());
    assert!(other.run(id, |_| GoOn::Yes).await.is_err(), "another process must not take it while the first may live");
    let mut tx = test.store.write().await.unwrap();
    assert!(import::waiting(&mut tx, clock::now()).await.unwrap().is_empty());
    assert_eq!(import::waiting(&mut tx, clock::now().plus_days(1)).await.unwrap(), [id]);
    drop(tx);
    let import = stopped.run(id, |_| GoOn::Yes).await.unwrap();
    assert_eq!((import.state, import.done), (ImportState::Done, 3_500));
    assert_eq!(import.counts, Counts { new: 3_465, bad: 35, ..Counts::default() });
    assert_eq!(count(test, "device").await, "3465");
}

async fn blank_cells_erase_only_when_asked(test: &TestStore) {
    places(test).await;
    let site = uai_code(96, 1);
    let first = format!("{HEAD}A1;T1;Lenovo;L13;Portable;D1;{site};;B;2028-08-31\r\n");
    applied(test, Kind::Devices, &first, OnError::Stop).await;
    let blank = format!("{HEAD}A1;;;;;;;;;\r\n");
    assert_eq!(applied(test, Kind::Devices, &blank, OnError::Stop).await.counts.same, 1);
    let id = begun(test, Kind::Devices, &blank, OnError::Stop, Blanks::Erase, true).await;
    assert_eq!(ran(test, id).await.counts.changed, 1);
    let sql = "SELECT COALESCE(asset_tag, '-') || COALESCE(model, '-') || COALESCE(grade, '-') || \
               COALESCE(programme, '-') || CASE WHEN site_id IS NULL THEN '-' ELSE 'site' END FROM device";
    assert_eq!(texts(test, sql).await, ["T1----"], "keys stay: without them the device could not be found again");
}

async fn borrowers_are_recognised_by_their_number_and_sealed(test: &TestStore) {
    places(test).await;
    let head = "INE;Nom;Prénom;Classe;Niveau;Établissement;Courriel du responsable;Responsable légal\n";
    let uai = uai_code(96, 1);
    let text = format!("{head}0123AB;Martin;Inès;5e B;5e;{uai};paul@example.org;Paul Martin\n");
    let import = applied(test, Kind::Borrowers, &text, OnError::Stop).await;
    assert_eq!(import.counts, Counts { new: 1, ..Counts::default() });
    assert_eq!(applied(test, Kind::Borrowers, &text, OnError::Stop).await.counts.same, 1);
    let moved = text.replace("5e B", "4e B").replace(";5e;", ";4ème;");
    let import = applied(test, Kind::Borrowers, &moved, OnError::Stop).await;
    assert_eq!(import.counts.changed, 1);
    let bad = format!("{text}0124AB;Martin;Luc;;7e;{uai};nowhere;\n");
    let import = checked(test, Kind::Borrowers, &bad).await;
    let reasons: Vec<String> =
        faults(test, import.id).await.remove(0).1.iter().map(|fault| fault.reason.to_string()).collect();
    assert_eq!(reasons, ["unknown_word", "email_form"]);
    let sealed = texts(test, "SELECT sealed FROM borrower_identity").await.remove(0);
    let id: Uuid = {
        let sql = if test.url().starts_with("sqlite") {
            "SELECT lower(hex(id)) FROM borrower"
        } else {
            "SELECT id::text FROM borrower"
        };
        texts(test, sql).await.remove(0).parse().unwrap()
    };
    let identity = vault().open_identity(id, &sealed).unwrap();
    assert_eq!((identity.name.as_str(), identity.class.as_deref()), ("Inès Martin", Some("4e B")));
    assert_eq!(identity.guardians[0].email.as_deref(), Some("paul@example.org"));
    // Nothing that says who it is stands in clear anywhere.
    for sql in [
        "SELECT details FROM import_row",
        "SELECT details FROM audit",
        "SELECT sealed FROM import_part",
        "SELECT sealed FROM borrower_identity",
        "SELECT reference || COALESCE(institution_name, '') FROM borrower",
    ] {
        for text in texts(test, sql).await {
            assert!(
                ["Martin", "Inès", "0123AB", "0124AB", "paul@", "nowhere"].iter().all(|name| !text.contains(name)),
                "{sql}: {text}"
            );
        }
    }
}

async fn loans_come_in_once_and_move_their_devices(test: &TestStore) {
    places(test).await;
    applied(test, Kind::Devices, "Étiquette;Modèle\nT1;L13\nT2;L13\nT3;L13\n", OnError::Stop).await;
    applied(test, Kind::Borrowers, "INE;Nom\nE1;A\nE2;B\n", OnError::Stop).await;
    let head =
        "Étiquette;INE;Dispositif;Remis le;À rendre le;Rendu le;État au retour;État du prêt;Référence de la plainte\n";
    let text = format!(
        "{head}T1;E1;D1;2025-09-08;2026-07-03;;;;\nT2;E2;D2;2024-09-09;;2025-06-20;Bon;;\nT3;E2;D1;2024-09-09;;2025-01-10;;Volé;PV 12\n"
    );
    let import = applied(test, Kind::Loans, &text, OnError::Stop).await;
    assert_eq!(import.counts, Counts { new: 3, ..Counts::default() }, "{:?}", faults(test, import.id).await);
    let states = "SELECT asset_tag || ' ' || lending_state FROM device ORDER BY asset_tag";
    assert_eq!(texts(test, states).await, ["T1 lent", "T2 in_stock", "T3 stolen"]);
    assert_eq!(applied(test, Kind::Loans, &text, OnError::Stop).await.counts.same, 3);
    let back = text.replace("2026-07-03;;;;", "2026-07-03;2025-10-01;Usé;;");
    assert_eq!(applied(test, Kind::Loans, &back, OnError::Stop).await.counts.changed, 1);
    assert_eq!(texts(test, states).await[0], "T1 intake");
    let steps = texts(test, "SELECT kind FROM loan_event ORDER BY loan_id, number").await;
    assert_eq!(steps, ["handed_over", "returned", "handed_over", "returned", "handed_over", "stolen"]);
    for (row, reason) in [
        ("T1;E1;D1;2025-09-08;2027-07-03;2025-10-01;Usé;;", "loan_ended"),
        ("T1;E2;D1;2025-09-08;;;;;", "other_loan"),
        ("T9;E1;D1;2025-09-08;;;;;", "unknown_device"),
        ("T2;E9;D1;2025-09-08;;;;;", "unknown_borrower"),
        ("T2;E1;D2;2025-09-08;;;;;", "programme_closed"),
        ("T2;E1;D1;2025-09-08;;2025-09-01;Bon;;", "end_before_start"),
        ("T2;E1;D1;2025-09-08;;2025-10-01;;;", "no_condition"),
        ("T2;E1;D1;2025-09-08;;2025-10-01;;Volé;", "no_police_report"),
        ("T2;E1;D1;2125-09-08;;;;;", "date_range"),
        ("T2;E1;D1;2099-09-08;;;;;", "in_the_future"),
        ("T3;E1;D1;2025-09-08;;;;;", "not_lendable"),
    ] {
        let import = checked(test, Kind::Loans, &format!("{head}{row}\n")).await;
        let found = faults(test, import.id).await;
        assert_eq!(found.first().map(|(_, faults)| faults[0].reason.as_str()), Some(reason), "{row}: {found:?}");
    }
}

async fn lists_of_snipe_it_and_glpi_are_taken_as_they_come(test: &TestStore) {
    places(test).await;
    let snipe = "ID,Asset Name,Device Image,Asset Tag,Serial,Model,Category,Status,Checked Out To,Location,Manufacturer\n\
        1,poste-1,,SN-1,SERIAL1,\"<a href=\"\"https://x.example/models/4\"\"> L13</a>\",Laptops,Ready to Deploy,,Collège 1,Lenovo\n\
        2,poste-2,,SN-2,SERIAL2,L13,Tablets,Deployed,Inès Martin,Collège 2,Lenovo\n\
        3,poste-3,,SN-3,SERIAL3,L13,Toasters,Lost/Stolen,,,Lenovo\n";
    let import = applied(test, Kind::Devices, snipe, OnError::Stop).await;
    assert_eq!(import.counts, Counts { new: 3, ..Counts::default() }, "{:?}", faults(test, import.id).await);
    let sql = "SELECT serial_number || ' ' || asset_tag || ' ' || model || ' ' || COALESCE(chassis, '-') || ' ' || \
               lending_state || ' ' || COALESCE(s.name, '-') FROM device d LEFT JOIN site s ON s.id = d.site_id \
               ORDER BY serial_number";
    assert_eq!(
        texts(test, sql).await,
        [
            "SERIAL1 SN-1 L13 laptop in_stock Collège 1",
            "SERIAL2 SN-2 L13 tablet intake Collège 2",
            "SERIAL3 SN-3 L13 - lost -"
        ]
    );
    assert_eq!(applied(test, Kind::Devices, snipe, OnError::Stop).await.counts.same, 3);
    let glpi = "\u{feff}\"Nom\";\"Entité\";\"Statut\";\"Fabricant\";\"Numéro de série\";\"Type\";\"Modèle\";\
        \"Système d'exploitation - Nom\";\"Lieu\";\"Dernière modification\";\n\
        \"poste-9\";\"Département\";\"En stock\";\"Dell\";\"GLPI9\";\"Portable\";\"Latitude\";\"Debian\";\"Département > Collège 3\";\"2026-09-01 10:00\";\n\
        \"poste-1\";\"Département\";\"Volé\";\"Lenovo\";\"SERIAL1\";\"Portable\";\"L13\";\"\";\"Collège 1\";\"2026-09-01 10:00\";\n";
    let import = applied(test, Kind::Devices, glpi, OnError::Stop).await;
    assert_eq!(import.counts, Counts { new: 1, same: 1, ..Counts::default() }, "{:?}", faults(test, import.id).await);
    assert_eq!(
        texts(test, sql.replace(" || asset_tag || ' '", "").as_str()).await[0],
        "GLPI9 Latitude laptop in_stock Collège 3"
    );
}

async fn a_mapping_is_remembered_for_the_same_headings(test: &TestStore) {
    let text = "Repère;Truc\nA1;L13\n";
    let brought = Brought { kind: Kind::Devices, name: "x.csv", by: "marie" };
    let now = clock::now();
    let first = ledger::take_in(&test.store, &vault(), &brought, text.as_bytes().to_vec(), now).await.unwrap();
    assert!(first.mapping.check(Kind::Devices).is_err());
    let headings = ledger::preview(&test.store, &vault(), first.id).await.unwrap().headings;
    let mut mapping = first.mapping.clone();
    mapping.columns = vec![Some("asset_tag".parse().unwrap()), Some("model".parse().unwrap())];
    ledger::remember(&test.store, &headings, Kind::Devices, &mapping, now).await.unwrap();
    let again = "REPÈRE , truc\nA2,L14\n".as_bytes().to_vec();
    let second = ledger::take_in(&test.store, &vault(), &brought, again, now).await.unwrap();
    assert_eq!(second.mapping, mapping);
}
