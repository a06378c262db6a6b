//! The body of a request: seen, unseen or not there, and what the guarded service may take from it.

use super::head::Head;
use super::json::{self, Json};
use super::media::{Class, Media};
use super::query::{self, Parameters};
use super::request::{Place, Refusal};
use super::sent::Given;
use super::{MAX_BODY, multipart};
use std::str::FromStr;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// What the guarded service takes from bodies beside JSON that it is asked to read
/// (`patctl.service.merges.body`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Merges {
    /// Parameters and methods from forms, JSON and any other body: Rails, Laravel, PHP, Bottle, or unknown.
    #[default]
    All,
    /// Parameters and methods from forms: servlets, Spring, Go.
    Forms,
    /// Neither.
    Nothing,
}

impl Merges {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::All, Self::Forms, Self::Nothing];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Forms => "forms",
            Self::Nothing => "none",
        }
    }
}

impl FromStr for Merges {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|merges| merges.as_str() == text).ok_or(())
    }
}

/// A body that is too long, or has too many fields, for all of it to be seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// The body of a request.
#[derive(Debug)]
pub enum Body {
    /// There is none.
    Absent,
    /// There may be one, and it was not handed over.
    Unseen,
    /// It was handed over.
    Seen(Box<Seen>),
}

/// A body that was handed over, and how it reads; each made when it is first asked for.
#[derive(Debug)]
pub struct Seen {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether the service reads other bytes: it is compressed.
    encoded: bool,
    json: OnceLock<Result<Json, Refusal>>,
    form: OnceLock<Result<Parameters, TooLong>>,
    pieces: OnceLock<Result<Parameters, TooLong>>,
    multipart: OnceLock<Result<(), &'static str>>,
}

/// What the service may take from a body beside the members that `JsonData` looks at.
pub enum Taken<'r> {
    /// Nothing.
    Nothing,
    /// That is not known, for this reason: it counts as unseen.
    Unseen(&'static str),
    /// What is in it.
    Seen(Contents<'r>),
}

/// Where a name may stand in a body.
pub struct Contents<'r> {
    /// Fields of a form.
    pub form: Option<&'r Result<Parameters, TooLong>>,
    /// Members of JSON.
    pub json: Option<&'r Result<Json, Refusal>>,
    /// What a server finds that takes any body for a form.
    pub pieces: Option<&'r Result<Parameters, TooLong>>,
    /// The body, if it has parts, and whether no framework takes a method from them.
    pub multipart: Option<Result<(), &'static str>>,
}

const UNSEEN: &str = "body-unseen: a body may come that was not handed over";
const UNCLEAR: &str = "body-unseen: the type of the body does not say whether it holds parameters";
const ENCODED: &str = "body-unseen: the body is compressed";

impl Body {
    /// Whether there is a body, by what was handed over and what the headers announce.
    ///
    /// # Errors
    /// A body that is said to be another than the one that was handed over.
    pub fn new(given: &Given<'_>, method: Option<&str>, head: &Head) -> Result<Self, Refusal> {
        let refuse = |why| Err(Refusal::new(Place::Body, why));
        let Some(bytes) = given.body else {
            let unseen = given.body_unseen || is_announced(method, head);
            return Ok(if unseen { Self::Unseen } else { Self::Absent });
        };
        if given.body_unseen {
            return refuse("one was handed over, and said to be unseen");
        }
        // Of a longer one only the beginning was handed over, and too long it must stay.
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if bytes.len() <= MAX_BODY && head.length.is_some_and(|said| said != length) {
            return refuse("it has another length than Content-Length says");
        }
        Ok(Self::Seen(Box::new(Seen {
            bytes: Zeroizing::new(bytes.to_vec()),
            encoded: head.encoded,
            json: OnceLock::new(),
            form: OnceLock::new(),
            pieces: OnceLock::new(),
            multipart: OnceLock::new(),
        })))
    }

    /// Whether one was handed over.
    #[must_use]
    pub const fn is_seen(&self) -> bool {
        matches!(self, Self::Seen(_))
    }

    /// Whether there may be one that was not handed over.
    #[must_use]
    pub const fn is_unseen(&self) -> bool {
        matches!(self, Self::Unseen)
    }

    /// As JSON; `None`: none was handed over, or it does not say that it is JSON.
    #[must_use]
    pub fn json(&self, media: Option<&Media>) -> Option<&Result<Json, Refusal>> {
        let Self::Seen(seen) = self else { return None };
        (media?.is_json() && !seen.encoded).then(|| seen.json())
    }

    /// What a service may take from it.
    pub fn taken(&self, media: Option<&Media>, merges: Merges) -> Taken<'_> {
        let class = media.map_or(Class::Unclear, Media::class);
        let seen = match (self, merges) {
            (Self::Absent, _) | (_, Merges::Nothing) => return Taken::Nothing,
            (Self::Unseen, Merges::Forms) if matches!(class, Class::Json | Class::Inert) => {
                return Taken::Nothing;
            }
            (Self::Unseen, _) => return Taken::Unseen(UNSEEN),
            (Self::Seen(seen), _) => seen,
        };
        let all = merges == Merges::All;
        match class {
            _ if seen.bytes.is_empty() => return Taken::Nothing,
            Class::Unclear => return Taken::Unseen(UNCLEAR),
            Class::Inert if !all => return Taken::Nothing,
            _ => {}
        }
        if seen.encoded {
            return Taken::Unseen(ENCODED);
        }
        Taken::Seen(Contents {
            form: (class == Class::Form).then(|| seen.form()),
            json: (class == Class::Json).then(|| seen.json()),
            pieces: (all && class != Class::Multipart).then(|| seen.pieces()),
            multipart: (class == Class::Multipart).then(|| seen.multipart(media)),
        })
    }
}

impl Seen {
    fn json(&self) -> &Result<Json, Refusal> {
        self.json.get_or_init(|| json::parse(&self.bytes))
    }

    fn form(&self) -> &Result<Parameters, TooLong> {
        self.form.get_or_init(|| self.whole(query::lenient))
    }

    fn pieces(&self) -> &Result<Parameters, TooLong> {
        self.pieces.get_or_init(|| self.whole(query::pieces))
    }

    fn multipart(&self, media: Option<&Media>) -> Result<(), &'static str> {
        let read = || multipart::keeps_method(&self.bytes, media.and_then(Media::boundary));
        *self.multipart.get_or_init(read)
    }

    fn whole(&self, read: fn(&[u8]) -> Option<Parameters>) -> Result<Parameters, TooLong> {
        if self.bytes.len() > MAX_BODY { Err(TooLong) } else { read(&self.bytes).ok_or(TooLong) }
    }
}

/// Whether a body comes that was not handed over.
fn is_announced(method: Option<&str>, head: &Head) -> bool {
    if head.chunked {
        return true;
    }
    match (head.length, &head.media) {
        (Some(length), _) => length > 0,
        (None, None) => false,
        // An odd type may be a form to some server.
        (None, Some(media)) if media.names_form() => true,
        (None, Some(_)) => matches!(method, None | Some("POST" | "PUT" | "PATCH" | "DELETE")),
    }
}
