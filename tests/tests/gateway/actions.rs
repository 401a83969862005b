//! Orders to agents over real TLS: told signed and to one device alone, answered once, and not where there is nothing to say.

use cartable_agent::actions;
use cartable_common::{
    ActionId, ContentHash, Text,
    action::{ActionKind, ActionOrder, ActionOutcome, ActionResult, SignedActions},
    protocol::{CHECK_IN_PATH, CertificateGrant, CheckInRequest, CheckInResponse},
};
use cartable_server::clock;
use cartable_tests::gateway_client::{Credentials, Port, head};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use uuid::Uuid;

/// Bytes of HTTP that an unchanged check-in may take, each way (DESIGN §9).
const MOST_BYTES: usize = 400;

/// What is answered to a check-in with these results, and the bytes that went each way.
async fn told(port: &Port, who: &Credentials, results: Vec<ActionResult>) -> (CheckInResponse, usize, usize) {
    let request = CheckInRequest {
        content_hash: Some(ContentHash::of(b"unchanged")),
        action_results: results,
        ..CheckInRequest::bare(Text::clean("0.1.0"), clock::now())
    };
    let body = serde_json::to_vec(&request).unwrap();
    let answer = port.connect_as(who).await.unwrap().check_in(&body).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let sent = head(CHECK_IN_PATH, "", body.len()).len() + body.len();
    (serde_json::from_slice(&answer.body).unwrap(), sent, answer.head.len() + answer.body.len())
}

fn order(port: &Port, grant: &CertificateGrant, kind: &str) -> Uuid {
    let device = grant.device_id.to_string();
    port.installation.run("device order", &[&device, kind], "").unwrap().trim().parse().unwrap()
}

/// What an agent that pins this installation's root makes of them.
fn believed(port: &Port, actions: &SignedActions) -> Vec<ActionOrder> {
    let roots = port.installation.roots_pem().unwrap();
    let roots = [CertificateDer::from_pem_slice(roots.as_bytes()).unwrap()];
    actions::read(actions, &roots, clock::now()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_told_to_its_device_until_it_answers_and_an_unchanged_check_in_stays_small() {
    let port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    let (_, other) = port.enrolled().await.unwrap();
    let (nothing, sent, received) = told(&port, &own, Vec::new()).await;
    assert_eq!((nothing.actions, nothing.actions_answered), (None, Vec::new()));
    assert!(sent <= MOST_BYTES && received <= MOST_BYTES, "{sent} bytes there, {received} back");

    let id = order(&port, &grant, "self_test");
    assert_eq!(told(&port, &other, Vec::new()).await.0.actions, None, "another device hears nothing");
    for _ in 0..2 {
        let orders = believed(&port, &told(&port, &own, Vec::new()).await.0.actions.unwrap());
        let [order] = orders.as_slice() else { unreachable!("{orders:?}") };
        assert_eq!((order.action_id, order.kind), (ActionId(id), ActionKind::SelfTest));
        assert_eq!((order.device_id, order.enrolment_id), (grant.device_id, grant.enrolment_id));
        assert!(order.expires_at > clock::now() && order.counter >= order.issued_at.get());
    }
    let result = ActionResult::plain(ActionId(id), ActionOutcome::Refused);
    let (answered, ..) = told(&port, &other, vec![result.clone()]).await;
    assert_eq!(answered.actions_answered, [ActionId(id)], "whose it is not may forget it");
    assert!(told(&port, &own, Vec::new()).await.0.actions.is_some(), "and it changed nothing");
    for _ in 0..2 {
        let (answered, ..) = told(&port, &own, vec![result.clone()]).await;
        assert_eq!((answered.actions, answered.actions_answered), (None, vec![ActionId(id)]));
    }
    let listed = port.installation.run("device orders", &[&grant.device_id.to_string()], "").unwrap();
    assert!(listed.contains(&id.to_string()) && listed.contains("answered\trefused"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_set_aside_is_ordered_nothing_and_told_nothing() {
    let port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    order(&port, &grant, "send_log");
    let device = grant.device_id.to_string();
    port.installation.run("device quarantine", &[&device], "").unwrap();
    assert_eq!(told(&port, &own, Vec::new()).await.0.actions, None);
    let refused = port.installation.run("device order", &[&device, "check_in"], "").unwrap_err();
    assert!(format!("{refused:#}").contains("not in service"), "{refused:#}");
    port.installation.run("device activate", &[&device], "").unwrap();
    assert!(told(&port, &own, Vec::new()).await.0.actions.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_without_a_signer_tells_nothing_until_it_is_given_one() {
    let mut port = Port::start().unwrap();
    let (grant, own) = port.enrolled().await.unwrap();
    port.server.kill();
    for name in ["actions.key", "actions.pem"] {
        std::fs::remove_file(port.pki().join(name)).unwrap();
    }
    port.server = port.installation.serve().unwrap();
    let id = order(&port, &grant, "full_report");
    assert_eq!(told(&port, &own, Vec::new()).await.0.actions, None);
    port.server.kill();
    port.installation.run("authority renew-signer", &[], "").unwrap();
    port.server = port.installation.serve().unwrap();
    let orders = believed(&port, &told(&port, &own, Vec::new()).await.0.actions.unwrap());
    assert_eq!(orders.iter().map(|order| order.action_id).collect::<Vec<_>>(), [ActionId(id)]);
}
