//! Reads Rust source as far as the tests of its layout need: which paths a file names, and where its tests begin.
//!
//! A scanner of tokens instead of a parser: it sees inside macro calls too, where a syntax tree is opaque. It knows
//! comments, strings, `use` trees, `self`, `super` and inline modules, and nothing of types.

/// A path as it stands in the source, resolved to where it begins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPath {
    /// The line it stands on, from 1.
    pub line: usize,
    /// Its segments. `crate`, `self` and `super` are resolved: such a path begins with `crate`.
    pub segments: Vec<String>,
}

impl NamedPath {
    /// Whether it begins with `prefix`, written with `::`.
    pub fn starts_with(&self, prefix: &str) -> bool {
        let mut segments = self.segments.iter();
        prefix.split("::").all(|wanted| segments.next().is_some_and(|segment| segment == wanted))
    }
}

/// The lines of `source` up to its unit tests.
pub fn lines_before_tests(source: &str) -> usize {
    let lines: Vec<&str> = source.lines().collect();
    let tests = lines.windows(2).position(|two| {
        two[0].trim() == "#[cfg(test)]" && two[1].trim_start().trim_start_matches("pub ").starts_with("mod ")
    });
    tests.unwrap_or(lines.len())
}

/// The files that the file at `path` declares for its tests only (`#[cfg(test)] mod name;`).
pub fn test_modules(path: &str, text: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let inside = ["/mod", "/lib", "/main"].iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter(|two| two[0] == "#[cfg(test)]");
    let names = declared.filter_map(|two| two[1].strip_prefix("mod ")?.strip_suffix(';'));
    names.flat_map(|name| [format!("{inside}/{name}.rs"), format!("{inside}/{name}/mod.rs")]).collect()
}

/// Every path of two segments or more, and every `use`, in the file that is module `module` of its crate (`["store",
/// "flag"]`; empty for the crate's root).
pub fn paths(source: &str, module: &[&str]) -> Vec<NamedPath> {
    let mut reader =
        Reader { tokens: tokens(source), at: 0, modules: vec![], depth: 0, file_module: module, found: vec![] };
    reader.run();
    reader.found
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Mark(char),
}

struct Reader<'a> {
    tokens: Vec<(Token, usize)>,
    at: usize,
    /// Inline modules around the present place, each with the depth of braces outside it.
    modules: Vec<(String, usize)>,
    depth: usize,
    file_module: &'a [&'a str],
    found: Vec<NamedPath>,
}

