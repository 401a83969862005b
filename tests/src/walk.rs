//! What the browser tests walk through: a running server with a small lifelike fleet and its past, and every page.

use anyhow::Context as _;
use cartable_common::{SerialNumber, Text, report::Hardware};
use cartable_server::{
    clock,
    domain::{
        approval::WaitsFor,
        disposition::Disposition,
        enrolment_token::{TokenTerms, TokenText},
        flag::Severity,
        loan::LendingState,
        paris,
        policy::Policy,
        scope::Scope,
    },
    jobs::flag_sweep,
    store::{
        Store,
        advice_list::{self, AdviceQuery},
        device_list::{self, DeviceQuery},
        donation_lot, enrolment_token, import,
        lending::Clerk,
        loan,
        loan_list::{self, LoanQuery},
        newcomer::{self, NewNewcomer},
        programme, site,
        work_order_act::Bench,
        work_order_list::{self, OrderQuery},
    },
    vault::Vault,
};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    browser::Browser,
    demo::prepare::{self, Age},
    donation,
    harness::{
        Installation, Server,
        cartable::{LOGIN, PASSWORD},
    },
    lending,
    simulator::{Keyring, Roster, keyring::FleetHeader},
};

/// The fleet is drawn from this.
const SEED: u64 = 7;

/// Enough for several pages of the list.
const DEVICES: usize = 120;

/// A running server with a fleet that has a past. Dropped, everything is stopped and removed.
#[derive(Debug)]
pub struct Walk {
    /// The server.
    pub server: Server,
    /// Every page: a name for its photograph, and its path.
    pub pages: Vec<(&'static str, String)>,
    _installation: Installation,
    _keys: tempfile::TempDir,
}

impl Walk {
    /// Makes the fleet and starts the server.
    pub async fn begin() -> anyhow::Result<Self> {
        let installation = Installation::temporary()?;
        installation.create_user(LOGIN, "administrator", PASSWORD)?;
        let keys = tempfile::tempdir()?;
        let epoch = cartable_agent::clock::now();
        let keyring = Keyring::open(&keys.path().join("keys"), FleetHeader { seed: SEED, devices: DEVICES, epoch })?;
        let roster = Roster::drawn(SEED, DEVICES);
        let vault = installation.vault()?;
        prepare::database(&installation.database_url(), &roster, &keyring, &vault, Age::New, epoch).await?;
        let file = keys.path().join("parc.csv");
        std::fs::write(&file, LIST)?;
        let file = file.to_str().context("a temporary directory with a readable name")?;
        installation.run("import", &["devices", file], "")?;
        // What the running server would do within minutes.
        let store = Store::open(&installation.database_url()).await?;
        flag_sweep::run(&store, &Policy::default(), clock::now(), &CancellationToken::new()).await?;
        at_the_workshop(&store).await?;
        asking(&store).await?;
        store.close().await;
        let mut pages = pages(&installation.database_url()).await?;
        pages.extend(answers(&installation.database_url(), &vault).await?);
        let server = installation.serve()?;
        Ok(Self { server, pages, _installation: installation, _keys: keys })
    }

    /// The whole address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.console())
    }

    /// Signs in through the form, as a person does.
    pub async fn sign_in(&self, browser: &Browser) -> anyhow::Result<()> {
        browser.sign_in(&self.url(""), LOGIN, PASSWORD).await
    }
}

/// Two machines that nobody knows ask to be let in.
async fn asking(store: &Store) -> anyhow::Result<()> {
    let now = clock::now();
    let mut tx = store.write().await?;
    let sites = site::list(&mut tx, &Scope::Everything).await?;
    let terms = TokenTerms::new("livraison de novembre", None, 30, 24, now)?;
    let (text, site) = (TokenText::from_random([5; 17]), sites.first().context("the fleet has a site")?.id);
    let token = enrolment_token::create(&mut tx, &text, &terms, site, "walk", now).await?;
    for (number, waits_for) in [(1_u8, WaitsFor::UnlistedSerial), (2, WaitsFor::SpentToken)] {
        let hardware = Hardware {
            manufacturer: Text::meaningful("LENOVO"),
            model: Text::meaningful("ThinkPad L480"),
            serial_number: SerialNumber::parse(&format!("PF2ASKS{number}")).into(),
            ..Hardware::default()
        };
        let (request, key) = (Uuid::new_v4(), &[number; 32]);
        let new = NewNewcomer { request, key, token, waits_for, hardware: &hardware, listed_as: None };
        newcomer::insert(&mut tx, &new, now).await?;
    }
    Ok(tx.commit().await?)
}

/// So small a fleet has nothing on a bench and nothing to give away: takes one unit in, and puts another into a lot.
async fn at_the_workshop(store: &Store) -> anyhow::Result<()> {
    let (now, policy) = (clock::now(), Policy::default());
    let mut tx = store.read().await?;
    let mut idle = vec![];
    for one in device_list::list(&mut tx, &Scope::Everything, &DeviceQuery::default()).await?.rows {
        if loan::lending_state(&mut tx, one.id).await? == Some(LendingState::InStock) {
            idle.push(one.id);
        }
    }
    drop(tx);
    let [first, second, ..] = idle.as_slice() else { anyhow::bail!("two devices in stock") };
    let clerk = Clerk { actor: LOGIN, token: None, scope: &Scope::Everything, policy: &policy, now };
    let mut bench = Bench::begin(store, clerk).await?;
    bench.take_in(*first).await?;
    bench.commit().await?;
    donation::people(store, now).await?.draft(store, &[*second], now).await?;
    Ok(())
}

