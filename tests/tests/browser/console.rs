//! The console in a real browser: every page in both languages, without script, on a telephone, light and dark; and
//! nothing that a device says comes alive.

use cartable_common::Text;
use cartable_tests::{
    axe::Axe,
    browser::{Browser, Driver, Scheme, Screen},
    harness::{
        Cartable,
        binaries::workspace,
        cartable::{LOGIN, PASSWORD},
    },
    picture,
    simulator::Roster,
    walk::Walk,
};

/// Opens every page and says what is wrong with it.
async fn look_at_every_page(walk: &Walk, browser: &Browser, language: &str) -> Vec<String> {
    let mut wrong = vec![];
    for (name, path) in &walk.pages {
        browser.goto(&walk.url(path)).await.unwrap();
        let shown = browser.execute("return document.documentElement.lang").await.unwrap();
        if shown != language {
            wrong.push(format!("{path} is in {shown}, not in {language}"));
        }
        let headings = browser.execute("return document.querySelectorAll('main h1').length").await.unwrap();
        if headings != 1 {
            wrong.push(format!("{path} has {headings} main headings"));
        }
        for (screen, scheme, suffix) in [
            (Screen::Desk, Scheme::Light, "desk"),
            (Screen::Hand, Scheme::Light, "hand"),
            (Screen::Hand, Scheme::Dark, "hand-dark"),
            (Screen::Desk, Scheme::Dark, "desk-dark"),
        ] {
            browser.set_screen(screen).await.unwrap();
            browser.set_scheme(scheme).await.unwrap();
            let overflow = browser.overflow().await.unwrap();
            if overflow > 0 {
                wrong.push(format!("{path} is {overflow} px wider than the screen ({suffix})"));
            }
            browser.photograph(&format!("{name}-{language}-{suffix}")).await.unwrap();
        }
        // The page that does not exist answers 404, which the browser notes as well.
        let said = browser.console().await.unwrap();
        wrong.extend(
            said.into_iter()
                .filter(|line| *name != "nowhere" || !line.contains("404"))
                .map(|line| format!("{path}: {line}")),
        );
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_works_in_both_languages_without_script_on_every_screen() {
    let walk = Walk::begin().await.unwrap();
    let driver = Driver::start().unwrap();
    for language in ["fr", "en"] {
        let browser = driver.open(language).await.unwrap();
        browser.forbid_scripts().await.unwrap();
        walk.sign_in(&browser).await.unwrap();
        let wrong = look_at_every_page(&walk, &browser, language).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_searches_switches_language_and_signs_out_without_script() {
    let walk = Walk::begin().await.unwrap();
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.forbid_scripts().await.unwrap();
    browser.set_screen(Screen::Desk).await.unwrap();

    browser.goto(&walk.url("/devices")).await.unwrap();
    assert!(browser.url().await.unwrap().contains("/sign-in"), "a stranger is asked to sign in");
    browser.type_into("#login", LOGIN).await.unwrap();
    browser.type_into("#password", "wrong").await.unwrap();
    browser.click("main form button[type=submit]").await.unwrap();
    assert!(browser.url().await.unwrap().contains("/sign-in"));
    browser.type_into("#password", PASSWORD).await.unwrap();
    browser.click("main form button[type=submit]").await.unwrap();
    assert!(browser.url().await.unwrap().ends_with("/devices"), "signing in leads to where the visitor wanted to go");

    let serial = browser
        .execute("return document.querySelector('main tbody a[href^=\"/devices/\"]').textContent.trim()")
        .await
        .unwrap();
    let serial = serial.as_str().unwrap().to_owned();
    browser.type_into("main form input[type=search]", &serial).await.unwrap();
    browser.click("main form button[type=submit]").await.unwrap();
    let rows = browser.execute("return document.querySelectorAll('main tbody tr').length").await.unwrap();
    assert_eq!(rows, 1, "searching for {serial}");
    browser.click("main tbody a[href^='/devices/']").await.unwrap();
    assert!(browser.source().await.unwrap().contains(&serial));

    browser.click("form[action='/language'] button").await.unwrap();
    assert_eq!(browser.execute("return document.documentElement.lang").await.unwrap(), "en");
    assert!(browser.source().await.unwrap().contains(&serial), "switching language stays on the page");

    browser.click("form[action='/sign-out'] button").await.unwrap();
    browser.goto(&walk.url("/devices")).await.unwrap();
    assert!(browser.url().await.unwrap().contains("/sign-in"), "signed out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_lets_a_machine_in_after_seeing_what_that_does() {
    let axe = Axe::load().unwrap();
    let walk = Walk::begin().await.unwrap();
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.set_screen(Screen::Desk).await.unwrap();
    walk.sign_in(&browser).await.unwrap();
    browser.goto(&walk.url("/devices/waiting")).await.unwrap();
    assert!(browser.source().await.unwrap().contains("2 demandes"));
    browser.click("main tbody input[type=checkbox]").await.unwrap();
    browser.click("main button[value=chosen]").await.unwrap();
    let preview = browser.source().await.unwrap();
    assert!(preview.contains("Avant de décider") && preview.contains("Admissions possibles : 1 sur 1"), "{preview}");
    assert_eq!(axe.violations(&browser).await.unwrap(), Vec::<String>::new());
    browser.click("main form button:not(.danger)").await.unwrap();
    assert!(browser.url().await.unwrap().ends_with("/devices/waiting?done=saved"));
    assert!(browser.source().await.unwrap().contains("1 demande<"), "the other one still waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn light_and_dark_differ_as_the_visitors_system_asks() {
    let walk = Walk::begin().await.unwrap();
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.goto(&walk.url("/sign-in")).await.unwrap();
    let mut brightness = vec![];
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.set_scheme(scheme).await.unwrap();
        let script = "const seen = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number); \
                      return (seen[0] + seen[1] + seen[2]) / (seen.every(part => part <= 1) ? 3 : 765)";
        brightness.push(browser.execute(script).await.unwrap().as_f64().unwrap());
    }
    assert!(brightness[0] > 0.8 && brightness[1] < 0.3, "{brightness:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_device_says_comes_alive() {
    // Without the policy's protection too: the texts set a mark on the window if any of them ever runs.
    const HOSTILE: [&str; 4] = [
        "<img src=x onerror=window.alive=1>",
        "\"><script>window.alive=1</script>",
        "' onmouseover='window.alive=1' autofocus onfocus='window.alive=1",
        "</title><svg onload=window.alive=1>",
    ];
    let cartable = Cartable::start().unwrap();
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    let address = cartable.server.console().to_owned();
    let mut paths = vec!["/".to_owned(), "/devices".to_owned(), "/flags".to_owned()];
    for (machine, words) in Roster::drawn(5, HOSTILE.len()).machines.iter().zip(HOSTILE) {
        let mut device = cartable.enrolled_device(machine).await.unwrap();
        let now = cartable_agent::clock::now();
        let mut report = machine.report(now, now);
        let text = Some(Text::clean(words));
        report.hardware.model.clone_from(&text);
        report.hardware.manufacturer.clone_from(&text);
        report.operating_system.name.clone_from(&text);
        for drive in &mut report.drives {
            drive.model.clone_from(&text);
        }
        device.contact(report, now, now).await.unwrap();
        paths.push(format!("/devices/{}", device.granted().device_id));
    }
    browser.goto(&format!("{address}/sign-in")).await.unwrap();
    browser.type_into("#login", LOGIN).await.unwrap();
    browser.type_into("#password", PASSWORD).await.unwrap();
    browser.click("main form button[type=submit]").await.unwrap();
    browser.devtools("Page.setBypassCSP", serde_json::json!({ "enabled": true })).await.unwrap();
    let mut shown = 0;
    for path in &paths {
        browser.goto(&format!("{address}{path}")).await.unwrap();
        let alive = browser.execute("return window.alive === undefined ? 0 : 1").await.unwrap();
        assert_eq!(alive, 0, "{path}");
        let foreign = browser
            .execute("return document.querySelectorAll('script, img[src=x], [onerror], [onload], [onfocus]').length");
        assert_eq!(foreign.await.unwrap(), 0, "{path}");
        shown += usize::from(
            browser.execute("return document.body.innerText.includes('window.alive')").await.unwrap() == true,
        );
    }
    assert!(shown >= HOSTILE.len(), "the texts are shown, as texts: on {shown} pages");
    assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
}

/// Pages that the documentation shows, as Walk calls them.
const SHOWN: [&str; 2] = ["overview", "device-flagged"];

/// Most bytes of a picture in the tree.
const MOST_PICTURE_BYTES: usize = 150_000;

/// `CARTABLE_BLESS=1` takes the pictures anew.
#[tokio::test(flavor = "multi_thread")]
async fn the_documentations_pictures_are_small_and_as_wide_as_a_desk() {
    let path = |name: &str| workspace().join("docs/screenshots").join(format!("{name}.png"));
    if std::env::var_os("CARTABLE_BLESS").is_some() {
        let walk = Walk::begin().await.unwrap();
        let driver = Driver::start().unwrap();
        let browser = driver.open("fr").await.unwrap();
        browser.set_screen(Screen::Desk).await.unwrap();
        browser.set_scheme(Scheme::Light).await.unwrap();
        walk.sign_in(&browser).await.unwrap();
        for (name, page) in walk.pages.iter().filter(|(name, _)| SHOWN.contains(name)) {
            browser.goto(&walk.url(page)).await.unwrap();
            let small = picture::with_few_colours(&browser.window().await.unwrap()).unwrap();
            std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            std::fs::write(path(name), small).unwrap();
        }
    }
    for name in SHOWN {
        let file = std::fs::read(path(name)).unwrap();
        assert!(file.len() <= MOST_PICTURE_BYTES, "{name}: {} bytes", file.len());
        assert_eq!(picture::size(&file).unwrap(), (1280, 900), "{name}");
    }
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    assert!(readme.contains("(docs/screenshots/overview.png)"), "README shows one");
}
