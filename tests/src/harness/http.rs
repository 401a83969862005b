//! Clients for the console's address: the JSON API with a token, and pages as a browser without JavaScript gets them.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, COOKIE, HeaderMap, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde_json::Value;

/// A client for plain HTTP on loopback that follows no redirect.
pub fn plain_client() -> anyhow::Result<reqwest::Client> {
    // reqwest wants a TLS configuration even where none is used; no root is trusted.
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none()).no_proxy().build()?)
}

/// The JSON API with a bearer token.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    /// The API of the console at `base`.
    pub fn new(base: &str, token: &str) -> anyhow::Result<Self> {
        Ok(Self { http: plain_client()?, base: base.to_owned(), token: token.to_owned() })
    }

    /// Any request; `path` begins with `/`.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        let value = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).context(text)? };
        Ok((status, value))
    }

    /// What is at `path`; anything but 200 is an error.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let (status, value) = self.request(Method::GET, path, None).await?;
        ensure!(status == StatusCode::OK, "GET {path} answered {status}: {value}");
        Ok(value)
    }
}

/// A page that the console answered.
#[derive(Clone, Debug)]
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub html: String,
}

/// A signed-in visitor of the console, without JavaScript.
#[derive(Clone, Debug)]
pub struct Visitor {
    http: reqwest::Client,
    base: String,
    cookies: String,
}

impl Visitor {
    /// Signs in at the console at `base` through its own form.
    pub async fn sign_in(base: &str, login: &str, password: &str) -> anyhow::Result<Self> {
        let mut visitor = Self { http: plain_client()?, base: base.to_owned(), cookies: String::new() };
        let form = visitor.get("/sign-in").await?;
        visitor.keep_cookies(&form.headers);
        let csrf = hidden_field(&form.html, "csrf");
        let mut fields = vec![("login", login), ("password", password)];
        if let Some(csrf) = &csrf {
            fields.push(("csrf", csrf));
        }
        let answer = visitor.post("/sign-in", &fields).await?;
        visitor.keep_cookies(&answer.headers);
        if answer.status != StatusCode::SEE_OTHER {
            bail!("signing in answered {}: {}", answer.status, answer.html);
        }
        Ok(visitor)
    }

    /// The page at `path`.
    pub async fn get(&self, path: &str) -> anyhow::Result<Page> {
        let request = self.http.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookies);
        page(request.header("accept-language", "fr").send().await?).await
    }

    /// Posts a form to `path`.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        page(self.send(path, fields).await?).await
    }

    /// Posts a form to `path` and gives the file that is answered.
    pub async fn file(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Vec<u8>> {
        let answer = self.send(path, fields).await?;
        if answer.status() != StatusCode::OK {
            bail!("{path} answered {}: {}", answer.status(), answer.text().await?);
        }
        Ok(answer.bytes().await?.to_vec())
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<reqwest::Response> {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", form_encoded(value))).collect();
        let request = self
            .http
            .post(format!("{}{path}", self.base))
            .header(COOKIE, &self.cookies)
            .header(ORIGIN, &self.base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.join("&"));
        Ok(request.send().await?)
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default().to_owned();
            let others: Vec<&str> = self
                .cookies
                .split("; ")
                .filter(|kept| !kept.is_empty() && kept.split('=').next() != Some(&name))
                .collect();
            self.cookies = others.into_iter().chain([pair]).collect::<Vec<_>>().join("; ");
        }
    }
}

async fn page(response: reqwest::Response) -> anyhow::Result<Page> {
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Page { status, headers, html: response.text().await? })
}

/// The value of the first hidden field `name` in a form.
pub fn hidden_field(html: &str, name: &str) -> Option<String> {
    let at = html.find(&format!("name=\"{name}\""))?;
    let tag_start = html[..at].rfind('<')?;
    let tag = &html[tag_start..tag_start + html[tag_start..].find('>')?];
    let value = tag.split_once("value=\"")?.1;
    Some(value.split('"').next()?.to_owned())
}

fn form_encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_field_is_found_whatever_the_order_of_its_attributes() {
        let html = r#"<form><input type="hidden" value="abc" name="csrf"><input name="login" value="x"></form>"#;
        assert_eq!(hidden_field(html, "csrf").as_deref(), Some("abc"));
        assert_eq!(hidden_field(html, "other"), None);
    }
}
