//! Asks every row as every actor, and says where an answer is not the row's.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, header},
};
use cartable_server::{
    auth::{Person, Role, secret},
    clock,
    domain::scope::Scope,
    store::{
        person::{self, NewPerson},
        session::{self, NewSession},
    },
};
use uuid::Uuid;

use super::{
    On, Row,
    routes::{anonymous, served},
    rows,
    things::{self, Things},
};
use crate::{
    in_process::{Answer, InProcess},
    raw::Raw,
    stores::TestStore,
};

/// Which sites an actor sees. The things are site 1's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Whole,
    Own,
    Foreign,
}

/// One who asks.
#[derive(Clone, Debug)]
struct Actor {
    login: String,
    person: Uuid,
    role: Role,
    reach: Reach,
    token: String,
}

/// Which things the address and the body name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    OfSiteOne,
    Absent,
}

/// Routes that the router serves and no row names, and rows whose route it does not serve.
pub fn without_a_row(cartable: &InProcess) -> anyhow::Result<Vec<String>> {
    let served: BTreeSet<String> = served(cartable.router())?.iter().map(|route| anonymous(route)).collect();
    let listed: BTreeSet<String> = rows().map(|row| anonymous(row.route)).collect();
    let mut wrong: Vec<String> = served.difference(&listed).map(|route| format!("{route} has no row")).collect();
    wrong.extend(listed.difference(&served).map(|route| format!("{route} is not served")));
    wrong.extend(rows().filter_map(Row::misspelt));
    let asked: BTreeSet<(String, &str)> = rows().map(|row| (anonymous(row.route), row.body)).collect();
    if asked.len() != rows().count() {
        wrong.push("a route has two rows that send the same".to_owned());
    }
    Ok(wrong)
}

/// Asks everything, and gives what was answered otherwise than the rows say.
pub async fn run(test: &TestStore) -> anyhow::Result<Vec<String>> {
    let cartable = InProcess::new(&test.store);
    let foreign = things::make(&cartable, 2).await?;
    let kept = things::make(&cartable, 1).await?.and_foreign(&foreign);
    let actors = actors(&cartable).await?;
    let raw = Raw::connect(test.url()).await?;
    let mut matrix = Matrix { cartable, foreign, absent: kept.clone().absent(), kept, raw, wrong: Vec::new() };
    for row in rows() {
        if row.on == On::Public {
            matrix.public(row, &actors[0]).await?;
            continue;
        }
        matrix.nobody(row).await?;
        for actor in &actors {
            matrix.actor(row, actor).await?;
        }
    }
    // Whoever asked whatever: a device changes owner in an approved lot alone, and none was approved.
    let given = matrix.raw.number("SELECT COUNT(*) FROM device WHERE lending_state = 'ceded'").await?;
    if given > 0 {
        matrix.wrong.push(format!("{given} devices changed owner"));
    }
    Ok(matrix.wrong)
}

async fn actors(cartable: &InProcess) -> anyhow::Result<Vec<Actor>> {
    cartable.person("seed", Role::Administrator, Scope::Everything).await?;
    let mut tx = cartable.app.store.write().await?;
    let known = person::by_login(&mut tx, &"seed".parse()?).await?;
    let password_hash = known.map(|account| account.password_hash).unwrap_or_default();
    let mut actors = vec![];
    for role in Role::ALL {
        for reach in [Reach::Whole, Reach::Own, Reach::Foreign] {
            let scope = match reach {
                Reach::Whole => Scope::Everything,
                Reach::Own => Scope::Sites(vec![cartable.site_id(&mut tx, 1).await?]),
                Reach::Foreign => Scope::Sites(vec![cartable.site_id(&mut tx, 2).await?]),
            };
            let login = format!("{}-{reach:?}", role.as_str().replace('_', "-")).to_lowercase();
            let who = Person {
                id: Uuid::new_v4(),
                login: login.parse()?,
                display_name: login.clone(),
                role,
                scope,
                language: None,
            };
            actors.push(Actor { login, person: who.id, role, reach, token: String::new() });
            let new = NewPerson { person: who, password_hash: password_hash.clone() };
            person::insert(&mut tx, &new, clock::now()).await?;
        }
    }
    tx.commit().await?;
    for actor in &mut actors {
        actor.token = cartable.token(&actor.login).await?;
    }
    Ok(actors)
}

struct Matrix {
    cartable: InProcess,
    /// Site 2's things.
    foreign: Things,
    /// Site 1's things, which no act that succeeds is done to.
    kept: Things,
    absent: Things,
    raw: Raw,
    wrong: Vec<String>,
}

