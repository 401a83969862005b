//! Console and API in this process, without a listener: for tests that send many requests to a store they know.

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    http::{Method, Request, Response, StatusCode, header},
};
use cartable_common::UtcMillis;
use cartable_server::{
    api,
    app::App,
    auth::{ClientAddress, Person, Role, account, sign_in},
    clock,
    config::DocumentSettings,
    console,
    documents::Documents,
    domain::{
        policy::{LivePolicy, Policy},
        school_calendar::Zone,
        scope::Scope,
    },
    pki::MasterKey,
    store::{
        Store, Tx,
        site::{self, NewSite},
    },
    vault::Vault,
};
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::simulator::site::uai_code;

/// A password that is good enough for everybody.
pub const PASSWORD: &str = "correct-cheval-pile-agrafe";
/// Largest answer that a test reads.
const MAX_ANSWER: usize = 16 << 20;

/// The console's address, as QR codes have it.
pub const CONSOLE: &str = "https://cartable.example";

/// Console and API over a store.
#[derive(Clone, Debug)]
pub struct InProcess {
    /// What handlers share.
    pub app: App,
    router: Router,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: axum::http::HeaderMap,
    /// Its body.
    pub body: String,
    /// Its body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header's text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl InProcess {
    /// Over `store`, as on plain loopback HTTP.
    pub fn new(store: &Store) -> Self {
        let letterhead =
            DocumentSettings { issuer: Some("Département de Valmarin".into()), ..DocumentSettings::default() };
        let app = App {
            store: store.clone(),
            policy: LivePolicy::new(Policy::default()),
            vault: Vault::new(&MasterKey::of([7; 32])),
            documents: Documents::new(&letterhead, Some(CONSOLE)).expect("the built-in templates are sound"),
            secure_cookies: false,
        };
        let router = console::router(app.clone()).merge(api::router(app.clone()));
        Self { app, router }
    }

    /// What serves it all.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// The id of the `number`th site, which was added before.
    pub async fn site_id(&self, tx: &mut Tx, number: u32) -> anyhow::Result<Uuid> {
        let uai = uai_code(96, number).parse().map_err(|error| anyhow::anyhow!("{error}"))?;
        let found = site::find_by_uai(tx, &Scope::Everything, &uai).await?;
        Ok(found.context("a site that was added")?.id)
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request<Body>) -> anyhow::Result<Answer> {
        let response: Response<Body> = self.router.clone().oneshot(request).await?;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, MAX_ANSWER).await.context("the answer's body")?;
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Answer { status: parts.status, headers: parts.headers, body, bytes: bytes.to_vec() })
    }

    /// GET with an API token.
    pub async fn get(&self, path: &str, token: &str) -> anyhow::Result<Answer> {
        self.call(&Method::GET, path, Some(token), None).await
    }

    /// Any call of the API.
    pub async fn call(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Option<serde_json::Value>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body)?).await
    }

    /// Adds a site, the `number`th.
    pub async fn site(&self, number: u32) -> anyhow::Result<Uuid> {
        let new = NewSite {
            uai: uai_code(96, number).parse().map_err(|error| anyhow::anyhow!("{error}"))?,
            name: format!("Collège {number}"),
            commune: "Valmarin".to_owned(),
            zone: Zone::B,
        };
        let mut tx = self.app.store.write().await?;
        let id = site::put(&mut tx, &new, clock::now()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Adds a person whose password is [`PASSWORD`].
    pub async fn person(&self, login: &str, role: Role, scope: Scope) -> anyhow::Result<()> {
        let person = Person {
            id: Uuid::new_v4(),
            login: login.parse()?,
            display_name: login.to_owned(),
            role,
            scope,
            language: None,
        };
        Ok(account::create(&self.app.store, "test", person, PASSWORD, clock::now()).await?)
    }

    /// An API token of that person.
    pub async fn token(&self, login: &str) -> anyhow::Result<String> {
        let now = clock::now();
        let login = login.parse()?;
        let (_, secret) = account::create_token(&self.app.store, "test", &login, "test", now.plus_days(1), now).await?;
        Ok(secret.expose().to_owned())
    }

    /// Signs that person in at `now` and gives the cookie as a browser sends it.
    pub async fn cookie(&self, login: &str, now: UtcMillis) -> anyhow::Result<String> {
        let client = ClientAddress([192, 0, 2, 1].into());
        let cookie = sign_in(&self.app, login, PASSWORD, client, now).await?;
        let text = cookie.header().to_str()?.to_owned();
        Ok(text.split(';').next().unwrap_or_default().to_owned())
    }
}
