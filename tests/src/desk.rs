//! A person at the console, signed in: sends forms as a browser does.

use axum::{
    body::Body,
    http::{Request, header},
};
use cartable_server::{auth::Role, clock, domain::scope::Scope};

use crate::{
    in_process::{Answer, InProcess},
    raw::Raw,
    stores::TestStore,
};

/// A person at a desk.
#[derive(Debug)]
pub struct Desk<'a> {
    cartable: &'a InProcess,
    cookie: String,
    csrf: String,
}

impl<'a> Desk<'a> {
    /// Adds a person and signs it in. The pages are in English.
    pub async fn open(
        test: &TestStore,
        cartable: &'a InProcess,
        login: &str,
        role: Role,
        scope: Scope,
    ) -> anyhow::Result<Self> {
        cartable.person(login, role, scope).await?;
        let cookie = cartable.cookie(login, clock::now()).await?;
        let sql =
            format!("SELECT csrf_token FROM session s JOIN person p ON p.id = s.person_id WHERE p.login = '{login}'");
        let csrf = Raw::connect(test.url()).await?.texts(&sql).await?.remove(0);
        Ok(Self { cartable, cookie, csrf })
    }

    fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "cartable.example")
            .header(header::ORIGIN, "https://cartable.example")
            .header(header::ACCEPT_LANGUAGE, "en")
            .header(header::COOKIE, &self.cookie)
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.cartable.send(self.request("GET", path).body(Body::empty())?).await
    }

    /// Sends a form; its proof is added.
    pub async fn post(&self, path: &str, fields: &str) -> anyhow::Result<Answer> {
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("{fields}&csrf={}", self.csrf)))?;
        self.cartable.send(request).await
    }
}