/// How many days ahead the walk asks for a forecast.
const AHEAD_DAYS: i64 = 90;

/// A forecast with its answer, and the public page of a certificate with what it states.
async fn answers(database: &str, vault: &Vault) -> anyhow::Result<[(&'static str, String); 2]> {
    let (store, now) = (Store::open(database).await?, clock::now());
    let mut tx = store.write().await?;
    let devices = device_list::list(&mut tx, &Scope::Everything, &DeviceQuery::default()).await?.rows;
    let device = devices.first().context("the fleet has a device")?.id;
    let check = lending::signed_certificate(&mut tx, vault, device, now).await?;
    tx.commit().await?;
    store.close().await;
    let by = paris::date(now.plus_days(AHEAD_DAYS));
    Ok([("forecast-answer", format!("/forecast?ready=donate&target=5&by={by}")), ("check", check)])
}

/// A list with good rows and bad ones, of which the pages show the check.
const LIST: &str = "Numéro de série;Étiquette;Modèle;Remarque;Site\nX1;7001;ThinkPad L13;prise abîmée;Collège Nulle-Part\n\
    X2;7002;ThinkPad L13;;\nX3;7002;ThinkPad L14;;\n";

/// Every page, with one device that needs a person at once and one that has nothing critical to say.
async fn pages(database: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
    let store = Store::open(database).await?;
    let mut tx = store.read().await?;
    let flagged = DeviceQuery { min_severity: Some(Severity::Critical), ..DeviceQuery::default() };
    let mut devices = vec![];
    for (name, query) in [("device-flagged", flagged), ("device-any", DeviceQuery::default())] {
        let page = device_list::list(&mut tx, &Scope::Everything, &query).await?;
        let first = page.rows.first().with_context(|| format!("the fleet has no device for {name}"))?;
        devices.push((name, format!("/devices/{}", first.id)));
    }
    let repaired = AdviceQuery { disposition: Some(Disposition::Repair), ..AdviceQuery::default() };
    let repaired = advice_list::list(&mut tx, &Scope::Everything, &repaired).await?.rows;
    let device = repaired.first().context("the fleet has nothing to repair")?.device;
    devices.push(("device-to-repair", format!("/devices/{device}")));
    devices.push(("erasures", format!("/devices/{device}/erasures")));
    let orders = work_order_list::list(&mut tx, &Scope::Everything, &OrderQuery::default()).await?.rows;
    devices.push(("work-order", format!("/work-orders/{}", orders.first().context("a work order")?.id)));
    let lots = donation_lot::list(&mut tx).await?;
    let full = lots.iter().find(|lot| lot.units > 0).context("a lot with units")?;
    devices.push(("lot", format!("/lots/{}", full.id)));
    for import in import::newest(&mut tx).await? {
        devices.push(("import", format!("/imports/{}", import.id)));
    }
    let everything = Scope::Everything;
    let sites = site::list(&mut tx, &everything).await?;
    devices.push(("site", format!("/sites/{}", sites.first().context("the fleet has a site")?.id)));
    let programmes = programme::list(&mut tx).await?;
    devices.push(("programme", format!("/programmes/{}", programmes.first().context("a programme")?.id)));
    let loans = loan_list::list(&mut tx, &everything, &LoanQuery::default()).await?.rows;
    let loan = loans.first().context("the fleet has a loan")?;
    devices.push(("borrower", format!("/borrowers/{}", loan.borrower)));
    devices.push(("loan", format!("/loans/{}", loan.id)));
    drop(tx);
    let mut tx = store.write().await?;
    let agreement = lending::recorded_agreement(&mut tx, loan.id, loan.site, clock::now()).await?;
    tx.commit().await?;
    devices.push(("document", format!("/documents/{agreement}")));
    store.close().await;
    let fixed = [
        ("overview", "/"),
        ("devices", "/devices"),
        ("device-new", "/devices/new"),
        ("devices-none", "/devices?q=zzzzzz"),
        ("orders", "/devices/orders?q=thinkpad"),
        ("orders-preview", "/devices/orders?q=thinkpad&kind=return_notice"),
        ("dispositions", "/dispositions"),
        ("what-if", "/dispositions/what-if"),
        ("what-if-tried", "/dispositions/what-if?battery.relend_percent=65&disposition.relend_with_linux=true"),
        ("flags", "/flags"),
        ("tokens", "/tokens"),
        ("waiting", "/devices/waiting"),
        ("exports", "/exports"),
        ("imports", "/imports"),
        ("borrowers", "/borrowers"),
        ("borrower-new", "/borrowers/new"),
        ("sites", "/sites"),
        ("calendar", "/calendar"),
        ("exams", "/exams"),
        ("releases", "/releases"),
        ("programmes", "/programmes"),
        ("labels", "/labels"),
        ("loans", "/loans"),
        ("needs", "/needs"),
        ("allocations", "/allocations"),
        ("campaigns", "/campaigns"),
        ("programme-new", "/programmes/new"),
        ("work-orders", "/work-orders"),
        ("work-intake", "/work-orders/intake"),
        ("parts", "/parts"),
        ("forecast", "/forecast"),
        ("lots", "/lots"),
        ("recipients", "/recipients"),
        ("figures", "/figures"),
        ("figures-list", "/figures?list=orders"),
        ("audit", "/audit"),
        ("notices", "/notices"),
        ("design", "/design"),
        ("nowhere", "/nowhere"),
    ];
    Ok(fixed.into_iter().map(|(name, path)| (name, path.to_owned())).chain(devices).collect())
}
