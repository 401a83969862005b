//! The desks in a real browser, with a scanner that only types codes and Enter: 200 returns in a row without leaving the
//! page, with and without script, a hand-over by scan with a drawn signature; and what is heard, and read by a camera.

use std::time::Instant;

use cartable_server::{clock, store::Store};
use cartable_tests::{
    axe::Axe,
    browser::{Browser, Driver, ENTER, Scheme, Screen},
    harness::{
        Installation, Server,
        cartable::{LOGIN, PASSWORD},
    },
    school::{School, labels},
};

const RETURNS: usize = 200;

/// A running server with devices lent.
struct Town {
    server: Server,
    school: School,
    _installation: Installation,
}

impl Town {
    async fn begin(lent: usize, stocked: usize) -> Self {
        let installation = Installation::temporary().unwrap();
        installation.create_user(LOGIN, "administrator", PASSWORD).unwrap();
        let store = Store::open(&installation.database_url()).await.unwrap();
        let now = clock::now();
        let school = School::found(&store, 1, 25, now).await.unwrap();
        let devices = school.stock(&store, &labels(lent + stocked), now).await.unwrap();
        school.lend(&store, &devices[..lent], now).await.unwrap();
        store.close().await;
        let server = installation.serve().unwrap();
        Self { server, school, _installation: installation }
    }

    async fn enter(&self, browser: &Browser, path: &str) {
        browser.sign_in(self.server.console(), LOGIN, PASSWORD).await.unwrap();
        browser.goto(&format!("{}{path}", self.server.console())).await.unwrap();
    }
}