impl Matrix {
    async fn nobody(&mut self, row: &Row) -> anyhow::Result<()> {
        let body = self.kept.fill(row.body);
        let answer = self.send(row, &self.kept, &body, None).await?;
        let asked_to_sign_in = match row.is_api() {
            true => answer.status == 401,
            false => answer.status == 303 && answer.header("location").starts_with("/sign-in"),
        };
        if !asked_to_sign_in {
            self.wrong.push(format!("nobody {}: {} instead of a request to sign in", row.route, answer.status));
        }
        Ok(())
    }

    async fn public(&mut self, row: &Row, somebody: &Actor) -> anyhow::Result<()> {
        let body = self.kept.fill(row.body);
        for actor in [None, Some(somebody)] {
            let answer = self.send(row, &self.kept, &body, actor).await?;
            self.expect(row, actor.map_or("nobody", |actor| &actor.login), "", &[row.done], &answer);
        }
        Ok(())
    }

    async fn actor(&mut self, row: &Row, actor: &Actor) -> anyhow::Result<()> {
        let expected = expected(row, actor, Named::OfSiteOne);
        if expected == [row.done] && row.method() != "GET" {
            // Done for good, so to things of its own.
            let fresh = things::make(&self.cartable, 1).await?.and_foreign(&self.foreign);
            let answer = self.send(row, &fresh, &fresh.fill(row.body), Some(actor)).await?;
            self.expect(row, &actor.login, "its own", &expected, &answer);
        } else {
            self.refused(row, actor, Named::OfSiteOne, &expected).await?;
        }
        if matches!(row.on, On::Site | On::SiteInBody(_) | On::Shared) {
            let expected = self::expected(row, actor, Named::Absent);
            let absent = self.refused(row, actor, Named::Absent, &expected).await?;
            if actor.reach == Reach::Foreign && row.on != On::Shared {
                let of_another = self.refused(row, actor, Named::OfSiteOne, &[absent]).await?;
                if of_another != absent {
                    self.wrong.push(format!("{} {}: tells that a foreign thing exists", actor.login, row.route));
                }
            }
        }
        for mixed in row.mixed.iter().filter(|_| actor.reach == Reach::Own && row.allows(actor.role)) {
            let fresh = things::make(&self.cartable, 1).await?.and_foreign(&self.foreign);
            let (before, acts) = (self.acts_on_foreign().await?, self.acts().await?);
            let asked = mixed.path.unwrap_or(row.path());
            let answer = self.send_to(asked, row, &fresh, &fresh.fill(mixed.body), Some(actor)).await?;
            self.expect(row, &actor.login, "own and foreign together", &[mixed.status], &answer);
            if self.acts_on_foreign().await? != before {
                self.wrong.push(format!("{} {}: acted on a foreign thing among its own", actor.login, row.route));
            }
            let did = self.acts().await? != acts;
            if did != (mixed.status == row.done) {
                let told = if did { "refused, and yet it did something" } else { "succeeded, and did nothing" };
                self.wrong.push(format!("{} {} own and foreign together: {told}", actor.login, row.route));
            }
        }
        Ok(())
    }

    /// Sends what must be answered as `expected` and must leave no act behind unless that is the row's success.
    async fn refused(&mut self, row: &Row, actor: &Actor, named: Named, expected: &[u16]) -> anyhow::Result<u16> {
        let things = if named == Named::Absent { &self.absent } else { &self.kept };
        let (things, body) = (things.clone(), things.fill(row.body));
        let before = self.acts().await?;
        let answer = self.send(row, &things, &body, Some(actor)).await?;
        self.expect(row, &actor.login, &format!("{named:?}"), expected, &answer);
        if expected != [row.done] && self.acts().await? != before {
            self.wrong.push(format!("{} {}: refused, and yet it did something", actor.login, row.route));
        }
        Ok(answer.status.as_u16())
    }

    async fn acts(&mut self) -> anyhow::Result<i64> {
        self.raw.number("SELECT COUNT(*) FROM audit").await
    }

    /// Acts whose object or details name a thing of site 2, its loans, and the needs of its borrowers.
    async fn acts_on_foreign(&mut self) -> anyhow::Result<i64> {
        let ids: Vec<Uuid> = self.kept.foreign_ids().collect();
        let texts: Vec<String> = ids.iter().map(|id| format!("object_id = '{id}' OR details LIKE '%{id}%'")).collect();
        let acts = self.raw.number(&format!("SELECT COUNT(*) FROM audit WHERE {}", texts.join(" OR "))).await?;
        let ids: Vec<String> = ids.iter().map(|id| self.raw.uuid(*id)).collect();
        let ids = ids.join(", ");
        let loans = format!("SELECT COUNT(*) FROM loan WHERE device_id IN ({ids}) OR borrower_id IN ({ids})");
        let needs = format!("SELECT COUNT(*) FROM need WHERE borrower_id IN ({ids})");
        Ok(acts + self.raw.number(&loans).await? + self.raw.number(&needs).await?)
    }

