//! A unit's whole way in a real browser, in French, each step by the person whose it is: from the return desk's scan to
//! intake, inspection, erasure by the tool's own words, repair, grade, lot, approval, deed and release.
//! `CARTABLE_BLESS=1` takes the pictures of the refurbisher's guides anew, in both languages.

use std::path::PathBuf;

use cartable_common::{SerialNumber, Text, report::HealthReport};
use cartable_server::{
    clock,
    domain::{paris, scope::Scope},
    store::{Store, device},
};
use cartable_tests::{
    browser::{Browser, Driver, ENTER, Scheme, Screen},
    demo::prepare::{self, Age},
    erasing::nvme_sanitized,
    fleet::{RunningIngest, enrol, envelope, laptop},
    guide::{self, Guide, LANGUAGES, SIZE},
    harness::{
        Installation, Server, Visitor,
        cartable::{LOGIN, PASSWORD},
        http::hidden_field,
    },
    paper, picture,
    raw::Raw,
    school::School,
    simulator::{Keyring, Roster, keyring::FleetHeader},
};

const GUIDE: Guide = Guide {
    name: "guide-refurbisher",
    shown: &[
        "returns",
        "intake",
        "board",
        "inspection",
        "erasure",
        "repair",
        "grading",
        "lot",
        "papers",
        "released",
        "forecast",
    ],
};
/// Who works at the bench and prepares lots; who approves them.
const PEOPLE: [(&str, &str); 2] = [("rosa", "refurbisher"), ("anne", "programme_manager")];
const LABELS: [&str; 2] = ["CD-0001", "CD-0002"];

/// A running server with two devices lent that reported their drives.
struct Town {
    server: Server,
    url: String,
    files: tempfile::TempDir,
    _installation: Installation,
}

impl Town {
    async fn begin() -> Self {
        let installation = Installation::temporary().unwrap();
        installation.create_user(LOGIN, "administrator", PASSWORD).unwrap();
        for (login, role) in PEOPLE {
            installation.create_user(login, role, PASSWORD).unwrap();
        }
        let (url, now) = (installation.database_url(), clock::now());
        let store = Store::open(&url).await.unwrap();
        let school = School::found(&store, 1, 1, now.plus_days(-300)).await.unwrap();
        let running = RunningIngest::start(&store);
        for label in LABELS {
            let one = enrol(&store, &url, Some(school.site), now.plus_days(-300)).await.unwrap();
            let mut tx = store.write().await.unwrap();
            assert!(device::set_asset_tag(&mut tx, &Scope::Everything, one.device, Some(label)).await.unwrap());
            tx.commit().await.unwrap();
            let seen = now.plus_days(-3);
            running.ingest.check_in(one.check_in(seen, vec![envelope(1, seen, reported(label))])).await.unwrap();
            school.lend(&store, &[one.device], now.plus_days(-250)).await.unwrap();
        }
        running.stop().await;
        store.close().await;
        let server = installation.serve().unwrap();
        Self { server, url, files: tempfile::tempdir().unwrap(), _installation: installation }
    }

    async fn sign_in(&self, driver: &Driver, language: &'static str, login: &str) -> Person<'_> {
        let browser = driver.open(language).await.unwrap();
        browser.set_screen(Screen::Desk).await.unwrap();
        browser.set_scheme(Scheme::Light).await.unwrap();
        browser.sign_in(self.server.console(), login, PASSWORD).await.unwrap();
        Person { browser, town: self, language }
    }

    /// What the tool at the bench wrote of this label's drive, a moment ago.
    fn transcript(&self, label: &str) -> PathBuf {
        let path = self.files.path().join(format!("{label}.txt"));
        std::fs::write(&path, nvme_sanitized(&disk(label), clock::now().plus_millis(-1_000))).unwrap();
        path
    }
}

fn disk(label: &str) -> String {
    format!("S649NX0T{}", label.replace("CD-", ""))
}

fn reported(label: &str) -> HealthReport {
    let mut report = laptop(50);
    report.hardware.serial_number = SerialNumber::parse(&format!("PF2{}", label.replace('-', ""))).into();
    report.drives[0].serial_number = SerialNumber::parse(&disk(label)).into();
    report.drives[0].model = Text::meaningful("Samsung SSD 980 500GB");
    report.drives[0].kind = Some(cartable_common::report::DriveKind::Nvme);
    report
}

/// Somebody at a browser.
struct Person<'a> {
    browser: Browser,
    town: &'a Town,
    language: &'static str,
}

