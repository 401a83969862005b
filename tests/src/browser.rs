//! A real browser: headless Chromium through its driver (WebDriver, plain JSON over HTTP) and the DevTools protocol.
//!
//! One [`Driver`] for a test, one [`Browser`] (a profile of its own) per visitor. Both end when dropped, also while a
//! panic unwinds. Needs `chromium` and `chromedriver`; tests that need them fail without.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Process, binaries::workspace, http::plain_client};

/// WebDriver's name for the Enter key.
pub const ENTER: char = '\u{e007}';
/// How long the driver may take to start on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Nothing of the browser's own leaves this computer, and no sandbox: tests run as root in containers.
const ARGUMENTS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
];

/// Under which key WebDriver gives an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running chromedriver.
#[derive(Debug)]
pub struct Driver {
    address: String,
    http: reqwest::Client,
    _process: Process,
}

/// A size of window in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A technician's: 1280 × 900.
    Desk,
    /// A telephone's: 375 × 812.
    Hand,
}

/// What the visitor's system prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// One visitor's browser.
#[derive(Debug)]
pub struct Browser {
    driver: String,
    session: String,
    http: reqwest::Client,
    _profile: TempDir,
}

impl Driver {
    /// Starts chromedriver on a free port.
    pub fn start() -> anyhow::Result<Self> {
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--log-level=WARNING"]);
        let mut process = Process::start("chromedriver", &mut command).context("apt-get install chromium-driver")?;
        let port = loop {
            let line = process.line(START_TIMEOUT)?;
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Ok(Self { address: format!("127.0.0.1:{port}"), http: plain_client()?, _process: process })
    }

    /// Opens a browser whose visitor reads `language` (as in Accept-Language).
    pub async fn open(&self, language: &str) -> anyhow::Result<Browser> {
        let profile = tempfile::tempdir()?;
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|&argument| argument.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--accept-lang={language}"));
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": "/usr/bin/chromium",
                "args": arguments,
                "prefs": { "intl.accept_languages": language },
            },
        } } });
        let url = format!("http://{}/session", self.address);
        let answer: Value = self.http.post(url).json(&capabilities).send().await?.json().await?;
        let session = answer["value"]["sessionId"].as_str().with_context(|| format!("no browser: {answer}"))?;
        Ok(Browser {
            driver: self.address.clone(),
            session: session.to_owned(),
            http: self.http.clone(),
            _profile: profile,
        })
    }
}

impl Browser {
    async fn command(&self, name: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("http://{}/session/{}/{name}", self.driver, self.session);
        let response = self.http.post(url).json(body).send().await?;
        Self::value(name, response).await
    }

    async fn read(&self, name: &str) -> anyhow::Result<Value> {
        let url = format!("http://{}/session/{}/{name}", self.driver, self.session);
        Self::value(name, self.http.get(url).send().await?).await
    }

