//! The routes that a router really serves, read from the router itself: nobody keeps a second list.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use axum::Router;

const METHODS: [&str; 6] = ["get", "delete", "patch", "post", "put", "options"];

/// Method and path of everything that `router` serves, as its `Debug` shows them: axum has no other way to ask. When a
/// later axum shows something else, this fails instead of finding nothing.
pub(super) fn served(router: &Router) -> anyhow::Result<BTreeSet<String>> {
    let shown = format!("{router:?}");
    let inner = shown.split("fallback_router:").next().context("a router")?;
    let (mut methods, mut paths) = (BTreeMap::new(), BTreeMap::new());
    for part in inner.split("RouteId(").skip(1) {
        let (id, rest) = part.split_once("): ").or_else(|| part.split_once(')')).context("an id")?;
        if let Some(path) = rest.strip_prefix('"') {
            paths.insert(id, path.split('"').next().context("a path")?);
        } else if rest.starts_with("MethodRouter(") {
            methods.insert(id, METHODS.into_iter().filter(|method| serves(rest, method)).collect::<Vec<_>>());
        }
    }
    let mut found = BTreeSet::new();
    for (id, path) in &paths {
        let served = methods.get(id).with_context(|| format!("{path} is served by something without methods"))?;
        anyhow::ensure!(!served.is_empty(), "{path} is served for no method, or for all");
        found.extend(served.iter().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    anyhow::ensure!(methods.len() == paths.len() && found.len() > 20, "the router no longer shows its routes: {shown}");
    Ok(found)
}

fn serves(shown: &str, method: &str) -> bool {
    let field = format!(" {method}: ");
    shown.split_once(&field).is_some_and(|(_, value)| !value.starts_with("None"))
}

/// `route` with every `{name}` as `{}`.
pub(super) fn anonymous(route: &str) -> String {
    let parts: Vec<&str> =
        route.split('/').map(|part| if part.starts_with('{') && part.ends_with('}') { "{}" } else { part }).collect();
    parts.join("/")
}