impl Person<'_> {
    async fn go(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.town.server.console())).await.unwrap();
    }

    async fn scan(&self, code: &str) {
        self.browser.until("document.getElementById('code') ? 1 : 0", 1).await.unwrap();
        self.browser.execute("document.getElementById('code').focus()").await.unwrap();
        self.browser.type_into("#code", &format!("{code}{ENTER}")).await.unwrap();
    }

    async fn press(&self, css: &str) {
        self.browser.click(css).await.unwrap();
    }

    async fn write(&self, css: &str, words: &str) {
        self.browser.type_into(css, words).await.unwrap();
    }

    /// Chooses the entry of a list that stands for `value`.
    async fn choose(&self, css: &str, value: &str) {
        let chosen = format!("const list = document.querySelector({css:?}); list.value = {value:?}; return list.value");
        assert_eq!(self.browser.execute(&chosen).await.unwrap(), value, "{css}");
    }

    /// Waits until the page says so; the words are those of the French console.
    async fn says(&self, words: &str) {
        if self.language == "fr" {
            let said = format!("document.body.innerText.includes({words:?}) ? 1 : 0");
            self.browser.until(&said, 1).await.unwrap();
        }
    }

    async fn path(&self) -> String {
        let url = self.browser.url().await.unwrap();
        url.trim_start_matches(self.town.server.console()).split('?').next().unwrap().to_owned()
    }

    /// Keeps the page for the guide.
    async fn keep(&self, name: &str) {
        if guide::blessing() {
            GUIDE.keep(&self.browser, self.language, name).await.unwrap();
        }
    }

    /// Answers every check with `good`, but those that are said.
    async fn answer(&self, but: &[(&str, &str)]) {
        let good =
            "for (const box of document.querySelectorAll(\"input[type=radio][value='good']\")) box.checked = true";
        self.browser.execute(good).await.unwrap();
        for (check, found) in but {
            let mark = format!("document.querySelector(\"input[name='{check}'][value='{found}']\").checked = true");
            self.browser.execute(&mark).await.unwrap();
        }
    }
}

/// From the desk to the end of its order: it is ready for donation. The order's path and the device's.
async fn at_the_bench(rosa: &Person<'_>, label: &str) -> (String, String) {
    rosa.go("/work-orders/intake").await;
    rosa.scan(label).await;
    rosa.browser.until("document.querySelectorAll('#lines [data-outcome=good]').length", 1).await.unwrap();
    rosa.keep("intake").await;
    rosa.go("/work-orders").await;
    rosa.keep("board").await;
    rosa.scan(label).await;
    rosa.browser.until("location.pathname.startsWith('/work-orders/') ? 1 : 0", 1).await.unwrap();
    let order = rosa.path().await;
    rosa.press("button[value='begin']").await;
    rosa.press("a.button[href$='/inspection']").await;
    rosa.answer(&[("keyboard", "faulty"), ("casing", "marked")]).await;
    rosa.keep("inspection").await;
    rosa.press("form.checklist > .card button[type=submit]").await;
    rosa.says("À effacer : Samsung SSD 980 500GB").await;
    rosa.press("a.button[href$='/erasures']").await;
    rosa.says("Non prouvé").await;
    let device = rosa.path().await.replace("/erasures", "");
    rosa.write("#file", rosa.town.transcript(label).to_str().unwrap()).await;
    rosa.press("form[action$='/evidence'] button").await;
    rosa.says("Rien ne manque.").await;
    rosa.keep("erasure").await;
    rosa.go(&order).await;
    rosa.press("button[value='repair']").await;
    rosa.says("Pièces qui conviennent").await;
    rosa.keep("repair").await;
    rosa.press("button[value='reinstall']").await;
    rosa.press("button[value='installed']").await;
    rosa.press("a.button[href$='/inspection']").await;
    rosa.answer(&[("casing", "marked")]).await;
    rosa.press("form.checklist > .card button[type=submit]").await;
    rosa.says("au mieux le grade B").await;
    rosa.keep("grading").await;
    rosa.press("form[action$='/move'] fieldset + p + button").await;
    rosa.press("button[value='donate']").await;
    rosa.says("Prêt à être donné").await;
    (order, device)
}

