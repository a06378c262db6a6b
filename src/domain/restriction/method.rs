//! The methods there are (RFC 9110 §9, RFC 5789), and the headers and parameters that replace one
//! behind the check.

/// Methods of requests; TRACE, TRACK and CONNECT ask for no resource and are never accepted.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

/// Headers that frameworks take a method from.
pub const OVERRIDES: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// Headers that frameworks take a path from.
pub const REWRITES: [&str; 2] = ["X-Original-URL", "X-Rewrite-URL"];

/// Parameters that frameworks take a method from, beside the names of [`OVERRIDES`].
pub const PARAMETERS: [&str; 4] = ["_method", "_HttpMethod", "$httpMethod", "x-tunneled-method"];

/// The method with this name, in any case.
#[must_use]
pub fn known(name: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|method| method.eq_ignore_ascii_case(name))
}

/// The method with exactly this name.
#[must_use]
pub fn exactly(name: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|method| *method == name)
}
