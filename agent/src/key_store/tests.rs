//! What follows from a key store's answers, played where there is none.

use std::cell::RefCell;

use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};

use super::*;

/// What is wrong with a key store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    Refuses(Step),
    TellsAnotherCurve,
    TellsTooLittle,
    SignsSomethingElse,
    SignsTooShort,
}

/// A key store whose keys are all the same one.
struct Played {
    pair: EcdsaKeyPair,
    names: RefCell<Vec<String>>,
    fault: Fault,
}

impl Played {
    fn new(fault: Fault) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { pair, names: RefCell::default(), fault }
    }

    fn reach(&self, step: Step) -> Result<(), StoreError> {
        if self.fault == Fault::Refuses(step) { Err(refused(step, NOT_SUPPORTED)) } else { Ok(()) }
    }

    fn find(&self, name: &str) -> Result<usize, StoreError> {
        self.reach(Step::Find)?;
        let found = self.names.borrow().iter().position(|known| known == name);
        found.ok_or(refused(Step::Find, GONE[2]))
    }
}

impl Store for Played {
    fn make(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        for step in [Step::Open, Step::Begin, Step::Finish] {
            self.reach(step)?;
        }
        self.names.borrow_mut().push(name.to_owned());
        self.reach(Step::Public)?;
        let mut blob = [BLOB_HEAD, &self.pair.public_key().as_ref()[1..]].concat();
        match self.fault {
            Fault::TellsAnotherCurve => blob[3] = b'3',
            Fault::TellsTooLittle => blob.truncate(BLOB_HEAD.len() + 63),
            Fault::None | Fault::Refuses(_) | Fault::SignsSomethingElse | Fault::SignsTooShort => {}
        }
        Ok(blob)
    }

    fn sign(&self, name: &str, message: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.find(name)?;
        self.reach(Step::Sign)?;
        let message = if self.fault == Fault::SignsSomethingElse { b"something else".as_slice() } else { message };
        let mut signature = self.pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        if self.fault == Fault::SignsTooShort {
            signature.pop();
        }
        Ok(signature)
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        let found = self.find(name)?;
        self.names.borrow_mut().remove(found);
        Ok(())
    }
}

fn refused(step: Step, code: u32) -> StoreError {
    StoreError::Refused { step, code: Code(code) }
}

#[test]
fn a_key_is_found_by_its_name_and_its_signatures_hold() {
    let store = Played::new(Fault::None);
    let key = StoreKey::create_in(&store).unwrap();
    assert!(is_ours(&key.name) && *store.names.borrow() == [key.name.clone()], "{key:?}");
    assert_eq!(key.point(), store.pair.public_key().as_ref());
    // Halves that begin with zeros or with a high bit come up within a few.
    for round in 0..64 {
        let message = [b'a', round];
        let signature = key.sign_in(&store, &message).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.point()).verify(&message, &signature).unwrap();
    }
    assert_ne!(StoreKey::create_in(&store).unwrap().name, key.name, "each has a name of its own");
    store.remove(&key.name).unwrap();
    assert!(key.sign_in(&store, b"a").unwrap_err().is_lost());
}

#[test]
fn a_key_store_that_does_not_do_what_it_says_keeps_no_key() {
    for fault in [
        Fault::Refuses(Step::Open),
        Fault::Refuses(Step::Begin),
        Fault::Refuses(Step::Finish),
        Fault::Refuses(Step::Public),
        Fault::Refuses(Step::Sign),
        Fault::TellsAnotherCurve,
        Fault::TellsTooLittle,
        Fault::SignsSomethingElse,
        Fault::SignsTooShort,
    ] {
        let store = Played::new(fault);
        let error = StoreKey::create_in(&store).unwrap_err();
        assert!(!error.is_lost(), "{fault:?}: {error}");
        assert!(store.names.borrow().is_empty(), "{fault:?}: what was made of it is removed");
    }
}

#[test]
fn only_the_definite_word_that_there_is_no_such_key_gives_one_up() {
    for code in GONE {
        assert!(refused(Step::Find, code).is_lost() && refused(Step::Sign, code).is_lost(), "{code:x}");
        // The same numbers of a key store that is not there at all, or of a key that is being made.
        for step in [Step::Open, Step::Begin, Step::Finish, Step::Public, Step::Remove] {
            assert!(!refused(step, code).is_lost(), "{step:?} {code:x}");
        }
    }
    // No right, no such provider, not supported, silent, not ready, no such device; a TPM's own: lockout, integrity.
    let others =
        [0x8009_0010, 0x8009_001e, 0x8009_0029, 0x8009_0022, 0x8009_0030, 0x8009_0035, 0x8028_0921, 0x8028_009f, 0];
    for code in others {
        assert!(!refused(Step::Find, code).is_lost() && !refused(Step::Sign, code).is_lost(), "{code:x}");
    }
    assert!(!StoreError::Absent.is_lost() && !StoreError::Malformed(Step::Sign).is_lost());
    let words = refused(Step::Find, GONE[2]).to_string();
    assert!(words.contains("Find (0x80090016: it has no such key"), "{words}");
}

#[test]
fn what_is_kept_is_read_again_and_no_name_but_the_agents_is() {
    let key = StoreKey::create_in(&Played::new(Fault::None)).unwrap();
    let kept = BASE64.encode(&key.kept());
    assert_eq!(StoreKey::from_kept(&kept).unwrap(), key);
    let named = |name: &str| BASE64.encode(&[key.point(), name.as_bytes()].concat());
    let digits = "0123456789abcdef0123456789abcdef";
    assert!(StoreKey::from_kept(&named(&format!("cartable-agent-{digits}"))).is_ok());
    for bad in [
        String::new(),
        "AAAA".to_owned(),
        "no base64".to_owned(),
        named(""),
        named("another program's"),
        named(&format!("cartable-agent-{digits}0")),
        named(&format!("cartable-agent-{}", digits.to_uppercase())),
        named(&format!("cartable-agent-{}\0", &digits[1..])),
    ] {
        assert_eq!(StoreKey::from_kept(&bad), Err(StoreError::NoKey), "{bad}");
    }
}

#[test]
fn the_key_store_is_used_where_a_person_wants_it_and_nowhere_else() {
    let otherwise = || Protection::Tpm("/dev/tpm".into());
    // An installer that was not told gives an empty word.
    for word in ["", "file"] {
        assert_eq!(word.parse::<KeyStore>().unwrap().or(otherwise()), otherwise(), "{word:?}");
    }
    assert_eq!("platform".parse::<KeyStore>().unwrap().or(otherwise()), Protection::PlatformOrSoftware);
    assert_eq!("Platform".parse::<KeyStore>(), Err(InvalidKeyStore));
    assert_eq!(KeyStore::default(), KeyStore::File);
}
