//! What other systems' agents are told, in their own terms: GLPI Agent in JSON, FusionInventory in XML.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use crate::{
    domain::{
        foreign_agent::{INTERVAL_HOURS, UNWANTED_CATEGORIES, UNWANTED_TASKS},
        reading::agents::Wording,
    },
    gateway::refusal::Refusal,
};

/// By this GLPI Agent says that it knows its own protocol. Its value names an installation and is not looked at.
const AGENT_ID: &str = "glpi-agent-id";
/// Names a request in the agent's log, and its answer.
const REQUEST_ID: &str = "glpi-request-id";
/// A request's name: so many hexadecimal digits.
const REQUEST_ID_CHARS: usize = 8;
/// The version of GLPI that inventories are written for: the first that takes them in JSON.
const GLPI_VERSION: &str = "10.0.0";

/// What there is to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// An inventory is wanted, and how.
    Contact(Wording),
    /// The inventory is durable.
    Taken(Wording),
}

/// Answers one request.
#[derive(Debug)]
pub(super) struct Teller {
    is_glpi: bool,
    request_id: Option<HeaderValue>,
}

impl Teller {
    /// For a request with these headers.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let is_name = |value: &&HeaderValue| {
            value.len() == REQUEST_ID_CHARS && value.as_bytes().iter().all(u8::is_ascii_hexdigit)
        };
        Self { is_glpi: headers.contains_key(AGENT_ID), request_id: headers.get(REQUEST_ID).filter(is_name).cloned() }
    }

    /// The answer.
    pub(super) fn answer(self, answer: Answer) -> Response {
        match answer {
            Answer::Contact(Wording::Json) => self.json(&wanted(), Response::default()),
            // GLPI Agent asks in XML until it knows whom it speaks to. Only its own question is answered with what it leaves
            // out: so it is made to ask that at once, before it lists anything.
            Answer::Contact(Wording::Xml) if self.is_glpi => {
                self.json(&json!({"status": "pending"}), Response::default())
            }
            Answer::Contact(Wording::Xml) => {
                let words = format!("<RESPONSE>SEND</RESPONSE><PROLOG_FREQ>{INTERVAL_HOURS}</PROLOG_FREQ>");
                self.xml(&words, Response::default())
            }
            Answer::Taken(Wording::Json) => {
                self.json(&json!({"status": "ok", "expiration": INTERVAL_HOURS}), Response::default())
            }
            Answer::Taken(Wording::Xml) => {
                let words = format!("<PROLOG_FREQ>{INTERVAL_HOURS}</PROLOG_FREQ>");
                self.xml(&words, Response::default())
            }
        }
    }

    /// A refusal, with the status and the headers that everybody gets.
    pub(super) fn refusal(self, refusal: Refusal) -> Response {
        let detail = refusal.detail();
        let response = refusal.into_response();
        if self.is_glpi {
            self.json(&json!({"status": "error", "message": detail}), response)
        } else {
            self.xml(&format!("<ERROR>{}</ERROR>", escaped(&detail)), response)
        }
    }

    fn json(self, words: &serde_json::Value, response: Response) -> Response {
        self.with(words.to_string(), "application/json", response)
    }

    fn xml(self, words: &str, response: Response) -> Response {
        let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<REPLY>{words}</REPLY>\n");
        self.with(text, "application/xml", response)
    }

    /// `response`, saying `text`.
    fn with(self, text: String, media: &'static str, response: Response) -> Response {
        let (mut parts, _) = response.into_parts();
        parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        if let Some(name) = self.request_id {
            parts.headers.insert(REQUEST_ID, name);
        }
        Response::from_parts(parts, Body::from(text))
    }
}

/// What GLPI Agent is to do: an inventory, without what must not leave the machine, and nothing else. Named are server and
/// version too: without them the agent asks in XML once more.
fn wanted() -> serde_json::Value {
    json!({
        "status": "ok",
        "message": "Parts, system, space and batteries are taken; names, people, programs and networks never.",
        "expiration": INTERVAL_HOURS,
        "disabled": UNWANTED_TASKS,
        "tasks": {
            "inventory": {"server": "glpi", "version": GLPI_VERSION, "no-category": UNWANTED_CATEGORIES},
        },
    })
}

/// `text` within XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn teller(headers: &[(&'static str, &'static str)]) -> Teller {
        let mut all = HeaderMap::new();
        for &(name, value) in headers {
            all.insert(name, HeaderValue::from_static(value));
        }
        Teller::of(&all)
    }

    async fn said(response: Response) -> (StatusCode, HeaderMap, String) {
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 4096).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn glpi_agent_is_told_what_to_leave_out_before_it_lists_anything() {
        let glpi = || teller(&[(AGENT_ID, "x"), (REQUEST_ID, "0A1B2C3D")]);
        let (status, headers, text) = said(glpi().answer(Answer::Contact(Wording::Xml))).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::OK, r#"{"status":"pending"}"#),
            "no expiration: it asks at once"
        );
        assert_eq!(headers[REQUEST_ID], "0A1B2C3D");
        let (_, headers, text) = said(glpi().answer(Answer::Contact(Wording::Json))).await;
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&told["status"], &told["expiration"]), (&json!("ok"), &json!(24)));
        let left_out = told["tasks"]["inventory"]["no-category"].as_str().unwrap();
        for category in ["software", "user", "local_user", "process", "environment", "network"] {
            assert!(left_out.split(',').any(|one| one == category), "{left_out}");
        }
        assert!(told["disabled"].as_array().unwrap().contains(&json!("deploy")));
        assert!(!told["disabled"].as_array().unwrap().contains(&json!("inventory")));
    }

    #[tokio::test]
    async fn fusioninventory_is_answered_in_xml() {
        let (_, headers, text) = said(teller(&[]).answer(Answer::Contact(Wording::Xml))).await;
        assert_eq!(headers[header::CONTENT_TYPE], "application/xml");
        assert!(text.contains("<RESPONSE>SEND</RESPONSE><PROLOG_FREQ>24</PROLOG_FREQ>"), "{text}");
        assert!(said(teller(&[]).answer(Answer::Taken(Wording::Xml))).await.2.contains("<REPLY>"));
    }

    #[tokio::test]
    async fn a_refusal_keeps_its_status_and_speaks_the_askers_language() {
        let refused = || Refusal::new(StatusCode::FORBIDDEN, "revoked", "Refused", "Ask <them> & wait.").retry_after(5);
        let (status, headers, text) = said(teller(&[(AGENT_ID, "x")]).refusal(refused())).await;
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (status, told),
            (StatusCode::FORBIDDEN, json!({"status": "error", "message": "Ask <them> & wait."}))
        );
        assert_eq!(headers[header::RETRY_AFTER], "5");
        assert_eq!(headers[header::CONTENT_TYPE], "application/json");
        let (status, _, text) = said(teller(&[]).refusal(refused())).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains("<ERROR>Ask &lt;them&gt; &amp; wait.</ERROR>"), "{text}");
    }

    #[test]
    fn only_what_names_a_request_is_given_back() {
        for odd in ["", "0A1B2C3", "0A1B2C3D4", "0A1B 2C3"] {
            assert!(teller(&[(REQUEST_ID, odd)]).request_id.is_none(), "{odd}");
        }
    }
}
