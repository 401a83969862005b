//! What a device says of itself is text for people and never anything else: on no page and in no answer does a hostile
//! name become markup, a formula, SQL or a template.

use std::collections::{BTreeSet, VecDeque};

use cartable_common::{
    SerialNumber, Text, UtcMillis,
    report::{Battery, HealthReport, Unread},
};
use cartable_tests::{
    harness::{Cartable, Visitor, stored},
    simulator::{Machine, Roster},
};

/// Each with what would betray that it came alive.
const HOSTILE: [(&str, &str); 6] = [
    ("<img src=x onerror=alert(1)>", "<img src=x"),
    ("\"><script>alert(1)</script>", "<script>alert"),
    ("' onmouseover='alert(1)", "' onmouseover='"),
    ("=HYPERLINK(\"http://x.invalid\",\"a\")", "=HYPERLINK(\"http"),
    ("'; DROP TABLE device; --", "'; DROP"),
    ("{{7*7}}${7*7}", "4949"),
];

/// Pages that a crawl follows at most: far more than the console has for a handful of devices.
const MOST_PAGES: usize = 400;

/// A report in which every text is hostile.
fn hostile(machine: &Machine, words: &str) -> HealthReport {
    let now = cartable_agent::clock::now();
    let mut report = machine.report(now, now);
    let text = || Some(Text::clean(words));
    let serial = || SerialNumber::parse(words).into();
    report.hardware.manufacturer = text();
    report.hardware.model = text();
    report.hardware.serial_number = serial();
    report.processor.model = text();
    report.firmware.vendor = text();
    report.firmware.version = text();
    report.firmware.date = text();
    let system = &mut report.operating_system;
    (system.name, system.version, system.build, system.architecture) = (text(), text(), text(), text());
    for volume in &mut report.volumes {
        volume.file_system = text();
    }
    for drive in &mut report.drives {
        (drive.model, drive.firmware, drive.serial_number) = (text(), text(), serial());
        for attribute in &mut drive.ata_attributes {
            attribute.name = text();
        }
    }
    let battery = Battery { manufacturer: text(), model: text(), technology: text(), ..Battery::default() };
    report.batteries.push(battery);
    report.unread.push(Unread { detail: text(), ..Unread::default() });
    report
}

/// Every page that can be reached by links.
async fn crawl(visitor: &Visitor) -> Vec<(String, String)> {
    let mut known = BTreeSet::from(["/".to_owned()]);
    let mut waiting = VecDeque::from(["/".to_owned()]);
    let mut pages = Vec::new();
    while let Some(path) = waiting.pop_front() {
        assert!(pages.len() < MOST_PAGES, "the crawl does not end: {known:?}");
        let page = visitor.get(&path).await.unwrap();
        if page.status.is_redirection() {
            continue;
        }
        assert!(page.status.is_success(), "{path} answered {}", page.status);
        if !page.headers["content-type"].to_str().unwrap().starts_with("text/html") {
            continue;
        }
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        for link in links(&page.html) {
            if known.insert(link.clone()) {
                waiting.push_back(link);
            }
        }
        pages.push((path, page.html));
    }
    pages
}

fn links(html: &str) -> Vec<String> {
    let targets = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let local = targets.filter(|target| target.starts_with('/') && !target.starts_with("/static/"));
    local
        .map(|target| target.split('#').next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_stay_texts_everywhere() {
    let cartable = Cartable::start().unwrap();
    let machines = Roster::drawn(5, HOSTILE.len()).machines;
    let mut devices = Vec::new();
    for (machine, (words, _)) in machines.iter().zip(HOSTILE) {
        let mut device = cartable.enrolled_device(machine).await.unwrap();
        let now = cartable_agent::clock::now();
        let contacted = device.contact(hostile(machine, words), now, now).await.unwrap();
        assert_eq!(contacted.acknowledged.len(), 1, "{words}");
        devices.push((device.granted().device_id, words));
    }

    let visitor = cartable.visitor().await.unwrap();
    let pages = crawl(&visitor).await;
    for (path, html) in &pages {
        for (words, alive) in HOSTILE {
            assert!(!html.contains(alive), "{words} came alive on {path}");
        }
    }
    let export = visitor.get("/devices.csv").await.unwrap();
    assert!(export.status.is_success());
    for cell in cells(&export.html) {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet would calculate {cell:?}");
    }
    for (words, _) in HOSTILE {
        assert!(cells(&export.html).iter().any(|cell| cell.contains(words)), "{words} is not in the export");
    }
    let api = cartable.api().unwrap();
    for (id, words) in devices {
        let path = format!("/devices/{id}");
        assert!(pages.iter().any(|(known, _)| known == &path), "{path} was not reached by links");
        let (_, html) = pages.iter().find(|(known, _)| known == &path).unwrap();
        assert!(unescaped(html).contains(words), "{words} is not shown on its own page");
        let answer = api.get(&format!("/api/v1{path}")).await.unwrap();
        assert!(strings(&answer).iter().any(|text| text == words), "{words} is not in {answer}");
        let searched = api.get(&format!("/api/v1/devices?search={}", encoded(words))).await.unwrap();
        assert!(strings(&searched).contains(&id.to_string()), "searching {words} finds its device");
    }
    let url = cartable.installation.database_url();
    assert_eq!(stored::count(&url, "device").await.unwrap(), i64::try_from(HOSTILE.len()).unwrap());
    stored::check_integrity(&url).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_far_away_are_kept_and_decide_nothing() {
    let cartable = Cartable::start().unwrap();
    let machine = &Roster::drawn(6, 1).machines[0];
    let mut device = cartable.enrolled_device(machine).await.unwrap();
    let now = cartable_agent::clock::now();
    for far in [UtcMillis::default(), UtcMillis::default().plus_millis(i64::MAX)] {
        let contacted = device.contact(machine.report(now, now), far, now).await.unwrap();
        let lag = contacted.answer.server_time.millis_since(now);
        assert!((-1_000..60_000).contains(&lag), "the server's time is its own: {lag}");
    }
    let answer = cartable.api().unwrap().get(&format!("/api/v1/devices/{}", device.granted().device_id)).await.unwrap();
    let codes = strings(&answer);
    assert!(codes.iter().any(|text| text == "clock_wrong"), "{answer}");
}

/// All strings in a JSON value.
fn strings(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(values) => values.iter().flat_map(strings).collect(),
        serde_json::Value::Object(fields) => fields.values().flat_map(strings).collect(),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Vec::new(),
    }
}

/// The cells of a CSV (RFC 4180), as a spreadsheet reads them.
fn cells(csv: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut characters = csv.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => cells.last_mut().unwrap().push('"'),
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(String::new()),
            '\r' if !quoted => {}
            other => cells.last_mut().unwrap().push(other),
        }
    }
    cells
}

fn unescaped(html: &str) -> String {
    let named = html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    named.replace("&#39;", "'").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&amp;", "&")
}

fn encoded(words: &str) -> String {
    words.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
