//! Exports on both engines: inert in every spreadsheet, read back by the import as they are, within scope and
//! membership, in more pages than one.

use std::{collections::BTreeSet, fmt::Write as _};

use axum::http::Method;
use cartable_server::{
    auth::Role,
    clock,
    domain::{
        campaign::{Choice, Desks, Plan},
        import::{Blanks, Counts, ImportState, Kind, OnError},
        language::Language,
        programme::{Programme, Term},
        scope::Scope,
    },
    exchange::{
        export::{Export, ExportKind, Filters},
        ledger::{self, Brought},
        read,
        run::{self, Begun, GoOn, Runner},
        sheet::Sheet as _,
        write::Delimiter,
    },
    store::{
        campaign_plan,
        import::{self, Import},
        programme,
    },
};
use cartable_tests::{
    authority, in_process::InProcess, lending::individual, on_both_engines, raw::Raw, simulator::site::uai_code,
    stores::TestStore,
};
use jiff::civil::date;
use uuid::Uuid;

on_both_engines! {
    every_list_is_read_back_as_it_was,
    exports_hold_all_rows_and_all_columns,
    an_export_shows_no_more_than_its_pages,
}

const HOSTILE: [&str; 6] = ["=HYPERLINK(\"\"http://x\"\")", "+33", "-1", "@SUM(A1)", "'=1", "a;b,\"\"c\"\""];

async fn written(cartable: &InProcess, kind: Kind, bytes: Vec<u8>) -> Import {
    let (store, vault, now) = (&cartable.app.store, &cartable.app.vault, clock::now());
    let brought = Brought { kind, name: "x", by: "marie" };
    let import = ledger::take_in(store, vault, &brought, bytes, now).await.unwrap();
    let (mapping, state) = (import.mapping.clone(), ImportState::Applying);
    let asked = import::Asked { mapping: &mapping, blanks: Blanks::Keep, on_error: OnError::Skip, state };
    let mut tx = store.write().await.unwrap();
    assert_eq!(run::begin(&mut tx, &import, &asked, "marie", now).await.unwrap(), Begun::Yes);
    tx.commit().await.unwrap();
    Runner::new(store.clone(), vault.clone()).run(import.id, |_| GoOn::Yes).await.unwrap()
}

fn export(kind: ExportKind, language: Language, role: Role, scope: Scope) -> Export {
    Export {
        kind,
        language,
        role,
        scope,
        filters: Filters::default(),
        now: clock::now(),
        say: std::sync::Arc::new(|_, code| code.to_owned()),
    }
}

async fn csv(cartable: &InProcess, export: &Export) -> String {
    let (mut text, mut after) = (String::new(), None);
    loop {
        let (piece, next) = export.csv_piece(&cartable.app.store, after, Delimiter::Semicolon).await.unwrap();
        text.push_str(&piece);
        match next {
            Some(cursor) => after = Some(cursor),
            None => return text,
        }
    }
}

