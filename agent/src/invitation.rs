//! Enrolment without a person at the keyboard: a file that the image or the installer puts beside the agent.
//!
//! `enrol.conf` holds lines `name = value`: `server`, `token`, `roots` (a file in the same folder), where the key is to be
//! (`key`: auto, tpm or software) and, for the page that the borrower reads, `organisation` and `contact`. The token is gone once the enrolment is granted: the file is
//! removed, so that a laptop holds nothing with which another computer could be enrolled.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cartable_common::{Text, limits::MAX_TOKEN_CHARS, protocol::Disclosure};

use crate::{
    enrol::{Invitation, KeyChoice},
    identity::{InvalidKeyPlace, KeyPlace},
    server_url::{InvalidServerUrl, ServerUrl},
    tpm,
};

/// The name of the file in its folder.
const FILE: &str = "enrol.conf";

/// Largest file read, of invitation and roots alike.
const LARGEST: u64 = 64 * 1024;

/// An invitation that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the invitation {path} cannot be used: {why}; correct it, then: systemctl restart cartable-agent")]
pub struct InvitationError {
    path: PathBuf,
    why: String,
}

/// Whether there is one in `folder`, be it good or not.
#[must_use]
pub fn lies_in(folder: &Path) -> bool {
    folder.join(FILE).exists()
}

/// The invitation in `folder`, if there is one.
pub fn read(folder: &Path) -> Result<Option<Invitation>, InvitationError> {
    let path = folder.join(FILE);
    let fail = |why: String| InvitationError { path: path.clone(), why };
    let content = match read_small(&path) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error.to_string())),
    };
    let lines = Lines::parse(&content).map_err(fail)?;
    let server: ServerUrl =
        lines.needed("server").map_err(fail)?.parse().map_err(|error: InvalidServerUrl| fail(error.to_string()))?;
    let token = lines.needed("token").map_err(fail)?;
    if token.chars().count() > MAX_TOKEN_CHARS {
        return Err(fail("its token is too long".to_owned()));
    }
    let name = lines.needed("roots").map_err(fail)?;
    let roots_pem = read_small(&folder.join(name)).map_err(|error| fail(format!("its roots, {name}: {error}")))?;
    let place = lines.value("key").map(str::parse::<KeyPlace>).transpose();
    let place = place.map_err(|error: InvalidKeyPlace| fail(error.to_string()))?.unwrap_or_default();
    let protection = place.with(tpm::place(None, Path::new("/")));
    let words = |name| lines.value(name).and_then(Text::meaningful);
    let disclosure = Disclosure::named(words("organisation"), words("contact"));
    Ok(Some(Invitation { server, roots_pem, token: token.to_owned(), key: KeyChoice::Keep, protection, disclosure }))
}

/// Removes the invitation in `folder`: it was accepted.
pub fn forget(folder: &Path) {
    match fs::remove_file(folder.join(FILE)) {
        Ok(()) => tracing::info!("the invitation was accepted and is removed"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "the invitation was accepted and could not be removed: remove its file"),
    }
}

fn read_small(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let mut content = String::new();
    fs::File::open(path)?.take(LARGEST).read_to_string(&mut content)?;
    Ok(content)
}

/// `name = value`, one a line; `#` begins a line that does not count.
struct Lines<'t>(Vec<(&'t str, &'t str)>);

const NAMES: [&str; 6] = ["server", "token", "roots", "key", "organisation", "contact"];

impl<'t> Lines<'t> {
    fn parse(content: &'t str) -> Result<Self, String> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        let lines = content.trim_start_matches('\u{feff}').lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            // The line is not repeated in the error: it may be the token.
            let (name, value) = line.split_once('=').ok_or("a line is not of the form name = value")?;
            let (name, value) = (name.trim(), value.trim());
            let known = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name));
            let name = known.ok_or_else(|| format!("it knows only {}", NAMES.join(", ")))?;
            if found.iter().any(|(earlier, _)| *earlier == name) {
                return Err(format!("{name} stands twice"));
            }
            found.push((name, value));
        }
        Ok(Self(found))
    }

    fn value(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    fn needed(&self, name: &str) -> Result<&'t str, String> {
        self.value(name).ok_or_else(|| format!("{name} = … is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Protection;
    use proptest::prelude::*;

    fn invited(content: &str) -> Result<Option<Invitation>, InvitationError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("roots.pem"), "PEM").unwrap();
        fs::write(folder.path().join(FILE), content).unwrap();
        read(folder.path())
    }

    const GOOD: &str = "# from the image\r\nserver = https://parc.example:8443\nToken=AB12-CD34\n\nroots = roots.pem\norganisation = Département du Nord\n";

    #[test]
    fn a_good_one_is_read_and_forgotten() {
        let invitation = invited(GOOD).unwrap().unwrap();
        assert_eq!(invitation.server.as_str(), "https://parc.example:8443");
        assert_eq!((invitation.token.as_str(), invitation.roots_pem.as_str()), ("AB12-CD34", "PEM"));
        assert_eq!(invitation.disclosure.organisation, Text::meaningful("Département du Nord"));
        let in_a_file = invited(&format!("{GOOD}key = software\n")).unwrap().unwrap();
        assert_eq!(in_a_file.protection, Protection::Software);
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        fs::write(folder.path().join(FILE), GOOD).unwrap();
        forget(folder.path());
        forget(folder.path());
        assert!(read(folder.path()).unwrap().is_none());
    }

    #[test]
    fn each_fault_is_named_and_no_token_shows() {
        for (content, word) in [
            ("server = https://a.example\nroots = roots.pem", "token"),
            ("server = http://a.example\ntoken = SECRET\nroots = roots.pem", "https"),
            ("server = https://a.example\ntoken = SECRET\nroots = other.pem", "other.pem"),
            ("server = https://a.example\ntoken = SECRET\ntoken = SECRET\nroots = roots.pem", "twice"),
            ("server = https://a.example\ntoken = SECRET\nroots = roots.pem\nkey = chip", "auto, tpm, software"),
            ("tocken = SECRET", "only server, token"),
            ("SECRET", "name = value"),
        ] {
            let words = invited(content).map(|_| ()).unwrap_err().to_string();
            assert!(words.contains(word) && words.contains("restart") && !words.contains("SECRET"), "{words}");
        }
    }

    proptest! {
        #[test]
        fn no_file_ends_the_agent(content in any::<String>()) {
            let _ = Lines::parse(&content);
        }
    }
}
