//! What a laptop is told of exams, and of those who run its agent: by the answer to a check-in over real TLS, before an
//! exam and in it and not after, its own site's alone; what families read once, until it changes.

use std::{
    fs::OpenOptions,
    io::Write as _,
    time::{Duration, Instant},
};

use cartable_common::{
    ContentHash, Text, UtcMillis,
    protocol::{CHECK_IN_PATH, CertificateGrant, CheckInRequest, CheckInResponse},
    report::Hardware,
};
use cartable_server::{clock, domain::paris};
use cartable_tests::{
    gateway_client::{Connection, Credentials, Port, SITE, enrol_request, head},
    simulator::site::uai_code,
};
use rcgen::KeyPair;

/// What is ordered is heeded by every process within ten seconds; a busy machine needs some more to ask.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of HTTP that an unchanged check-in may take, each way (DESIGN §9).
const MOST_BYTES: usize = 400;

/// A moment as the command line takes it.
fn in_paris(at: UtcMillis) -> String {
    paris::date_time(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Orders an exam from so many seconds ahead to so many, and gives its id.
fn order(port: &Port, (from, to): (i64, i64), sites: &[&str]) -> String {
    let now = clock::now();
    let at = |seconds: i64| in_paris(now.plus_millis(seconds * 1000));
    let (from, to) = (at(from), at(to));
    let mut arguments: Vec<&str> = vec!["--label", "Brevet blanc", "--from", &from, "--to", &to];
    arguments.extend(sites.iter().flat_map(|uai| ["--site", *uai]));
    port.installation.run("exam order", &arguments, "").unwrap().trim().to_owned()
}

fn request(mark: Option<u32>) -> CheckInRequest {
    CheckInRequest {
        content_hash: Some(ContentHash::of(b"unchanged")),
        disclosure_mark: mark,
        ..CheckInRequest::bare(Text::clean("0.1.0"), clock::now())
    }
}

/// What is answered, and the bytes that went each way.
async fn told(connection: &mut Connection, mark: Option<u32>) -> (CheckInResponse, usize, usize) {
    let body = serde_json::to_vec(&request(mark)).unwrap();
    let answer = connection.check_in(&body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let sent = head(CHECK_IN_PATH, "", body.len()).len() + body.len();
    (serde_json::from_slice(&answer.body).unwrap(), sent, answer.head.len() + answer.body.len())
}

/// What is told of exams, over a connection of its own: the server closes an idle one.
async fn exams(port: &Port, who: &Credentials) -> Option<u32> {
    let mut connection = port.connect_as(who).await.unwrap();
    told(&mut connection, None).await.0.exams_for_seconds
}

/// Asks until what is told of exams is as expected.
async fn until(port: &Port, who: &Credentials, expected: impl Fn(Option<u32>) -> bool) -> Option<u32> {
    let begun = Instant::now();
    loop {
        let seconds = exams(port, who).await;
        if expected(seconds) {
            return seconds;
        }
        assert!(begun.elapsed() < PATIENCE, "still told {seconds:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// A device of another site.
async fn of_site(port: &Port, uai: &str) -> Credentials {
    let token = port.installation.create_enrolment_token(uai, 1).unwrap();
    let key = KeyPair::generate().unwrap();
    let answer = port.enrol(&enrol_request(&token, &key, Hardware::default()).unwrap()).await.unwrap();
    let grant: CertificateGrant = serde_json::from_slice(&answer.body).unwrap();
    Credentials::of(&grant.certificate_chain_pem, &key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_is_told_before_an_exam_and_in_it_and_not_after_and_no_other_sites() {
    let port = Port::start().unwrap();
    let other = uai_code(96, 7);
    port.installation.create_site(&other, "Collège Autre", "Lyon", "A").unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let foreign = of_site(&port, &other).await;
    assert_eq!(exams(&port, &own).await, None);

    // It would come back in 36 minutes at the least, in the middle of it.
    let coming = order(&port, (30 * 60, 2 * 3_600), &[SITE]);
    let left = until(&port, &own, |seconds| seconds.is_some()).await.unwrap();
    assert!((2 * 3_600 - 60..=2 * 3_600).contains(&left), "told before it begins, until its end: {left}");
    assert_eq!(exams(&port, &foreign).await, None, "another site sits none");
    port.installation.run("exam end", &[&coming], "").unwrap();
    until(&port, &own, |seconds| seconds.is_none()).await;

    order(&port, (-600, 30), &[]);
    let left = until(&port, &own, |seconds| seconds.is_some()).await.unwrap();
    assert!(left <= 30, "{left}");
    assert!(exams(&port, &foreign).await.is_some(), "everybody's");
    tokio::time::sleep(Duration::from_secs(u64::from(left) + 1)).await;
    assert_eq!(exams(&port, &own).await, None, "over, to the second");
    // Far away: it comes back before and is told then.
    order(&port, (10 * 3_600, 12 * 3_600), &[]);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(exams(&port, &own).await, None);
}

/// Says in config.toml who lends, and starts the server anew.
fn restart_as(port: &mut Port, section: &str) {
    port.server.kill();
    let file = port.installation.directory().join("config.toml");
    let kept = std::fs::read_to_string(&file).unwrap();
    let before = kept.split("\n[documents]").next().unwrap();
    std::fs::write(&file, before).unwrap();
    let mut file = OpenOptions::new().append(true).open(&file).unwrap();
    file.write_all(section.as_bytes()).unwrap();
    port.server = port.installation.serve().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_families_read_is_told_once_until_it_changes_and_an_unchanged_check_in_stays_small() {
    let mut port = Port::start().unwrap();
    let (_, own) = port.enrolled().await.unwrap();
    let mut connection = port.connect_as(&own).await.unwrap();
    let (nothing, ..) = told(&mut connection, None).await;
    assert_eq!(nothing.disclosure, None, "nobody said who lends");

    restart_as(&mut port, "\n[documents]\nissuer = \"Département de Valmarin\"\ncontact = \"aide@valmarin.example\"\n");
    let mut connection = port.connect_as(&own).await.unwrap();
    let (first, ..) = told(&mut connection, None).await;
    let disclosed = first.disclosure.unwrap();
    assert_eq!(disclosed.organisation.as_ref().map(Text::as_str), Some("Département de Valmarin"));
    assert_eq!(disclosed.contact.as_ref().map(Text::as_str), Some("aide@valmarin.example"));
    let (unchanged, sent, received) = told(&mut connection, disclosed.mark).await;
    assert_eq!(unchanged.disclosure, None, "told once");
    assert!(sent <= MOST_BYTES && received <= MOST_BYTES, "{sent} bytes there, {received} back");
    assert_eq!(told(&mut connection, None).await.0.disclosure, Some(disclosed.clone()), "it lost its memory");

    restart_as(&mut port, "\n[documents]\nissuer = \"Métropole de Valmarin\"\n");
    let mut connection = port.connect_as(&own).await.unwrap();
    let renamed = told(&mut connection, disclosed.mark).await.0.disclosure.unwrap();
    assert_eq!((renamed.organisation.is_some(), renamed.contact.clone()), (true, None));
    assert_eq!(told(&mut connection, renamed.mark).await.0.disclosure, None);

    restart_as(&mut port, "");
    let mut connection = port.connect_as(&own).await.unwrap();
    let nothing = told(&mut connection, renamed.mark).await.0.disclosure.unwrap();
    assert_eq!((nothing.organisation, nothing.mark), (None, None), "what was told is taken back");
}