    fn expect(&mut self, row: &Row, who: &str, what: &str, expected: &[u16], answer: &Answer) {
        if !expected.contains(&answer.status.as_u16()) {
            self.wrong.push(format!("{who} {} {what}: {} instead of {expected:?}", row.route, answer.status));
        }
    }

    async fn send(&self, row: &Row, things: &Things, body: &str, actor: Option<&Actor>) -> anyhow::Result<Answer> {
        self.send_to(row.path(), row, things, body, actor).await
    }

    async fn send_to(
        &self,
        path: &str,
        row: &Row,
        things: &Things,
        body: &str,
        actor: Option<&Actor>,
    ) -> anyhow::Result<Answer> {
        let mark = if row.query.is_empty() { "" } else { "?" };
        let mut request =
            Request::builder().method(row.method()).uri(format!("{}{mark}{}", things.fill(path), row.query));
        let mut body = body.to_owned();
        if row.is_api() {
            if let Some(actor) = actor {
                request = request.header(header::AUTHORIZATION, format!("Bearer {}", actor.token));
            }
            if !body.is_empty() {
                request = request.header(header::CONTENT_TYPE, "application/json");
            }
        } else {
            request =
                request.header(header::HOST, "cartable.example").header(header::ORIGIN, "https://cartable.example");
            if let Some(actor) = actor {
                let session = self.session(actor).await?;
                request = request.header(header::COOKIE, format!("cartable={session}"));
                // First: of a form with a file nothing is read before it.
                body = format!("csrf={session}&{body}");
            }
            if row.method() != "GET" {
                let kind = row.file.map_or("application/x-www-form-urlencoded", |_| MULTIPART);
                request = request.header(header::CONTENT_TYPE, kind);
                body = row.file.map_or(body.clone(), |file| multipart(&body, file));
            }
        }
        let body = if row.method() == "GET" { Body::empty() } else { Body::from(body) };
        self.cartable.send(request.body(body)?).await
    }

    /// Opens a session; its cookie and its proof for forms are the same text.
    async fn session(&self, actor: &Actor) -> anyhow::Result<String> {
        let (text, now) = (Uuid::new_v4().simple().to_string(), clock::now());
        let new = NewSession {
            token_hash: secret::hash(&text),
            person: actor.person,
            csrf_token: &text,
            expires_at: now.plus_days(1),
        };
        let mut tx = self.cartable.app.store.write().await?;
        session::insert(&mut tx, &new, now).await?;
        tx.commit().await?;
        Ok(text)
    }
}

const MULTIPART: &str = "multipart/form-data; boundary=----cartable-matrix";

/// The fields of `body` and the file, as a browser sends a form with a file.
fn multipart(body: &str, file: &str) -> String {
    let edge = "------cartable-matrix\r\nContent-Disposition: form-data; name=";
    let fields = body.split('&').filter_map(|field| field.split_once('='));
    let mut parts: Vec<String> =
        fields.map(|(name, value)| format!("{edge}\"{name}\"\r\n\r\n{}\r\n", value.replace("%0A", "\r\n"))).collect();
    let named = if file.is_empty() { "" } else { "x.csv" };
    parts.push(format!("{edge}\"file\"; filename=\"{named}\"\r\nContent-Type: text/plain\r\n\r\n{file}\r\n"));
    format!("{}------cartable-matrix--\r\n", parts.concat())
}

/// The statuses that are right: one, or two where a role that may not anyway asks for what it would not see.
fn expected(row: &Row, actor: &Actor, named: Named) -> Vec<u16> {
    let hidden = if let On::SiteInBody(status) = row.on { status } else { 404 };
    let there = match row.on {
        On::Public | On::Scope | On::Programme => true,
        On::Shared => named == Named::OfSiteOne,
        On::Site | On::SiteInBody(_) => named == Named::OfSiteOne && actor.reach != Reach::Foreign,
    };
    let whole = row.on != On::Programme || actor.reach == Reach::Whole;
    match (row.allows(actor.role), there) {
        (true, true) if whole => vec![row.done],
        (true, false) => vec![hidden],
        (_, true) => vec![403],
        (false, false) => vec![403, hidden],
    }
}