/// A lot of that unit with everything that it needs but an approval. Its path.
async fn prepared(rosa: &Person<'_>, label: &str) -> String {
    rosa.go("/recipients").await;
    rosa.write("#name", "Emmaüs Connect").await;
    rosa.choose("#class", "reuse_body").await;
    rosa.write("#legal_form", "association loi 1901").await;
    rosa.write("#commitments", "réemploi auprès de personnes en précarité, sans revente").await;
    rosa.write("#proof", "convention du 2 septembre 2026").await;
    rosa.press("form[action='/recipients'] button").await;
    rosa.says("Emmaüs Connect").await;
    rosa.go("/lots").await;
    rosa.write("#name", "Emmaüs, mai").await;
    let first = "const list = document.querySelector('#recipient'); list.selectedIndex = 1; return list.value.length";
    assert_eq!(rosa.browser.execute(first).await.unwrap(), 36, "a recipient can be chosen");
    rosa.choose("#basis", "associations").await;
    rosa.press("form[action='/lots'] > button").await;
    rosa.says("Le lot est vide.").await;
    let lot = rosa.path().await;
    rosa.write("#codes", label).await;
    rosa.press("form[action$='/add'] button").await;
    rosa.says("Sans valeur").await;
    rosa.write("#value", "85").await;
    rosa.write("#note", "trois annonces").await;
    rosa.press("section[aria-labelledby='valuing'] button").await;
    rosa.says("Rien ne manque pour cet appareil").await;
    rosa.keep("lot").await;
    lot
}

/// Prints the deed and records the hand-over of an approved lot.
async fn handed_over(rosa: &Person<'_>, lot: &str) {
    rosa.go(lot).await;
    rosa.press("form[action$='/deed'] button").await;
    rosa.go(lot).await;
    let printed = "return (/DON-\\d{4}-\\d{6}/.exec(document.body.innerText) ?? [''])[0]";
    let deed = rosa.browser.execute(printed).await.unwrap().as_str().unwrap().to_owned();
    assert!(!deed.is_empty(), "the deed is listed once it is printed");
    rosa.write("#deed", &deed).await;
    rosa.press("form[action$='/deliver'] button").await;
    rosa.says("remise enregistrée par rosa").await;
    rosa.keep("released").await;
}

/// The deed and the certificate of erasure, side by side.
async fn papers(rosa: &Person<'_>, lot: &str, device: &str) {
    if !guide::blessing() {
        return;
    }
    let console = rosa.town.server.console();
    let visitor = Visitor::sign_in(console, "rosa", PASSWORD).await.unwrap();
    let csrf = hidden_field(&visitor.get(lot).await.unwrap().html, "csrf").unwrap();
    let deed = visitor.file(&format!("{lot}/deed"), &[("csrf", &csrf)]).await.unwrap();
    let wanted = [("csrf", csrf.as_str()), ("demand", "leave")];
    let certificate = visitor.file(&format!("{device}/erasures/certificate"), &wanted).await.unwrap();
    let sheets: Vec<Vec<u8>> = [deed, certificate].iter().map(|pdf| paper::first_page(pdf, SIZE.1).unwrap()).collect();
    GUIDE.save(rosa.language, "papers", &picture::beside_each_other(&sheets, SIZE).unwrap()).unwrap();
}

