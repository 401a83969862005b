//! A small gateway, and strangers in its place, for the agent's tests: real TLS, one thread per connection, no async.

mod authority;
mod healing;
mod laptop;
mod tls;

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cartable_common::{
    ContentHash, DeviceId, EnrolmentId, UtcMillis,
    action::SignedActions,
    protocol::{
        CertificateGrant, CheckInRequest, CheckInResponse, Disclosure, EnrolPending, EnrolRequest, HealRequest,
        RecoverNonce, RecoverRequest, RenewRequest,
    },
    trust::TrustChain,
};
use rcgen::CertificateSigningRequestParams;

use self::tls::{Tls, accept};
pub(crate) use self::{
    authority::Authority,
    laptop::{Done, Laptop, write},
};

/// Who answers at the gateway's address.
#[derive(Clone, Debug)]
pub(crate) enum Answers {
    /// A Cartable gateway.
    Cartable,
    /// A gateway whose certificate ended in 2021.
    CartableOfThePast,
    /// A gateway whose clock says, to whoever recovers, that it is so many days ago.
    CartableOfDaysAgo(i64),
    /// A gateway that wants a person's approval before it enrols or lets a laptop recover; certificates have ended.
    Approval,
    /// A gateway that wants a person's approval before it enrols, and knows those that are enrolled.
    Queue,
    /// A gateway that refuses every enrolment with this kind of problem, and knows those that are enrolled.
    NoEnrolment(&'static str),
    /// A gateway that knows the key as another machine's, and grants another one.
    Cloned,
    /// The same, but a person must approve it.
    ClonedWaits,
    /// The same as `Cloned`, but the answer to the request for another key gets lost.
    ClonedLost,
    /// The same as `Cloned`, but by its clock every certificate has ended until one is recovered.
    ClonedEnded,
    /// A gateway by whose clock every certificate has ended until it is recovered: that of an enrolment too.
    Ended,
    /// A gateway that answers every recovery with this status and these further headers, and else as it should.
    NoRecovery(u16, &'static str),
    /// The pinned gateway's TLS, but this status, further headers and body.
    Http(u16, &'static str, String),
    /// Plain HTTP where TLS is expected.
    Plain(&'static str),
    /// Another authority's certificate (a filter that opens connections).
    Interceptor,
    /// A Cartable gateway whose certificate is under its next root.
    NextRoot,
}

/// What was seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) check_ins: Vec<CheckInRequest>,
    pub(crate) enrolments: Vec<EnrolRequest>,
    pub(crate) nonces: usize,
    pub(crate) recoveries: Vec<RecoverRequest>,
    pub(crate) renewals: usize,
    /// Requests for another key.
    pub(crate) heals: Vec<HealRequest>,
    /// Whether another key was granted: the old one is no longer used.
    pub(crate) healed: bool,
    pub(crate) request_bytes: Vec<usize>,
    pub(crate) resumed: Vec<bool>,
    /// Everything that a stranger could read.
    pub(crate) clear_text: Vec<u8>,
    pub(crate) connections: usize,
    /// What `/v1/roots` answers.
    pub(crate) chain: TrustChain,
    /// How often it was asked.
    pub(crate) chains: usize,
    /// What families are to read, told to an agent that holds something else.
    pub(crate) disclosure: Option<Disclosure>,
    /// How often it was told.
    pub(crate) told: usize,
    /// What is ordered.
    pub(crate) actions: Option<SignedActions>,
    /// The number of the device that an enrolment or another key is granted for, where it is another than usual.
    pub(crate) device: Option<u128>,
    content: Option<ContentHash>,
}

pub(crate) struct Gateway {
    pub(crate) authority: Arc<Authority>,
    /// The authority that is to take its place.
    pub(crate) next: Arc<Authority>,
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Seen>>,
    answers: Arc<Mutex<Answers>>,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = Self {
            authority: Arc::new(Authority::new()),
            next: Arc::new(Authority::new()),
            address: listener.local_addr().unwrap(),
            seen: Arc::default(),
            answers: Arc::new(Mutex::new(Answers::Cartable)),
        };
        let shared = Shared {
            tls: Tls::new(&gateway.authority, &gateway.authority, false),
            past: Tls::new(&gateway.authority, &gateway.authority, true),
            foreign: Tls::new(&Authority::new(), &Authority::new(), false),
            next: Tls::new(&gateway.next, &gateway.authority, false),
            authority: gateway.authority.clone(),
            seen: gateway.seen.clone(),
        };
        let (shared, answers) = (Arc::new(shared), gateway.answers.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (shared, answers) = (shared.clone(), answers.lock().unwrap().clone());
                // A client that leaves in the middle is a test's business, not the server's.
                std::thread::spawn(move || drop(shared.serve(stream.unwrap(), &answers)));
            }
        });
        gateway
    }

