//! Notices: what was written to whom, what waits, what failed; when the jobs last ran; who else is told of events.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use cartable_common::UtcMillis;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    acts::{Bare, Reasoned, reason, record},
    component::{Badge, Choice, Tone, When},
    download::Downloads,
    error::{Refusal, require},
    format,
    i18n::Words,
    shell::{self, Section, Shell},
    visitor::Visitor,
};
use crate::{
    app::App,
    auth::{Action, CsrfForm, Object, SignedIn},
    domain::notice::{MALFORMED_ADDRESS, MessageState, NO_ADDRESS},
    store::{
        job_run, message_list,
        message_list::{MessageRow, NoticeRow},
        notice,
        page::Cursor,
        webhook::{self, Standing},
    },
};

/// Messages on a page.
const ROWS: u16 = 50;
/// Counting stops there: more is shown as "more than".
const MOST_COUNTED: i64 = 1_000;

/// Which messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: Option<String>,
    after: Option<String>,
}

impl Asked {
    /// The state of the messages that are shown.
    pub(super) fn state(&self) -> Result<MessageState, Refusal> {
        self.state.as_deref().map_or(Ok(MessageState::Sent), str::parse).map_err(|_| Refusal::Nonsense)
    }
}

#[derive(Debug)]
struct Row {
    href: String,
    named: String,
    kind: String,
    site: String,
    state: Badge,
    made: When,
    notices: String,
    error: String,
    next: Option<When>,
}

#[derive(Debug)]
struct JobLine {
    name: String,
    state: Badge,
    begun: Option<When>,
    succeeded: Option<When>,
    error: String,
}

#[derive(Debug)]
struct HookLine {
    label: String,
    url: String,
    state: Badge,
    events: String,
    waiting: i64,
    given_up: i64,
    error: String,
    error_at: Option<When>,
}

/// The list.
#[derive(Debug, Template)]
#[template(path = "notices.html")]
pub(super) struct NoticesPage {
    shell: Shell,
    states: Vec<Choice>,
    waiting: String,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
    downloads: Downloads,
    jobs: Vec<JobLine>,
    hooks: Vec<HookLine>,
}

/// What the list is made of.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) state: MessageState,
    pub(super) counts: Vec<(MessageState, Option<i64>)>,
    /// Notices that are in no message yet.
    pub(super) waiting: i64,
    pub(super) messages: Vec<MessageRow>,
    pub(super) later: bool,
    pub(super) next: Option<Cursor>,
    pub(super) jobs: Vec<job_run::Standing>,
    pub(super) hooks: Vec<Standing>,
}

impl NoticesPage {
    /// The page.
    pub(super) fn new(shell: Shell, read: Read, now: UtcMillis) -> Self {
        let words = shell.words;
        let address = |state: MessageState| format!("/notices?state={state}");
        let choice = |(state, count): (MessageState, Option<i64>)| {
            let named = words.word("message", state.as_str());
            let counted = count.map(|count| {
                let count_text = format::number(count, words.language);
                if count < MOST_COUNTED { count_text } else { format!("{count_text}+") }
            });
            Choice {
                value: address(state),
                label: counted.map_or(named.clone(), |count| words.with_two("notices-counted", &named, &count)),
                selected: state == read.state,
            }
        };
        Self {
            states: read.counts.into_iter().map(choice).collect(),
            waiting: words.count("notices-waiting", read.waiting),
            rows: read.messages.into_iter().map(|message| row(message, now, words)).collect(),
            first: read.later.then(|| address(read.state)),
            downloads: Downloads::new("/exports/notices", |path| format!("{path}?state={}&", read.state), words),
            next: read.next.map(|cursor| format!("{}&after={cursor}", address(read.state))),
            jobs: read.jobs.into_iter().map(|one| job_line(one, now, words)).collect(),
            hooks: read.hooks.into_iter().map(|one| hook_line(one, now, words)).collect(),
            shell,
        }
    }
}

const fn tone(state: MessageState) -> Tone {
    match state {
        MessageState::Waiting | MessageState::Sending => Tone::Info,
        MessageState::Sent => Tone::Good,
        MessageState::Failed | MessageState::Bounced => Tone::Critical,
        MessageState::Cancelled => Tone::Plain,
    }
}

