//! Random requests: a query, a body and headers, with names that some server may take for a guarded one.

use crate::spelling::{encoded, quoted, spelling};
use crate::wire::Wire;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

const OVERRIDES: &[&str] = &[
    "_method",
    "_method",
    "_method",
    "_HttpMethod",
    "$httpMethod",
    "x-tunneled-method",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
];

/// Names that lines guard, by how often they are sent.
const GUARDED: &[&str] = &["project", "project", "project", "project_id", "project.id", "status", "key"];

/// Types that say what the body is not.
const TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "APPLICATION/X-WWW-Form-URLencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/x-www-form-urlencoded; charset=UTF-8;",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; a=/json",
    "application/x-www-form-urlencoded;+json",
    "application/x-www-form-urlencoded, application/json",
    "application/x-www-form-urlencoded application/json",
    "application/x-www-form-urlencodedx",
    "text/plain",
    "text/plain; charset=utf-8",
    "text/plain; a=/json",
    "application/octet-stream",
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=\"utf-8\"",
    "application/json; charset=utf-16",
    "application/json; charset=utf-7",
    "application/json; a=multipart/form-data; boundary=b",
    "application/json; a=application/x-www-form-urlencoded",
    "application/json, multipart/form-data; boundary=b",
    "application/vnd.api+json",
    "application/x+json+xml",
    "application/xml+json",
    "application/jsonp",
    "text/json",
    "image/json",
    "application/xml",
    "text/xml",
    "application/soap+xml",
    "image/png",
    "image/png; a=/json",
    "image/svg+xml; a=+json",
    "audio/x",
    "video/mp4; a=application/x-www-form-urlencoded",
    "application/pdf",
    "application/zip; boundary=b",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=\"b\"",
    "multipart/form-data; a=/json; boundary=b",
    "multipart/form-data",
    "Multipart/Form-Data; BOUNDARY=b",
    "multipart/form-data; boundary=c; boundary=b",
    "multipart/form-data, boundary=b",
    "multipart/mixed; boundary=b",
    "multipart/related; boundary=b",
    "",
    "form",
    "*/*",
    "/json",
];