impl Reader<'_> {
    fn run(&mut self) {
        while let Some(token) = self.peek(0).cloned() {
            match token {
                Token::Mark('{') => self.depth += 1,
                Token::Mark('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.modules.retain(|(_, outside)| *outside < self.depth);
                }
                Token::Word(word) if word == "use" => {
                    self.at += 1;
                    self.use_tree(&[]);
                    continue;
                }
                Token::Word(word) if word == "mod" => self.inline_module(),
                Token::Word(_) => {
                    self.path();
                    continue;
                }
                Token::Colons | Token::Mark(_) => {}
            }
            self.at += 1;
        }
    }

    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(token, _)| token)
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).map_or(0, |(_, line)| *line)
    }

    fn inline_module(&mut self) {
        if let (Some(Token::Word(name)), Some(Token::Mark('{'))) = (self.peek(1).cloned(), self.peek(2)) {
            self.modules.push((name, self.depth));
            self.at += 2;
            self.depth += 1;
        }
    }

    /// A path in code: noted if it has two segments at least.
    fn path(&mut self) {
        let line = self.line();
        let after_colons = self.at > 0 && self.tokens[self.at - 1].0 == Token::Colons;
        let mut segments = vec![];
        while let Some(Token::Word(word)) = self.peek(0).cloned() {
            segments.push(word);
            self.at += 1;
            if self.peek(0) != Some(&Token::Colons) || !matches!(self.peek(1), Some(Token::Word(_))) {
                break;
            }
            self.at += 1;
        }
        // After `::` stands the rest of `Vec::<T>::new` or `<T as Trait>::X`: its beginning was noted already.
        if segments.len() > 1 && !after_colons {
            self.note(segments, line);
        }
    }

    fn use_tree(&mut self, prefix: &[String]) {
        let mut segments = prefix.to_vec();
        loop {
            let line = self.line();
            match self.peek(0).cloned() {
                Some(Token::Word(word)) if word == "as" => self.at += 2,
                Some(Token::Word(word)) => {
                    segments.push(word);
                    self.at += 1;
                }
                Some(Token::Colons) => self.at += 1,
                Some(Token::Mark('*')) => {
                    segments.push("*".to_owned());
                    self.at += 1;
                }
                Some(Token::Mark('{')) => {
                    self.at += 1;
                    while !matches!(self.peek(0), None | Some(Token::Mark('}'))) {
                        self.use_tree(&segments);
                        if self.peek(0) == Some(&Token::Mark(',')) {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                // `use<'a, T>` in a return type is no import.
                _ => {
                    if segments.len() > prefix.len() {
                        self.note(segments, line);
                    }
                    return;
                }
            }
        }
    }

    fn note(&mut self, segments: Vec<String>, line: usize) {
        let here = || {
            self.file_module
                .iter()
                .map(|name| (*name).to_owned())
                .chain(self.modules.iter().map(|(name, _)| name.clone()))
        };
        let mut rest = segments.as_slice();
        let mut resolved = match rest.first().map(String::as_str) {
            Some("self" | "super") => std::iter::once("crate".to_owned()).chain(here()).collect(),
            _ => vec![],
        };
        while let Some(first @ ("self" | "super")) = rest.first().map(String::as_str) {
            if first == "super" && resolved.len() > 1 {
                resolved.pop();
            }
            rest = &rest[1..];
        }
        resolved.extend(rest.iter().cloned());
        self.found.push(NamedPath { line, segments: resolved });
    }
}

/// The words, `::` and other marks of `source` with their lines; comments, strings, numbers and lifetimes left out.
fn tokens(source: &str) -> Vec<(Token, usize)> {
    let text: Vec<char> = source.chars().collect();
    let (mut found, mut at, mut line) = (vec![], 0, 1);
    while at < text.len() {
        let end = match skipped(&text, at) {
            Some(end) => end,
            None if is_word(text[at]) => {
                let end = (at..text.len()).find(|&i| !is_word(text[i])).unwrap_or(text.len());
                if !text[at].is_ascii_digit() {
                    found.push((Token::Word(text[at..end].iter().collect()), line));
                }
                end
            }
            None if text[at..].starts_with(&[':', ':']) => {
                found.push((Token::Colons, line));
                at + 2
            }
            None => {
                if !text[at].is_whitespace() {
                    found.push((Token::Mark(text[at]), line));
                }
                at + 1
            }
        };
        line += text[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The end of the comment, string, character or lifetime that begins at `at`, if one does.
fn skipped(text: &[char], at: usize) -> Option<usize> {
    let rest = &text[at..];
    let after_word = at > 0 && is_word(text[at - 1]);
    match rest {
        ['/', '/', ..] => Some(at + rest.iter().position(|&c| c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => Some(at + block_comment(rest)),
        ['"', ..] => Some(at + quoted(rest, 0)),
        ['r', '"' | '#', ..] if !after_word => raw_string(rest, 1).map(|length| at + length),
        ['b', 'r', '"' | '#', ..] if !after_word => raw_string(rest, 2).map(|length| at + length),
        ['\'', '\\', ..] => {
            Some(at + 2 + rest.iter().skip(3).position(|&c| c == '\'').map_or(rest.len() - 2, |i| i + 2))
        }
        ['\'', _, '\'', ..] => Some(at + 3),
        ['\'', ..] => Some(at + 1 + rest[1..].iter().position(|&c| !is_word(c)).unwrap_or(rest.len() - 1)),
        _ => None,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match rest[at..at + 2] {
            ['/', '*'] => (depth, at) = (depth + 1, at + 2),
            ['*', '/'] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of the string whose quotation mark stands at `open`.
fn quoted(rest: &[char], open: usize) -> usize {
    let mut at = open + 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of the raw string whose number signs begin at `signs`; `None` for a raw identifier (`r#type`).
fn raw_string(rest: &[char], signs: usize) -> Option<usize> {
    let count = rest[signs..].iter().take_while(|&&c| c == '#').count();
    if rest.get(signs + count) != Some(&'"') {
        return None;
    }
    let body = signs + count + 1;
    let ends = (body..rest.len())
        .find(|&i| rest[i] == '"' && rest[i + 1..].iter().take_while(|&&c| c == '#').count() >= count);
    Some(ends.map_or(rest.len(), |i| i + 1 + count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, module: &[&str]) -> Vec<String> {
        paths(source, module).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn use_trees_are_taken_apart() {
        let source = "use std::{io::{self, Read as _}, fs};\npub use crate::store::*;\nuse sqlx;";
        assert_eq!(found(source, &[]), ["std::io::self", "std::io::Read", "std::fs", "crate::store::*", "sqlx"]);
        assert_eq!(paths(source, &[])[3].line, 2);
    }

    #[test]
    fn paths_in_code_and_in_macros_are_seen_and_text_is_not() {
        let source = r##"
            // sqlx::no
            /* axum::no /* nested::no */ still::no */
            fn f<'a>(x: &'a str) -> Vec<tokio::Task> {
                let c = '"'; let d = '\''; let s = "rustls::no \" hyper::no"; let r = r#"raw::no "quoted" raw::no"#;
                on!(tx, |c| sqlx::query("SELECT 1::bigint").fetch(c)); b"bytes::no"; 1u8; std::mem::size_of::<Foo>()
            }"##;
        assert_eq!(found(source, &[]), ["tokio::Task", "sqlx::query", "std::mem::size_of"]);
    }

    #[test]
    fn relative_paths_are_resolved_also_in_inline_modules() {
        let source =
            "use super::device; mod tests { use super::*; fn f() { super::super::auth::g() } } fn h() { self::i() }";
        let expected =
            ["crate::console::device", "crate::console::list::*", "crate::console::auth::g", "crate::console::list::i"];
        assert_eq!(found(source, &["console", "list"]), expected);
    }

    #[test]
    fn unit_tests_do_not_count() {
        assert_eq!(lines_before_tests("//! A\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
        assert_eq!(lines_before_tests("//! A\n#[cfg(test)]\nfn only_for_tests() {}\n"), 3);
    }
}
