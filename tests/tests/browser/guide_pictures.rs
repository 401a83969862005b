//! The programme manager's guides: their pictures are of the real console in the guide's language, small, and exactly
//! those that the guides show. `CARTABLE_BLESS=1` takes them anew.

use cartable_server::{
    domain::scope::Scope,
    store::{Store, programme, site},
};
use cartable_tests::{
    browser::{Browser, Driver, Scheme, Screen},
    demo::prepare::{self, Age},
    guide::{self, Guide, LANGUAGES, SIZE},
    harness::{Installation, Server, Visitor, http::hidden_field},
    paper, picture,
    raw::Raw,
    simulator::{Keyring, Roster, keyring::FleetHeader},
};

/// The year of a programme manager.
const GUIDE: Guide = Guide {
    name: "guide",
    shown: &[
        "overview",
        "programme",
        "site",
        "calendar",
        "import",
        "needs",
        "allocation",
        "hand-over",
        "agreement",
        "class",
        "labels",
        "flags",
        "campaign-form",
        "campaign",
        "returns",
        "borrower",
    ],
};
const LOGIN: &str = "marie";
const PASSWORD: &str = "correct-cheval-pile-agrafe";

#[tokio::test(flavor = "multi_thread")]
async fn each_guide_shows_each_of_its_pictures_once() {
    if guide::blessing() {
        let year = Year::begin().await;
        let driver = Driver::start().unwrap();
        for (place, language) in LANGUAGES.into_iter().enumerate() {
            year.photograph(&driver, place, language).await;
        }
    }
    GUIDE.check("README.md").unwrap();
}

#[test]
fn the_guides_have_the_same_chapters() {
    GUIDE.check_chapters().unwrap();
}

/// A school year in a console: a fleet with its past, needs and a proposal, a campaign, lists, devices in stock.
struct Year {
    server: Server,
    url: String,
    /// The programme under which devices are handed over in the pictures.
    programme: String,
    import: String,
    allocation: String,
    campaign: String,
    site: String,
    marie: Visitor,
    csrf: String,
    _installation: Installation,
    _files: tempfile::TempDir,
}

const CALENDAR: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20271023\nDTEND;VALUE=DATE:20271108\n\
    SUMMARY:Vacances de la Toussaint\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20271218\nDTEND;VALUE=DATE:20280103\n\
    SUMMARY:Vacances de Noël\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20280212\nDTEND;VALUE=DATE:20280228\n\
    SUMMARY:Vacances d'Hiver - Zone B\nEND:VEVENT\nEND:VCALENDAR\n";

