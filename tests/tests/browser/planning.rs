//! From a collège's needs to its devices and back, in a real browser without script, as the people concerned do it: a
//! referent enters needs, a programme manager proposes, reads why, adjusts; somebody else approves; then a return
//! campaign with desks is planned, started, followed, and closed.

use std::time::{Duration, Instant};

use cartable_server::{clock, store::Store};
use cartable_tests::{
    axe::Axe,
    browser::{Browser, Driver, Scheme, Screen},
    harness::{
        Installation, Server,
        cartable::{LOGIN, PASSWORD},
    },
    raw::Raw,
    school::{School, labels},
    simulator::site::uai_code,
};

/// Somebody else than the administrator, who also sees everything.
const MANAGER: &str = "paul";
/// Who answers for the collège.
const REFERENT: &str = "rosa";
const LENT: usize = 3;

struct Town {
    server: Server,
    school: School,
    database: String,
    _installation: Installation,
}

impl Town {
    async fn begin() -> Self {
        let installation = Installation::temporary().unwrap();
        installation.create_user(LOGIN, "administrator", PASSWORD).unwrap();
        installation.create_user(MANAGER, "programme_manager", PASSWORD).unwrap();
        let database = installation.database_url();
        let store = Store::open(&database).await.unwrap();
        let now = clock::now();
        let school = School::found(&store, 1, 25, now).await.unwrap();
        // More collèges than a form shows at once.
        for number in 2..=15 {
            School::found(&store, number, 0, now).await.unwrap();
        }
        let devices = school.stock(&store, &labels(9), now).await.unwrap();
        school.lend(&store, &devices[..LENT], now).await.unwrap();
        store.close().await;
        // Tablets have no agent: nothing needs to be known of their health.
        let mut raw = Raw::connect(&database).await.unwrap();
        raw.execute("UPDATE device SET contact_expected = 'none'").await.unwrap();
        installation.create_user_of(REFERENT, "referent", &uai_code(96, 1), PASSWORD).unwrap();
        let server = installation.serve().unwrap();
        Self { server, school, database, _installation: installation }
    }

    /// A browser without script in which `login` is signed in.
    async fn enter(&self, driver: &Driver, login: &str) -> Visit<'_> {
        let browser = driver.open("fr").await.unwrap();
        browser.set_screen(Screen::Desk).await.unwrap();
        browser.goto(&format!("{}/sign-in", self.server.console())).await.unwrap();
        browser.type_into("#login", login).await.unwrap();
        browser.type_into("#password", PASSWORD).await.unwrap();
        browser.click("main form button[type=submit]").await.unwrap();
        browser.forbid_scripts().await.unwrap();
        Visit { town: self, browser }
    }

    async fn number(&self, sql: &str) -> i64 {
        Raw::connect(&self.database).await.unwrap().number(sql).await.unwrap()
    }
}

/// Somebody's visit.
struct Visit<'a> {
    town: &'a Town,
    browser: Browser,
}