    async fn value(name: &str, response: reqwest::Response) -> anyhow::Result<Value> {
        let status = response.status();
        let mut answer: Value = response.json().await?;
        ensure!(status.is_success(), "{name}: {}", answer["value"]["message"].as_str().unwrap_or("no message"));
        Ok(answer["value"].take())
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> anyhow::Result<Value> {
        self.command("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    /// Opens `url` and waits until it is loaded.
    pub async fn goto(&self, url: &str) -> anyhow::Result<()> {
        self.command("url", &json!({ "url": url })).await.map(drop)
    }

    /// Where the visitor is.
    pub async fn url(&self) -> anyhow::Result<String> {
        text(self.read("url").await?)
    }

    /// The page as the browser understood it.
    pub async fn source(&self) -> anyhow::Result<String> {
        text(self.read("source").await?)
    }

    /// What `script` (the body of a function) returns. Runs beside the page: its Content-Security-Policy is not asked.
    pub async fn execute(&self, script: &str) -> anyhow::Result<Value> {
        self.command("execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// As [`Browser::execute`]; `script` calls its last argument when it is done.
    pub async fn execute_async(&self, script: &str) -> anyhow::Result<Value> {
        self.command("execute/async", &json!({ "script": script, "args": [] })).await
    }

    async fn element(&self, css: &str) -> anyhow::Result<String> {
        let found = self.command("element", &json!({ "using": "css selector", "value": css })).await?;
        Ok(found[ELEMENT].as_str().with_context(|| format!("no element {css}"))?.to_owned())
    }

    /// Clicks the first element that `css` selects, as a mouse would: it must be visible and not covered.
    pub async fn click(&self, css: &str) -> anyhow::Result<()> {
        let element = self.element(css).await?;
        let leads = "return element && (element.type === 'submit' || element.closest('a[href]')) ? 1 : 0";
        let marked = format!("window.clicked = true; const element = document.querySelector({}); {leads}", json!(css));
        let leads = self.execute(&marked).await?.as_u64() == Some(1);
        self.command(&format!("element/{element}/click"), &json!({})).await.with_context(|| css.to_owned())?;
        if leads {
            self.until_elsewhere().await;
        }
        Ok(())
    }

    /// Waits until `script`, an expression, is `wanted`. While the browser is between two pages there is nothing to ask.
    pub async fn until(&self, script: &str, wanted: u64) -> anyhow::Result<()> {
        const PATIENCE: Duration = Duration::from_secs(60);
        let began = std::time::Instant::now();
        loop {
            let now = self.execute(&format!("return {script}")).await;
            if now.as_ref().is_ok_and(|now| now.as_u64() == Some(wanted)) {
                return Ok(());
            }
            if began.elapsed() >= PATIENCE {
                let page = self.execute("return document.body.innerText").await;
                bail!("{script} is {now:?}, never was {wanted}: {page:?}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A form's answer may come after the click has returned: waits until the marked page has made way for it. A page
    /// that stays, because its script did what was asked, is left as it is.
    async fn until_elsewhere(&self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        let began = std::time::Instant::now();
        while began.elapsed() < PATIENCE {
            // Between two pages there is nothing to ask.
            let there = self.execute("return !window.clicked && document.readyState === 'complete' ? 1 : 0").await;
            if there.is_ok_and(|there| there.as_u64() == Some(1)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Signs in at the console by keyboard, and waits until that is done: a page that is opened before would make way for
    /// the answer.
    pub async fn sign_in(&self, console: &str, login: &str, password: &str) -> anyhow::Result<()> {
        self.goto(&format!("{console}/sign-in")).await?;
        self.type_into("#login", login).await?;
        self.type_into("#password", &format!("{password}{ENTER}")).await?;
        self.until("location.pathname === '/' ? 1 : 0", 1).await
    }

    /// Types a code and Enter into the desk's field, as a scanner does. A page that has just come back takes a moment to
    /// give the field its focus; a person waits as well.
    pub async fn scan(&self, code: &str) -> anyhow::Result<()> {
        self.until("document.activeElement?.id === 'code' ? 1 : 0", 1).await?;
        self.type_into("#code", &format!("{code}{ENTER}")).await
    }

    /// Types `words` into the first element that `css` selects.
    pub async fn type_into(&self, css: &str, words: &str) -> anyhow::Result<()> {
        let element = self.element(css).await?;
        self.command(&format!("element/{element}/value"), &json!({ "text": words })).await.map(drop)
    }

    /// Gives the window a size.
    pub async fn set_screen(&self, screen: Screen) -> anyhow::Result<()> {
        let (width, height, mobile) = match screen {
            Screen::Desk => (1280, 900, false),
            Screen::Hand => (375, 812, true),
        };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Prefers light or dark, and no movement.
    pub async fn set_scheme(&self, scheme: Scheme) -> anyhow::Result<()> {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await.map(drop)
    }

    /// Runs `script` in every page from now on, before the page's own: to watch or to stand in for what the browser offers
    /// them.
    pub async fn before_pages(&self, script: &str) -> anyhow::Result<()> {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script })).await.map(drop)
    }

    /// Forbids pages to run any script.
    pub async fn forbid_scripts(&self) -> anyhow::Result<()> {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await.map(drop)
    }

    /// What the browser wrote to its console since the last call: violations of the Content-Security-Policy, what could
    /// not be loaded, errors of scripts; nothing of the browser's own pages, which break where scripts are forbidden.
    pub async fn console(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.command("se/log", &json!({ "type": "browser" })).await?;
        let entries = entries.as_array().context("the browser's console is a list")?;
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        Ok(messages.filter(|message| !message.starts_with("chrome://")).map(ToOwned::to_owned).collect())
    }

    /// Photographs the whole page into target/screenshots/NAME.png.
    pub async fn photograph(&self, name: &str) -> anyhow::Result<PathBuf> {
        let picture = self.picture(true).await?;
        let directory = workspace().join("target/screenshots");
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{name}.png"));
        std::fs::write(&path, picture)?;
        Ok(path)
    }

    /// What the window shows, as PNG.
    pub async fn window(&self) -> anyhow::Result<Vec<u8>> {
        self.picture(false).await
    }

    async fn picture(&self, beyond_the_window: bool) -> anyhow::Result<Vec<u8>> {
        let parameters = json!({ "format": "png", "captureBeyondViewport": beyond_the_window });
        let picture = self.devtools("Page.captureScreenshot", parameters).await?;
        Ok(BASE64.decode(picture["data"].as_str().context("no picture")?.as_bytes())?)
    }

    /// How many CSS pixels the page is wider than its window.
    pub async fn overflow(&self) -> anyhow::Result<i64> {
        let script = "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
        self.execute(script).await?.as_i64().context("widths are numbers")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session. Plain and blocking, because dropping cannot wait; a driver that is gone took
        // its browser with it.
        let Ok(mut stream) = TcpStream::connect(&self.driver) else { return };
        let limit = Some(Duration::from_secs(10));
        drop(stream.set_read_timeout(limit));
        let request = format!(
            "DELETE /session/{} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.session, self.driver
        );
        if stream.write_all(request.as_bytes()).is_ok() {
            let _ = stream.read(&mut [0; 256]);
        }
    }
}

fn text(value: Value) -> anyhow::Result<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            anyhow::bail!("not a text: {value}")
        }
    }
}