fn row(message: MessageRow, now: UtcMillis, words: Words) -> Row {
    Row {
        href: format!("/notices/{}", message.id),
        named: message.named.unwrap_or_else(|| words.say("notices-nobody")),
        kind: words.word("recipient", message.recipient.as_str()),
        site: message.site.unwrap_or_default(),
        state: Badge::new(tone(message.state), words.word("message", message.state.as_str())),
        made: When::relative(message.created_at, now, words),
        notices: format::number(message.notices, words.language),
        error: message.error.map(|error| failure(error, words)).unwrap_or_default(),
        next: message.next_attempt_at.map(|at| When::exact(at, words)),
    }
}

/// What went wrong, in the reader's language where it is ours; a mail server's own words stay as they are.
fn failure(error: String, words: Words) -> String {
    match error.as_str() {
        NO_ADDRESS => words.say("notice-no-address"),
        MALFORMED_ADDRESS => words.say("notice-malformed-address"),
        _ => error,
    }
}

fn job_line(one: job_run::Standing, now: UtcMillis, words: Words) -> JobLine {
    let (tone, key) = match (&one.run, one.missed) {
        (None, _) => (Tone::Unknown, "job-never"),
        (Some(_), true) => (Tone::Critical, "job-missed"),
        (Some(_), false) => (Tone::Good, "job-well"),
    };
    let relative = |at: UtcMillis| When::relative(at, now, words);
    JobLine {
        name: words.word("job", one.job.as_str()),
        state: Badge::new(tone, words.say(key)),
        begun: one.run.as_ref().map(|run| relative(run.started_at)),
        succeeded: one.run.as_ref().and_then(|run| run.succeeded_at).map(relative),
        error: one.run.and_then(|run| run.error).unwrap_or_default(),
    }
}

fn hook_line(one: Standing, now: UtcMillis, words: Words) -> HookLine {
    let (tone, key) = if one.webhook.disabled_at.is_some() {
        (Tone::Plain, "webhook-disabled")
    } else if one.given_up > 0 {
        (Tone::Warning, "webhook-failing")
    } else {
        (Tone::Good, "webhook-told")
    };
    let events: Vec<&str> = one.webhook.events.iter().map(|event| event.as_str()).collect();
    let (error_at, error) = one.last_error.unzip();
    HookLine {
        label: one.webhook.label,
        // Always https.
        url: one.webhook.url.trim_start_matches("https://").to_owned(),
        state: Badge::new(tone, words.say(key)),
        events: if events.is_empty() { words.say("webhook-all-events") } else { events.join(", ") },
        waiting: one.waiting,
        given_up: one.given_up,
        error: error.unwrap_or_default(),
        error_at: error_at.map(|at| When::relative(at, now, words)),
    }
}

