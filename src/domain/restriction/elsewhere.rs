//! What the guarded service may take from elsewhere than a line looks: a method from a parameter, a
//! parameter from the body.

use super::body::{Contents, Taken, TooLong};
use super::json::Gap;
use super::judge::Outcome;
use super::request::Request;

const LONG: &str = "the body has more than 1 MiB or too many fields, and not all of it is seen";
/// Why a name fails a line that is not the guarded one, and collides with it.
pub const SPELLING: &str = "a second spelling of the name, which some servers take for it";

/// Why the request may arrive behind the check with another method.
pub fn method_replaced(request: &Request) -> Option<Outcome> {
    if request.query.overrides_method() {
        return Some(Outcome::Miss("a query parameter may replace the method behind the check"));
    }
    match request.taken() {
        Taken::Nothing => None,
        Taken::Unseen(why) => Some(Outcome::Unseen(why)),
        Taken::Seen(contents) => method_in(&contents).err(),
    }
}

fn method_in(contents: &Contents<'_>) -> Result<(), Outcome> {
    let miss = |why| Err(Outcome::Miss(why));
    for fields in [contents.form, contents.pieces].into_iter().flatten() {
        match fields {
            Err(TooLong) => return miss(LONG),
            Ok(fields) if fields.overrides_method() => {
                return miss("a field of the body may replace the method behind the check");
            }
            Ok(_) => {}
        }
    }
    match contents.json {
        Some(Err(_)) => Err(Outcome::Unread("the JSON body cannot be read, and may replace the method")),
        Some(Ok(json)) if json.overrides_method() => {
            miss("a member of the JSON body may replace the method behind the check")
        }
        _ => contents.multipart.unwrap_or(Ok(())).map_err(Outcome::Miss),
    }
}

/// Refuses a JSON body in which a server that takes every body for a form finds the member, too.
pub fn absent_from_pieces(name: &str, request: &Request) -> Result<(), &'static str> {
    let Taken::Seen(Contents { pieces: Some(pieces), .. }) = request.taken() else { return Ok(()) };
    match pieces {
        Err(TooLong) => Err(LONG),
        Ok(pieces) if pieces.hold(name) => Err("some servers take a piece of the body for the member"),
        Ok(_) => Ok(()),
    }
}

/// The values of a parameter that stand in the body, where the service merges it with the query.
pub fn merged<'r>(name: &str, contents: &Contents<'r>) -> Result<Vec<&'r str>, Outcome> {
    let miss = Outcome::Miss;
    if contents.multipart.is_some() {
        return Err(miss("the multipart body may hold the parameter, too"));
    }
    let mut values = Vec::new();
    for fields in [contents.form, contents.pieces].into_iter().flatten() {
        let fields = fields.as_ref().map_err(|TooLong| miss(LONG))?;
        if fields.semicolon {
            return Err(miss("a plain ; in the form, which some servers take for a &"));
        }
        values.extend(fields.values(name).map_err(|_| miss(SPELLING))?);
    }
    if let Some(json) = contents.json {
        let json = json
            .as_ref()
            .map_err(|_| Outcome::Unread("the JSON body cannot be read, and may hold the parameter"))?;
        values.extend(json.parameter(name).map_err(|why| miss(gap(why)))?);
        // Laravel follows the dots of a name into the members of the body.
        let mut stems = name.match_indices('.').map(|(at, _)| &name[..at]);
        if stems.any(|stem| !matches!(json.parameter(stem), Ok(values) if values.is_empty())) {
            return Err(miss("a member of the JSON body that some servers take for the parameter"));
        }
    }
    Ok(values)
}

/// Why a member has no texts.
pub const fn gap(gap: Gap) -> &'static str {
    match gap {
        Gap::Top => "the top of the body is no object",
        Gap::Absent => "there is no such member",
        Gap::SecondSpelling => SPELLING,
        Gap::Array => "an empty array, or an array in an array",
        Gap::NoText => "null, an object, a fraction or a large number: nothing that has one text only",
    }
}
