//! A person signed in to the console of [`InProcess`], as a browser would be: its cookie, and the proof in its forms.

use anyhow::Context as _;
use axum::{
    body::Body,
    http::{Request, header, request::Builder},
};
use cartable_server::{auth::Role, clock, domain::scope::Scope};

use crate::in_process::{Answer, InProcess};

/// A person signed in.
#[derive(Clone, Debug)]
pub struct Pages {
    cartable: InProcess,
    cookie: String,
    csrf: String,
    /// What the browser asks for; the console's own choice without.
    language: Option<&'static str>,
}

/// A file that is chosen in a form.
#[derive(Clone, Copy, Debug, Default)]
pub struct File<'a> {
    /// What it is called on the person's computer.
    pub name: &'a str,
    /// What it holds.
    pub content: &'a [u8],
}

impl InProcess {
    /// Signs that person in.
    pub async fn signed_in(&self, login: &str) -> anyhow::Result<Pages> {
        let cookie = self.cookie(login, clock::now()).await?;
        let mut pages = Pages { cartable: self.clone(), cookie, csrf: String::new(), language: None };
        let overview = pages.get("/").await?.body;
        let csrf = overview.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        csrf.context("a form on the overview")?.clone_into(&mut pages.csrf);
        Ok(pages)
    }

    /// Adds a person and signs it in. Its pages are in English.
    pub async fn desk(&self, login: &str, role: Role, scope: Scope) -> anyhow::Result<Pages> {
        self.person(login, role, scope).await?;
        Ok(self.signed_in(login).await?.speaking("en"))
    }
}

impl Pages {
    /// The same person with a browser that asks for `language`.
    #[must_use]
    pub fn speaking(mut self, language: &'static str) -> Self {
        self.language = Some(language);
        self
    }

    /// Reads a page.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.cartable.send(self.request("GET", path).body(Body::empty())?).await
    }

    /// Sends a form: its fields as a browser encodes them, without the proof.
    pub async fn post(&self, path: &str, fields: &str) -> anyhow::Result<Answer> {
        self.cartable.send(self.form(path).body(self.proven(fields))?).await
    }

    /// Sends a form as the desks' script does, which asks for the new line alone.
    pub async fn line(&self, path: &str, fields: &str) -> anyhow::Result<Answer> {
        self.cartable.send(self.form(path).header("x-cartable-line", "1").body(self.proven(fields))?).await
    }

    fn form(&self, path: &str) -> Builder {
        self.request("POST", path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    fn proven(&self, fields: &str) -> Body {
        Body::from(format!("{fields}&csrf={}", self.csrf))
    }

    /// Sends a form with a file, as a browser encodes it: without a file where none was chosen.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], file: Option<File<'_>>) -> anyhow::Result<Answer> {
        const EDGE: &str = "----cartable-test";
        let mut body = Vec::new();
        for (name, value) in [("csrf", self.csrf.as_str())].iter().chain(fields) {
            body.extend(format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").bytes());
            body.extend(value.replace('\n', "\r\n").bytes());
            body.extend(b"\r\n");
        }
        let File { name, content } = file.unwrap_or_default();
        let head = "Content-Disposition: form-data; name=\"file\"; filename";
        body.extend(format!("--{EDGE}\r\n{head}=\"{name}\"\r\nContent-Type: text/plain\r\n\r\n").bytes());
        body.extend(content);
        body.extend(format!("\r\n--{EDGE}--\r\n").bytes());
        let kind = format!("multipart/form-data; boundary={EDGE}");
        self.cartable.send(self.request("POST", path).header(header::CONTENT_TYPE, kind).body(Body::from(body))?).await
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "cartable.example")
            .header(header::ORIGIN, "https://cartable.example")
            .header(header::COOKIE, &self.cookie);
        match self.language {
            Some(language) => request.header(header::ACCEPT_LANGUAGE, language),
            None => request,
        }
    }
}
