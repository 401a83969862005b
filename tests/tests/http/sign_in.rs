//! Promises about signing in: guessing is slow and survives restarts, sessions end when they should, forms come from
//! our own pages.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use cartable_common::UtcMillis;
use cartable_server::{
    auth::{ClientAddress, Role, SignInRefused, account, session, sign_in, throttle},
    clock,
    domain::scope::Scope,
    store::Store,
};
use cartable_tests::{
    fleet::at,
    in_process::{InProcess, PASSWORD},
    on_both_engines,
    raw::Raw,
    stores::TestStore,
};
use futures_util::future::join_all;

on_both_engines! {
    ten_wrong_passwords_close_a_login_for_a_while_even_across_a_restart,
    an_address_that_tries_many_logins_is_closed,
    many_guesses_at_once_get_no_more_tries,
    unknown_disabled_and_wrong_are_one_answer,
    a_new_password_ends_every_session,
    a_disabled_account_loses_sessions_and_tokens_and_the_last_administrator_stays,
    a_session_ends_when_idle_and_after_a_working_day,
    a_form_needs_this_sessions_token_and_our_own_origin,
    a_form_of_an_older_or_ended_session_says_why_and_leads_back,
    nothing_secret_is_stored,
}

const HERE: ClientAddress = ClientAddress(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

async fn staffed(test: &TestStore) -> InProcess {
    let cartable = InProcess::new(&test.store);
    cartable.person("anne", Role::Administrator, Scope::Everything).await.unwrap();
    cartable
}

async fn attempt(cartable: &InProcess, login: &str, password: &str, now: UtcMillis) -> Result<(), SignInRefused> {
    sign_in(&cartable.app, login, password, HERE, now).await.map(drop)
}

async fn page(cartable: &InProcess, cookie: &str) -> StatusCode {
    let request = Request::get("/devices").header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    cartable.send(request).await.unwrap().status
}

/// Makes the last attempts fail without hashing anything: a hash costs 46 MiB and 40 ms.
async fn fail(test: &TestStore, login: &str, client: ClientAddress, times: i64, now: UtcMillis) {
    for number in 0..times {
        let mut tx = test.store.write().await.unwrap();
        let when = now.plus_millis(number);
        throttle::begin(&mut tx, login, client, when).await.unwrap().unwrap();
        tx.commit().await.unwrap();
    }
}

async fn ten_wrong_passwords_close_a_login_for_a_while_even_across_a_restart(test: &TestStore) {
    let cartable = staffed(test).await;
    let now = at(0, 0, 0);
    fail(test, "anne", HERE, throttle::MAX_PER_LOGIN - 1, now).await;
    let wrong = attempt(&cartable, "ANNE ", "wrong password", now.plus_millis(20)).await;
    assert!(matches!(wrong, Err(SignInRefused::Wrong)), "{wrong:?}");
    let restarted = InProcess::new(&Store::open(test.url()).await.unwrap());
    let refused = attempt(&restarted, "anne", PASSWORD, now.plus_millis(60_000)).await;
    let Err(SignInRefused::Throttled { retry_after_seconds }) = refused else { panic!("{refused:?}") };
    assert_eq!(retry_after_seconds, 14 * 60);
    attempt(&restarted, "anne", PASSWORD, now.plus_millis(throttle::WINDOW_MILLIS + 20)).await.unwrap();
    // A success begins anew.
    fail(test, "anne", HERE, throttle::MAX_PER_LOGIN, now.plus_millis(throttle::WINDOW_MILLIS + 30)).await;
}

async fn an_address_that_tries_many_logins_is_closed(test: &TestStore) {
    let cartable = staffed(test).await;
    let now = at(0, 0, 0);
    for number in 0..throttle::MAX_PER_ADDRESS {
        fail(test, &format!("guess{number}"), HERE, 1, now.plus_millis(number)).await;
    }
    let refused = attempt(&cartable, "anne", PASSWORD, now.plus_millis(100)).await;
    assert!(matches!(refused, Err(SignInRefused::Throttled { .. })), "{refused:?}");
    let elsewhere = ClientAddress([198, 51, 100, 9].into());
    sign_in(&cartable.app, "anne", PASSWORD, elsewhere, now.plus_millis(100)).await.unwrap();
}

async fn many_guesses_at_once_get_no_more_tries(test: &TestStore) {
    let now = at(0, 0, 0);
    let guess = async || {
        let mut tx = test.store.write().await.unwrap();
        let let_through = throttle::begin(&mut tx, "anne", HERE, now).await.unwrap().is_ok();
        tx.commit().await.unwrap();
        let_through
    };
    let let_through = join_all((0..40).map(|_| guess())).await.into_iter().filter(|through| *through).count();
    assert_eq!(i64::try_from(let_through).unwrap(), throttle::MAX_PER_LOGIN);
}

async fn unknown_disabled_and_wrong_are_one_answer(test: &TestStore) {
    let cartable = staffed(test).await;
    cartable.person("bob", Role::Technician, Scope::Everything).await.unwrap();
    account::disable(&test.store, "test", &"bob".parse().unwrap(), at(0, 0, 0)).await.unwrap();
    for (login, password) in [("anne", "wrong password"), ("nobody", PASSWORD), ("bob", PASSWORD), ("<é>", PASSWORD)] {
        let refused = attempt(&cartable, login, password, at(0, 0, 0)).await;
        assert!(matches!(refused, Err(SignInRefused::Wrong)), "{login}: {refused:?}");
    }
}

async fn a_new_password_ends_every_session(test: &TestStore) {
    let cartable = staffed(test).await;
    let now = clock::now();
    let cookies = [cartable.cookie("anne", now).await.unwrap(), cartable.cookie("anne", now).await.unwrap()];
    for cookie in &cookies {
        assert_eq!(page(&cartable, cookie).await, StatusCode::OK);
    }
    let (login, password) = ("anne".parse().unwrap(), "une autre phrase secrète");
    account::change_password(&test.store, "test", &login, password, now).await.unwrap();
    for cookie in &cookies {
        assert_eq!(page(&cartable, cookie).await, StatusCode::SEE_OTHER);
    }
    let old = attempt(&cartable, "anne", PASSWORD, now).await;
    assert!(matches!(old, Err(SignInRefused::Wrong)), "{old:?}");
    attempt(&cartable, "anne", password, now).await.unwrap();
}

async fn a_disabled_account_loses_sessions_and_tokens_and_the_last_administrator_stays(test: &TestStore) {
    let cartable = staffed(test).await;
    let (anne, now) = ("anne".parse().unwrap(), clock::now());
    let last = account::disable(&test.store, "test", &anne, now).await;
    assert!(matches!(last, Err(account::AccountError::LastAdministrator(_))), "{last:?}");
    cartable.person("chloe", Role::Administrator, Scope::Everything).await.unwrap();
    let (cookie, token) = (cartable.cookie("anne", now).await.unwrap(), cartable.token("anne").await.unwrap());
    assert_eq!(cartable.get("/api/v1/me", &token).await.unwrap().status, StatusCode::OK);
    account::disable(&test.store, "test", &anne, now).await.unwrap();
    assert_eq!(page(&cartable, &cookie).await, StatusCode::SEE_OTHER);
    assert_eq!(cartable.get("/api/v1/me", &token).await.unwrap().status, StatusCode::UNAUTHORIZED);
}

async fn a_session_ends_when_idle_and_after_a_working_day(test: &TestStore) {
    let cartable = staffed(test).await;
    let now = clock::now();
    let minute = 60_000;
    let in_use = cartable.cookie("anne", now.plus_millis(minute - session::IDLE_MILLIS)).await.unwrap();
    assert_eq!(page(&cartable, &in_use).await, StatusCode::OK);
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let touched = raw.number("SELECT last_seen_at FROM session").await.unwrap();
    assert!(touched >= now.get(), "its use was noted");
    let idle = cartable.cookie("anne", now.plus_millis(-minute - session::IDLE_MILLIS)).await.unwrap();
    assert_eq!(page(&cartable, &idle).await, StatusCode::SEE_OTHER);
    let old = cartable.cookie("anne", now.plus_millis(-minute - session::LONGEST_MILLIS)).await.unwrap();
    raw.execute(&format!("UPDATE session SET last_seen_at = {now}")).await.unwrap();
    assert_eq!(page(&cartable, &old).await, StatusCode::SEE_OTHER, "however busy it was");
}

async fn a_form_needs_this_sessions_token_and_our_own_origin(test: &TestStore) {
    let cartable = staffed(test).await;
    let now = clock::now();
    let cookie = cartable.cookie("anne", now).await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let csrf = raw.texts("SELECT csrf_token FROM session").await.unwrap().remove(0);
    let post = async |token: &str, extra: (&'static str, &str)| {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/sign-out")
            .header(header::HOST, "cartable.example")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(extra.0, extra.1)
            .body(Body::from(format!("csrf={token}")))
            .unwrap();
        cartable.send(request).await.unwrap().status
    };
    let ours = ("origin", "https://cartable.example");
    for (token, extra) in [
        ("", ours),
        ("x", ours),
        (csrf.as_str(), ("origin", "https://evil.example")),
        (csrf.as_str(), ("origin", "null")),
        (csrf.as_str(), ("sec-fetch-site", "cross-site")),
    ] {
        assert_eq!(post(token, extra).await, StatusCode::FORBIDDEN, "{token} {extra:?}");
    }
    assert_eq!(page(&cartable, &cookie).await, StatusCode::OK, "the session stands");
    assert_eq!(post(&csrf, ours).await, StatusCode::SEE_OTHER);
    assert_eq!(page(&cartable, &cookie).await, StatusCode::SEE_OTHER, "the session has ended");
}

async fn a_form_of_an_older_or_ended_session_says_why_and_leads_back(test: &TestStore) {
    let cartable = staffed(test).await;
    let cookie = cartable.cookie("anne", clock::now()).await.unwrap();
    let send = async |cookie: &str, language: &str, referer: &str| {
        let request = Request::post("/needs")
            .header(header::HOST, "cartable.example")
            .header(header::ORIGIN, "https://cartable.example")
            .header(header::REFERER, referer)
            .header(header::COOKIE, cookie)
            .header(header::ACCEPT_LANGUAGE, language)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from("csrf=of-another-session"))
            .unwrap();
        cartable.send(request).await.unwrap()
    };
    let page = "https://cartable.example/needs?state=open&done=saved";
    for (language, sentence, blame) in
        [("en", "while you signed in again", "Ask an administrator"), ("fr", "reconnecté", "administratrice")]
    {
        let refused = send(&cookie, language, page).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains(sentence) && !refused.body.contains(blame), "{}", refused.body);
        assert!(refused.body.contains("href=\"/needs?state=open\""), "{}", refused.body);
    }
    let ended = send("cartable=gone", "en", page).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER);
    let there = ended.header("location").to_owned();
    assert_eq!(there, "/sign-in?ended=form&next=%2Fneeds%3Fstate%3Dopen");
    let asked = Request::get(there).header(header::ACCEPT_LANGUAGE, "en").body(Body::empty()).unwrap();
    let asked = cartable.send(asked).await.unwrap().body;
    assert!(
        asked.contains("was not recorded") && asked.contains("name=\"next\" value=\"/needs?state=open\""),
        "{asked}"
    );
    for elsewhere in ["https://evil.example/needs", "https://cartable.example//evil.example", "nonsense"] {
        assert_eq!(
            send("cartable=gone", "en", elsewhere).await.header("location"),
            "/sign-in?ended=form",
            "{elsewhere}"
        );
    }
    // Whoever signs out or changes the language on the sign-in page has lost nothing.
    let language = Request::post("/language")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("language=en&next=/sign-in"))
        .unwrap();
    assert_eq!(cartable.send(language).await.unwrap().header("location"), "/sign-in");
}

async fn nothing_secret_is_stored(test: &TestStore) {
    let cartable = staffed(test).await;
    let cookie = cartable.cookie("anne", clock::now()).await.unwrap();
    let token = cartable.token("anne").await.unwrap();
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let hex = if test.url().starts_with("sqlite:") { "hex(token_hash)" } else { "encode(token_hash, 'hex')" };
    let mut stored = Vec::new();
    for column in ["password_hash FROM person", "csrf_token FROM session", "details FROM audit"] {
        stored.extend(raw.texts(&format!("SELECT {column}")).await.unwrap());
    }
    for table in ["session", "api_token"] {
        stored.extend(raw.texts(&format!("SELECT {hex} FROM {table}")).await.unwrap());
    }
    let session = cookie.split_once('=').unwrap().1;
    assert!(stored.len() >= 5, "{stored:?}");
    for secret in [PASSWORD, session, token.as_str()] {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for value in &stored {
            assert!(!value.contains(secret) && !value.to_lowercase().contains(&hex), "a secret is stored: {value}");
        }
    }
}
