//! `cartable-server assess` with the real program: the corpus file by file, and files that are none of its formats.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use cartable_tests::harness::Binaries;
use serde_json::Value;

use crate::corpus_verdicts::corpus;

fn assess(arguments: &[&str], files: &[&Path]) -> Output {
    let program = &Binaries::find().unwrap().server;
    Command::new(program).arg("assess").args(arguments).args(files).stdin(Stdio::null()).output().unwrap()
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The lines of `--json`, one object each, in the order of `files`.
fn lines(output: &Output, files: &[&Path]) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), files.len(), "{text}");
    for (line, file) in lines.iter().zip(files) {
        assert_eq!(names(line), ["file", "kind", "missing", "reasons", "verdict"], "{line}");
        assert_eq!(line["file"], file.to_string_lossy().as_ref());
        assert!(["healthy", "worn", "failing", "unknown"].contains(&line["verdict"].as_str().unwrap()));
        assert!(["drive", "battery", "device", "unknown"].contains(&line["kind"].as_str().unwrap()));
        for reason in line["reasons"].as_array().unwrap() {
            assert_eq!(names(reason), ["code", "source", "threshold", "value"], "{reason}");
        }
        if line["verdict"] == "unknown" {
            assert_ne!(line["missing"].as_array().unwrap().len(), 0, "unknown without a word: {line}");
        } else {
            assert_ne!(line["reasons"].as_array().unwrap().len(), 0, "a verdict without evidence: {line}");
        }
    }
    lines
}

#[test]
fn the_corpus_gets_a_line_for_each_file() {
    let Some(corpus) = corpus() else { return };
    let index = fs::read_to_string(corpus.join("index.csv")).unwrap();
    let names = index.lines().skip(1).filter_map(|line| line.split(',').next());
    let paths: Vec<PathBuf> = names.map(|name| corpus.join(name)).collect();
    let mut files: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let output = assess(&["--json"], &files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let together = lines(&output, &files);
    files.reverse();
    let mut reversed = lines(&assess(&["--json"], &files), &files);
    reversed.reverse();
    assert_eq!(reversed, together, "the order of files means nothing");
    files.reverse();
    // Other machines' readings beside it change nothing.
    for (file, line) in files.iter().zip(&together).step_by(7) {
        assert_eq!(&lines(&assess(&["--json"], &[file]), &[file])[0], line);
    }
}

/// Files that hold no reading, each with what must be said of it.
fn hostile(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let deep = "{\"smartctl\":".repeat(50_000);
    let mut files = vec![
        (write("empty.json", b""), "file_empty"),
        (write("white", b" \n\n\t"), "file_empty"),
        (write("elf.json", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0"), "file_binary"),
        (write("noise", &(0..=255).cycle().take(10_000).collect::<Vec<u8>>()), "file_binary"),
        (write("cut.json", br#"{"smartctl":{"exit_status":0},"ata_smart_attr"#), "json_broken"),
        (write("deep.json", deep.as_bytes()), "json_broken"),
        (write("twice.json", br#"{"smartctl":{}} {"smartctl":{}}"#), "json_broken"),
        (write("huge", &vec![b'x'; 9 << 20]), "file_too_large"),
        (write("list.csv", b"serial;model\nA1;X\n"), "format_unknown"),
        (write("wrong.json", br#"{"drives":[{"power_on_hours":-1}]}"#), "report_invalid"),
        (write("many.json", format!(r#"{{"drives":[{}]}}"#, vec!["{}"; 17].join(",")).as_bytes()), "report_invalid"),
        (folder.to_owned(), "file_not_given"),
        (folder.join("not there"), "file_not_given"),
    ];
    #[cfg(unix)]
    {
        let pipe = folder.join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            files.push((pipe, "file_not_given"));
        }
        let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd \x1b[2J\xff name");
        let path = folder.join(odd);
        if fs::write(&path, b"{").is_ok() {
            files.push((path, "json_broken"));
        }
    }
    files
}

#[test]
fn what_cannot_be_read_is_a_line_with_its_reason_and_never_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = hostile(folder.path());
    let files: Vec<&Path> = hostile.iter().map(|(path, _)| path.as_path()).collect();
    let output = assess(&["--json"], &files);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    for (line, (file, code)) in lines(&output, &files).iter().zip(&hostile) {
        assert_eq!((line["verdict"].as_str(), line["kind"].as_str()), (Some("unknown"), Some("unknown")), "{line}");
        assert_eq!(line["reasons"][0]["code"], *code, "{}: {line}", file.display());
    }
    let words = assess(&[], &files);
    assert_eq!(words.status.code(), Some(1));
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(!words.contains('\u{1B}'), "a file's name moves the cursor");
    assert!(words.contains("inconnu") && words.contains("le fichier est vide"), "{words}");
    assert!(words.contains("c’est un dossier") && words.contains("ce fichier n’existe pas"), "{words}");
    assert!(!words.contains("directory") && !words.contains("os error"), "no English in a French verdict: {words}");
    let words = String::from_utf8(assess(&["--language", "en"], &files).stdout).unwrap();
    assert!(words.contains("this is a directory") && words.contains("there is no such file"), "{words}");
}

const BATTERY: &str = "POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_TYPE=Battery\nPOWER_SUPPLY_CHARGE_FULL=2200000\n\
                       POWER_SUPPLY_CHARGE_FULL_DESIGN=4400000\n";

#[test]
fn a_person_reads_the_verdict_with_its_evidence_in_either_language() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("whatever.bin");
    // As PowerShell redirects a program's output.
    let utf16: Vec<u8> = format!("\u{FEFF}{BATTERY}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&path, utf16).unwrap();
    let said = |arguments: &[&str]| {
        let output = assess(arguments, &[&path]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let french = said(&[]);
    assert!(french.contains("usé (batterie)") && french.contains("50\u{A0}% de sa capacité d’origine"), "{french}");
    let english = said(&["--language", "en"]);
    assert!(english.contains("worn (battery)") && english.contains("[threshold 60%;"), "{english}");
    let policy = folder.path().join("policy.toml");
    fs::write(&policy, "[battery]\nreplace_percent = 51\n").unwrap();
    let stricter = said(&["--language", "en", "--policy", policy.to_str().unwrap()]);
    assert!(stricter.contains("at risk (battery)"), "{stricter}");
}

#[test]
fn standard_input_is_a_file_too() {
    let mut child = Command::new(&Binaries::find().unwrap().server)
        .args(["assess", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(BATTERY.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(lines(&output, &[Path::new("-")])[0]["verdict"], "worn");
    let none = assess(&[], &[]);
    assert_eq!(none.status.code(), Some(2), "no file at all is a mistake of the command line");
}