/// A source of requests.
pub struct Generator {
    dice: StdRng,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { dice: StdRng::seed_from_u64(seed) }
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of.choose(&mut self.dice).expect("one")
    }

    fn chance(&mut self, of: f64) -> bool {
        self.dice.random_bool(of)
    }

    pub fn request(&mut self) -> Wire {
        let method = self.one(&["POST", "POST", "POST", "POST", "GET", "GET", "PUT", "DELETE", "PATCH"]);
        let mut wire = Wire { method: method.to_owned(), target: "/x".to_owned(), ..Wire::default() };
        // Most of what is wrong with a request should be one thing: the other parts are as they should be.
        let (bad_query, bad_body) = match self.dice.random_range(0..10) {
            0..4 => (true, false),
            4..8 => (false, true),
            8 => (true, true),
            _ => (false, false),
        };
        let query = self.pairs(true, bad_query);
        if !query.is_empty() {
            wire.target = format!("/x?{}", String::from_utf8(query).expect("ASCII"));
        }
        let body = match self.dice.random_range(0..10) {
            0 | 1 => None,
            2..5 => Some((self.pairs(false, bad_body), "application/x-www-form-urlencoded")),
            5..8 => Some((self.json(bad_body), "application/json")),
            8 => Some((self.multipart(bad_body), "multipart/form-data; boundary=b")),
            _ => Some((self.medley(), "application/json")),
        };
        if let Some((body, kind)) = body {
            let kind = if self.chance(0.7) {
                Some(kind)
            } else {
                Some(self.one(TYPES)).filter(|_| self.chance(0.8))
            };
            wire.headers.extend(kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())));
            wire.body = Some(body);
            wire.unseen = self.chance(0.07);
        } else if self.chance(0.1) {
            wire.headers.push(("Content-Type".to_owned(), self.one(TYPES).to_owned()));
        }
        if self.chance(0.03) {
            let name = self.one(&OVERRIDES[6..]).to_owned();
            let name = if self.chance(0.3) { name.replace('-', "_") } else { name };
            wire.headers.push((name, self.one(&["DELETE", "POST", "delete", "GET"]).to_owned()));
        }
        wire
    }

    /// A name with what is good or bad for it.
    fn pair(&mut self, bad: bool) -> (String, String) {
        if bad && self.chance(0.4) {
            let name = self.one(OVERRIDES);
            return (spelling(name, &mut self.dice), "DELETE".to_owned());
        }
        let name = self.one(GUARDED);
        let good = if name == "key" { "A" } else { "JRA" };
        let value = if !bad || self.chance(0.15) { good } else { self.one(&["HR", "HR", "", "B"]) };
        (if bad { spelling(name, &mut self.dice) } else { name.to_owned() }, value.to_owned())
    }

    /// Parameters: what lines ask for, and `bad` ones between them.
    fn pairs(&mut self, query: bool, bad: bool) -> Vec<u8> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        if query {
            for (name, often) in
                [("project", 0.7), ("project_id", 0.25), ("project.id", 0.15), ("status", 0.2)]
            {
                if self.chance(often) {
                    pairs.push((name.to_owned(), "JRA".to_owned()));
                }
            }
        }
        if self.chance(0.2) {
            pairs.push(("a".to_owned(), "1".to_owned()));
        }
        for _ in 0..(if bad { self.dice.random_range(1..3) } else { usize::from(self.chance(0.2)) }) {
            let pair = self.pair(bad);
            pairs.insert(self.dice.random_range(0..=pairs.len()), pair);
        }
        let written = pairs.iter().map(|(name, value)| {
            let mut pair = encoded(name, query, &mut self.dice);
            if !(value.is_empty() && self.dice.random_bool(0.5)) {
                pair.push(b'=');
            }
            pair.extend(encoded(value, query, &mut self.dice));
            pair
        });
        let written: Vec<Vec<u8>> = written.collect();
        let between: &[u8] = if self.chance(0.03) { b";" } else { b"&" };
        written.join(between)
    }

    fn json(&mut self, bad: bool) -> Vec<u8> {
        let mut members: Vec<(String, String)> = Vec::new();
        if self.chance(0.7) {
            members.push(("key".to_owned(), "\"A\"".to_owned()));
        }
        match self.dice.random_range(0..5) {
            0 | 1 => {
                let inner = self.inner(bad);
                members.push(("project".to_owned(), inner));
            }
            2 => members.push(("project".to_owned(), "\"JRA\"".to_owned())),
            _ => {}
        }
        for _ in 0..(if bad { self.dice.random_range(1..3) } else { usize::from(self.chance(0.2)) }) {
            let (name, value) = self.pair(bad);
            let value = self.value(&value);
            members.insert(self.dice.random_range(0..=members.len()), (name, value));
        }
        let text = self.object(&members);
        let text = if bad && self.chance(0.03) { format!("[{text}]") } else { text };
        match self.dice.random_range(0..100) {
            0 if bad => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            1 if bad => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            2 if bad => [text.as_bytes(), b"\n/**/"].concat(),
            3 if bad => text.replacen('}', ",}", 1).into_bytes(),
            _ => text.into_bytes(),
        }
    }

    /// An object with a `key`.
    fn inner(&mut self, bad: bool) -> String {
        let mut members = vec![("key".to_owned(), "\"A\"".to_owned())];
        if bad && self.chance(0.5) {
            let pair = (spelling("key", &mut self.dice), "\"B\"".to_owned());
            members.insert(self.dice.random_range(0..=1), pair);
        }
        self.object(&members)
    }

    fn value(&mut self, text: &str) -> String {
        let text = quoted(text, &mut self.dice);
        match self.dice.random_range(0..12) {
            0 => format!("[{text}]"),
            1 => format!("[\"JRA\",{text}]"),
            2 => format!("{{\"key\":{text}}}"),
            _ => text,
        }
    }

    fn object(&mut self, members: &[(String, String)]) -> String {
        let written: Vec<String> =
            members.iter().map(|(name, value)| format!("{}:{value}", quoted(name, &mut self.dice))).collect();
        format!("{{{}}}", written.join(","))
    }

    /// A body of one kind with one of another in it.
    fn medley(&mut self) -> Vec<u8> {
        let form = self.pairs(false, true);
        let form = String::from_utf8_lossy(&form).into_owned();
        match self.dice.random_range(0..3) {
            0 => self
                .object(&[
                    ("key".to_owned(), "\"A\"".to_owned()),
                    ("a".to_owned(), quoted(&format!("&{form}&"), &mut StdRng::seed_from_u64(1))),
                ])
                .into_bytes(),
            1 => format!("<a>&{form}&</a>").into_bytes(),
            _ => [&b"a="[..], &self.json(true), b"&", form.as_bytes()].concat(),
        }
    }

    fn multipart(&mut self, bad: bool) -> Vec<u8> {
        let mut body = Vec::new();
        if bad && self.chance(0.03) {
            body.extend(b"preamble\r\n");
        }
        for _ in 0..self.dice.random_range(1..3) {
            let (name, value) = self.pair(bad);
            let end = if bad && self.chance(0.03) { "\n" } else { "\r\n" };
            body.extend(format!("--b{end}{}{end}{end}{value}\r\n", self.part(&name, bad)).bytes());
        }
        body.extend(b"--b--\r\n");
        if bad && self.chance(0.03) {
            body.extend(b"Content-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--b--\r\n");
        }
        body
    }

    /// The head of a part.
    fn part(&mut self, name: &str, bad: bool) -> String {
        let usual = format!("Content-Disposition: form-data; name=\"{name}\"");
        if !bad || self.chance(0.6) {
            return usual;
        }
        let forms = [
            "Content-Disposition: form-data; name=*",
            "Content-Disposition: form-data; name=\"a\"; name=\"*\"",
            "Content-Disposition: form-data; name=\"a\"; name*=utf-8''*",
            "Content-Disposition: form-data; name*=utf-8''*",
            "Content-Disposition: form-data; filename=\"*\"",
            "Content-Disposition: form-data; name=\"\"; filename=\"*\"",
            "Content-Disposition: form-data; name=\"a\"; filename=\"x\"; name=\"*\"",
            "Content-Disposition: form-data; name=\"a\\\"; name=\\\"*\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-ID: *",
            "Content-ID: *",
            "Content-Disposition: form-data\r\nContent-ID: <*>",
            "Content-Type: text/plain; name=\"*\"",
            "Content-Disposition: attachment; name=\"*\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"*\"",
            "Content-Disposition: form-data;\r\n name=\"*\"",
            "content-disposition:form-data;NAME=\"*\"",
            "Content-Disposition: form-data; x=\"; name=\\\"*\"; name=\"a\"",
            "Content-Disposition: form-data; name='*'",
            "Content-Disposition: form-data; name=\"*\"; filename=\"\"",
            "Content-Disposition: form-data; name=\"*\"\r\nContent-Type: application/json; charset=utf-16",
        ];
        self.one(&forms).replace('*', name)
    }
}
