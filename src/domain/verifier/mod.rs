//! What is kept of a token: an Argon2id PHC string, from which the secret cannot be had back. An imported
//! token has the hash it came with until it is first used.

mod memory;

use super::atlassian::hash::Pkcs5s2;
use super::dice::Dice;
use super::token::PlainToken;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use std::cell::Cell;
use std::fmt;

/// The price of one Argon2id computation (RFC 9106; the default is OWASP's first choice).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// The largest cost that is ever computed, wherever it was read: a hostile database must not be
/// able to order four gigabytes.
pub const CEILING: Cost = Cost { memory_kib: 262_144, iterations: 16, parallelism: 16 };

/// A stored PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`), parsed and bounded; or the hash that
/// an imported token came with (`$pkcs5s2$…`).
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    phc: String,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Argon2id(Cost),
    Imported(Pkcs5s2),
}

/// The computation that a verifier asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Argon2id, at this cost.
    Argon2id(Cost),
    /// The one that imported tokens came with.
    Imported,
}

/// A stored verifier is neither an Argon2id PHC string nor an imported hash, or costs more than
/// [`CEILING`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerifierError;

/// The system refused the memory that a computation takes. This says nothing about the secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoMemory {
    /// What was asked for, in KiB.
    pub kib: u32,
}

/// Why no verifier was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MakeError {
    /// The parameters are outside of what Argon2 or [`CEILING`] allow.
    Cost,
    /// There is no memory for them.
    Memory(NoMemory),
}

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.kib.div_ceil(1024);
        write!(f, "not enough memory for Argon2: {mib} MiB")
    }
}

impl From<VerifierError> for MakeError {
    fn from(_: VerifierError) -> Self {
        Self::Cost
    }
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Cost {
    fn params(self) -> Result<Params, VerifierError> {
        let within = self.memory_kib <= CEILING.memory_kib
            && self.iterations <= CEILING.iterations
            && self.parallelism <= CEILING.parallelism;
        if !within {
            return Err(VerifierError);
        }
        Params::new(self.memory_kib, self.iterations, self.parallelism, None).map_err(|_| VerifierError)
    }
}

thread_local! {
    static COMPUTED: Cell<u64> = const { Cell::new(0) };
}

/// How many hashes this thread has computed: tests show with it that junk costs none.
#[must_use]
pub fn computations() -> u64 {
    COMPUTED.get()
}

fn count() {
    COMPUTED.set(COMPUTED.get().wrapping_add(1));
}

/// Argon2id of the secret of `token`, `length` bytes of it.
fn compute(params: Params, token: &PlainToken, salt: &[u8], length: usize) -> Result<Output, MakeError> {
    count();
    let kib = params.m_cost();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; Output::MAX_LENGTH];
    let out = out.get_mut(..length).ok_or(VerifierError)?;
    memory::hash(&argon2, token.secret(), salt, out).map_err(|error| match error {
        argon2::Error::OutOfMemory => MakeError::Memory(NoMemory { kib }),
        _ => MakeError::Cost,
    })?;
    Ok(Output::new(out).map_err(|_| VerifierError)?)
}

impl Verifier {
    /// What stands in the place of a verifier where a token came without one: nothing proves its secret, so that
    /// no use of it is allowed until a successor takes its place.
    pub const NONE: &str = "$none$";

    /// Hashes the secret of `token` at `cost` with a fresh 16-byte salt.
    ///
    /// # Errors
    /// [`MakeError`]
    pub fn make(token: &PlainToken, cost: Cost, dice: &mut Dice) -> Result<Self, MakeError> {
        let (params, salt) = (cost.params()?, dice.bytes::<16>());
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|_| VerifierError)?,
            salt: Some(Salt::new(&salt).map_err(|_| VerifierError)?),
            hash: Some(compute(params, token, &salt, Params::DEFAULT_OUTPUT_LEN)?),
        };
        Ok(Self { phc: phc.to_string(), kind: Kind::Argon2id(cost) })
    }

    /// The hash that an imported token came with.
    #[must_use]
    pub fn imported(hash: Pkcs5s2) -> Self {
        Self { phc: hash.to_stored(), kind: Kind::Imported(hash) }
    }

    /// The hash that the token came with, while it is kept.
    #[must_use]
    pub fn as_imported(&self) -> Option<&Pkcs5s2> {
        match &self.kind {
            Kind::Imported(hash) => Some(hash),
            Kind::Argon2id(_) => None,
        }
    }

    /// Reads what a database holds.
    ///
    /// # Errors
    /// [`VerifierError`] for anything but a bounded Argon2id PHC string of version 19, or an imported
    /// hash.
    pub fn parse(phc: &str) -> Result<Self, VerifierError> {
        if let Ok(hash) = Pkcs5s2::stored(phc) {
            return Ok(Self { phc: phc.to_owned(), kind: Kind::Imported(hash) });
        }
        let parsed = PasswordHash::new(phc).map_err(|_| VerifierError)?;
        let known = parsed.algorithm.as_str() == "argon2id"
            && parsed.version == Some(Version::V0x13.into())
            && parsed.salt.is_some()
            && parsed.hash.as_ref().is_some_and(|hash| hash.len() >= 16);
        let params = Params::try_from(&parsed).map_err(|_| VerifierError)?;
        let cost =
            Cost { memory_kib: params.m_cost(), iterations: params.t_cost(), parallelism: params.p_cost() };
        cost.params()?;
        if !known {
            return Err(VerifierError);
        }
        Ok(Self { phc: phc.to_owned(), kind: Kind::Argon2id(cost) })
    }

    /// Whether the secret of `token` is the one this was made from. One computation, and a comparison in
    /// constant time.
    ///
    /// # Errors
    /// [`NoMemory`]: nothing was computed, and neither answer is known.
    pub fn matches(&self, token: &PlainToken) -> Result<bool, NoMemory> {
        match &self.kind {
            Kind::Imported(hash) => {
                count();
                Ok(hash.matches(token.secret()))
            }
            // A computation that failed proves nothing, whatever it failed of.
            Kind::Argon2id(cost) => self.argon2id(*cost, token).map_err(|error| no_memory(error, *cost)),
        }
    }

    fn argon2id(&self, cost: Cost, token: &PlainToken) -> Result<bool, MakeError> {
        let stored = PasswordHash::new(&self.phc).map_err(|_| VerifierError)?;
        let (salt, hash) = stored.salt.zip(stored.hash).ok_or(VerifierError)?;
        // Their comparison takes the same time wherever the two differ.
        Ok(compute(cost.params()?, token, &salt, hash.len())? == hash)
    }

    /// The work of [`Verifier::matches`] for a token that is not known, so that an unknown id takes
    /// as long as a wrong secret, and fails where that would.
    ///
    /// # Errors
    /// [`NoMemory`]
    pub fn pretend(token: &PlainToken, work: Work) -> Result<(), NoMemory> {
        match work {
            Work::Imported => {
                count();
                Pkcs5s2::pretend(token.secret());
                Ok(())
            }
            Work::Argon2id(cost) => {
                let computed = cost
                    .params()
                    .map_err(MakeError::from)
                    .and_then(|params| compute(params, token, &[0; 16], Params::DEFAULT_OUTPUT_LEN));
                match std::hint::black_box(computed) {
                    Err(MakeError::Memory(refused)) => Err(refused),
                    Ok(_) | Err(MakeError::Cost) => Ok(()),
                }
            }
        }
    }

    /// What it takes to compute; another than today's asks for renewal.
    #[must_use]
    pub fn work(&self) -> Work {
        match self.kind {
            Kind::Argon2id(cost) => Work::Argon2id(cost),
            Kind::Imported(_) => Work::Imported,
        }
    }

    /// The text of it, for the store.
    #[must_use]
    pub fn as_phc(&self) -> &str {
        &self.phc
    }
}

