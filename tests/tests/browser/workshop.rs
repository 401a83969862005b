//! The workshop in a real browser, in French and without script: from the return desk's scan to intake, inspection, repair,
//! grade and disposition, by keyboard and large buttons alone; and its pages on every screen.

use cartable_server::{clock, store::Store};
use cartable_tests::{
    axe::Axe,
    browser::{Browser, Driver, Scheme, Screen},
    harness::{
        Installation, Server,
        cartable::{LOGIN, PASSWORD},
    },
    school::{School, labels},
};

/// The least height of what gloves press, in CSS pixels.
const TARGET: f64 = 48.0;

/// A running server with one device lent and two in stock.
struct Town {
    server: Server,
    _installation: Installation,
}

impl Town {
    async fn begin() -> Self {
        let installation = Installation::temporary().unwrap();
        installation.create_user(LOGIN, "administrator", PASSWORD).unwrap();
        let store = Store::open(&installation.database_url()).await.unwrap();
        let school = School::found(&store, 1, 1, clock::now()).await.unwrap();
        let devices = school.stock(&store, &labels(3), clock::now()).await.unwrap();
        school.lend(&store, &devices[..1], clock::now()).await.unwrap();
        store.close().await;
        let server = installation.serve().unwrap();
        Self { server, _installation: installation }
    }

    async fn enter(&self, browser: &Browser, path: &str) {
        browser.sign_in(self.server.console(), LOGIN, PASSWORD).await.unwrap();
        self.go(browser, path).await;
    }

    async fn go(&self, browser: &Browser, path: &str) {
        browser.goto(&format!("{}{path}", self.server.console())).await.unwrap();
    }
}

/// Waits until the page says so.
async fn says(browser: &Browser, words: &str) {
    browser.until(&format!("document.body.innerText.includes({words:?}) ? 1 : 0"), 1).await.unwrap();
}

async fn press(browser: &Browser, css: &str) {
    browser.click(css).await.unwrap();
}

