//! Letters over STARTTLS with a password: none goes to a server that cannot be trusted or that does not offer TLS, no
//! password and no letter crosses the network in clear, and a wrong password loses nothing and is seen.

use std::time::Duration;

use cartable_common::UtcMillis;
use cartable_server::{
    clock,
    config::{MailSettings, Security},
    domain::paris,
    mail::{
        letter::Letter,
        smtp::{Mailer, Parcel, Trouble},
    },
    pki::MasterKey,
    store::Store,
    vault::Vault,
};
use cartable_tests::{
    harness::{
        Installation, Visitor,
        cartable::{LOGIN, PASSWORD},
        installation::random_key,
    },
    lent::Lent,
    mail_server::{MailServer, Mechanism, Terms, TestAuthority},
    postgres::Database,
    raw::Raw,
};
use data_encoding::BASE64;
use jiff::ToSpan as _;

const USER: &str = "cartable";
const SECRET: &str = "un mot de passe";
const HOST: &str = "127.0.0.1";
/// How long what should happen may take: the first run is five seconds after the start.
const PATIENCE: Duration = Duration::from_secs(60);

fn login() -> (String, String) {
    (USER.to_owned(), SECRET.to_owned())
}

async fn guarded(authority: &TestAuthority, name: &str, mechanism: Mechanism) -> MailServer {
    let certificate = Some(authority.acceptor(name).unwrap());
    MailServer::start_with(Terms { certificate, login: Some(login()), mechanism }).await.unwrap()
}

fn mailer(mail: &MailServer, trusted: Option<&TestAuthority>) -> Mailer {
    let settings = MailSettings {
        host: HOST.to_owned(),
        port: mail.port(),
        security: Security::Starttls,
        login: Some(login()),
        from: "Département <cartable@val.example>".to_owned(),
        reply_to: None,
        authority: trusted.map(|authority| authority.pem().as_bytes().to_vec()),
    };
    Mailer::new(settings).unwrap()
}

async fn send(mailer: &Mailer) -> Result<(), Trouble> {
    let letter = Letter { subject: "À rendre".to_owned(), text: "Demain".to_owned() };
    let mut link = mailer.connect().await?;
    let parcel = Parcel { mail_id: "1@val.example", to: "f@x.example", letter: &letter, dated: UtcMillis::default() };
    mailer.send(&mut link, parcel).await?;
    link.close().await;
    Ok(())
}

/// Nothing was sent, nobody tried to sign in, and what crossed the network in clear says nothing.
fn gave_nothing_away(mail: &MailServer) {
    let heard = mail.in_clear();
    assert!(heard.iter().all(|line| ["EHLO val.example", "STARTTLS", "QUIT"].contains(&line.as_str())), "{heard:?}");
    assert_eq!((mail.taken().len(), mail.attempts().len(), mail.connections()), (0, 0, 1));
}