fn no_memory(error: MakeError, cost: Cost) -> NoMemory {
    match error {
        MakeError::Memory(refused) => refused,
        MakeError::Cost => NoMemory { kib: cost.memory_kib },
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Argon2id(_) => "Verifier(argon2id)",
            Kind::Imported(_) => "Verifier(pkcs5s2)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::TokenPrefix;
    use rand::SeedableRng;

    fn token(seed: u64) -> (PlainToken, Dice) {
        let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed)));
        (PlainToken::generate(&TokenPrefix::default(), &mut dice), dice)
    }

    const IMPORTED: &str = "$pkcs5s2$AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN";
    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

    #[test]
    fn a_verifier_knows_its_own_secret_and_no_other() {
        let (mine, mut dice) = token(1);
        let (other, _) = token(2);
        let verifier = Verifier::make(&mine, CHEAP, &mut dice).expect("a cheap hash");
        let stored = Verifier::parse(verifier.as_phc()).expect("what was just made");
        assert_eq!((stored.matches(&mine), stored.matches(&other)), (Ok(true), Ok(false)));
        assert_eq!(stored.work(), Work::Argon2id(CHEAP));
        assert!(stored.as_imported().is_none());
    }

    /// How long an answer takes must not tell whether there is such a token.
    #[test]
    fn a_pretence_computes_as_often_as_a_match() {
        let (mine, mut dice) = token(5);
        let imported = Verifier::parse(IMPORTED).expect("an imported hash");
        let verifier = Verifier::make(&mine, CHEAP, &mut dice).expect("a cheap hash");
        for verifier in [verifier, imported] {
            let before = computations();
            let _ = verifier.matches(&mine);
            assert_eq!(computations() - before, 1);
            assert_eq!(Verifier::pretend(&mine, verifier.work()), Ok(()));
            assert_eq!(computations() - before, 2, "{verifier:?}");
        }
    }

    #[test]
    fn hostile_phc_strings_are_refused_before_anything_is_computed() {
        let before = computations();
        for phc in [
            "$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=4000000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAA",
            "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "",
            "plain",
            "$pkcs5s2$",
            "{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN",
        ] {
            assert_eq!(Verifier::parse(phc), Err(VerifierError), "{phc}");
        }
        assert_eq!(computations(), before);
    }

    #[test]
    fn an_imported_hash_knows_the_imported_token_and_no_token_of_ours() {
        let verifier = Verifier::parse(IMPORTED).expect("an imported hash");
        assert!(verifier.as_imported().is_some_and(|hash| hash.to_stored() == IMPORTED));
        let imported: PlainToken = "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT".parse().expect("a token");
        let wrong: PlainToken = "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIS".parse().expect("a token");
        let (ours, mut dice) = token(4);
        let answers = [&imported, &wrong, &ours].map(|token| verifier.matches(token));
        assert_eq!(answers, [Ok(true), Ok(false), Ok(false)]);
        assert_eq!((verifier.work(), verifier.as_phc()), (Work::Imported, IMPORTED));
        let renewed = Verifier::make(&imported, CHEAP, &mut dice).expect("a cheap hash");
        assert_eq!((renewed.matches(&imported), renewed.matches(&wrong)), (Ok(true), Ok(false)));
    }

    #[test]
    fn debug_shows_nothing_of_the_hash() {
        let (mine, mut dice) = token(3);
        let verifier = Verifier::make(&mine, CHEAP, &mut dice).expect("a cheap hash");
        assert_eq!(format!("{verifier:?}"), "Verifier(argon2id)");
    }
}
