//! Orders with the real programs: given at the command line, obeyed by the agent, read back; and the notice that a lent
//! laptop's desktop shows until the laptop comes back.

#![cfg(target_os = "linux")]

use std::{
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use cartable_common::{DeviceId, UtcMillis};
use cartable_server::{
    clock,
    domain::{loan::Condition, paris, policy::Policy, scope::Scope},
    store::{
        Store,
        lending::{Clerk, Handing, Lending, Wish},
    },
};
use cartable_tests::{
    gateway_client::Port,
    harness::{Process, process::run_with_input},
    school::School,
};

use crate::laptop::Laptop;

/// Two busy cores need some time.
const PATIENCE: Duration = Duration::from_secs(40);

/// The agent's service, which checks in at once: a developer's laptop on a telephone's data is not waited for.
fn service(laptop: &Laptop, public: Option<&Path>) -> Process {
    let mut learnt = laptop.kept("memory.json").unwrap_or_else(|| serde_json::json!({}));
    // Held back for so long, it waits no longer for a better network.
    learnt["held_since"] = serde_json::json!(1);
    std::fs::write(laptop.agent.state().join("memory.json"), learnt.to_string()).unwrap();
    let mut run = laptop.command("run");
    run.args(["--first-within", "0"]);
    if let Some(public) = public {
        run.arg("--public").arg(public);
    }
    Process::start("cartable-agent", &mut run).unwrap()
}

/// Waits until `is_so`, and tells what the service said where that never comes.
fn until(service: &Process, what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what} did not happen: {}", service.log().text());
        sleep(Duration::from_millis(300));
    }
}

#[test]
fn what_is_ordered_is_done_once_and_its_log_is_read() {
    let port = Port::start().unwrap();
    let laptop = Laptop::enrolled(&port, "PF2ORDERS");
    let device = laptop.device();
    let order = |kind: &str| port.installation.run("device order", &[&device, kind], "").unwrap().trim().to_owned();
    let listed = || port.installation.run("device orders", &[&device], "").unwrap();
    let log = order("send_log");
    order("check_in");
    // A folder where a file is to be written: something fails, and the agent says which of its files it is.
    let unwritable = laptop.agent.state().join("shown.json");
    std::fs::create_dir(&unwritable).unwrap();
    let mut service = service(&laptop, None);
    until(&service, "both orders", || listed().matches("answered\tdone").count() == 2);
    let said = service.log().text();
    let unwritable = format!("error={}", unwritable.display());
    assert!(said.contains(&unwritable), "{said}");
    let else_said = said.replace(&unwritable, "");
    assert!(!else_said.contains("=/") && !else_said.contains(" /"), "no path but of the agent's own: {said}");
    assert!(listed().contains(&log), "{}", listed());
    let lines = port.installation.run("device agent-log", &[&device, &log], "").unwrap();
    assert!(lines.contains("info\tstarted"), "{lines}");
    assert!(lines.contains("what was sent could not be kept for the borrower"), "{lines}");
    for private in [port.server.gateway(), "/"] {
        assert!(!lines.contains(private), "{private} in {lines}");
    }
    service.stop().unwrap();
    // What was answered is told no more.
    laptop.contact_goes_well();
    assert_eq!(listed().matches("answered\tdone").count(), 2, "{}", listed());
    let audit = port.installation.run("audit verify", &[], "");
    assert!(audit.is_ok(), "{audit:?}");
}

#[test]
fn an_order_to_many_is_counted_first_and_given_once() {
    let port = Port::start().unwrap();
    let laptop = Laptop::enrolled(&port, "PF2MANY");
    let device = laptop.device();
    let all = |arguments: &[&str]| port.installation.run("device order-all", arguments, "");
    let listed = || port.installation.run("device orders", &[&device], "").unwrap();
    let counted = all(&["self_test", "--search", "pf2many"]).unwrap();
    assert!(counted.starts_with("would_order\t1\t"), "{counted}");
    assert_eq!(listed(), "", "nothing is ordered without --apply");
    assert!(all(&["self_test", "--search", "pf2other", "--apply"]).unwrap().starts_with("ordered\t0\t"));
    let notices = all(&["return_notice", "--apply"]).unwrap();
    assert!(notices.contains("not_lent\t1\t"), "{notices}");
    assert!(all(&["self_test", "--apply"]).unwrap().starts_with("ordered\t1\t"));
    assert!(listed().contains("self_test\twaiting"), "{}", listed());
    let again = all(&["self_test", "--apply"]).unwrap();
    assert!(again.starts_with("ordered\t0\t") && again.contains("already\t1\t"), "{again}");
    let logs = all(&["send_log", "--apply"]).unwrap_err();
    assert!(format!("{logs:#}").contains("not ordered of many"), "{logs:#}");
}

fn clerk(policy: &Policy, now: UtcMillis) -> Clerk<'_> {
    const EVERYWHERE: &Scope = &Scope::Everything;
    Clerk { actor: "test", token: None, scope: EVERYWHERE, policy, now }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lent_laptops_desktop_says_when_and_where_until_it_came_back() {
    let port = Port::start().unwrap();
    let laptop = Laptop::enrolled(&port, "PF2NOTICE");
    let device = laptop.device();
    let id: DeviceId = device.parse().unwrap();
    let (now, policy) = (clock::now(), Policy::default());
    let due = paris::date(now.plus_days(20));
    let day = due.to_string();
    let notice = [device.as_str(), "return_notice", "--due", day.as_str(), "--place", "Collège A, CDI"];
    let unlent = port.installation.run("device order", &notice, "").unwrap_err();
    assert!(format!("{unlent:#}").contains("not lent"), "{unlent:#}");

    let store = Store::open(&port.installation.database_url()).await.unwrap();
    let school = School::found(&store, 1, 1, now).await.unwrap();
    let mut lending = Lending::begin(&store, clerk(&policy, now)).await.unwrap();
    let wish = Wish { device: id, borrower: school.borrowers[0].id, programme: school.programme };
    lending.lend(wish, Handing { due: Some(due), ..Handing::default() }).await.unwrap();
    lending.commit().await.unwrap();
    port.installation.run("device order", &notice, "").unwrap();
    let public = laptop.path("public");
    std::fs::create_dir(&public).unwrap();
    let shown = public.join("notice.json");
    let mut first = service(&laptop, Some(&public));
    until(&first, "the notice", || shown.exists());
    let mut say = laptop.agent.command("notice");
    let words = run_with_input(say.args(["--lang", "fr", "--public"]).arg(&public), "").unwrap();
    let lines: Vec<&str> = words.lines().collect();
    let [title, sentence] = lines.as_slice() else { panic!("{words}") };
    assert_eq!(*title, "Cet ordinateur est à rapporter");
    assert!(sentence.starts_with(&format!("Il est prêté jusqu'au {}", due.day())), "{sentence}");
    assert!(sentence.ends_with(&format!(" {}. Rapporte-le ici : Collège A, CDI.", due.year())), "{sentence}");
    let listed = port.installation.run("device orders", &[&device], "").unwrap();
    assert!(listed.contains("return_notice\tanswered\tdone"), "{listed}");
    first.stop().unwrap();

    // It came back: the next contact takes the notice from the desktop, long before the order's 14 days are over.
    let mut lending = Lending::begin(&store, clerk(&policy, clock::now())).await.unwrap();
    lending.take_back_device(id, Condition::Good, &[]).await.unwrap();
    lending.commit().await.unwrap();
    let mut second = service(&laptop, Some(&public));
    until(&second, "the notice's end", || !shown.exists());
    second.stop().unwrap();
}
