//! From which page of ours a request came, by what the browser says of it: to lead back there, and nowhere else.

use axum::http::{HeaderMap, Uri, header};

use crate::auth::safe_next;

/// Parts of an address that tell what became of an act: on the way back they would say it once more.
const OUTCOMES: [&str; 3] = ["done=", "problem=", "last="];

/// The address of the page, as a path of ours; nothing where the browser does not say it, or names another host.
///
/// `asked` is the request's own address: over HTTP/2 its host stands there.
pub(super) fn came_from(headers: &HeaderMap, asked: &Uri) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let page: Uri = text(header::REFERER)?.parse().ok()?;
    let host = text(header::HOST).or_else(|| asked.authority().map(axum::http::uri::Authority::as_str))?;
    if page.authority()?.as_str() != host {
        return None;
    }
    let parts = page.query().unwrap_or_default().split('&');
    let kept = |part: &&str| !part.is_empty() && !OUTCOMES.iter().any(|outcome| part.starts_with(outcome));
    let query = parts.filter(kept).collect::<Vec<_>>().join("&");
    let address = if query.is_empty() { page.path().to_owned() } else { format!("{}?{query}", page.path()) };
    (safe_next(Some(&address)) == address).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(referer: &str, host: Option<&str>, asked: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::REFERER, referer.parse().unwrap());
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        came_from(&headers, &asked.parse().unwrap())
    }

    #[test]
    fn it_leads_back_to_a_page_of_ours_without_its_message() {
        let ours = Some("cartable.example");
        let asked = "/needs";
        assert_eq!(from("https://cartable.example/needs?state=open", ours, asked).unwrap(), "/needs?state=open");
        let told = "https://cartable.example/hand-over?code=CD%2D1&done=saved&last=7";
        assert_eq!(from(told, ours, asked).unwrap(), "/hand-over?code=CD%2D1");
        assert_eq!(from("https://cartable.example/needs?done=saved", ours, asked).unwrap(), "/needs");
        let over_http_2 = from("https://cartable.example/needs", None, "https://cartable.example/needs");
        assert_eq!(over_http_2.unwrap(), "/needs");
    }

    #[test]
    fn it_leads_nowhere_else() {
        let ours = Some("cartable.example");
        for referer in [
            "https://evil.example/needs",
            "https://cartable.example.evil.example/needs",
            "https://cartable.example@evil.example/needs",
            "https://cartable.example//evil.example",
            "https://cartable.example/sign-in?next=/needs",
            "/needs",
            "about:blank",
            "",
        ] {
            assert_eq!(from(referer, ours, "/needs"), None, "{referer}");
        }
        assert_eq!(from("https://cartable.example/needs", None, "/needs"), None, "no host to compare with");
        assert_eq!(came_from(&HeaderMap::new(), &Uri::from_static("/needs")), None);
    }
}
