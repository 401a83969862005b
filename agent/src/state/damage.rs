//! What of the state cannot be used: told in the reader's language, with the remedy of the file at fault.

use std::path::Path;

use super::{ENROLMENT, Enrolment, PENDING, StateDir, StateError};
use crate::{
    client::{Client, ClientError, Connect, Proxy},
    language::Language,
    platform,
};

impl StateDir {
    /// The enrolment, if there is one, where an agent can speak with what stands in it. No TPM and no key store is asked.
    pub fn usable_enrolment(&self) -> Result<Option<Enrolment>, StateError> {
        let Some(enrolment) = self.enrolment()? else { return Ok(None) };
        match fault(&enrolment) {
            Some(reason) => Err(StateError::Damaged { path: self.0.join(ENROLMENT), reason: reason.to_owned() }),
            None => Ok(Some(enrolment)),
        }
    }
}

/// What is wrong with what stands in the file, for good.
fn fault(enrolment: &Enrolment) -> Option<&'static str> {
    let key = match enrolment.key() {
        Ok(key) => key,
        Err(error) => return error.is_unusable().then_some("the key in it is none"),
    };
    let Ok(connect) = Connect::new(enrolment.server.clone(), &enrolment.roots_pem) else {
        return Some("the roots in it are none");
    };
    // The environment's proxy is no fault of the file.
    let connect = Connect { proxy: Proxy::Direct, ..connect };
    match Client::new(&connect, &key, &enrolment.grant.certificate_chain_pem) {
        Err(ClientError::Identity(error)) => error.is_unusable().then_some("the certificate in it is none"),
        Err(ClientError::Tls(_)) => Some("its key, its certificate and its roots are none, or do not belong together"),
        Ok(_) | Err(ClientError::Http(_) | ClientError::Proxy(_)) => None,
    }
}

/// What to do about a damaged file: it depends on what is lost with it.
pub(super) fn remedy(path: &Path, language: Language) -> &'static str {
    let is = |name: &str| path.file_name().is_some_and(|found| found == name);
    if is(ENROLMENT) {
        language.pick("déplacez-le et enrôlez à nouveau", "move it away and enrol again")
    } else if is(PENDING) {
        language.pick(
            "supprimez-le et relancez cartable-agent enrol ; un enrôlement qui sert continue",
            "delete it and run cartable-agent enrol again; an enrolment that serves goes on",
        )
    } else {
        language.pick(
            "il n'y a rien à faire : l'agent l'écrit à nouveau",
            "there is nothing to do: the agent writes it anew",
        )
    }
}

impl StateError {
    /// What is wrong and what to do about it. What the system or a parser says of it stays as it is.
    pub fn words(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Open { path, mode } => {
                let path = path.display();
                format!("le dossier d'état {path} est ouvert à d'autres (mode {mode:04o}) ; lancez : chmod 700 {path}")
            }
            Self::Foreign { path, owner, user } => format!(
                "le dossier d'état {} appartient à l'utilisateur {owner}, et cet agent est lancé par l'utilisateur {user} ; lancez-le comme propriétaire du dossier (d'habitude : sudo)",
                path.display()
            ),
            Self::OpenTo { path, who } => format!(
                "le dossier d'état {} est ouvert à d'autres ({who}) ; comme administrateur, supprimez-le et recommencez : l'agent le refait, pour lui seul",
                path.display()
            ),
            Self::InUse(path) => format!(
                "un autre cartable-agent utilise {} (le service ?) ; arrêtez-le d'abord ({}), ou demandez-lui : cartable-agent status",
                path.display(),
                platform::STOP
            ),
            Self::Io { path, source } => format!(
                "{} n'a pas pu être utilisé ({source}) ; vérifiez que le disque est là, qu'il n'est pas plein et que vous en avez le droit ({})",
                path.display(),
                platform::PRIVILEGED
            ),
            Self::Damaged { path, reason } => {
                format!("{} est endommagé ({reason}) ; {}", path.display(), remedy(path, language))
            }
            Self::Identity(error) => error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use cartable_common::{DeviceId, EnrolmentId, UtcMillis, protocol::CertificateGrant};
    use uuid::Uuid;

    use super::*;
    use crate::{identity::Key, state::Pending};

    /// An enrolment whose certificate is self-signed, and root as well.
    fn enrolment() -> Enrolment {
        let key = Key::generate().unwrap();
        let pair = rcgen::KeyPair::from_pem(&key.to_pem()).unwrap();
        let pem = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap().pem();
        let server = "https://parc.example".parse().unwrap();
        Pending::new(server, pem.clone(), Uuid::nil(), &key, String::new()).granted(CertificateGrant {
            device_id: DeviceId(Uuid::nil()),
            enrolment_id: EnrolmentId(Uuid::nil()),
            certificate_chain_pem: pem,
            not_after: UtcMillis::default(),
            renew_from: UtcMillis::default(),
            next_check_in_seconds: 60,
        })
    }

    #[test]
    fn a_part_of_an_enrolment_that_is_none_is_named_with_the_file_and_the_remedy() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::open(&base.path().join("state")).unwrap();
        assert!(state.usable_enrolment().unwrap().is_none());
        state.keep_enrolment(&enrolment()).unwrap();
        assert!(state.usable_enrolment().unwrap().is_some());
        for (part, word) in [
            (&["key_pem"][..], "the key in it"),
            (&["roots_pem"][..], "the roots in it"),
            (&["grant", "certificate_chain_pem"][..], "the certificate in it"),
        ] {
            let mut kept = serde_json::to_value(enrolment()).unwrap();
            let place = part.iter().fold(&mut kept, |value, name| value.get_mut(*name).unwrap());
            *place = "garbage".into();
            std::fs::write(base.path().join("state").join(ENROLMENT), kept.to_string()).unwrap();
            let said = state.usable_enrolment().unwrap_err().to_string();
            assert!(said.contains(word) && said.contains(ENROLMENT) && said.contains("enrol again"), "{said}");
        }
        // Another key's certificate.
        let others = enrolment().renewed(enrolment().grant);
        state.keep_enrolment(&others).unwrap();
        assert!(state.usable_enrolment().unwrap_err().to_string().contains("belong together"));
    }

    #[test]
    fn each_file_has_its_own_remedy_in_both_languages() {
        let words = |name: &str, language| {
            let damaged = StateError::Damaged { path: Path::new("/state").join(name), reason: "x".into() };
            damaged.words(language)
        };
        assert!(words(ENROLMENT, Language::English).ends_with("move it away and enrol again"));
        assert!(words(PENDING, Language::English).contains("delete it"));
        assert!(words("actions.json", Language::English).contains("nothing to do"));
        for name in [ENROLMENT, PENDING, "actions.json"] {
            let said = words(name, Language::French);
            assert!(said.starts_with("/state/") && said.contains("est endommagé (x) ; "), "{said}");
        }
        let open = StateError::Open { path: "/state".into(), mode: 0o755 };
        assert!(open.words(Language::French).ends_with("(mode 0755) ; lancez : chmod 700 /state"));
    }
}
