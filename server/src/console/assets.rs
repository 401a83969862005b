//! Static files, built into the program and served under addresses that hold their content's hash: a browser may keep
//! one for a year, and a new version has a new address.

use std::sync::LazyLock;

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

const CSS: &str = include_str!("../../static/cartable.css");
const JS: &str = include_str!("../../static/desk.js");
const LOGO: &str = include_str!("../../static/logo.svg");
/// A year, the longest that RFC 9111's readers agree on.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// A file and the address it is served under.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) address: String,
    pub(super) content: &'static str,
    content_type: &'static str,
}

impl Asset {
    fn new(name: &str, extension: &str, content: &'static str, content_type: &'static str) -> Self {
        let hash = HEXLOWER.encode(&Sha256::digest(content)[..8]);
        Self { address: format!("/static/{name}.{hash}.{extension}"), content, content_type }
    }
}

/// The stylesheet.
pub(super) static STYLESHEET: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("cartable", "css", CSS, "text/css; charset=utf-8"));
/// The desks' script.
pub(super) static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("desk", "js", JS, "text/javascript; charset=utf-8"));
/// The icon.
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("logo", "svg", LOGO, "image/svg+xml"));

/// `GET /static/{file}`.
pub(super) async fn serve(Path(file): Path<String>) -> Response {
    let wanted = |asset: &&Asset| asset.address.strip_prefix("/static/") == Some(file.as_str());
    match [&*STYLESHEET, &*SCRIPT, &*ICON].into_iter().find(wanted) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, FOREVER)], asset.content)
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stylesheet_and_script_ask_nothing_of_anybody_else() {
        assert!(!CSS.contains("url(") && !CSS.contains("@import") && !CSS.contains("http"));
        assert!(!JS.contains("http") && !JS.contains("eval") && !JS.contains("import"));
        assert!(STYLESHEET.address.starts_with("/static/cartable."));
    }
}