async fn programme(cartable: &InProcess) {
    let made = Programme { term: Term::Open, renewals_allowed: 1, accessories: vec![], ..individual("D1").unwrap() };
    let mut tx = cartable.app.store.write().await.unwrap();
    programme::put(&mut tx, &made, clock::now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn every_list_is_read_back_as_it_was(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    cartable.site(1).await.unwrap();
    let mut list = "Étiquette;Modèle;Fabricant;Site\n".to_owned();
    for number in 0..1_200 {
        let hostile = HOSTILE[number % HOSTILE.len()];
        let _ = writeln!(list, "T{number};\"{hostile}\";\"'{hostile}\";{}", uai_code(96, 1));
    }
    let first = written(&cartable, Kind::Devices, list.into_bytes()).await;
    assert_eq!(first.counts, Counts { new: 1_200, ..Counts::default() });
    programme(&cartable).await;
    let pupils = "INE;Niveau;Nom;Site\nE1;5e;=A;\nE2;ULIS;B;Collège 1\n".to_owned();
    assert_eq!(written(&cartable, Kind::Borrowers, pupils.into_bytes()).await.counts.new, 2);
    let lent = "Étiquette;INE;Dispositif;Remis le;À rendre le;Rendu le;État au retour;État du prêt;Référence de la plainte\n\
        T1;E1;D1;2025-09-08;2026-07-03;;;;\nT2;E2;D1;2024-09-09;;2025-06-20;Bon;;\n\
        T3;E2;D1;2024-09-09;;2025-01-10;;Volé;=PV\n";
    assert_eq!(written(&cartable, Kind::Loans, lent.as_bytes().to_vec()).await.counts.new, 3);
    let asked = format!(
        "N° besoin;INE;Dispositif;Site;Niveau;Motifs\n1;;D1;{0};6e;ULIS\n;E2;D1;Collège 1;;\n",
        uai_code(96, 1)
    );
    assert_eq!(written(&cartable, Kind::Needs, asked.into_bytes()).await.counts.new, 2);
    for (what, kind) in [
        (ExportKind::Devices, Kind::Devices),
        (ExportKind::Needs, Kind::Needs),
        (ExportKind::Sites, Kind::Sites),
        (ExportKind::Borrowers, Kind::Borrowers),
        (ExportKind::Loans, Kind::Loans),
    ] {
        for language in Language::ALL {
            let export = export(what, language, Role::Administrator, Scope::Everything);
            let text = csv(&cartable, &export).await;
            for cell in text.split(['\n', ';']).filter_map(|cell| cell.strip_prefix('"')) {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{what}: {cell}");
            }
            let rows = i64::try_from(text.lines().count() - 1).unwrap();
            assert!(rows > 0, "{what} is empty");
            let back = written(&cartable, kind, text.into_bytes()).await;
            assert_eq!(back.counts, Counts { same: rows, ..Counts::default() }, "{what} {language:?} as CSV");
            let mut file = export.workbook(&cartable.app.store).await.unwrap();
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
            let back = written(&cartable, kind, bytes).await;
            assert_eq!(back.counts, Counts { same: rows, ..Counts::default() }, "{what} {language:?} as XLSX");
        }
    }
    for (what, heading) in [(ExportKind::SnipeIt, "Asset Tag"), (ExportKind::Glpi, "Inventory number")] {
        let export = export(what, Language::English, Role::Administrator, Scope::Everything);
        let table = read::table(csv(&cartable, &export).await.as_bytes()).unwrap();
        assert!(table.headings.iter().any(|found| found == heading), "{:?}", table.headings);
        assert_eq!(table.lines.len(), 1_200);
    }
}

async fn exports_hold_all_rows_and_all_columns(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    // More than a page shows, and more than are read at a time.
    const MANY: usize = 520;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let mut tx = cartable.app.store.write().await.unwrap();
    for number in 0..MANY {
        let plan = Plan::new(
            &format!("C{number}"),
            (date(2027, 6, 14), date(2027, 6, 18)),
            Desks::new(1, 40).unwrap(),
            Choice::default(),
        );
        campaign_plan::plan(&mut tx, plan.unwrap(), "anne", clock::now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    for number in 0..60 {
        let list = format!("Étiquette;Modèle\nT{number};L13\n");
        written(&cartable, Kind::Devices, list.into_bytes()).await;
    }
    cartable.person("anne", Role::ProgrammeManager, Scope::Everything).await.unwrap();
    let token = cartable.token("anne").await.unwrap();
    let body = Some(serde_json::json!({}));
    let proposed = cartable.call(&Method::POST, "/api/v1/allocations", Some(&token), body).await.unwrap();
    assert_eq!(proposed.status, 201, "{}", proposed.body);
    for _ in 0..204 {
        let id = raw.uuid(Uuid::now_v7());
        let sql = format!(
            "INSERT INTO allocation (id, state, proposed_by, proposed_at, terms) \
             SELECT {id}, state, proposed_by, proposed_at, terms FROM allocation ORDER BY id LIMIT 1"
        );
        raw.execute(&sql).await.unwrap();
    }
    for (kind, rows) in [(ExportKind::Campaigns, MANY), (ExportKind::Imports, 60), (ExportKind::Allocations, 205)] {
        let export = export(kind, Language::English, Role::Administrator, Scope::Everything);
        let text = csv(&cartable, &export).await;
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(lines.len(), rows, "{kind}");
        if kind == ExportKind::Campaigns {
            let names: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(';').next()).collect();
            assert_eq!(names.len(), MANY, "each once");
        }
    }
    let made = Programme {
        accessories: vec!["chargeur".into(), "sacoche".into()],
        notice_days: vec![-21, 7],
        membership: vec![Role::Referent],
        agreement_template: "ulis".into(),
        ..individual("D1").unwrap()
    };
    let mut tx = cartable.app.store.write().await.unwrap();
    programme::put(&mut tx, &made, clock::now()).await.unwrap();
    tx.commit().await.unwrap();
    let export = export(ExportKind::Programmes, Language::English, Role::Administrator, Scope::Everything);
    let text = csv(&cartable, &export).await;
    for word in ["Accessories", "chargeur ; sacoche", "Notice days", "-21 ; 7", "Roles that see members", "ulis"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

async fn an_export_shows_no_more_than_its_pages(test: &TestStore) {
    let cartable = InProcess::new(&test.store);
    let own = authority::make(&cartable, 1).await.unwrap();
    let foreign = authority::make(&cartable, 2).await.unwrap();
    let mut tx = test.store.read().await.unwrap();
    let scope = Scope::Sites(vec![cartable.site_id(&mut tx, 1).await.unwrap()]);
    drop(tx);
    for (what, shown, hidden) in [
        (ExportKind::Devices, own.get("device"), foreign.get("device")),
        (ExportKind::Borrowers, own.get("borrower-reference"), foreign.get("borrower-reference")),
        (ExportKind::Loans, own.get("borrower-reference"), foreign.get("borrower-reference")),
        (ExportKind::Sites, own.get("uai"), foreign.get("uai")),
        (ExportKind::Needs, own.get("need"), foreign.get("need")),
    ] {
        let text = csv(&cartable, &export(what, Language::French, Role::Referent, scope.clone())).await;
        assert!(text.contains(shown), "{what}: {text}");
        assert!(!text.contains(hidden), "{what}: {text}");
        // A need is the site's own request: what it asks for is no secret to the site.
        let tells = text.contains(own.get("programme-code"));
        assert_eq!(tells, what == ExportKind::Needs, "{what} tells who is in which programme: {text}");
        let all = csv(&cartable, &export(what, Language::French, Role::ProgrammeManager, Scope::Everything)).await;
        assert!(all.contains(hidden), "{what}");
    }
    let loans = export(ExportKind::Loans, Language::French, Role::ProgrammeManager, Scope::Everything);
    assert!(csv(&cartable, &loans).await.contains(own.get("programme-code")));
    // What runs a fleet: of one's own sites, or for those alone who see all of it.
    for (what, role, held, shown) in [
        (ExportKind::Tokens, Role::Referent, &scope, uai_code(96, 1)),
        (ExportKind::Campaigns, Role::Referent, &scope, "Juin".to_owned()),
        (ExportKind::Allocations, Role::ProgrammeManager, &Scope::Everything, own.get("allocation").to_owned()),
        (ExportKind::Imports, Role::ProgrammeManager, &Scope::Everything, "x.csv".to_owned()),
        (ExportKind::Audit, Role::Auditor, &Scope::Everything, "\"1\"".to_owned()),
    ] {
        let export = export(what, Language::English, role, held.clone());
        let text = csv(&cartable, &export).await;
        let (heading, rows) = text.split_once("\r\n").or_else(|| text.split_once('\n')).unwrap();
        assert!(rows.contains(&shown), "{what}: {text}");
        assert!(*held == Scope::Everything || !rows.contains(&uai_code(96, 2)), "{what}: {text}");
        let columns = heading.matches(';').count() + 1;
        let table = read::table(text.as_bytes()).unwrap();
        assert!(table.headings.len() == columns && !table.lines.is_empty(), "{what}: {text}");
    }
    for (login, role, scope) in [("ute", Role::Auditor, Scope::Everything), ("rosa", Role::Referent, scope.clone())] {
        let desk = cartable.desk(login, role, scope).await.unwrap();
        for (path, auditor, referent) in [
            ("audit.csv", 200, 403),
            ("audit.xlsx", 200, 403),
            ("tokens.csv", 200, 403),
            ("allocations.csv", 200, 403),
            ("imports.csv", 403, 403),
            ("campaigns.csv", 200, 200),
        ] {
            let answer = desk.get(&format!("/exports/{path}")).await.unwrap();
            let expected = if login == "ute" { auditor } else { referent };
            assert_eq!(answer.status, expected, "{path} for {login}");
        }
    }
    // Through the console, with the filters of the page.
    cartable.person("marie", Role::Technician, Scope::Everything).await.unwrap();
    let cookie = cartable.cookie("marie", clock::now()).await.unwrap();
    for (path, status) in [
        ("/exports/devices.csv?q=SECRET-SERIAL&delimiter=semicolon", 200),
        ("/exports/devices.csv?q=nowhere", 200),
        ("/exports/flags.csv", 200),
        ("/exports/devices.xlsx", 200),
        ("/exports/borrowers.csv", 403),
        ("/exports/devices.pdf", 404),
        ("/exports/toasters.csv", 404),
        ("/exports/devices.csv?delimiter=x", 400),
    ] {
        let request = axum::http::Request::builder().uri(path).header("cookie", &cookie);
        let answer = cartable.send(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status, status, "{path}");
        if path.contains(".csv?q=") {
            assert_eq!(answer.body.contains("SECRET-SERIAL"), path.contains("q=SECRET"), "{path}");
        }
    }
}
