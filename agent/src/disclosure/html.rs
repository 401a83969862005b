//! The page as one HTML file, in both languages: no script, nothing from elsewhere, readable without a network.

use std::fmt::Write as _;

use super::{Block, Shown, page};
use crate::language::Language;

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"LANGUAGE\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>Cartable</title>
<style>
body { max-width: 44rem; margin: 0 auto; padding: 1rem; font: 1.1rem/1.5 sans-serif; color: #1b1b1b; background: #fff; }
h2 { margin-top: 2rem; } h3 { font-size: 1.1rem; margin-bottom: .2rem; }
dt { color: #444; } dd { margin: 0 0 .6rem; font-weight: bold; overflow-wrap: anywhere; }
pre { overflow-x: auto; background: #f2f2f2; padding: 1rem; font-size: .9rem; }
nav a { display: inline-block; padding: .5rem 0; }
</style>
</head>
<body>
";

/// The page, `first` language first.
#[must_use]
pub fn html(shown: &Shown, first: Language) -> String {
    let (second, code, name) = match first {
        Language::French => (Language::English, "en", "English"),
        Language::English => (Language::French, "fr", "Français"),
    };
    let mut written = HEAD.replace("LANGUAGE", first.code());
    // Writing to a String cannot fail.
    let _ = writeln!(written, "<nav><a href=\"#{code}\" hreflang=\"{code}\" lang=\"{code}\">{name}</a></nav>");
    for language in [first, second] {
        let code = language.code();
        let tag = if language == first { "main" } else { "section" };
        let _ = writeln!(written, "<{tag} lang=\"{code}\" id=\"{code}\">");
        blocks(&page(shown, language), language == first, &mut written);
        let _ = writeln!(written, "</{tag}>");
    }
    written.push_str("</body>\n</html>\n");
    written
}

/// What stands open while blocks are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Items,
    Values,
}

fn blocks(blocks: &[Block], has_title: bool, written: &mut String) {
    let mut open = Open::Nothing;
    for block in blocks {
        let needed = match block {
            Block::Item(_) => Open::Items,
            Block::Value(..) => Open::Values,
            Block::Title(_) | Block::Heading(_) | Block::Group(_) | Block::Words(_) | Block::Exact(_) => Open::Nothing,
        };
        if needed != open {
            written.push_str(open.end());
            written.push_str(needed.begin());
            open = needed;
        }
        let title = if has_title { "h1" } else { "h2" };
        let _ = match block {
            Block::Title(words) => writeln!(written, "<{title}>{}</{title}>", escaped(words)),
            Block::Heading(words) => writeln!(written, "<h2>{}</h2>", escaped(words)),
            Block::Group(words) => writeln!(written, "<h3>{}</h3>", escaped(words)),
            Block::Words(words) => writeln!(written, "<p>{}</p>", escaped(words)),
            Block::Item(words) => writeln!(written, "<li>{}</li>", escaped(words)),
            Block::Value(why, value) => writeln!(written, "<dt>{}</dt><dd>{}</dd>", escaped(why), escaped(value)),
            Block::Exact(words) => writeln!(written, "<pre tabindex=\"0\" lang=\"en\">{}</pre>", escaped(words)),
        };
    }
    written.push_str(open.end());
}

impl Open {
    const fn begin(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Items => "<ul>\n",
            Self::Values => "<dl>\n",
        }
    }

    const fn end(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Items => "</ul>\n",
            Self::Values => "</dl>\n",
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::Text;

    #[test]
    fn a_hostile_name_of_a_drive_stays_text_and_nothing_is_loaded() {
        let mut shown = super::super::page::tests::shown();
        let report = &mut shown.report.as_mut().unwrap().report;
        report.drives[0].model = Text::meaningful("<script>alert(\"x\")</script>");
        let page = html(&shown, Language::French);
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
        assert!(!page.contains("http-src") && !page.contains("src=") && !page.contains("href=\"http"));
        assert!(page.contains("<main lang=\"fr\"") && page.contains("<section lang=\"en\""));
    }

    #[test]
    fn what_is_opened_is_closed() {
        let page = html(&super::super::page::tests::shown(), Language::English);
        for tag in ["ul", "dl", "dt", "dd", "li", "h1", "h2", "h3", "p", "pre", "main", "section", "body", "html"] {
            let (opened, closed) = (
                page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count(),
                page.matches(&format!("</{tag}>")).count(),
            );
            assert_eq!(opened, closed, "{tag}");
            assert!(opened > 0, "{tag}");
        }
        assert_eq!(page.matches("<h1>").count(), 1);
    }
}
