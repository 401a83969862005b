//! Pictures of the guides: of the real console, in the guide's language, small, and exactly those that the guide shows.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};

use crate::{browser::Browser, harness::binaries::workspace, picture};

/// Every guide is written in these.
pub const LANGUAGES: [&str; 2] = ["fr", "en"];
/// Width and height of every picture, in pixels.
pub const SIZE: (u32, u32) = (1280, 900);
const MOST_PICTURE_BYTES: usize = 150_000;

/// Whether pictures are taken anew.
#[must_use]
pub fn blessing() -> bool {
    std::env::var_os("CARTABLE_BLESS").is_some()
}

/// A guide in two languages, `docs/{name}.{language}.md`, with its pictures.
#[derive(Clone, Copy, Debug)]
pub struct Guide {
    /// Its name.
    pub name: &'static str,
    /// Every picture, in the order in which the guide shows them.
    pub shown: &'static [&'static str],
}

impl Guide {
    /// Its text.
    pub fn text(&self, language: &str) -> anyhow::Result<String> {
        let path = workspace().join(format!("docs/{}.{language}.md", self.name));
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    fn folder(&self, language: &str) -> String {
        format!("screenshots/{}-{language}", self.name)
    }

    fn picture(&self, language: &str, name: &str) -> PathBuf {
        workspace().join(format!("docs/{}/{name}.png", self.folder(language)))
    }

    /// Keeps the browser's window as the picture `name`.
    pub async fn keep(&self, browser: &Browser, language: &str, name: &str) -> anyhow::Result<()> {
        // Nothing stands marked and no field blinks.
        browser.execute("document.activeElement?.blur()").await?;
        // A page that a form or an anchor scrolled is shown from its top.
        browser.execute("window.scrollTo(0, 0)").await?;
        self.save(language, name, &browser.window().await?)
    }

    /// Keeps `png` as the picture `name`.
    pub fn save(&self, language: &str, name: &str, png: &[u8]) -> anyhow::Result<()> {
        let small = picture::with_few_colours(png)?;
        let path = self.picture(language, name);
        std::fs::create_dir_all(path.parent().context("a picture lies in a folder")?)?;
        Ok(std::fs::write(path, small)?)
    }

    /// Holds that both languages show every picture once and in order, that each is there and small, that none lies there
    /// unshown, and that `from` leads to the guide.
    pub fn check(&self, from: &str) -> anyhow::Result<()> {
        for language in LANGUAGES {
            let text = self.text(language)?;
            let start = format!("]({}/", self.folder(language));
            let named: Vec<&str> = text.split(&start).skip(1).filter_map(|rest| rest.split(".png)").next()).collect();
            ensure!(named == self.shown, "docs/{}.{language}.md shows {named:?}", self.name);
            for name in self.shown {
                let file = std::fs::read(self.picture(language, name)).with_context(|| (*name).to_owned())?;
                ensure!(file.len() <= MOST_PICTURE_BYTES, "{language}/{name}: {} bytes", file.len());
                ensure!(picture::size(&file)? == SIZE, "{language}/{name}");
            }
            let folder = workspace().join("docs").join(self.folder(language));
            ensure!(std::fs::read_dir(folder)?.count() == self.shown.len(), "{language}: a picture that nothing shows");
            let leads = std::fs::read_to_string(workspace().join(from))?;
            ensure!(leads.contains(&format!("{}.{language}.md)", self.name)), "{from} does not lead to it");
        }
        Ok(())
    }

    /// Holds that both languages tell the same, chapter by chapter, in lines that a terminal shows.
    pub fn check_chapters(&self) -> anyhow::Result<()> {
        let [french, english] = LANGUAGES.map(|language| self.text(language));
        let (french, english) = (french?, english?);
        let chapters = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        ensure!(chapters(&french) == chapters(&english), "docs/{}: one language has more chapters", self.name);
        for line in french.lines().chain(english.lines()) {
            let short = line.chars().count() <= 130 || line.starts_with('|') || line.starts_with('!');
            ensure!(short, "docs/{}: {line}", self.name);
        }
        Ok(())
    }
}