#[tokio::test]
async fn a_letter_goes_over_starttls_with_each_way_to_sign_in() {
    let authority = TestAuthority::new().unwrap();
    for mechanism in [Mechanism::Plain, Mechanism::Login] {
        let mail = guarded(&authority, HOST, mechanism).await;
        send(&mailer(&mail, Some(&authority))).await.unwrap();
        let taken = mail.taken();
        assert!(taken.len() == 1 && taken[0].secured, "{mechanism:?}: {taken:?}");
        assert_eq!(taken[0].to, ["f@x.example"]);
        assert_eq!(mail.attempts(), [USER]);
        assert_eq!(mail.in_clear(), ["EHLO val.example", "STARTTLS"], "{mechanism:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_offer_tls_gets_neither_password_nor_letter() {
    // As a network does that takes the offer out of the greeting: the password is asked for in clear.
    let mail = MailServer::start_with(Terms { login: Some(login()), ..Terms::default() }).await.unwrap();
    let refused = send(&mailer(&mail, None)).await.unwrap_err();
    assert!(matches!(&refused, Trouble::Unreachable(why) if why.contains("STARTTLS")), "{refused}");
    gave_nothing_away(&mail);
    // The test's own eyes: told to speak in clear, a client's password is there to be read.
    let settings = MailSettings {
        host: HOST.to_owned(),
        port: mail.port(),
        security: Security::None,
        login: Some(login()),
        from: "cartable@val.example".to_owned(),
        reply_to: None,
        authority: None,
    };
    send(&Mailer::new(settings).unwrap()).await.unwrap();
    let given = BASE64.encode(format!("\0{USER}\0{SECRET}").as_bytes());
    assert!(mail.in_clear().iter().any(|line| line.contains(&given)), "{:?}", mail.in_clear());
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_refused() {
    let (authority, other) = (TestAuthority::new().unwrap(), TestAuthority::new().unwrap());
    for (name, trusted, what) in [
        (HOST, None, "of an authority that the system does not know"),
        (HOST, Some(&other), "of another authority than the one told"),
        ("mail.example", Some(&authority), "of another host"),
    ] {
        let mail = guarded(&authority, name, Mechanism::Plain).await;
        let refused = send(&mailer(&mail, trusted)).await.unwrap_err();
        assert!(matches!(&refused, Trouble::Unreachable(why) if why.contains("certificate")), "{what}: {refused}");
        gave_nothing_away(&mail);
    }
}

async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not happen");
}

/// With the real server: an administrator sees that letters do not leave and why; once the password is right they do,
/// each once.
async fn a_wrong_password_is_seen_and_loses_nothing(database: Option<&str>) {
    let authority = TestAuthority::new().unwrap();
    let mail = guarded(&authority, HOST, Mechanism::Plain).await;
    let (directory, key) = (tempfile::tempdir().unwrap(), random_key().unwrap());
    let data = directory.path().join("data");
    let installation = Installation::at(&data, &key, database).unwrap();
    installation.init().unwrap();
    installation.create_user(LOGIN, "administrator", PASSWORD).unwrap();
    let mut config = std::fs::read_to_string(data.join("config.toml")).unwrap();
    config.push_str(&format!(
        "\n[mail]\nhost = \"{HOST}\"\nport = {}\nca_file = \"mail-ca.pem\"\nuser = \"{USER}\"\n\
         password_file = \"mail-password\"\nfrom = \"cartable@val.example\"\n",
        mail.port()
    ));
    std::fs::write(data.join("config.toml"), config).unwrap();
    std::fs::write(data.join("mail-ca.pem"), authority.pem()).unwrap();
    std::fs::write(data.join("policy.toml"), "[notices]\nfrom_hour = 0\nuntil_hour = 24\n").unwrap();
    std::fs::write(data.join("mail-password"), "last year's\n").unwrap();

    let url = installation.database_url();
    let store = Store::open(&url).await.unwrap();
    let now = clock::now();
    let bytes = BASE64.decode(key.as_bytes()).unwrap();
    let lent = Lent::new(&store, &url, &Vault::new(&MasterKey::of(bytes.try_into().unwrap())), now).await.unwrap();
    let due = paris::date(now).checked_add(200.days()).unwrap();
    for number in 1..=2_u8 {
        let family = lent.family(number, &[&format!("f{number}@x.example")], now).await.unwrap();
        lent.lend(number.into(), family, due, now).await.unwrap();
    }

    let tried = installation.run("mail test", &["somebody@x.example"], "").unwrap_err().to_string();
    assert!(tried.contains("535"), "the command line says what the mail server said: {tried}");
    let mut server = installation.serve().unwrap();
    let mut raw = Raw::connect(&url).await.unwrap();
    let failed = "SELECT count(*) FROM job_run WHERE job = 'notices' AND error LIKE '%535%'";
    until("the refusal", async || raw.number(failed).await.unwrap() == 1).await;
    let visitor = Visitor::sign_in(server.console(), LOGIN, PASSWORD).await.unwrap();
    let page = visitor.get("/notices").await.unwrap().html;
    assert!(page.contains("permanent error (535)"), "the administrator's page says it: {page}");
    let log = server.log().text();
    assert!(log.contains("535") && !log.contains("last year"), "{log}");
    server.kill();
    assert!(mail.taken().is_empty() && mail.attempts().iter().all(|user| user == USER));
    assert_eq!(raw.number("SELECT count(*) FROM message WHERE state = 'waiting' AND attempts = 0").await.unwrap(), 2);
    let read = "SELECT count(*) FROM audit WHERE action = 'borrower.identity_read'";
    assert_eq!(raw.number(read).await.unwrap(), 0, "nobody's identity was opened for nothing");

    std::fs::write(data.join("mail-password"), format!("{SECRET}\n")).unwrap();
    raw.execute("DELETE FROM setting WHERE name = 'lease:notices'").await.unwrap();
    let mut server = installation.serve().unwrap();
    until("the letters", async || raw.number("SELECT count(*) FROM message WHERE state = 'sent'").await.unwrap() == 2)
        .await;
    server.kill();
    let mut recipients: Vec<String> = mail.taken().into_iter().flat_map(|letter| letter.to).collect();
    recipients.sort();
    assert_eq!(recipients, ["f1@x.example", "f2@x.example"], "each once");
    assert!(mail.taken().iter().all(|letter| letter.secured));
    let heard = mail.in_clear();
    assert!(heard.iter().all(|line| line == "STARTTLS" || line == "EHLO val.example"), "{heard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_seen_and_loses_nothing_on_sqlite() {
    a_wrong_password_is_seen_and_loses_nothing(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_seen_and_loses_nothing_on_postgres() {
    let database = Database::create().await.unwrap();
    a_wrong_password_is_seen_and_loses_nothing(Some(database.url())).await;
}
