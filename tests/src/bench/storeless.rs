//! The device port without storage: the server's own listener, TLS and message parsing, with an answer made up. What a
//! check-in costs above it is the price of identity and durability.

use std::path::PathBuf;

use axum::{Json, Router, routing::post};
use cartable_common::{
    UtcMillis,
    protocol::{CHECK_IN_PATH, CheckInRequest, CheckInResponse},
};
use cartable_server::{
    gateway::{
        message::Message,
        port::{self, Protocol},
        tls::{CurrentCertificate, DeviceTls},
    },
    pki::{Authority, MasterKey},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// The word on the command line that makes a benchmark be this server instead.
pub const COMMAND: &str = "serve-without-storage";

/// Serves until it is killed, when the arguments say so: `serve-without-storage DATA KEYFILE`.
pub fn serve_if_asked() -> anyhow::Result<bool> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != COMMAND) {
        return Ok(false);
    }
    let (Some(data), Some(key)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("{COMMAND} DATA KEYFILE");
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(data.into(), key.into()))?;
    Ok(true)
}

async fn serve(data: PathBuf, key: PathBuf) -> anyhow::Result<()> {
    let authority = Authority::load(&data.join("pki"), &MasterKey::find(Some(&key))?)?;
    let now = cartable_server::clock::now();
    let certificate = authority.gateway_certificate(&super::stage::hosts(), now)?;
    let tls = DeviceTls::new(CurrentCertificate::new(&certificate)?, authority.accepted())?;
    let router = Router::new().route(CHECK_IN_PATH, post(answer));
    let listener = port::bind("127.0.0.1:0".parse()?).await?;
    let gateway = format!("https://{}", listener.local_addr()?);
    // The console is not served: the line only has the form that the harness reads.
    println!("{}", serde_json::json!({ "console": "", "gateway": gateway }));
    let protocol = Protocol::Device { tls, device: router.clone(), enrol: router };
    port::serve(listener, protocol, CancellationToken::new(), TaskTracker::new()).await;
    Ok(())
}

async fn answer(message: Message<CheckInRequest>) -> Json<CheckInResponse> {
    Json(CheckInResponse {
        next_check_in_seconds: 3_600,
        server_time: UtcMillis::default().max(message.value.sent_at),
        acknowledged: Vec::new(),
        refused: Vec::new(),
        content_hash: message.value.content_hash,
        heal: false,
        renew: false,
        exams_for_seconds: None,
        disclosure: None,
        trust_bundle: None,
        actions: None,
        actions_answered: Vec::new(),
        update: None,
    })
}