impl Year {
    async fn begin() -> Self {
        let (installation, files) = (Installation::temporary().unwrap(), tempfile::tempdir().unwrap());
        installation.create_user(LOGIN, "programme_manager", PASSWORD).unwrap();
        let epoch = cartable_agent::clock::now();
        let header = FleetHeader { seed: 2021, devices: 600, epoch };
        let keyring = Keyring::open(&files.path().join("keys"), header).unwrap();
        let (roster, url) = (Roster::drawn(2021, 600), installation.database_url());
        let vault = installation.vault().unwrap();
        prepare::database(&url, &roster, &keyring, &vault, Age::New, epoch).await.unwrap();
        let file = |name: &str, text: &str| {
            let path = files.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let calendar = file("Zone-B.ics", CALENDAR);
        installation.run("calendar import", &[&calendar, "--zone", "B"], "").unwrap();
        let school = &roster.sites[0];
        let pupils = format!(
            "Numéro élève;Nom;Prénom;Niveau;Établissement;Courriel\n1001;Exemple;Inès;6e;{uai};f1@exemple.invalid\n\
             1002;Exemple;Noé;6e;{uai};sans arobase\n1003;Exemple;Lina;5e;Collège Nulle-Part;f3@exemple.invalid\n",
            uai = school.uai
        );
        installation.run("import", &["borrowers", &file("rentree.csv", &pupils)], "").unwrap();
        let store = Store::open(&url).await.unwrap();
        let mut tx = store.read().await.unwrap();
        let sites = site::list(&mut tx, &Scope::Everything).await.unwrap();
        let lends = programme::list(&mut tx).await.unwrap().into_iter().find(|one| one.code.as_str() == "D2").unwrap();
        drop(tx);
        store.close().await;
        let server = installation.serve().unwrap();
        let marie = Visitor::sign_in(server.console(), LOGIN, PASSWORD).await.unwrap();
        let page = marie.get("/needs").await.unwrap().html;
        let csrf = hidden_field(&page, "csrf").unwrap();
        let act = async |path: &str, fields: &[(&str, &str)]| {
            let fields: Vec<(&str, &str)> =
                [("csrf", csrf.as_str())].into_iter().chain(fields.iter().copied()).collect();
            let answer = marie.post(path, &fields).await.unwrap();
            assert_eq!(answer.status, 303, "{path} {fields:?}: {}", answer.html);
            let location = answer.headers["location"].to_str().unwrap();
            location.split('?').next().unwrap().to_owned()
        };
        let programme = lends.id.to_string();
        for (place, (level, home)) in
            [("6e", "no_computer"), ("5e", "shared"), ("6e", ""), ("4e", "no_computer")].into_iter().enumerate()
        {
            let site = sites[place % sites.len()].id.to_string();
            let wanted =
                [("site", &*site), ("programme", &*programme), ("level", level), ("home", home), ("count", "4")];
            act("/needs", &wanted).await;
        }
        let allocation = act("/allocations", &[("programme", &programme)]).await;
        let june =
            [("name", "Juin"), ("first", "2027-06-14"), ("last", "2027-06-25"), ("desks", "1"), ("slots", "200")];
        let campaign = act("/campaigns", &june).await;
        act(&format!("{campaign}/start"), &[]).await;
        let import = marie.get("/imports").await.unwrap().html;
        let import = import.split("href=\"/imports/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let import = format!("/imports/{import}");
        let site = format!("/sites/{}", sites[0].id);
        Self {
            server,
            url,
            programme,
            import,
            allocation,
            campaign,
            site,
            marie,
            csrf,
            _installation: installation,
            _files: files,
        }
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        Raw::connect(&self.url).await.unwrap().texts(sql).await.unwrap()
    }

    /// Takes every picture in one language. Each language hands over and takes back devices of its own.
    async fn photograph(&self, driver: &Driver, place: usize, language: &str) {
        let browser = driver.open(language).await.unwrap();
        browser.set_screen(Screen::Desk).await.unwrap();
        browser.set_scheme(Scheme::Light).await.unwrap();
        browser.sign_in(self.server.console(), LOGIN, PASSWORD).await.unwrap();
        let tags = |state: &str| {
            format!(
                "SELECT asset_tag FROM device WHERE lending_state = '{state}' AND archived_at IS NULL ORDER BY asset_tag"
            )
        };
        let stock = self.texts(&tags("in_stock")).await;
        let references = self.texts("SELECT reference FROM borrower WHERE kind = 'person' ORDER BY reference").await;
        let hand_over =
            format!("/hand-over?code={}&borrower={}&programme={}", stock[place], references[0], self.programme);
        for (name, path) in [
            ("overview", "/"),
            ("programme", &format!("/programmes/{}", self.programme)),
            ("site", &self.site),
            ("calendar", "/calendar"),
            ("import", &self.import),
            ("needs", "/needs"),
            ("allocation", &self.allocation),
            ("hand-over", &hand_over),
            ("flags", "/flags"),
            ("campaign-form", "/campaigns"),
            ("campaign", &self.campaign),
        ] {
            self.open(&browser, path).await;
            GUIDE.keep(&browser, language, name).await.unwrap();
        }
        self.class(&browser, &stock[2..5], &references).await;
        GUIDE.keep(&browser, language, "class").await.unwrap();
        self.papers(language, &stock).await;
        let lent = self.texts(&tags("lent")).await;
        self.returns(&browser, &lent[place * 4..place * 4 + 4]).await;
        GUIDE.keep(&browser, language, "returns").await.unwrap();
        self.open(&browser, "/borrowers?kind=person").await;
        browser.click("main tbody a[href^='/borrowers/']").await.unwrap();
        GUIDE.keep(&browser, language, "borrower").await.unwrap();
    }

    /// What is printed: an agreement and a receipt, a sheet of labels and a site's list.
    async fn papers(&self, language: &str, stock: &[String]) {
        let csrf = ("csrf", self.csrf.as_str());
        let (handed, returned) = (self.loan("handed_over", &self.programme).await, self.loan("returned", "").await);
        let agreement = self.marie.file(&format!("/loans/{handed}/agreement"), &[csrf, ("holders", "all")]).await;
        let receipt = self.marie.file(&format!("/loans/{returned}/receipt"), &[csrf]).await;
        let codes = stock.iter().take(21).map(String::as_str).collect::<Vec<_>>().join("\n");
        let wanted = [csrf, ("codes", &codes), ("site", ""), ("search", ""), ("format", "l7160"), ("start", "1")];
        let labels = self.marie.file("/labels", &wanted).await;
        let list = self.marie.file(&format!("{}/list", self.site), &[csrf]).await;
        for (name, sheets) in [("agreement", [agreement, receipt]), ("labels", [labels, list])] {
            let sheets: Vec<Vec<u8>> =
                sheets.into_iter().map(|pdf| paper::first_page(&pdf.unwrap(), SIZE.1).unwrap()).collect();
            GUIDE.save(language, name, &picture::beside_each_other(&sheets, SIZE).unwrap()).unwrap();
        }
    }

    /// A loan in that state, under that programme or any.
    async fn loan(&self, state: &str, programme: &str) -> String {
        let path = format!("/loans?state={state}&programme={programme}");
        let page = self.marie.get(&path).await.unwrap().html;
        page.split("href=\"/loans/").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    async fn open(&self, browser: &Browser, path: &str) {
        browser.goto(&format!("{}{path}", self.server.console())).await.unwrap();
    }

    /// The preview of a class: two good lines, and one whose borrower is mistyped.
    async fn class(&self, browser: &Browser, stock: &[String], references: &[String]) {
        self.open(browser, "/hand-over/class").await;
        let lines =
            format!("{} ; {}\\n{} ; {}\\n{} ; B-0000-0000", stock[0], references[1], stock[1], references[2], stock[2]);
        let fill = format!(
            "document.getElementById('lines').value = '{lines}'; document.getElementById('programme').value = '{}'",
            self.programme
        );
        browser.execute(&fill).await.unwrap();
        browser.click("main form.card button[type=submit]").await.unwrap();
        browser.until("document.querySelectorAll('main tbody tr').length", 3).await.unwrap();
    }

    /// Four devices that come back, and a code that nobody knows.
    async fn returns(&self, browser: &Browser, lent: &[String]) {
        self.open(browser, "/returns").await;
        // The desk still shows what came back a moment ago.
        let lines = browser.execute("return document.querySelectorAll('#lines li').length").await.unwrap();
        let shown = lines.as_u64().unwrap();
        for (count, code) in (1..).zip(lent.iter().map(String::as_str).chain(["7001"])) {
            browser.scan(code).await.unwrap();
            browser.until("document.querySelectorAll('#lines li').length", shown + count).await.unwrap();
        }
    }
}