async fn count(browser: &Browser, script: &str) -> u64 {
    browser.execute(&format!("return {script}")).await.unwrap().as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_returns_flow_by_keyboard_alone_with_script() {
    let town = Town::begin(RETURNS, 1).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.set_screen(Screen::Desk).await.unwrap();
    town.enter(&browser, "/returns").await;
    browser.execute("window.stayed = true").await.unwrap();
    let good = "document.querySelectorAll('#lines [data-outcome=good]').length";
    let began = Instant::now();
    for label in labels(RETURNS) {
        browser.scan(&label).await.unwrap();
    }
    browser.until(good, RETURNS as u64).await.unwrap();
    println!("{RETURNS} returns by scanner with script in {:?}", began.elapsed());
    // Wrong ones: returned before, in stock, unknown.
    for code in ["CD-0001", "CD-0201", "NOBODY"] {
        browser.scan(code).await.unwrap();
    }
    browser.until("document.querySelectorAll('#lines [data-outcome=bad]').length", 3).await.unwrap();
    let text = browser.execute("return document.getElementById('lines').innerText").await.unwrap();
    for words in ["Déjà rendu", "il est en stock", "Code inconnu", "Repris", "Non repris"] {
        assert!(text.as_str().unwrap().contains(words), "{words}");
    }
    assert_eq!(count(&browser, "Number(document.getElementById('count-good').textContent)").await, RETURNS as u64);
    assert_eq!(browser.execute("return window.stayed").await.unwrap(), true, "the page was never left");
    assert_eq!(
        count(&browser, "document.querySelectorAll('#lines form[action=\"/returns/undo\"]').length").await,
        1,
        "one undo"
    );
    browser.photograph("desk-returns").await.unwrap();
    browser.click("#lines form[action='/returns/undo'] button").await.unwrap();
    assert!(browser.source().await.unwrap().contains("Le retour est annulé"));
    assert_eq!(browser.execute("return document.activeElement.id").await.unwrap(), "code");
    assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_returns_flow_by_keyboard_alone_without_script() {
    let town = Town::begin(RETURNS, 0).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.forbid_scripts().await.unwrap();
    town.enter(&browser, "/returns").await;
    let began = Instant::now();
    for label in labels(RETURNS) {
        browser.scan(&label).await.unwrap();
        let first = "document.querySelector('#lines li')?.innerText";
        browser.until(&format!("{first}?.includes('{label}') ? 1 : 0"), 1).await.unwrap();
    }
    println!("{RETURNS} returns by scanner without script in {:?}", began.elapsed());
    browser.scan("CD-0001").await.unwrap();
    browser.until("document.querySelector('#lines li')?.innerText.includes('Déjà rendu') ? 1 : 0", 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_handed_over_by_scan_with_and_without_script() {
    let town = Town::begin(0, 2).await;
    let driver = Driver::start().unwrap();
    for (label, script) in [("CD-0001", false), ("CD-0002", true)] {
        let browser = driver.open("fr").await.unwrap();
        if !script {
            browser.forbid_scripts().await.unwrap();
        }
        browser.set_screen(Screen::Desk).await.unwrap();
        let path = format!("/hand-over?programme={}", town.school.programme);
        town.enter(&browser, &path).await;
        browser.scan(label).await.unwrap();
        // Without script the scan is a page of its own: the browser needs a moment to get there.
        browser.until("document.activeElement.id === 'borrower' ? 1 : 0", 1).await.unwrap();
        let reference = town.school.borrowers[0].reference.to_string();
        browser.type_into("#borrower", &format!("{reference}{ENTER}")).await.unwrap();
        let offered = "document.querySelectorAll('form[method=post] input[type=checkbox]:checked').length";
        browser.until(offered, 2).await.unwrap();
        if script {
            draw(&browser).await;
        }
        browser.photograph(&format!("desk-hand-over-{script}")).await.unwrap();
        browser.click("form[action='/hand-over'][method=post] button[type=submit]").await.unwrap();
        browser.until("document.body.innerText.includes('L’appareil est remis') ? 1 : 0", 1).await.unwrap();
        browser.click("main p a[href^='/loans/']").await.unwrap();
        let page = browser.source().await.unwrap();
        assert!(page.contains(label) && page.contains("En prêt") && page.contains(&reference));
        assert_eq!(page.contains("Dessinée"), script);
        browser.photograph(&format!("loan-{script}")).await.unwrap();
        assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
    }
}

/// Asks the server beside the page, as another tab does.
async fn elsewhere(browser: &Browser, path: &str, fields: &str) {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         const csrf = document.querySelector('input[name=csrf]').value;
         const body = new URLSearchParams({{ csrf, {fields} }});
         fetch('{path}', {{ method: 'POST', body, redirect: 'manual' }}).then(() => done(1));"
    );
    browser.execute_async(&script).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_at_the_desk_loses_no_scan() {
    let town = Town::begin(4, 0).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    town.enter(&browser, "/returns").await;
    browser.execute("window.stayed = true").await.unwrap();
    let good = "document.querySelectorAll('#lines [data-outcome=good]').length";
    let waiting = "document.querySelectorAll('#waiting:not([hidden]) [data-codes] li').length";
    elsewhere(&browser, "/sign-out", "").await;
    for (label, waits) in [("CD-0001", 1), ("CD-0002", 2)] {
        browser.scan(label).await.unwrap();
        browser.until(waiting, waits).await.unwrap();
    }
    let told = browser.execute("return document.getElementById('waiting').innerText").await.unwrap();
    for words in ["Vous êtes déconnecté", "CD-0001", "CD-0002"] {
        assert!(told.as_str().unwrap().contains(words), "{words}: {told}");
    }
    assert_eq!(count(&browser, "document.querySelectorAll('#lines li').length").await, 0, "none is called refused");
    // Signed in again in another tab: this one's proof is old, and nobody has to reload it.
    elsewhere(&browser, "/sign-in", &format!("login: '{LOGIN}', password: '{PASSWORD}'")).await;
    browser.scan("CD-0003").await.unwrap();
    browser.until(good, 3).await.unwrap();
    assert_eq!(count(&browser, waiting).await, 0);
    assert_eq!(browser.execute("return window.stayed").await.unwrap(), true, "the page was never left");
    // Signed in again in this tab: what waited goes out by itself.
    elsewhere(&browser, "/sign-out", "").await;
    browser.scan("CD-0004").await.unwrap();
    browser.until(waiting, 1).await.unwrap();
    town.enter(&browser, "/returns").await;
    browser.until(good, 4).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_asks_for_what_is_missing_and_keeps_what_is_there() {
    let town = Town::begin(0, 1).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.set_screen(Screen::Desk).await.unwrap();
    town.enter(&browser, "/hand-over").await;
    browser.scan("CD-0001").await.unwrap();
    browser.until("document.activeElement?.id === 'borrower' ? 1 : 0", 1).await.unwrap();
    let reference = town.school.borrowers[0].reference.to_string();
    browser.type_into("#borrower", &format!("{reference}{ENTER}")).await.unwrap();
    browser.until("document.activeElement?.id === 'programme' ? 1 : 0", 1).await.unwrap();
    assert!(browser.source().await.unwrap().contains("Choisissez un dispositif"));
    // What is scanned next takes the place of what stands there.
    let chosen = "const field = document.getElementById('borrower'); field.focus(); \
                  return field.value.length > 0 && field.selectionStart === 0 && field.selectionEnd === field.value.length";
    assert_eq!(browser.execute(chosen).await.unwrap(), true);

    let confirm = format!("/hand-over?code=CD-0001&borrower={reference}&programme={}", town.school.programme);
    browser.goto(&format!("{}{confirm}", town.server.console())).await.unwrap();
    draw(&browser).await;
    let drawn = browser.execute("return document.querySelector('input[name=drawn]').value").await.unwrap();
    browser.execute("document.getElementById('due').value = '2020-01-01'").await.unwrap();
    browser.click("input[name=accessory-0]").await.unwrap();
    browser.click("form[action='/hand-over'][method=post] button[type=submit]").await.unwrap();
    browser.until("document.querySelector('[role=alert]') ? 1 : 0", 1).await.unwrap();
    let kept = "return [document.getElementById('due').value, document.querySelector('input[name=drawn]').value, \
                document.querySelector('input[name=signature]:checked').value, \
                document.querySelectorAll('input[type=checkbox]:checked').length]";
    let kept = browser.execute(kept).await.unwrap();
    assert_eq!(kept, serde_json::json!(["2020-01-01", drawn, "drawn", 1]));
}

/// Writes down the pitch of every tone that is started, then starts it.
const LISTENING: &str = "
    window.tones = [];
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...when) {
      window.tones.push(this.frequency.value);
      return start.apply(this, when);
    };";

/// A camera whose picture is a canvas, and a reader of bar codes that sees `window.code` at its third look: no test
/// machine has either.
const CAMERA: &str = "
    window.looks = 0;
    window.BarcodeDetector = class {
      constructor(asked) { window.formats = asked.formats; }
      async detect(video) {
        window.looks += 1;
        return video.readyState >= 2 && window.looks >= 3 ? [{ rawValue: window.code }] : [];
      }
    };
    navigator.mediaDevices.getUserMedia = async (asked) => {
      if (!window.code) throw new DOMException('no', 'NotAllowedError');
      window.asked = asked;
      const canvas = document.createElement('canvas');
      const brush = canvas.getContext('2d');
      setInterval(() => brush.fillRect(0, 0, canvas.width, canvas.height), 40);
      return window.stream = canvas.captureStream(25);
    };";

#[tokio::test(flavor = "multi_thread")]
async fn a_return_is_heard_high_and_a_refusal_low_and_twice() {
    let town = Town::begin(1, 0).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.before_pages(LISTENING).await.unwrap();
    town.enter(&browser, "/returns").await;
    let heard = async || browser.execute("return window.tones").await.unwrap();
    assert_eq!(heard().await, serde_json::json!([]), "a page is quiet until something is scanned");
    browser.scan("CD-0001").await.unwrap();
    browser.until("document.querySelectorAll('#lines [data-outcome=good]').length", 1).await.unwrap();
    assert_eq!(heard().await, serde_json::json!([880]));
    browser.scan("NOBODY").await.unwrap();
    browser.until("document.querySelectorAll('#lines [data-outcome=bad]').length", 1).await.unwrap();
    assert_eq!(heard().await, serde_json::json!([880, 220, 220]));
    assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telephones_camera_reads_codes_at_both_desks() {
    let town = Town::begin(1, 1).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    browser.set_screen(Screen::Hand).await.unwrap();
    town.enter(&browser, "/returns").await;
    let offered = "'BarcodeDetector' in window === !document.querySelector('[data-camera]').hidden ? 1 : 0";
    assert_eq!(count(&browser, offered).await, 1, "the button is there where the browser can do it, and nowhere else");
    browser.before_pages(LISTENING).await.unwrap();
    browser.before_pages(CAMERA).await.unwrap();

    browser.goto(&format!("{}/returns", town.server.console())).await.unwrap();
    // Whoever does not allow the camera hears that it was refused; the field is there all the same.
    browser.click("button[data-camera]").await.unwrap();
    browser.until("window.tones.length", 2).await.unwrap();
    browser.execute("window.code = 'CD-0001'").await.unwrap();
    browser.click("button[data-camera]").await.unwrap();
    browser.until("document.querySelectorAll('#lines [data-outcome=good]').length", 1).await.unwrap();
    let page =
        "const [button, video] = ['[data-camera]', '#camera'].map((css) => document.querySelector(css)); return ";
    let state = async |what: &str| browser.execute(&format!("{page}{what}")).await.unwrap();
    assert_eq!(state("window.asked.video.facingMode").await, "environment", "the one at the back");
    assert_eq!(state("window.formats.includes('code_128') && window.formats.includes('qr_code')").await, true);
    assert_eq!(state("window.stream.getTracks().map((track) => track.readyState)").await, serde_json::json!(["ended"]));
    assert_eq!(state("[video.hidden, button.getAttribute('aria-pressed')]").await, serde_json::json!([true, "false"]));

    let path = format!("/hand-over?programme={}", town.school.programme);
    browser.goto(&format!("{}{path}", town.server.console())).await.unwrap();
    browser.execute("window.code = 'CD-0002'").await.unwrap();
    browser.click("button[data-camera]").await.unwrap();
    browser.until("document.activeElement?.id === 'borrower' ? 1 : 0", 1).await.unwrap();
    assert!(browser.source().await.unwrap().contains("CD-0002"));
    assert_eq!(browser.console().await.unwrap(), Vec::<String>::new());
}

/// Draws on the canvas as a finger does.
async fn draw(browser: &Browser) {
    let at = "const frame = document.querySelector('canvas').getBoundingClientRect(); return ";
    let number = async |what: &str| browser.execute(&format!("{at}{what}")).await.unwrap().as_f64().unwrap();
    browser.execute("document.querySelector('canvas').scrollIntoView({ block: 'center' })").await.unwrap();
    let (left, top) = (number("frame.left").await, number("frame.top").await);
    for (kind, step) in [
        ("mousePressed", 0),
        ("mouseMoved", 1),
        ("mouseMoved", 2),
        ("mouseMoved", 3),
        ("mouseMoved", 4),
        ("mouseMoved", 5),
        ("mouseReleased", 5),
    ] {
        let (x, y) = (left + 30.0 + 20.0 * f64::from(step), top + 30.0 + 7.0 * f64::from(step));
        let event =
            serde_json::json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
        browser.devtools("Input.dispatchMouseEvent", event).await.unwrap();
    }
    let drawn = browser.execute("return document.querySelector('input[name=drawn]').value").await.unwrap();
    assert!(drawn.as_str().unwrap().split(' ').count() >= 5, "{drawn}");
    assert_eq!(browser.execute("return document.querySelector('input[value=drawn]').checked").await.unwrap(), true);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desks_and_loans_fit_every_screen_and_break_no_rule_of_accessibility() {
    let axe = Axe::load().unwrap();
    let town = Town::begin(3, 1).await;
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    town.enter(&browser, "/returns").await;
    browser.scan("CD-0001").await.unwrap();
    browser.scan("NOBODY").await.unwrap();
    browser.until("document.querySelectorAll('#lines li').length", 2).await.unwrap();
    let mut wrong = axe.violations(&browser).await.unwrap();
    browser.goto(&format!("{}/loans", town.server.console())).await.unwrap();
    let loan = browser.execute("return document.querySelector('main tbody a[href^=\"/loans/\"]').getAttribute('href')");
    let loan = loan.await.unwrap().as_str().unwrap().to_owned();
    let confirm = format!(
        "/hand-over?code=CD-0004&borrower={}&programme={}",
        town.school.borrowers[0].reference, town.school.programme
    );
    let pages = ["/loans", &loan, "/returns", "/hand-over", &confirm, "/hand-over/class", "/loans?due=overdue"];
    for (number, path) in pages.into_iter().enumerate() {
        for (screen, scheme) in [(Screen::Desk, Scheme::Light), (Screen::Hand, Scheme::Dark)] {
            browser.set_screen(screen).await.unwrap();
            browser.set_scheme(scheme).await.unwrap();
            browser.goto(&format!("{}{path}", town.server.console())).await.unwrap();
            // What stands behind closed details is judged as well.
            browser.execute("for (const one of document.querySelectorAll('details')) one.open = true").await.unwrap();
            let found = axe.violations(&browser).await.unwrap();
            wrong.extend(found.into_iter().map(|line| format!("{path} ({screen:?}): {line}")));
            if browser.overflow().await.unwrap() > 0 {
                wrong.push(format!("{path} is wider than the screen ({screen:?})"));
            }
            browser.photograph(&format!("lending-{number}-{screen:?}").to_lowercase()).await.unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
