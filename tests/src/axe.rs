//! The accessibility rules of axe-core, put into a page that a [`Browser`] shows.
//!
//! axe finds part of what RGAA 4 (WCAG 2.1 AA) asks for; what needs a person's judgement stays with a person.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{browser::Browser, harness::binaries::workspace};

/// The rules of WCAG 2.1 A and AA, and axe's own good practice.
const RULES: &str = "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']";

/// The script of axe-core.
#[derive(Clone, Debug)]
pub struct Axe {
    script: String,
}

impl Axe {
    /// Reads it from where `tests/run` puts it.
    pub fn load() -> anyhow::Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
        let path = target.join("node/node_modules/axe-core/axe.min.js");
        let script = std::fs::read_to_string(&path)
            .with_context(|| format!("{}: run `tests/run`, or `npm ci` there", path.display()))?;
        Ok(Self { script })
    }

    /// What is wrong with the page that `browser` shows: one line for each element and rule.
    pub async fn violations(&self, browser: &Browser) -> anyhow::Result<Vec<String>> {
        browser.execute(&self.script).await.context("axe could not be put into the page")?;
        let run = format!(
            "const done = arguments[arguments.length - 1]; \
             axe.run(document, {{ runOnly: {{ type: 'tag', values: {RULES} }}, resultTypes: ['violations'] }}) \
               .then(result => done(result), error => done(String(error)))"
        );
        let result = browser.execute_async(&run).await?;
        let found = result["violations"].as_array().with_context(|| format!("axe failed: {result}"))?;
        // A page on which no rule applied was not looked at.
        ensure!(result["passes"].as_array().is_some_and(|passes| passes.len() > 5), "axe looked at nothing");
        Ok(found.iter().flat_map(lines).collect())
    }
}

fn lines(violation: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = violation["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |node: &Value| {
        let why = word(&node["failureSummary"]).lines().skip(1).map(str::trim).collect::<Vec<_>>().join("; ");
        format!("{} at {}: {why}", word(&violation["id"]), node["target"])
    };
    nodes.iter().map(line).collect()
}