    pub(crate) fn answer(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

struct Shared {
    tls: Tls,
    past: Tls,
    foreign: Tls,
    next: Tls,
    authority: Arc<Authority>,
    seen: Arc<Mutex<Seen>>,
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, answers: &Answers) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        self.seen.lock().unwrap().connections += 1;
        if let Answers::Plain(text) = answers {
            let mut hello = vec![0; 4096];
            let length = stream.read(&mut hello)?;
            self.seen.lock().unwrap().clear_text.extend_from_slice(&hello[..length]);
            return stream.write_all(text.as_bytes());
        }
        let (mut connection, enrols) = accept(&mut stream, self.tls_of(answers))?;
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let request = read_request(&mut tls)?;
        let mut seen = self.seen.lock().unwrap();
        seen.request_bytes.push(request.len());
        if matches!(answers, Answers::Interceptor) {
            seen.clear_text.extend_from_slice(&request);
        }
        let body_at = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let body = &request[body_at..];
        let (status, more, body) = if let Answers::Http(status, more, body) = answers {
            (*status, *more, body.clone().into_bytes())
        } else if request.starts_with(b"GET /v1/roots ") {
            assert!(enrols && body.is_empty(), "nothing of the laptop goes with the question");
            seen.chains += 1;
            (200, "", serde_json::to_vec(&seen.chain)?)
        } else if request.starts_with(b"POST /v1/recover") {
            assert!(enrols, "an agent recovers without its certificate");
            self.recover(&mut seen, &request, body, answers)
        } else if enrols && matches!(answers, Answers::Ended) {
            seen.enrolments.push(serde_json::from_slice(body)?);
            ended()
        } else if enrols {
            self.enrol(&mut seen, body, answers)
        } else if matches!(answers, Answers::ClonedEnded) && seen.recoveries.is_empty() {
            ended()
        } else if request.starts_with(b"POST /v1/heal") {
            let Some(answer) = self.heal(&mut seen, serde_json::from_slice(body)?, answers) else { return Ok(()) };
            answer
        } else if !seen.healed && answers.is_cloned() {
            (403, "", healing::KEY_CLONED.as_bytes().to_vec())
        } else if matches!(answers, Answers::Approval) {
            ended()
        } else if request.starts_with(b"POST /v1/renew") {
            seen.renewals += 1;
            let renew: RenewRequest = serde_json::from_slice(body)?;
            (200, "", serde_json::to_vec(&self.grant(&renew.csr_pem))?)
        } else {
            (200, "", serde_json::to_vec(&check_in(&mut seen, serde_json::from_slice(body)?))?)
        };
        drop(seen);
        write!(tls, "HTTP/1.1 {status} X\r\n{more}content-length: {}\r\n\r\n", body.len())?;
        tls.write_all(&body)?;
        tls.flush()?;
        // Until the agent closes, as it promises to.
        let ended = matches!(tls.read(&mut [0; 1]), Ok(0) | Err(_));
        let resumed = connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        self.seen.lock().unwrap().resumed.push(resumed);
        assert!(ended, "the agent sent something after its request");
        Ok(())
    }

    fn tls_of(&self, answers: &Answers) -> &Tls {
        match answers {
            Answers::Interceptor => &self.foreign,
            Answers::CartableOfThePast => &self.past,
            Answers::NextRoot => &self.next,
            Answers::Cartable
            | Answers::CartableOfDaysAgo(_)
            | Answers::Approval
            | Answers::Queue
            | Answers::NoEnrolment(_)
            | Answers::Cloned
            | Answers::ClonedWaits
            | Answers::ClonedLost
            | Answers::ClonedEnded
            | Answers::Ended
            | Answers::NoRecovery(..)
            | Answers::Http(..)
            | Answers::Plain(_) => &self.tls,
        }
    }

