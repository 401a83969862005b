//! What each trouble means and what to do about it, for a technician who stands before the laptop.

use crate::{language::Language, trouble::TroubleKind};

/// What it means and what to do when an enrolment failed: a refusal is the token's, not the computer's, and the address has not
/// proved to be the right one yet.
pub fn enrol_advice(kind: TroubleKind, language: Language) -> Option<String> {
    let (french, english) = if kind == TroubleKind::Refused {
        (
            "Le serveur n'accepte pas ce jeton : mal recopié, épuisé, expiré ou révoqué, ou bien cet ordinateur a été révoqué. Créez un autre jeton dans la console, puis relancez cartable-agent enrol ; avec --new-key si l'ordinateur a été révoqué.",
            "The server does not accept this token: mistyped, used up, expired or revoked; or this computer was revoked. Create another token in the console, then run cartable-agent enrol again; with --new-key if the computer was revoked.",
        )
    } else if kind == TroubleKind::CaptivePortal {
        (
            "Ce qui répond n'est pas le port des appareils d'un serveur Cartable. Vérifiez l'adresse et le port : celui de la console est un autre. Si le réseau a une page de connexion (Wi-Fi), ouvrez d'abord un navigateur et connectez-vous au portail. Rien n'a été envoyé.",
            "What answers is not the device port of a Cartable server. Check the address and the port: the console's is another. If the network has a sign-in page (Wi-Fi), open a browser and sign in to the portal first. Nothing was sent.",
        )
    } else {
        return advice(kind, language);
    };
    Some(language.pick(french, english).to_owned())
}