/// `GET /notices`
pub(super) async fn list(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeNotices, Object::OwnScope))?;
    let state = asked.state()?;
    let after: Option<Cursor> = asked.after.as_deref().map(str::parse).transpose().map_err(|_| Refusal::Nonsense)?;
    let whole = person.can(Action::SeeNotices, Object::Programme).is_allowed();
    let mut tx = app.store.read().await?;
    let (messages, next) = message_list::list(&mut tx, &person.scope, state, after.as_ref(), ROWS).await?;
    let mut counts = Vec::new();
    for state in MessageState::ALL.iter().copied() {
        // What was sent or cancelled only grows: nobody needs its number.
        let counted = whole && !matches!(state, MessageState::Sent | MessageState::Cancelled);
        let count = if counted { Some(message_list::count(&mut tx, state, MOST_COUNTED).await?) } else { None };
        counts.push((state, count));
    }
    let read = Read {
        state,
        counts,
        waiting: if whole { notice::waiting(&mut tx).await? } else { 0 },
        messages,
        later: after.is_some(),
        next,
        jobs: if whole { job_run::standing(&mut tx, signed_in.now).await? } else { Vec::new() },
        hooks: if whole { webhook::list(&mut tx).await? } else { Vec::new() },
    };
    let shell = visitor.shell(Section::Notices, visitor.words.say("notices-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &NoticesPage::new(shell, read, signed_in.now)))
}

#[derive(Debug)]
struct NoticeLine {
    kind: String,
    label: String,
    href: Option<String>,
    due: String,
    dropped: Option<String>,
}

/// One message.
#[derive(Debug, Template)]
#[template(path = "message.html")]
pub(super) struct MessagePage {
    shell: Shell,
    id: Uuid,
    mail_id: String,
    attempts: String,
    row: Row,
    finished: Option<When>,
    lines: Vec<NoticeLine>,
    may_bounce: bool,
    may_send_again: bool,
}

impl MessagePage {
    /// The page; `may_change` when this person may act on it.
    pub(super) fn new(
        shell: Shell,
        message: MessageRow,
        notices: Vec<NoticeRow>,
        may_change: bool,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let line = |notice: NoticeRow| NoticeLine {
            kind: words.word("notice", notice.kind.as_str()),
            label: notice.label.unwrap_or_default(),
            href: notice.device.map(|id| format!("/devices/{id}")),
            due: notice.due_day.map(|day| format::day(day, words)).unwrap_or_default(),
            dropped: notice.dropped.map(|why| words.word("dropped", why.as_str())),
        };
        Self {
            id: message.id,
            mail_id: message.mail_id.clone(),
            attempts: format::number(message.attempts, words.language),
            finished: message.finished_at.map(|at| When::exact(at, words)),
            lines: notices.into_iter().map(line).collect(),
            may_bounce: may_change && message.state == MessageState::Sent,
            may_send_again: may_change && matches!(message.state, MessageState::Failed | MessageState::Bounced),
            row: row(message, now, words),
            shell,
        }
    }
}

/// `GET /notices/{id}`
pub(super) async fn show(
    signed_in: SignedIn,
    visitor: Visitor,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let person = &signed_in.person;
    require(person.can(Action::SeeNotices, Object::OwnScope))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let mut tx = app.store.read().await?;
    let message = message_list::find(&mut tx, &person.scope, id).await?.ok_or(Refusal::NotFound)?;
    let notices = message_list::notices(&mut tx, id).await?;
    let may_change = person.can(Action::ChangeNotices, Object::OwnScope).is_allowed();
    let shell = visitor.shell(Section::Notices, visitor.words.say("message-title"), &signed_in);
    Ok(shell::page(StatusCode::OK, &MessagePage::new(shell, message, notices, may_change, signed_in.now)))
}

fn back(id: Uuid, done: &str) -> Response {
    Redirect::to(&format!("/notices/{id}?done={done}")).into_response()
}

/// `POST /notices/{id}/bounce`
pub(super) async fn bounce(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form }: CsrfForm<Reasoned>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeNotices, Object::OwnScope))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let why = reason(form.reason())?;
    // Whoever notes it may have copied the address with it.
    if why.contains('@') {
        return Err(Refusal::Told("message-problem-address"));
    }
    let (mut tx, scope) = (app.store.write().await?, &signed_in.person.scope);
    let found = message_list::find(&mut tx, scope, id).await?.ok_or(Refusal::NotFound)?;
    if found.state == MessageState::Bounced {
        return Ok(back(id, "already"));
    }
    if !message_list::bounce(&mut tx, scope, found.id, why, signed_in.now).await? {
        return Err(Refusal::Told("message-problem-not-sent"));
    }
    record(&mut tx, &signed_in, "message.bounce", ("message", id), json!({ "reason": why })).await?;
    tx.commit().await?;
    Ok(back(id, "saved"))
}

/// `POST /notices/{id}/again`
pub(super) async fn send_again(
    State(app): State<App>,
    Path(id): Path<String>,
    CsrfForm { signed_in, form: Bare {} }: CsrfForm<Bare>,
) -> Result<Response, Refusal> {
    require(signed_in.person.can(Action::ChangeNotices, Object::OwnScope))?;
    let id: Uuid = id.parse().map_err(|_| Refusal::NotFound)?;
    let (mut tx, scope) = (app.store.write().await?, &signed_in.person.scope);
    let found = message_list::find(&mut tx, scope, id).await?.ok_or(Refusal::NotFound)?;
    match found.state {
        MessageState::Waiting | MessageState::Sending | MessageState::Sent => return Ok(back(id, "already")),
        MessageState::Failed | MessageState::Bounced | MessageState::Cancelled => {}
    }
    if !message_list::send_again(&mut tx, scope, found.id, signed_in.now).await? {
        return Err(Refusal::Told("message-problem-not-failed"));
    }
    record(&mut tx, &signed_in, "message.send_again", ("message", id), json!({})).await?;
    tx.commit().await?;
    Ok(back(id, "saved"))
}