    fn enrol(&self, seen: &mut Seen, body: &[u8], answers: &Answers) -> (u16, &'static str, Vec<u8>) {
        let request: EnrolRequest = serde_json::from_slice(body).unwrap();
        let answer = if let Answers::NoEnrolment(kind) = answers {
            let problem =
                format!(r#"{{"type":"urn:cartable:problem:{kind}","title":"No","status":403,"detail":"No."}}"#);
            (403, "", problem.into_bytes())
        } else if matches!(answers, Answers::Approval | Answers::Queue) {
            let pending = EnrolPending { retry_after_seconds: 30, reason: "the serial number is known".into() };
            (202, "", serde_json::to_vec(&pending).unwrap())
        } else {
            let grant = self.grant(&request.csr_pem);
            let device_id = seen.device.map_or(grant.device_id, |device| DeviceId(uuid::Uuid::from_u128(device)));
            (200, "", serde_json::to_vec(&CertificateGrant { device_id, ..grant }).unwrap())
        };
        seen.enrolments.push(request);
        answer
    }

    /// One of the two steps; the nonce is the number of those before it.
    fn recover(&self, seen: &mut Seen, request: &[u8], body: &[u8], answers: &Answers) -> (u16, &'static str, Vec<u8>) {
        if let Answers::NoRecovery(status, more) = answers {
            seen.nonces += 1;
            return (*status, *more, b"{}".to_vec());
        }
        if request.starts_with(b"POST /v1/recover/nonce ") {
            let days = if let Answers::CartableOfDaysAgo(days) = answers { *days } else { 0 };
            let nonce = format!("nonce-{}", seen.nonces);
            seen.nonces += 1;
            let server_time = now().plus_days(-days);
            let answer = RecoverNonce { nonce, valid_for_seconds: 120, server_time };
            return (200, "", serde_json::to_vec(&answer).unwrap());
        }
        let request: RecoverRequest = serde_json::from_slice(body).unwrap();
        let answer = if matches!(answers, Answers::Approval) {
            let pending = EnrolPending { retry_after_seconds: 30, reason: "it was away for long".into() };
            (202, "", serde_json::to_vec(&pending).unwrap())
        } else {
            (200, "", serde_json::to_vec(&self.grant(&request.csr_pem)).unwrap())
        };
        seen.recoveries.push(request);
        answer
    }

    fn grant(&self, csr_pem: &str) -> CertificateGrant {
        let csr = CertificateSigningRequestParams::from_pem(csr_pem).unwrap();
        let certificate = csr.signed_by(&self.authority.issuer).unwrap();
        CertificateGrant {
            device_id: DeviceId(uuid::Uuid::from_u128(7)),
            enrolment_id: EnrolmentId(uuid::Uuid::from_u128(8)),
            certificate_chain_pem: certificate.pem(),
            not_after: now().plus_days(180),
            renew_from: now().plus_days(60),
            next_check_in_seconds: 60,
        }
    }
}

/// What a key is told whose certificate has ended.
fn ended() -> (u16, &'static str, Vec<u8>) {
    let problem = r#"{"type":"urn:cartable:problem:certificate-expired","title":"Certificate expired","status":401}"#;
    (401, "", problem.as_bytes().to_vec())
}

fn check_in(seen: &mut Seen, request: CheckInRequest) -> CheckInResponse {
    if let Some(last) = request.reports.last() {
        seen.content = Some(last.report.content_hash());
    }
    let disclosure = seen.disclosure.clone().filter(|disclosure| disclosure.mark != request.disclosure_mark);
    seen.told += usize::from(disclosure.is_some());
    let held = request.trust_bundle;
    let response = CheckInResponse {
        next_check_in_seconds: 3600,
        server_time: now(),
        acknowledged: request.reports.iter().map(|report| report.report_id).collect(),
        refused: Vec::new(),
        content_hash: seen.content,
        heal: false,
        renew: seen.renewals == 0 && seen.check_ins.len() == 1,
        exams_for_seconds: None,
        disclosure,
        trust_bundle: seen.chain.bundles.last().map(|newest| newest.number).filter(|newest| Some(*newest) != held),
        // Told until there is an answer.
        actions: seen.actions.clone().filter(|_| request.action_results.is_empty()),
        actions_answered: request.action_results.iter().map(|result| result.action_id).collect(),
        update: None,
    };
    seen.check_ins.push(request);
    response
}

/// Head and body of one request, by its content-length.
fn read_request(stream: &mut impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk)?;
        if length == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        request.extend_from_slice(&chunk[..length]);
        let Some(head_end) = request.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..head_end]).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1);
        let expected: usize = length.map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
        if request.len() >= head_end + 4 + expected {
            return Ok(request);
        }
    }
}

pub(crate) fn now() -> UtcMillis {
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UtcMillis::new(i64::try_from(age.as_millis()).unwrap()).unwrap()
}

/// The key that a certificate request is for.
pub(crate) fn public_key(csr_pem: &str) -> Vec<u8> {
    let read = CertificateSigningRequestParams::from_pem(csr_pem).unwrap();
    rcgen::PublicKeyData::der_bytes(&read.public_key).to_vec()
}
