//! Webhooks against a real HTTPS receiver, on both engines: signed as the specification has it, retried, given up
//! visibly, and never sent where they may not go.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    routing::post,
};
use cartable_common::UtcMillis;
use cartable_server::{
    config::WebhookSettings,
    domain::webhook::{EventKind, InvalidTarget},
    jobs::webhooks::{Done, Telling},
    pki::MasterKey,
    store::webhook::{self, Webhook},
    vault::Vault,
    webhook::{Refusal, Secret, Teller},
};
use cartable_tests::{fleet::at, lent::Lent, on_both_engines, raw::Raw, stores::TestStore};
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::independent::verify;

on_both_engines! {
    an_event_arrives_once_signed_and_in_its_order,
    a_receiver_that_fails_is_tried_again_and_then_given_up,
    an_event_that_nobody_asked_for_writes_nothing,
    each_event_is_signed_with_its_own_moment,
    a_target_that_does_not_answer_delays_no_other_and_keeps_its_order,
    a_webhook_that_is_disabled_is_told_nothing_more,
}

/// A check of signatures that shares no code with the server's.
mod independent {
    use data_encoding::BASE64;
    use ring::hmac;

    pub(super) fn verify(secret: &str, id: &str, timestamp: &str, body: &str, signature: &str) -> bool {
        let key = BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
        let tag = BASE64.decode(signature.strip_prefix("v1,").unwrap().as_bytes()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::verify(&key, format!("{id}.{timestamp}.{body}").as_bytes(), &tag).is_ok()
    }
}

#[derive(Clone, Debug)]
struct Received {
    path: String,
    id: String,
    timestamp: String,
    signature: String,
    body: String,
}

#[derive(Clone, Debug)]
struct Inbox {
    received: Arc<Mutex<Vec<Received>>>,
    answer: Arc<Mutex<StatusCode>>,
    /// How often /slow answers.
    patience: Arc<Semaphore>,
}

async fn receive(State(inbox): State<Inbox>, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    inbox.received.lock().unwrap().push(Received {
        path: uri.path().to_owned(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    if uri.path() == "/slow" {
        inbox.patience.acquire().await.unwrap().forget();
    }
    let mut answer = HeaderMap::new();
    answer.insert("location", "/elsewhere".parse().unwrap());
    (*inbox.answer.lock().unwrap(), answer)
}

/// A receiver on 127.0.0.1 with a certificate of its own authority, and what trusts it.
struct Receiver {
    inbox: Inbox,
    address: SocketAddr,
    teller: Teller,
    vault: Vault,
    secret: Secret,
}

impl Receiver {
    async fn start() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(certificate.der().to_vec())],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let inbox = Inbox {
            received: Arc::default(),
            answer: Arc::new(Mutex::new(StatusCode::NO_CONTENT)),
            patience: Arc::new(Semaphore::new(0)),
        };
        let router = Router::new().route("/hook", post(receive)).route("/slow", post(receive));
        let router = router.with_state(inbox.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, Arc::new(tls), router));
        let settings = WebhookSettings {
            hosts: vec!["localhost".to_owned()],
            loopback: true,
            authority: Some(certificate.pem().into_bytes()),
        };
        let vault = Vault::new(&MasterKey::of([7; 32]));
        Self { inbox, address, teller: Teller::new(settings).unwrap(), vault, secret: Secret::new().unwrap() }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/hook", self.address.port())
    }

    async fn ask(&self, test: &TestStore, events: Vec<EventKind>) -> Uuid {
        self.ask_at(test, self.url(), events).await
    }

    /// As [`Receiver::ask`], at the address that answers when the test lets it.
    async fn ask_slow(&self, test: &TestStore, events: Vec<EventKind>) -> Uuid {
        self.ask_at(test, self.url().replace("/hook", "/slow"), events).await
    }

    async fn ask_at(&self, test: &TestStore, url: String, events: Vec<EventKind>) -> Uuid {
        let id = Uuid::now_v7();
        let new = Webhook { id, label: "test".into(), url, events, created_at: at(0, 0, 0), disabled_at: None };
        let sealed = self.vault.seal("webhook", id, self.secret.expose().as_bytes()).unwrap();
        let mut tx = test.store.write().await.unwrap();
        webhook::insert(&mut tx, &new, &sealed).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn run(&self, test: &TestStore, now: UtcMillis) -> Done {
        self.run_by(test, &|| now).await
    }

    async fn run_by(&self, test: &TestStore, clock: &(dyn Fn() -> UtcMillis + Sync)) -> Done {
        let telling = Telling { store: &test.store, vault: &self.vault, teller: &self.teller, clock };
        telling.run(&CancellationToken::new()).await.unwrap()
    }

    /// What came to `path`.
    fn at(&self, path: &str) -> Vec<Received> {
        self.received().into_iter().filter(|one| one.path == path).collect()
    }

    /// Waits until something came to `path`.
    async fn comes(&self, path: &str) {
        /// Less than a receiver is waited for.
        const SOON: Duration = Duration::from_secs(12);
        let there = async {
            while self.at(path).is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(SOON, there).await.is_ok(), "nothing came to {path}");
    }

    fn received(&self) -> Vec<Received> {
        self.inbox.received.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, tls: Arc<rustls::ServerConfig>, router: Router) {
    let acceptor = tokio_rustls::TlsAcceptor::from(tls);
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, router) = (acceptor.clone(), router.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = hyper_util::service::TowerToHyperService::new(router);
            let io = hyper_util::rt::TokioIo::new(stream);
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
        });
    }
}

