//! Requests: nothing panics, and what is accepted is canonical.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patctl::cli::{curl, http, shell};
use patctl::domain::restriction::request::Place;
use patctl::domain::restriction::{Given, Request, path};

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(4, |b| *b == 0xff);
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (url, query, kind) = (text(), text(), text());
    let body = parts.next();
    let given = Given { method: Some("POST"), url, query, body, content_type: kind, headers: &[] };
    if let Ok(request) = Request::new(&given) {
        if let Some(target) = &request.target {
            assert_eq!(path::canonical(&target.path, Place::Url, 0).as_ref(), Ok(&target.path));
            assert!(std::str::from_utf8(&path::decoded(&target.path)).is_ok());
        }
        let _ = (request.json(), request.form(), request.query.method_override);
    }
    let _ = http::parse(bytes);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(words) = shell::words(text)
        && let Ok(sent) = curl::parse(&words, &mut |_| Ok(b"a\nb".to_vec()))
    {
        let _ = Request::new(&sent.given());
    }
});
