//! Verdicts: an added line never denies more, an added clause never allows more, and an explanation
//! decides as the decision does.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patctl::domain::restriction::{Decision, Depth, Given, Request, Rules, judge};

fn allows(rules: &Rules, request: &Request, depth: Depth) -> bool {
    matches!(judge(rules, request, None, depth).decision, Decision::Allow { .. })
}

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(4, |b| *b == 0xff);
    let mut text = || parts.next().and_then(|part| std::str::from_utf8(part).ok());
    let (Some(rule), url, kind) = (text(), text(), text()) else { return };
    let body = parts.next();
    let Ok(rules) = Rules::parse(rule, None) else { return };
    let given = Given { method: Some("POST"), url, body, content_type: kind, ..Given::default() };
    let Ok(request) = Request::new(&given) else { return };
    let allowed = allows(&rules, &request, Depth::Decide);
    assert_eq!(allowed, allows(&rules, &request, Depth::Explain));
    for part in judge(&rules, &request, None, Depth::Explain).lines.iter().flat_map(|line| &line.parts) {
        if let (Some(pattern), Some(seen)) = (part.pattern, &part.seen) {
            let _ = pattern.nearest(seen.as_bytes());
        }
    }
    if allowed {
        if let Ok(more) = Rules::parse(&format!("/never\n{rule}\n/never"), None) {
            assert!(allows(&more, &request, Depth::Decide), "a line took a yes away");
        }
    } else if !rule.contains('\n')
        && let Ok(more) = Rules::parse(&format!("{}[QueryParam::p==.*]", rule.trim_end()), None)
    {
        assert!(!allows(&more, &request, Depth::Decide), "a clause gave a yes");
    }
});