async fn an_event_arrives_once_signed_and_in_its_order(test: &TestStore) {
    let receiver = Receiver::start().await;
    receiver.ask(test, vec![EventKind::LoanHandedOver, EventKind::LoanReturned]).await;
    let lent = Lent::new(&test.store, test.url(), &receiver.vault, at(0, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(0, 0, 0)).await.unwrap();
    let due = jiff::civil::date(2027, 6, 15);
    let loan = lent.lend(1, family, due, at(0, 0, 0)).await.unwrap();
    lent.take_back(&loan, at(0, 1, 0)).await.unwrap();
    assert_eq!(receiver.run(test, at(0, 1, 1)).await, Done { delivered: 2, later: 0, given_up: 0 });
    assert_eq!(receiver.run(test, at(0, 1, 2)).await, Done::default(), "each once");
    let received = receiver.received();
    let kinds: Vec<String> = received
        .iter()
        .map(|one| serde_json::from_str::<serde_json::Value>(&one.body).unwrap()["type"].to_string())
        .collect();
    assert_eq!(
        kinds,
        ["\"loan.handed_over\"", "\"loan.returned\""],
        "what was asked for, in order; not the reservation"
    );
    for one in &received {
        let secret = receiver.secret.expose();
        assert!(verify(&secret, &one.id, &one.timestamp, &one.body, &one.signature), "{one:?}");
        assert!(!verify(&secret, &one.id, &one.timestamp, &format!("{} ", one.body), &one.signature));
        assert_eq!(one.timestamp, (at(0, 1, 1).get() / 1000).to_string());
        assert!(!one.body.contains("Martin") && !one.body.contains('@'), "{}", one.body);
    }
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sealed = raw.texts("SELECT sealed_secret FROM webhook").await.unwrap();
    assert!(!sealed[0].contains("whsec_"), "the secret lies sealed");
}

async fn a_receiver_that_fails_is_tried_again_and_then_given_up(test: &TestStore) {
    let receiver = Receiver::start().await;
    let id = receiver.ask(test, vec![]).await;
    let lent = Lent::new(&test.store, test.url(), &receiver.vault, at(0, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(0, 0, 0)).await.unwrap();
    lent.lend(1, family, jiff::civil::date(2027, 6, 15), at(0, 0, 0)).await.unwrap();
    // A redirect is no answer, and is not followed.
    *receiver.inbox.answer.lock().unwrap() = StatusCode::FOUND;
    let done = receiver.run(test, at(0, 0, 1)).await;
    assert_eq!((done.delivered, done.later), (0, 2));
    assert_eq!(receiver.received().len(), 1, "the second event waits for the first one's fate");
    *receiver.inbox.answer.lock().unwrap() = StatusCode::NO_CONTENT;
    assert_eq!(receiver.run(test, at(0, 0, 2)).await.delivered, 0, "not before its time");
    assert_eq!(receiver.run(test, at(0, 0, 10)).await.delivered, 2);
    let ids: std::collections::BTreeSet<String> = receiver.received().into_iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 2, "the repeat carries its first webhook-id");
    *receiver.inbox.answer.lock().unwrap() = StatusCode::INTERNAL_SERVER_ERROR;
    lent.lend(2, family, jiff::civil::date(2027, 6, 15), at(1, 0, 0)).await.unwrap();
    let mut given_up = 0;
    for hours in (0..7 * 24).step_by(4) {
        given_up += receiver.run(test, at(1, hours, 0)).await.given_up;
    }
    assert_eq!(given_up, 2, "after five days");
    let standing = webhook::list(&mut test.store.read().await.unwrap()).await.unwrap();
    assert_eq!((standing[0].webhook.id, standing[0].waiting, standing[0].given_up), (id, 0, 2));
    assert_eq!(standing[0].last_error.as_ref().map(|(_, error)| error.as_str()), Some("answered 500"));
}

async fn an_event_that_nobody_asked_for_writes_nothing(test: &TestStore) {
    let receiver = Receiver::start().await;
    let id = receiver.ask(test, vec![EventKind::FlagRaised]).await;
    let lent = Lent::new(&test.store, test.url(), &receiver.vault, at(0, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(0, 0, 0)).await.unwrap();
    lent.lend(1, family, jiff::civil::date(2027, 6, 15), at(0, 0, 0)).await.unwrap();
    let mut tx = test.store.write().await.unwrap();
    assert!(webhook::disable(&mut tx, id, at(0, 0, 0)).await.unwrap());
    tx.commit().await.unwrap();
    lent.lend(2, family, jiff::civil::date(2027, 6, 15), at(0, 0, 0)).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM webhook_delivery").await.unwrap(), 0);
}

async fn each_event_is_signed_with_its_own_moment(test: &TestStore) {
    let receiver = Receiver::start().await;
    receiver.ask(test, vec![]).await;
    let lent = Lent::new(&test.store, test.url(), &receiver.vault, at(0, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(0, 0, 0)).await.unwrap();
    lent.lend(1, family, jiff::civil::date(2027, 6, 15), at(0, 0, 0)).await.unwrap();
    // Each exchange takes half a minute.
    let taken = |exchanges: i64| at(0, 0, 1).plus_millis(exchanges * 30_000);
    let clock = || taken(i64::try_from(receiver.received().len()).unwrap());
    assert_eq!(receiver.run_by(test, &clock).await.delivered, 2);
    for (number, one) in (0..).zip(receiver.received()) {
        assert_eq!(one.timestamp, (taken(number).get() / 1000).to_string(), "receivers refuse old ones");
        assert!(verify(&receiver.secret.expose(), &one.id, &one.timestamp, &one.body, &one.signature), "{one:?}");
    }
    // A line that takes longer than its turn goes on in the next run: others are looked for in between.
    lent.lend(2, family, jiff::civil::date(2027, 6, 15), at(1, 0, 0)).await.unwrap();
    let clock = || at(1, 0, 0).plus_millis(i64::try_from(receiver.received().len()).unwrap() * 90_000);
    assert_eq!(receiver.run_by(test, &clock).await, Done { delivered: 1, later: 0, given_up: 0 });
    assert_eq!(receiver.run_by(test, &clock).await, Done { delivered: 1, later: 0, given_up: 0 });
}

async fn a_target_that_does_not_answer_delays_no_other_and_keeps_its_order(test: &TestStore) {
    const BACKLOG: u64 = 210;
    let receiver = Receiver::start().await;
    let slow = receiver.ask_slow(test, vec![EventKind::LoanReserved]).await;
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let rows: Vec<String> = (0..BACKLOG)
        .map(|number| {
            let (id, webhook) = (raw.uuid(Uuid::new_v4()), raw.uuid(slow));
            let since = at(-1, 0, 0).get().unsigned_abs() + number;
            format!("({id}, {webhook}, 'loan.reserved', '{{\"n\":{number}}}', 'waiting', 0, {since})")
        })
        .collect();
    let columns = "id, webhook_id, event, payload, state, next_attempt_at, created_at";
    raw.execute(&format!("INSERT INTO webhook_delivery ({columns}) VALUES {}", rows.join(", "))).await.unwrap();
    receiver.ask(test, vec![EventKind::LoanHandedOver]).await;
    let lent = Lent::new(&test.store, test.url(), &receiver.vault, at(0, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(0, 0, 0)).await.unwrap();
    lent.lend(1, family, jiff::civil::date(2027, 6, 15), at(0, 0, 0)).await.unwrap();
    let others = async {
        receiver.comes("/hook").await;
        *receiver.inbox.answer.lock().unwrap() = StatusCode::SERVICE_UNAVAILABLE;
        receiver.inbox.patience.add_permits(1);
    };
    let (done, ()) = tokio::join!(receiver.run(test, at(0, 0, 1)), others);
    assert_eq!(done, Done { delivered: 1, later: BACKLOG + 1, given_up: 0 });
    assert_eq!(receiver.at("/slow").len(), 1, "one attempt for the whole line");
    // What happens later does not overtake what waits.
    lent.lend(2, family, jiff::civil::date(2027, 6, 15), at(0, 0, 2)).await.unwrap();
    *receiver.inbox.answer.lock().unwrap() = StatusCode::NO_CONTENT;
    receiver.inbox.patience.add_permits(1_000);
    assert_eq!(receiver.run(test, at(0, 0, 2)).await.delivered, 1, "the other's");
    assert_eq!(receiver.at("/slow").len(), 1);
    assert_eq!(receiver.run(test, at(0, 0, 10)).await.delivered, BACKLOG + 2);
    let told: Vec<u64> = receiver
        .at("/slow")
        .iter()
        .filter_map(|one| serde_json::from_str::<serde_json::Value>(&one.body).unwrap()["n"].as_u64())
        .collect();
    assert_eq!(told, std::iter::once(0).chain(0..BACKLOG).collect::<Vec<_>>(), "the first twice, then in order");
    assert!(receiver.received().last().unwrap().body.contains("loan.reserved"));
}

async fn a_webhook_that_is_disabled_is_told_nothing_more(test: &TestStore) {
    let receiver = Receiver::start().await;
    let id = receiver.ask_slow(test, vec![]).await;
    let lent = Lent::new(&test.store, test.url(), &receiver.vault, at(0, 0, 0)).await.unwrap();
    let family = lent.family(1, &["f@x.example"], at(0, 0, 0)).await.unwrap();
    lent.lend(1, family, jiff::civil::date(2027, 6, 15), at(0, 0, 0)).await.unwrap();
    // While it is told of the first of two events.
    let disabled = async {
        receiver.comes("/slow").await;
        let mut tx = test.store.write().await.unwrap();
        assert!(webhook::disable(&mut tx, id, at(0, 0, 1)).await.unwrap());
        tx.commit().await.unwrap();
        receiver.inbox.patience.add_permits(10);
    };
    tokio::join!(receiver.run(test, at(0, 0, 1)), disabled);
    assert_eq!(receiver.received().len(), 1);
    // An event whose unit of work began before and ended after.
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let sql = "UPDATE webhook_delivery SET state = 'waiting', finished_at = NULL";
    raw.execute(sql).await.unwrap();
    assert_eq!(receiver.run(test, at(0, 0, 2)).await, Done { delivered: 0, later: 0, given_up: 2 });
    assert_eq!(receiver.received().len(), 1);
    let standing = webhook::list(&mut test.store.read().await.unwrap()).await.unwrap();
    assert_eq!((standing[0].waiting, standing[0].given_up), (0, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_where_it_may_not() {
    let receiver = Receiver::start().await;
    let (secret, now) = (&receiver.secret, at(0, 0, 0));
    let port = receiver.address.port();
    let settings = |hosts: &[&str], loopback: bool| WebhookSettings {
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        loopback,
        authority: None,
    };
    // The name is allowed, but leads to this host: refused unless the configuration says otherwise.
    let strict =
        Teller::new(settings(&["localhost", "127.0.0.1", "169.254.169.254", "::1", "0.0.0.0"], false)).unwrap();
    for url in [
        format!("https://localhost:{port}/hook"),
        format!("https://127.0.0.1:{port}/hook"),
        format!("https://[::1]:{port}/hook"),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        format!("https://0.0.0.0:{port}/hook"),
    ] {
        let refused = strict.tell(&url, secret, "msg_1", "{}", now).await.unwrap_err();
        assert!(matches!(refused, Refusal::Inside(_)), "{url}: {refused}");
    }
    let foreign = strict.tell("https://elsewhere.example/", secret, "msg_1", "{}", now).await;
    assert_eq!(foreign, Err(Refusal::Target(InvalidTarget::NotAllowed)));
    let plain = strict.tell(&format!("http://localhost:{port}/hook"), secret, "msg_1", "{}", now).await;
    assert_eq!(plain, Err(Refusal::Target(InvalidTarget::Form)));
    // A certificate of an authority that nobody trusts.
    let trusting_nobody = Teller::new(settings(&["localhost"], true)).unwrap();
    let refused = trusting_nobody.tell(&receiver.url(), secret, "msg_1", "{}", now).await.unwrap_err();
    assert!(matches!(refused, Refusal::Connection(_)), "{refused}");
    assert!(receiver.received().is_empty());
    assert_eq!(receiver.teller.tell(&receiver.url(), secret, "msg_1", "{}", now).await, Ok(()));
}