impl Visit<'_> {
    async fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.town.server.console())).await.unwrap();
    }

    async fn click(&self, css: &str) {
        self.browser.click(css).await.unwrap();
    }

    async fn choose(&self, select: &str, value: &str) {
        self.click(&format!("{select} option[value='{value}']")).await;
    }

    async fn fill(&self, css: &str, words: &str) {
        self.browser.type_into(css, words).await.unwrap();
    }

    /// The page must say each of these, as soon as it is there.
    async fn says(&self, all: &[&str]) {
        let began = Instant::now();
        loop {
            let page = self.browser.source().await.unwrap();
            let Some(missing) = all.iter().find(|words| !page.contains(**words)) else { return };
            let url = self.browser.url().await.unwrap();
            assert!(began.elapsed() < Duration::from_secs(10), "{missing} is not on {url}: {page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn scripts(&self, forbidden: bool) {
        let value = serde_json::json!({ "value": forbidden });
        self.browser.devtools("Emulation.setScriptExecutionDisabled", value).await.unwrap();
    }

    /// Where the page is, without the question.
    async fn path(&self) -> String {
        let url = self.browser.url().await.unwrap();
        let path = url.strip_prefix(self.town.server.console()).unwrap_or(&url);
        path.split('?').next().unwrap_or_default().to_owned()
    }

    /// Photographs the page, wide and light, narrow and dark; it must fit and break no rule of accessibility.
    async fn looks(&self, axe: &Axe, name: &str, wrong: &mut Vec<String>) {
        // The rules themselves are a script.
        self.scripts(false).await;
        for (screen, scheme) in [(Screen::Hand, Scheme::Dark), (Screen::Desk, Scheme::Light)] {
            self.browser.set_screen(screen).await.unwrap();
            self.browser.set_scheme(scheme).await.unwrap();
            self.browser.photograph(&format!("planning-{name}-{screen:?}").to_lowercase()).await.unwrap();
            // What stands behind closed details is judged as well.
            let open = "for (const one of document.querySelectorAll('details')) one.open = true";
            self.browser.execute(open).await.unwrap();
            let found = axe.violations(&self.browser).await.unwrap();
            wrong.extend(found.into_iter().map(|line| format!("{name} ({screen:?}): {line}")));
            if self.browser.overflow().await.unwrap() > 0 {
                wrong.push(format!("{name} is wider than the screen ({screen:?})"));
            }
            let shut = "for (const one of document.querySelectorAll('main details')) one.open = false";
            self.browser.execute(shut).await.unwrap();
        }
        self.scripts(true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_become_loans_and_a_campaign_brings_them_back() {
    let (axe, town, driver) = (Axe::load().unwrap(), Town::begin().await, Driver::start().unwrap());
    let mut wrong = Vec::new();
    let referent = town.enter(&driver, REFERENT).await;
    enter_needs(&referent, &axe, &mut wrong).await;
    let manager = town.enter(&driver, MANAGER).await;
    let proposal = propose_and_adjust(&manager, &axe, &mut wrong).await;
    let administrator = town.enter(&driver, LOGIN).await;
    approve(&administrator, &proposal, &axe, &mut wrong).await;
    let campaign = plan_and_start(&manager, &axe, &mut wrong).await;
    follow_and_close(&referent, &manager, &campaign, &axe, &mut wrong).await;
    for visit in [&referent, &manager, &administrator] {
        // What was refused on purpose is an answer 422, which the browser notes.
        let mut said = visit.browser.console().await.unwrap();
        said.retain(|line| !line.contains("status of 422"));
        assert_eq!(said, Vec::<String>::new());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Three alike, then one for a pupil by reference; a wrong reference is said and nothing typed is lost.
async fn enter_needs(referent: &Visit<'_>, axe: &Axe, wrong: &mut Vec<String>) {
    referent.goto("/needs").await;
    referent.says(&["Aucun besoin ne correspond", "Collège 1"]).await;
    let form = "form[action='/needs'][method=post]";
    referent.choose("#level", "6e").await;
    referent.choose("#home", "no_computer").await;
    referent.browser.execute("document.getElementById('count').value = ''").await.unwrap();
    referent.fill("#count", "3").await;
    referent.click(&format!("{form} button")).await;
    referent.says(&["3 besoins", "Aucun ordinateur à la maison", "En attente"]).await;
    referent.choose("#band", "band_2").await;
    referent.fill("#borrower", "B-0000-0000").await;
    referent.click(&format!("{form} button")).await;
    referent.looks(axe, "needs-refused", wrong).await;
    referent.says(&["B-0000-0000", "role=\"alert\""]).await;
    referent.goto("/needs").await;
    referent.click("#ulis").await;
    let reference = referent.town.school.borrowers[0].reference.to_string();
    referent.fill("#borrower", &reference).await;
    referent.click(&format!("{form} button")).await;
    referent.says(&["4 besoins", &reference]).await;
    referent.looks(axe, "needs", wrong).await;
    assert_eq!(referent.town.number("SELECT count(*) FROM need WHERE state = 'open'").await, 4);
}

/// Gives the proposal's address.
async fn propose_and_adjust(manager: &Visit<'_>, axe: &Axe, wrong: &mut Vec<String>) -> String {
    manager.goto("/allocations").await;
    manager.click("form[action='/allocations'] button").await;
    let proposal = manager.path().await;
    manager.says(&["Élève d’un dispositif ULIS 40", "stock de l’établissement", "Gardés en réserve : 1"]).await;
    manager.says(&["une autre personne doit l’approuver"]).await;
    manager.looks(axe, "allocation-draft", wrong).await;
    let swap = format!("form[action='{proposal}/swap']");
    manager.click("main tbody[role=rowgroup] tr:first-child details summary").await;
    manager.fill("#device-1", "CD-0001").await;
    manager.fill("#swap-1", "demandé par l’élève").await;
    manager.click(&format!("{swap} button")).await;
    manager.says(&["Aucun appareil en stock n’a cette étiquette"]).await;
    manager.click("main tbody[role=rowgroup] tr:nth-child(4) details summary").await;
    manager.fill("#drop-4", "déjà équipé").await;
    manager
        .click(&format!("main tbody[role=rowgroup] tr:nth-child(4) form[action='{proposal}/drop-line'] button"))
        .await;
    manager.says(&["Retirée", "déjà équipé"]).await;
    proposal
}

async fn approve(administrator: &Visit<'_>, proposal: &str, axe: &Axe, wrong: &mut Vec<String>) {
    administrator.goto("/allocations").await;
    administrator.looks(axe, "allocations", wrong).await;
    administrator.click(&format!("main a[href='{proposal}']")).await;
    administrator.click(&format!("form[action='{proposal}/approve'] button")).await;
    administrator.says(&["Approuvée", "Réservé"]).await;
    administrator.looks(axe, "allocation-approved", wrong).await;
    let reserved = "SELECT count(*) FROM loan WHERE state = 'reserved'";
    assert_eq!(administrator.town.number(reserved).await, 3);
}

/// Gives the campaign's address.
async fn plan_and_start(manager: &Visit<'_>, axe: &Axe, wrong: &mut Vec<String>) -> String {
    manager.goto("/campaigns").await;
    manager.looks(axe, "campaigns", wrong).await;
    let days = "document.getElementById('first').value = '2027-06-18'; \
                document.getElementById('last').value = '2027-06-14'";
    manager.browser.execute(days).await.unwrap();
    manager.fill("#name", "Restitutions de juin").await;
    let open = "document.querySelectorAll(\"form[action='/campaigns'] details\").forEach(list => list.open = true)";
    manager.browser.execute(open).await.unwrap();
    for tick in ["#level-5e", "#level-3e", &format!("#programme-{}", manager.town.school.programme)] {
        manager.click(tick).await;
    }
    manager.click(&format!("#site-{}", manager.town.school.site)).await;
    manager.click("form[action='/campaigns'] button").await;
    manager.says(&["Le dernier jour vient après le premier"]).await;
    // What was ticked stays ticked, and the list of sites stands open.
    let ticked = "return document.querySelectorAll('form[action=\"/campaigns\"] input:checked').length";
    assert_eq!(manager.browser.execute(ticked).await.unwrap(), 4);
    manager
        .browser
        .execute(
            "document.getElementById('last').value = '2027-06-18'; \
                             document.getElementById('first').value = '2027-06-14'",
        )
        .await
        .unwrap();
    manager.click("form[action='/campaigns'] button").await;
    let campaign = manager.path().await;
    manager.says(&["Prévue", "Prêt individuel", "5e, 3e", "Collège 1"]).await;
    manager.click("main details summary").await;
    manager.fill("#own-desks", "2").await;
    manager.fill("#own-slots", "30").await;
    manager.click(&format!("form[action='{campaign}/desks'] button")).await;
    // Planned otherwise: the form holds what is planned, and everything else stays as it is.
    manager.click("main details:nth-of-type(2) summary").await;
    manager.fill("#name", " 2027").await;
    manager.looks(axe, "campaign-changing", wrong).await;
    // Photographed, it was shut again.
    manager.click("main details:nth-of-type(2) summary").await;
    manager.click(&format!("form[action='{campaign}/plan'] button")).await;
    manager.says(&["2027", "Prêt individuel", "5e, 3e", "Collège 1"]).await;
    manager.looks(axe, "campaign-planned", wrong).await;
    manager.click(&format!("form[action='{campaign}/start'] button")).await;
    manager.says(&["En cours", "CD-0001"]).await;
    let expected = "SELECT CAST(sum(expected) AS BIGINT) FROM campaign_count";
    assert_eq!(manager.town.number(expected).await, i64::try_from(LENT).unwrap());
    campaign
}

async fn follow_and_close(
    referent: &Visit<'_>,
    manager: &Visit<'_>,
    campaign: &str,
    axe: &Axe,
    wrong: &mut Vec<String>,
) {
    referent.goto("/returns").await;
    referent.fill("#code", "CD-0001\u{e007}").await;
    referent.says(&["CD-0001"]).await;
    referent.goto(campaign).await;
    referent.click("main tbody[role=rowgroup] tr:first-child details summary").await;
    referent.fill("main tbody[role=rowgroup] tr:first-child input[name=reason]", "hospitalisé").await;
    referent.click(&format!("main tbody[role=rowgroup] tr:first-child form[action='{campaign}/excuse'] button")).await;
    referent.goto(campaign).await;
    referent.looks(axe, "campaign-running", wrong).await;
    let figures = "return [...document.querySelectorAll('.figure .value')].map(one => one.textContent).join(' ')";
    assert_eq!(referent.browser.execute(figures).await.unwrap(), "1 1 0 1 0", "expected, returned, overdue, excused");
    referent.goto(&format!("{campaign}?state=excused")).await;
    referent.says(&["hospitalisé"]).await;
    referent.looks(axe, "campaign-excused", wrong).await;
    referent.click(&format!("form[action='{campaign}/expect'] button")).await;
    assert_eq!(referent.browser.execute(figures).await.unwrap(), "2 1 0 0 0", "expected again");
    manager.goto(campaign).await;
    manager.click(&format!("form[action='{campaign}/write-again'] button")).await;
    manager.says(&["ont déjà reçu un courrier aujourd’hui"]).await;
    manager.goto(campaign).await;
    manager.click(&format!("form[action='{campaign}/close'] button")).await;
    manager.says(&["Close", "CD-000"]).await;
    manager.looks(axe, "campaign-closed", wrong).await;
}
