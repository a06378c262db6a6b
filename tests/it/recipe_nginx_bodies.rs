//! Bodies that nginx keeps back from the script of the README, and the headers that it hands over.

use crate::recipe_nginx::{has_what_it_takes, start};

/// A body never reaches the script: it denies what the body could turn into something else.
#[test]
fn a_body_that_nginx_keeps_back_is_no_way_around() {
    if !has_what_it_takes("a_body_that_nginx_keeps_back_is_no_way_around") {
        return;
    }
    let mut guarded = start("");
    let token = guarded.home.create(&["--restrict", "[get,post]/x[QueryParam::project==JRA]"]);
    let authorization = format!("Authorization: Bearer {token}");
    let settings = guarded.home.dir.path().join("patctl.properties");
    let (form, json) = ("application/x-www-form-urlencoded", "application/json");
    let (chunked, none) = ("Transfer-Encoding: chunked", "X-None: 0");
    // Answers for all, forms, none.
    for (method, kind, length, body, status) in [
        ("POST", form, "Content-Length: 10", "project=HR", [403, 403, 200]),
        ("POST", form, "Content-Length: 14", "_method=DELETE", [403, 403, 200]),
        ("POST", json, "Content-Length: 16", "{\"project\":\"HR\"}", [403, 200, 200]),
        ("POST", json, chunked, "2\r\n{}\r\n0\r\n\r\n", [403, 200, 200]),
        ("POST", "multipart/form-data; boundary=b", "Content-Length: 1", "x", [403, 403, 200]),
        ("POST", "text/plain", "Content-Length: 10", "project=HR", [403, 403, 200]),
        ("POST", "", "Content-Length: 10", "project=HR", [403, 403, 200]),
        ("POST", "", none, "", [403, 403, 200]),
        ("POST", "", "Content-Length: 0", "", [200, 200, 200]),
        ("POST", json, "Content-Length: 0", "", [200, 200, 200]),
        ("GET", "", "Content-Length: 10", "project=HR", [403, 403, 200]),
        ("GET", form, none, "", [403, 403, 200]),
        ("GET", json, none, "", [200, 200, 200]),
        ("GET", "", none, "", [200, 200, 200]),
    ] {
        for (merges, status) in ["all", "forms", "none"].into_iter().zip(status) {
            std::fs::write(&settings, format!("patctl.service.merges.body = {merges}\n")).expect("a file");
            let kind = if kind.is_empty() { "X-None: 1".to_owned() } else { format!("Content-Type: {kind}") };
            let headers = [authorization.as_str(), &kind, length];
            let (said, answer) = guarded.ask_with(method, "/x?project=JRA", &headers, body);
            assert_eq!(said, status, "{method} {kind} {length} {merges}: {answer}");
            if status == 200 {
                guarded.one_arrival();
            } else {
                guarded.no_arrival();
            }
        }
    }
}

/// The service gets one Content-Type, the one that was judged, and is asked for under the base URL's host alone.
#[test]
fn nginx_hands_over_host_and_type_as_they_are() {
    if !has_what_it_takes("nginx_hands_over_host_and_type_as_they_are") {
        return;
    }
    let mut guarded = start("patctl.base.url = https://h\npatctl.service.merges.body = forms\n");
    let token = guarded.home.create(&["--restrict", "[get,post]{HERE}/x.*"]);
    let authorization = format!("Authorization: Bearer {token}");
    let two = ["Content-Type: application/json", "Content-Type: application/x-www-form-urlencoded"];
    let headers = [authorization.as_str(), two[0], two[1], "Content-Length: 2"];
    let (status, answer) = guarded.ask_with("POST", "/x", &headers, "{}");
    if status == 200 {
        let head = guarded.one_arrival();
        assert_eq!(head.matches("Content-Type: ").count(), 1, "{head}");
        assert!(head.contains(two[0]), "{head}");
    } else {
        assert!([400, 403].contains(&status), "{answer}");
    }
    assert_eq!(guarded.status("GET", "/x", &token), 200);
    guarded.one_arrival();
    std::fs::write(guarded.home.dir.path().join("patctl.properties"), "patctl.base.url = https://other\n")
        .expect("a file");
    assert_eq!(guarded.status("GET", "/x", &token), 403);
    guarded.no_arrival();
}