/// What it means and what to do.
#[expect(clippy::too_many_lines, reason = "a table: two sentences a kind, nothing is decided in it")]
pub fn advice(kind: TroubleKind, language: Language) -> Option<String> {
    let (french, english) = match kind {
        TroubleKind::NameResolution => (
            "Le nom du serveur est introuvable : pas de réseau, ou un DNS qui ne le connaît pas. Connectez l'ordinateur au réseau ; si d'autres sites s'ouvrent, vérifiez le nom du serveur.",
            "The server's name cannot be found: no network, or a DNS that does not know it. Connect the computer; if other sites open, check the server's name.",
        ),
        TroubleKind::Unreachable => (
            "Le serveur ne répond pas. Vérifiez le réseau, puis que le pare-feu laisse sortir vers l'adresse et le port du serveur.",
            "The server does not answer. Check the network, then that the firewall lets connections out to the server's address and port.",
        ),
        TroubleKind::TimedOut => (
            "Le serveur répond trop lentement. Un réseau saturé ou un filtrage en est la cause habituelle ; l'agent réessaie seul.",
            "The server answers too slowly. A busy network or a filter is the usual cause; the agent tries again by itself.",
        ),
        TroubleKind::Proxy => (
            "Le proxy refuse ou ne répond pas. Vérifiez HTTPS_PROXY dans /etc/cartable-agent/agent.env (adresse, nom, mot de passe), ou demandez au réseau d'autoriser le serveur.",
            "The proxy refuses or does not answer. Check HTTPS_PROXY in /etc/cartable-agent/agent.env (address, name, password), or ask the network's staff to allow the server.",
        ),
        TroubleKind::CaptivePortal => (
            "Un portail répond à la place du serveur (page de connexion d'un Wi-Fi). Ouvrez un navigateur et connectez-vous au portail. Rien n'a été envoyé ni perdu : les relevés attendent.",
            "A portal answers in the server's place (a Wi-Fi sign-in page). Open a browser and sign in to the portal. Nothing was sent or lost: the reports wait.",
        ),
        TroubleKind::UntrustedServer => (
            "Ce qui répond ne prouve pas être le serveur : un portail ou un filtre qui ouvre les connexions chiffrées, ou un mauvais fichier de racines. Rien n'a été envoyé. Essayez un autre réseau ; si cela continue, demandez que le filtre laisse passer le serveur, ou enrôlez à nouveau avec le bon roots.pem.",
            "What answers cannot prove that it is the server: a portal or a filter that opens encrypted connections, or a wrong file of roots. Nothing was sent. Try another network; if it goes on, ask for the server to be exempted from the filter, or enrol again with the right roots.pem.",
        ),
        TroubleKind::Clock => (
            "Le certificat du serveur n'est pas valable à l'heure de cet ordinateur. Vérifiez la date et l'heure ; si elles se perdent à chaque arrêt, la pile de la carte mère est morte.",
            "The server's certificate is not valid at this computer's time. Check date and time; if they are lost at each stop, the main board's battery is dead.",
        ),
        TroubleKind::Refused => (
            "Le serveur refuse cet ordinateur : révoqué, en quarantaine, inconnu ou jeton non valable. Demandez à l'administrateur de Cartable ; après son accord, enrôlez à nouveau (cartable-agent enrol --new-key). D'ici là l'agent garde ses relevés et réessaie chaque heure.",
            "The server refuses this computer: revoked, in quarantine, unknown, or a token that is not valid. Ask the Cartable administrator; once agreed, enrol again (cartable-agent enrol --new-key). Until then the agent keeps its reports and tries every hour.",
        ),
        TroubleKind::CertificateEnded => (
            "Le certificat de cet ordinateur est terminé : il est resté éteint longtemps. L'agent en redemande un seul, avec sa clé, au prochain contact. Il n'y a rien à faire.",
            "This computer's certificate has ended: it was shut for long. The agent asks for another by itself, with its key, at the next contact. There is nothing to do.",
        ),
        TroubleKind::AwaitsApproval => (
            "Cet ordinateur est resté éteint trop longtemps, ou trop souvent, pour retrouver seul un certificat : une personne doit l'accepter dans la console, sur la page de l'appareil. L'agent garde sa clé et ses relevés et redemande chaque heure.",
            "This computer was shut for too long, or too often, to get a certificate by itself: a person must agree in the console, on the device's page. The agent keeps its key and its reports and asks every hour.",
        ),
        TroubleKind::QueueFull => (
            "Trop de machines attendent déjà une décision : celle-ci n'a pas encore de place parmi elles. Décidez dans la console (Demandes d'entrée), ou importez la liste des appareils : ceux qui y sont entrent d'eux-mêmes. L'agent redemande chaque heure.",
            "Too many machines wait for a decision already: this one has no place among them yet. Decide in the console (Requests to join), or import the list of devices: those on it join by themselves. The agent asks every hour.",
        ),
        TroubleKind::KeyCloned => (
            "La clé de cet ordinateur est celle d'une autre machine : image de disque copiée avec l'agent, ou carte mère remplacée. L'agent a demandé une clé à lui ; une personne doit l'approuver dans la console. D'ici là il garde ses relevés et redemande chaque heure.",
            "This computer's key is another machine's: a disk image was copied with the agent, or the main board was exchanged. The agent asked for a key of its own; a person must approve it in the console. Until then it keeps its reports and asks again every hour.",
        ),
        TroubleKind::Released => (
            "Cet ordinateur a changé de propriétaire : le serveur a demandé à l'agent de se retirer. S'il n'a pas pu effacer son dossier d'état, relancez cartable-agent once, puis désinstallez l'agent.",
            "This computer has changed owner: the server ordered the agent to remove itself. If it could not clear its state folder, run cartable-agent once again, then uninstall the agent.",
        ),
        TroubleKind::Busy => (
            "Le serveur est occupé ; l'agent réessaie seul. Il n'y a rien à faire.",
            "The server is busy; the agent tries again by itself. There is nothing to do.",
        ),
        TroubleKind::ServerFault => (
            "Le serveur a une panne interne ; prévenez son administrateur. Les relevés attendent.",
            "The server has an internal fault; tell its administrator. The reports wait.",
        ),
        TroubleKind::Rejected => (
            "Le serveur trouve le message incorrect : versions de l'agent et du serveur incompatibles ? Mettez l'agent à jour.",
            "The server finds the message wrong: do the agent's and the server's versions fit? Update the agent.",
        ),
        TroubleKind::Tpm => (
            "Le TPM, ou le coffre de clés du système, qui garde la clé de cet ordinateur ne répond pas ou refuse (TPM éteint dans le micrologiciel, mot de passe de son propriétaire, droit de l'ouvrir). La clé n'est pas perdue ; l'agent réessaie seul. S'il ne doit plus servir : cartable-agent enrol --new-key --key software, avec un jeton.",
            "The TPM, or the system's key store, that keeps this computer's key does not answer, or refuses (a TPM switched off in the firmware, its owner's password, the right to open it). The key is not lost; the agent tries again by itself. If it is to be used no more: cartable-agent enrol --new-key --key software, with a token.",
        ),
        TroubleKind::KeyLost => (
            "Le TPM, ou le coffre de clés du système, dit que la clé de cet ordinateur n'est pas chez lui : le TPM a été effacé, la carte mère changée, ou le système réinstallé. L'agent a demandé à revenir avec une autre clé : une personne doit l'accepter dans la console (Demandes d'entrée). Il garde ses relevés et redemande chaque heure.",
            "The TPM, or the system's key store, says that it does not hold this computer's key: the TPM was cleared, the main board exchanged, or the system installed anew. The agent asked to come back with another key: a person must agree in the console (Requests to join). It keeps its reports and asks every hour.",
        ),
        TroubleKind::Local => (
            "Le dossier d'état ne peut pas être lu ou écrit : disque plein, en lecture seule ou défectueux ?",
            "The state folder cannot be read or written: is the disk full, read-only or broken?",
        ),
        TroubleKind::NotUnderstood => (
            "La réponse n'est pas celle d'un serveur Cartable. Vérifiez l'adresse et le port.",
            "The answer is not a Cartable server's. Check the address and the port.",
        ),
    };
    Some(language.pick(french, english).to_owned())
}