/// Answers every check with `good`, but those that are said.
async fn answer(browser: &Browser, but: &[(&str, &str)]) {
    for check in
        ["battery", "casing", "hinges", "charger", "screen", "keyboard", "trackpad", "ports", "camera", "sound", "wifi"]
    {
        let found = but.iter().find(|(name, _)| *name == check).map_or("good", |(_, found)| *found);
        let box_of = format!("document.querySelector(\"input[name='{check}'][value='{found}']\")");
        browser.execute(&format!("{box_of}.checked = true")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_goes_from_the_return_desk_to_stock_without_script() {
    let town = Town::begin().await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.forbid_scripts().await.unwrap();
    browser.set_screen(Screen::Desk).await.unwrap();
    town.enter(&browser, "/returns").await;
    browser.scan("CD-0001").await.unwrap();
    says(&browser, "Repris").await;
    town.go(&browser, "/work-orders/intake").await;
    browser.scan("CD-0001").await.unwrap();
    says(&browser, "ordre ouvert").await;
    browser.photograph("workshop-intake").await.unwrap();
    town.go(&browser, "/work-orders").await;
    browser.scan("CD-0001").await.unwrap();
    says(&browser, "Commencer le contrôle").await;
    press(&browser, "button[value='begin']").await;
    press(&browser, "a.button[href$='/inspection']").await;
    says(&browser, "Chaque point demande une réponse").await;
    answer(&browser, &[("keyboard", "faulty"), ("casing", "marked")]).await;
    press(&browser, ".check details summary").await;
    browser.execute("document.querySelector(\"input[name='key:A']\").checked = true").await.unwrap();
    browser.photograph("workshop-checklist-desk").await.unwrap();
    press(&browser, "form.checklist > .card button[type=submit]").await;
    says(&browser, "Aucun effacement n’est enregistré").await;
    press(&browser, "section.bench details summary").await;
    browser.type_into("#waiver-reason", "appareil sans disque").await.unwrap();
    press(&browser, "form[action$='/waiver'] button").await;
    press(&browser, "button[value='repair']").await;
    says(&browser, "Pièces qui conviennent").await;
    browser.photograph("workshop-repair").await.unwrap();
    press(&browser, "button[value='reinstall']").await;
    press(&browser, "button[value='installed']").await;
    press(&browser, "a.button[href$='/inspection']").await;
    says(&browser, "Terminer le test final").await;
    answer(&browser, &[("casing", "marked")]).await;
    press(&browser, "form.checklist > .card button[type=submit]").await;
    says(&browser, "au mieux le grade B").await;
    browser.photograph("workshop-grading").await.unwrap();
    press(&browser, "form[action$='/move'] fieldset + p + button").await;
    says(&browser, "Reprêter").await;
    press(&browser, "button[value='relend']").await;
    says(&browser, "À prêter").await;
    says(&browser, "Temps par étape").await;
    // From one bench page to the next by scan alone.
    browser.scan("CD-0001").await.unwrap();
    says(&browser, "Rouvrir l’ordre").await;
    browser.photograph("workshop-closed").await.unwrap();
    assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
    town.go(&browser, "/hand-over?code=CD-0001").await;
    says(&browser, "En stock").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_flow_with_script_and_the_workshop_fits_every_screen() {
    let axe = Axe::load().unwrap();
    let town = Town::begin().await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.set_screen(Screen::Desk).await.unwrap();
    town.enter(&browser, "/work-orders/intake").await;
    browser.execute("window.stayed = true").await.unwrap();
    for code in ["CD-0002", "CD-0003", "CD-0001", "NOBODY"] {
        browser.scan(code).await.unwrap();
    }
    browser.until("document.querySelectorAll('#lines li').length", 4).await.unwrap();
    browser.until("document.querySelectorAll('#lines [data-outcome=good]').length", 2).await.unwrap();
    assert_eq!(browser.execute("return window.stayed").await.unwrap(), true, "the page was never left");
    let order = "return document.querySelector('#lines a[href^=\"/work-orders/\"]').getAttribute('href')";
    let order = browser.execute(order).await.unwrap().as_str().unwrap().to_owned();
    town.go(&browser, &order).await;
    press(&browser, "button[value='begin']").await;
    let inspection = format!("{order}/inspection");
    let mut wrong = Vec::new();
    let pages = ["/work-orders", "/work-orders/intake", &order, &inspection, "/parts"];
    for (number, path) in pages.into_iter().enumerate() {
        for (screen, scheme) in
            [(Screen::Desk, Scheme::Light), (Screen::Desk, Scheme::Dark), (Screen::Hand, Scheme::Dark)]
        {
            browser.set_screen(screen).await.unwrap();
            browser.set_scheme(scheme).await.unwrap();
            town.go(&browser, path).await;
            browser.execute("for (const one of document.querySelectorAll('details')) one.open = true").await.unwrap();
            let found = axe.violations(&browser).await.unwrap();
            wrong.extend(found.into_iter().map(|line| format!("{path} ({screen:?}): {line}")));
            if browser.overflow().await.unwrap() > 0 {
                wrong.push(format!("{path} is wider than the screen ({screen:?})"));
            }
            let small = "return Math.min(...[...document.querySelectorAll('.bench button:not([hidden]), .bench .button, \
                         .answer, .key, .board-cards a')].map(one => one.getBoundingClientRect().height), 999)";
            let least = browser.execute(small).await.unwrap().as_f64().unwrap();
            if least < TARGET {
                wrong.push(format!("{path} has a target {least} pixels high ({screen:?})"));
            }
            browser.photograph(&format!("workshop-{number}-{screen:?}-{scheme:?}").to_lowercase()).await.unwrap();
        }
    }
    town.go(&browser, &order).await;
    press(&browser, "button[value='quarantine']").await;
    says(&browser, "Batterie gonflée.").await;
    browser.photograph("workshop-quarantine").await.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
