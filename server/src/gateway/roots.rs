//! GET /v1/roots: the chain of trust bundles. Given to anybody: it is public, and proves itself to whoever holds an earlier
//! bundle. An agent whose roots do not know this server's certificate any more asks for it all the same.

use axum::{Json, extract::State};
use cartable_common::trust::TrustChain;

use super::EnrolPort;

/// Gives the chain.
pub(super) async fn roots(State(port): State<EnrolPort>) -> Json<TrustChain> {
    Json(port.authority.chain().clone())
}