/// Keeps what the forecast answers for the fleet of a demonstration: a town of two devices has nothing to foresee.
async fn foreseen(driver: &Driver) {
    /// Loans of pupils end within them.
    const AHEAD_DAYS: i64 = 300;
    let (installation, files) = (Installation::temporary().unwrap(), tempfile::tempdir().unwrap());
    for (login, role) in PEOPLE {
        installation.create_user(login, role, PASSWORD).unwrap();
    }
    let (url, epoch) = (installation.database_url(), clock::now());
    let header = FleetHeader { seed: 2021, devices: 600, epoch };
    let keyring = Keyring::open(&files.path().join("keys"), header).unwrap();
    let roster = Roster::drawn(header.seed, header.devices);
    let vault = installation.vault().unwrap();
    prepare::database(&url, &roster, &keyring, &vault, Age::New, epoch).await.unwrap();
    let server = installation.serve().unwrap();
    let town = Town { server, url, files, _installation: installation };
    let by = paris::date(epoch.plus_days(AHEAD_DAYS));
    for language in LANGUAGES {
        let rosa = town.sign_in(driver, language, "rosa").await;
        rosa.go(&format!("/forecast?ready=donate&target=20&by={by}")).await;
        rosa.says("Ce qui freine").await;
        rosa.keep("forecast").await;
    }
}

async fn whole_way(town: &Town, driver: &Driver, language: &'static str, label: &str) {
    let desk = town.sign_in(driver, language, LOGIN).await;
    desk.go("/returns").await;
    desk.scan(label).await;
    desk.browser.until("document.querySelectorAll('#lines li').length", 1).await.unwrap();
    desk.says("Repris").await;
    desk.keep("returns").await;
    let rosa = town.sign_in(driver, language, "rosa").await;
    let (order, device) = at_the_bench(&rosa, label).await;
    let lot = prepared(&rosa, label).await;
    let anne = town.sign_in(driver, language, "anne").await;
    anne.go(&lot).await;
    anne.press("form[action$='/approve'] button").await;
    anne.says("Approuvé, à remettre").await;
    papers(&rosa, &lot, &device).await;
    handed_over(&rosa, &lot).await;
    for person in [&desk, &rosa, &anne] {
        let mut said = person.browser.console().await.unwrap();
        // A paper that the browser shows by itself has no icon to name.
        said.retain(|line| !line.contains("/favicon.ico "));
        assert_eq!(said, Vec::<String>::new());
    }
    // What was given is not taken back to the bench: nobody is offered it.
    rosa.go(&order).await;
    let offered = "return document.querySelectorAll(\"h1, button[value='reopen']\").length";
    assert_eq!(rosa.browser.execute(offered).await.unwrap(), 1, "the heading alone");
    let mut raw = Raw::connect(&town.url).await.unwrap();
    let state = format!("SELECT lending_state FROM device WHERE asset_tag = '{label}'");
    assert_eq!(raw.texts(&state).await.unwrap(), ["ceded"]);
    let keys =
        format!("SELECT e.status FROM enrolment e JOIN device d ON d.id = e.device_id WHERE d.asset_tag = '{label}'");
    assert_eq!(raw.texts(&keys).await.unwrap(), ["released"], "its agent is told to leave");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_goes_from_the_return_desk_to_its_recipient() {
    let town = Town::begin().await;
    let driver = Driver::start().unwrap();
    whole_way(&town, &driver, "fr", LABELS[0]).await;
    if guide::blessing() {
        whole_way(&town, &driver, "en", LABELS[1]).await;
        foreseen(&driver).await;
    }
}

#[test]
fn the_guides_show_each_picture_and_tell_the_same() {
    GUIDE.check("docs/refurbishment.md").unwrap();
    GUIDE.check_chapters().unwrap();
}
