//! Requests that frameworks read in a way that a first look does not show: each was found with the framework itself.

use crate::wire::Wire;

/// A request, what a line allows at first sight, and which frameworks read what it forbids.
pub struct Case {
    pub name: &'static str,
    pub line: &'static str,
    pub wire: Wire,
    pub fooled: &'static str,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const PARTS: &str = "multipart/form-data; boundary=b";
const PROJECT: &str = "/x[QueryParam::project==JRA]";
const POST: &str = "[post].*";

const EVERY: &str = "express express5 rack php laravel plack bottle flask webob go";
/// Those that take a method from a form.
const REPLACING: &str = "express express5 rack php laravel";
/// Those that take parameters and a method from JSON.
const JSON_READING: &str = "express express5 laravel";

fn case(name: &'static str, line: &'static str, wire: Wire, fooled: &'static str) -> Case {
    Case { name, line, wire, fooled }
}

fn get(target: &str) -> Wire {
    Wire { method: "GET".to_owned(), target: target.to_owned(), ..Wire::default() }
}

fn post(target: &str, kind: &str, body: &[u8]) -> Wire {
    let headers =
        if kind.is_empty() { Vec::new() } else { vec![("Content-Type".to_owned(), kind.to_owned())] };
    let body = Some(body.to_vec());
    Wire { method: "POST".to_owned(), target: target.to_owned(), headers, body, unseen: false }
}

fn part(head: &str) -> Vec<u8> {
    format!("--b\r\n{head}\r\n\r\nDELETE\r\n--b--\r\n").into_bytes()
}

pub fn all() -> Vec<Case> {
    [queries(), members(), methods(), parts(), untyped(), merged(), unseen()].into_iter().flatten().collect()
}

/// Names in a query.
fn queries() -> Vec<Case> {
    let project = |name, target, fooled| case(name, PROJECT, get(target), fooled);
    let id = |name, target, fooled| case(name, "/x[QueryParam::project_id==JRA]", get(target), fooled);
    vec![
        project("a bracket closes", "/x?project=JRA&project]=HR", "rack"),
        project("in brackets", "/x?project=JRA&[project]=HR", "express express5 rack"),
        project("in encoded brackets", "/x?project=JRA&%5Bproject%5D=HR", "express express5 rack"),
        project("a closing bracket opens", "/x?project=JRA&]project=HR", "rack"),
        project("in two pairs of brackets", "/x?project=JRA&[[project]]=HR", "rack"),
        project("twice", "/x?project=JRA&project=HR", EVERY),
        project("an array", "/x?project=JRA&project[]=HR", "express express5 php laravel"),
        project("a table", "/x?project=JRA&project[a]=HR", "express express5 php laravel"),
        project("a blank before it", "/x?project=JRA&%20project=HR", "php laravel"),
        project("a plus before it", "/x?project=JRA&+project=HR", "php laravel"),
        project("a line feed before it", "/x?project=JRA&%0Aproject=HR", ""),
        project("NUL behind it", "/x?project=JRA&project%00x=HR", "php laravel"),
        project("behind a semicolon", "/x?project=JRA&a=1;project=HR", "rack plack webob"),
        project("a letter encoded", "/x?project=JRA&p%72oject=HR", EVERY),
        id("an opening bracket for an underscore", "/x?project_id=JRA&project[id=HR", "php laravel"),
        id("a dot for an underscore", "/x?project_id=JRA&project.id=HR", "php laravel"),
        id("a blank for an underscore", "/x?project_id=JRA&project%20id=HR", "php laravel"),
        id("a plus for an underscore", "/x?project_id=JRA&project+id=HR", "php laravel"),
        case(
            "a table for a dotted name",
            "/x[QueryParam::project.id==JRA]",
            get("/x?project.id=JRA&project[id]=HR"),
            "laravel",
        ),
        case(
            "a method behind two question marks",
            "[post]/x",
            post("/x??_method=DELETE", "", b""),
            "php laravel",
        ),
        case(
            "a method in the query",
            "[post]/x",
            post("/x?_method=DELETE", "", b""),
            "express express5 php laravel",
        ),
        case("a tunneled method", "[post]/x", post("/x?x-tunneled-method=DELETE", "", b""), "plack"),
    ]
}

/// Members of JSON.
fn members() -> Vec<Case> {
    let key = |name, body: &str, fooled| {
        case(name, "/x[JsonData::key==A]", post("/x", JSON, body.as_bytes()), fooled)
    };
    let status = "/x[JsonData::status==A]";
    let inner = "/x[JsonData::project.key==A]";
    vec![
        key("the sign of kelvin", "{\"key\":\"A\",\"\u{212a}ey\":\"B\"}", "go"),
        key("the sign of kelvin, escaped", r#"{"key":"A","\u212aey":"B"}"#, "go"),
        key("capitals", r#"{"key":"A","KEY":"B"}"#, "go"),
        key(
            "a member twice",
            r#"{"key":"A","key":"B"}"#,
            "express express5 rack php laravel bottle flask webob go",
        ),
        key(
            "a member twice, once escaped",
            r#"{"key":"A","\u006bey":"B"}"#,
            "express express5 rack php laravel bottle flask webob go",
        ),
        case(
            "the long s",
            status,
            post("/x", JSON, "{\"status\":\"A\",\"\u{17f}tatu\u{17f}\":\"B\"}".as_bytes()),
            "go",
        ),
        case(
            "the sign of kelvin, inside",
            inner,
            post("/x", JSON, "{\"project\":{\"key\":\"A\",\"\u{212a}ey\":\"B\"}}".as_bytes()),
            "go",
        ),
        case(
            "capitals, one level up",
            inner,
            post("/x", JSON, br#"{"project":{"key":"A"},"Project":{"key":"B"}}"#),
            "go",
        ),
    ]
}

/// Another method.
fn methods() -> Vec<Case> {
    let form = |name, body: &str, fooled| case(name, POST, post("/x", FORM, body.as_bytes()), fooled);
    let json = |name, kind, body: &[u8], fooled| case(name, POST, post("/x", kind, body), fooled);
    let delete = br#"{"_method":"DELETE"}"#;
    let wide: Vec<u8> = "{\"_method\":\"DELETE\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut packed = post("/x", FORM, PACKED);
    packed.headers.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
    let mut header = post("/x", FORM, b"a=1");
    header.headers.push(("X_HTTP_Method_Override".to_owned(), "DELETE".to_owned()));
    vec![
        form("a method in the form", "_method=DELETE", REPLACING),
        form("a method, a bracket closes", "_method]=DELETE", "rack"),
        form("a method in brackets", "[_method]=DELETE", "express express5 rack"),
        form("a method, a closing bracket opens", "]_method=DELETE", "rack"),
        form("a method with NUL behind it", "_method%00x=DELETE", "php laravel"),
        form("a method with a dot", ".method=DELETE", "php laravel"),
        form("a method with a bracket", "[method=DELETE", ""),
        form("a method behind a semicolon", "a=1;_method=DELETE", ""),
        json("a method in JSON", JSON, delete, JSON_READING),
        json("a method in JSON by another name", "application/vnd.api+json", delete, "laravel"),
        json(
            "a method in JSON behind a mark",
            JSON,
            b"\xef\xbb\xbf{\"_method\":\"DELETE\"}",
            "express express5",
        ),
        json(
            "a method in JSON of two bytes a letter",
            "application/json; charset=utf-16",
            &wide,
            "express express5",
        ),
        json("a method in JSON, escaped", JSON, br#"{"\u005fmethod":"DELETE"}"#, JSON_READING),
        json("a method in JSON that says image", "image/png; a=/json", delete, "laravel"),
        json("a method in JSON that says XML", "application/xml; a=+json", delete, "laravel"),
        json(
            "a method in JSON that says form",
            "application/x-www-form-urlencoded; a=/json",
            delete,
            "laravel",
        ),
        json(
            "a method in a form with a comma",
            "application/x-www-form-urlencoded,x",
            b"_method=DELETE",
            "rack php laravel",
        ),
        case("a method in a compressed form", POST, packed, "express express5"),
        case("a method in a header with underscores", POST, header, "rack php laravel"),
    ]
}

/// `_method=DELETE&project=HR`, as gzip writes it.
const PACKED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x8b\xcf\x4d\x2d\xc9\xc8\x4f\xb1\x75\x71\xf5\x71\x0d\x71\x55\x2b\x28\xca\xcf\x4a\x4d\x2e\xb1\xf5\x08\x02\x00\x45\x67\xd1\xf4\x19\x00\x00\x00";

/// Names in parts.
fn parts() -> Vec<Case> {
    let method = |name, head: &str, fooled| case(name, POST, post("/x", PARTS, &part(head)), fooled);
    vec![
        method("a part", "Content-Disposition: form-data; name=\"_method\"", REPLACING),
        method("a part with a dot", "Content-Disposition: form-data; name=\".method\"", "php laravel"),
        method("a part with a bracket", "Content-Disposition: form-data; name=\"_method]\"", "rack"),
        method("a part in brackets", "Content-Disposition: form-data; name=\"[_method]\"", "rack"),
        method("a part without quotes", "Content-Disposition: form-data; name=_method", REPLACING),
        method("a part by its id", "Content-ID: _method", "rack"),
        method("a part by its file", "Content-Disposition: form-data; filename=\"_method\"", ""),
        method("a part with an escape", "Content-Disposition: form-data; name=\"_m\\ethod\"", "rack"),
        method("a part with a percent", "Content-Disposition: form-data; name=\"%5fmethod\"", ""),
        method("a part, extended", "Content-Disposition: form-data; name*=utf-8''_method", ""),
        method(
            "a part of two names",
            "Content-Disposition: form-data; name=\"a\"; name=\"_method\"",
            "rack php laravel",
        ),
        method("a part, folded", "Content-Disposition: form-data;\r\n name=\"_method\"", REPLACING),
        case(
            "a project in a part",
            PROJECT,
            post("/x?project=JRA", PARTS, &part("Content-Disposition: form-data; name=\"project\"")),
            EVERY,
        ),
    ]
}

/// Bodies without a type, or with one that says they are no form.
fn untyped() -> Vec<Case> {
    let project =
        |name, kind, fooled| case(name, PROJECT, post("/x?project=JRA", kind, b"project=HR"), fooled);
    vec![
        case("a method without a type", POST, post("/x", "", b"_method=DELETE"), "rack"),
        project("a project without a type", "", "rack bottle webob"),
        project("a project in plain text", "text/plain", "bottle"),
        project("a project in octets", "application/octet-stream", "bottle"),
        project("a project in what says JSON", JSON, "bottle"),
        project("a project in what says image", "image/png", "bottle"),
        project("a project in what says XML", "application/xml", "bottle"),
        project(
            "a project in a form of a type in capitals",
            "APPLICATION/X-WWW-FORM-URLENCODED",
            "express express5 rack php laravel bottle flask go",
        ),
        project(
            "a project in a form of another charset",
            "application/x-www-form-urlencoded; charset=x",
            "rack php laravel plack bottle flask go",
        ),
    ]
}

/// Values that a handler takes from elsewhere than the line looks.
fn merged() -> Vec<Case> {
    let project =
        |name, kind, body: &[u8], fooled| case(name, PROJECT, post("/x?project=JRA", kind, body), fooled);
    let both = "/x[QueryParam::project==JRA][JsonData::key==A]";
    vec![
        project("JSON before the query", JSON, br#"{"project":"HR"}"#, JSON_READING),
        project("JSON by another name", "text/json", br#"{"project":"HR"}"#, "laravel"),
        project("a form before the query", FORM, b"project=HR", EVERY),
        project("a form with brackets", FORM, b"[project]=HR", "express express5 rack"),
        project("an empty value in JSON", JSON, br#"{"project":""}"#, JSON_READING),
        project("an object in JSON", JSON, br#"{"project":{"a":"HR"}}"#, JSON_READING),
        case(
            "an object in JSON for a dotted name",
            "/x[QueryParam::project.id==JRA]",
            post("/x?project.id=JRA", JSON, br#"{"project":{"id":"HR"}}"#),
            "laravel",
        ),
        case(
            "a form in a string of JSON",
            "/x[JsonData::key==A]",
            post("/x", JSON, br#"{"key":"A","a":"&key=B&"}"#),
            "bottle",
        ),
        case(
            "one of two",
            both,
            post("/x?project=JRA", JSON, br#"{"key":"A","project":"HR"}"#),
            JSON_READING,
        ),
    ]
}

/// Bodies that patctl is not given.
fn unseen() -> Vec<Case> {
    let hidden = |name, line, kind, body: &[u8], fooled| {
        let wire = Wire { unseen: true, ..post("/x?project=JRA", kind, body) };
        case(name, line, wire, fooled)
    };
    let delete = br#"{"_method":"DELETE","project":"HR"}"#;
    vec![
        hidden("an unseen form", POST, FORM, b"_method=DELETE", REPLACING),
        hidden("an unseen project", PROJECT, FORM, b"project=HR", EVERY),
        hidden("an unseen body of no type", POST, "", b"_method=DELETE", "rack"),
        hidden("an unseen project of no type", PROJECT, "", b"project=HR", "rack bottle webob"),
        hidden("unseen JSON", POST, JSON, delete, JSON_READING),
        hidden("an unseen project in JSON", PROJECT, JSON, delete, JSON_READING),
        hidden(
            "an unseen part",
            POST,
            PARTS,
            &part("Content-Disposition: form-data; name=\"_method\""),
            REPLACING,
        ),
    ]
}

/// Requests that a line is there for.
pub fn plain() -> Vec<(&'static str, Wire)> {
    let part =
        part("Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain");
    vec![
        (PROJECT, get("/x?project=JRA&a=1")),
        (PROJECT, post("/x?project=JRA", FORM, b"a=1&b[c]=2")),
        (PROJECT, post("/x?project=JRA", FORM, b"project=JRA")),
        (PROJECT, post("/x?project=JRA", JSON, br#"{"a":{"project":"HR"}}"#)),
        (POST, post("/x", FORM, b"a=1&method=2")),
        (POST, post("/x", JSON, br#"{"method":"a","a":[{"_method":"x"}]}"#)),
        (POST, post("/x", PARTS, &part)),
        ("/x[JsonData::project.key==A]", post("/x", JSON, br#"{"project":{"key":"A","name":"B"},"key":1}"#)),
    ]
}
