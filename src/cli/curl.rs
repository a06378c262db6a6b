//! A curl command as the request that it would send. What would change the request and is not
//! understood is refused; credentials are dropped.

use super::request::header;
use crate::domain::restriction::{MAX_BODY, Sent, origin};

/// Options that take no value and leave the request as it is.
const PLAIN: &str = "\
    insecure silent show-error verbose include location fail progress-bar no-buffer globoff \
    path-as-is compressed ipv4 ipv6 http1.0 http1.1 http2 http2-prior-knowledge fail-with-body \
    location-trusted post301 post302 post303 no-progress-meter remote-name remote-header-name \
    remote-time netrc netrc-optional disable tcp-nodelay parallel create-dirs basic ssl ssl-reqd \
    tlsv1 tlsv1.2 tlsv1.3 cert-status retry-connrefused retry-all-errors no-keepalive styled-output \
    fail-early tcp-fastopen ssl-no-revoke http3 no-sessionid trace-time xattr remove-on-error \
    suppress-connect-headers ca-native";

/// Options whose value leaves the request as it is, or is a credential.
const WITH_VALUE: &str = "\
    output write-out max-time connect-timeout retry retry-delay retry-max-time proxy proxy-user \
    cert cert-type key key-type pass cacert capath resolve connect-to interface cookie-jar \
    dump-header stderr trace trace-ascii limit-rate max-redirs noproxy cookie user oauth2-bearer \
    pinnedpubkey ciphers tls-max dns-servers unix-socket max-filesize keepalive-time netrc-file \
    proto proto-redir local-port speed-limit speed-time output-dir tls13-ciphers crlfile curves \
    parallel-max expect100-timeout happy-eyeballs-timeout-ms rate";

/// The letters for options.
const LETTERS: &str = "\
    k=insecure s=silent S=show-error v=verbose i=include L=location f=fail #=progress-bar \
    N=no-buffer g=globoff 4=ipv4 6=ipv6 0=http1.0 O=remote-name J=remote-header-name R=remote-time \
    n=netrc q=disable Z=parallel 1=tlsv1 o=output w=write-out m=max-time x=proxy U=proxy-user \
    E=cert c=cookie-jar D=dump-header b=cookie u=user Y=speed-limit y=speed-time X=request H=header \
    d=data G=get I=head A=user-agent e=referer F=form T=upload-file K=config r=range z=time-cond \
    C=continue-at :=next a=append p=proxytunnel t=telnet-option Q=quote P=ftp-port B=use-ascii \
    l=list-only j=junk-session-cookies M=manual V=version h=help";

/// Options with a value that say what the request is.
const MEANING: &str = "\
    request header data data-ascii data-raw data-binary data-urlencode json url url-query \
    user-agent referer";

/// Options whose value curl writes into the head of the request as it is.
const RAW: &str = "request user-agent referer cookie oauth2-bearer";

/// Hosts that curl takes for those of another protocol where the URL has no scheme.
const GUESSED: [&str; 6] = ["ftp.", "dict.", "ldap.", "imap.", "smtp.", "pop3."];

/// What curl makes several URLs of.
const GLOBS: [char; 4] = ['{', '}', '[', ']'];

/// Reads the file that an `@` names.
pub type ReadFile<'r> = &'r mut dyn FnMut(&str) -> Result<Vec<u8>, String>;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of curl")]
struct Curl {
    request: Option<String>,
    url: Option<String>,
    headers: Vec<String>,
    user_agent: String,
    referer: String,
    data: Option<Vec<u8>>,
    url_query: Vec<String>,
    json: bool,
    get: bool,
    head: bool,
    as_is: bool,
    globoff: bool,
}

/// Reads a command line that begins with `curl`.
///
/// # Errors
/// What is not understood, or would be no single request.
pub fn parse(words: &[String], read: ReadFile<'_>) -> Result<Sent, String> {
    let (name, rest) = words.split_first().ok_or("there is no command")?;
    if name.rsplit('/').next() != Some("curl") {
        return Err("the first word is not curl; paste the whole command, its words apart".to_owned());
    }
    let mut curl = Curl::default();
    let mut rest = rest.iter();
    let mut options = true;
    while let Some(word) = rest.next() {
        let mut value =
            |name: &str| rest.next().cloned().ok_or_else(|| format!("the option {name} lacks its value"));
        if !options || !word.starts_with('-') || word == "-" {
            curl.url(word.clone())?;
        } else if word == "--" {
            options = false;
        } else if let Some(long) = word.strip_prefix("--") {
            let value = if takes_value(long) { Some(value(word)?) } else { None };
            curl.option(long, value, read)?;
        } else {
            letters(&mut curl, word, &mut value, read)?;
        }
    }
    curl.sent()
}

/// `-sXPOST` is `-s -X POST`.
fn letters(
    curl: &mut Curl,
    word: &str,
    value: &mut dyn FnMut(&str) -> Result<String, String>,
    read: ReadFile<'_>,
) -> Result<(), String> {
    let mut letters = word[1..].chars();
    while let Some(letter) = letters.next() {
        let mut known = LETTERS.split(' ').filter_map(|pair| pair.strip_prefix(letter)?.strip_prefix('='));
        let long = known.next().ok_or_else(|| format!("the curl option -{letter} is not understood"))?;
        if takes_value(long) {
            let rest = letters.as_str();
            let value = if rest.is_empty() { value(&format!("-{letter}"))? } else { rest.to_owned() };
            return curl.option(long, Some(value), read);
        }
        curl.option(long, None, read)?;
    }
    Ok(())
}

fn takes_value(long: &str) -> bool {
    is_in(WITH_VALUE, long) || is_in(MEANING, long)
}

fn is_in(list: &str, option: &str) -> bool {
    list.split(' ').any(|known| known == option)
}

impl Curl {
    fn url(&mut self, url: String) -> Result<(), String> {
        if self.url.replace(url).is_some() {
            return Err("there are two URLs, which are two requests; check one at a time".to_owned());
        }
        Ok(())
    }

    fn option(&mut self, long: &str, value: Option<String>, read: ReadFile<'_>) -> Result<(), String> {
        let value = value.unwrap_or_default();
        if is_in(RAW, long) {
            no_control(&value)?;
        }
        match long {
            "request" => self.request = Some(value),
            "url" => self.url(value)?,
            "url-query" => {
                let query = match value.strip_prefix('+') {
                    Some(plain) => plain.to_owned(),
                    None => urlencode(&value, read)?,
                };
                self.url_query.push(query);
            }
            "header" => match value.strip_prefix('@') {
                Some(file) => {
                    let text =
                        String::from_utf8(read(file)?).map_err(|_| "a file of headers is not UTF-8")?;
                    let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
                    self.headers.extend(lines.map(str::to_owned));
                }
                None => self.headers.push(value),
            },
            "user-agent" => self.user_agent = value,
            "referer" => self.referer = value.split(";auto").next().unwrap_or_default().to_owned(),
            "data" | "data-ascii" | "data-raw" | "data-binary" | "data-urlencode" | "json" => {
                self.data(long, value, read)?;
            }
            "get" => self.get = true,
            "head" => self.head = true,
            "path-as-is" => self.as_is = true,
            "globoff" => self.globoff = true,
            known if is_in(PLAIN, known) || is_in(WITH_VALUE, known) => {}
            "form" | "form-string" => {
                return Err(
                    "--form makes a multipart body, which is not taken apart; describe the request with \
                            --method, --url and --content-type multipart/form-data"
                        .to_owned(),
                );
            }
            "next" => return Err("--next makes two requests; check one at a time".to_owned()),
            unknown => {
                // What follows a '=' may be a password.
                let unknown = unknown.split('=').next().unwrap_or_default();
                return Err(format!(
                    "the curl option --{unknown} is not understood, and may change the request"
                ));
            }
        }
        Ok(())
    }

    fn data(&mut self, kind: &str, value: String, read: ReadFile<'_>) -> Result<(), String> {
        let file = value.strip_prefix('@').filter(|_| kind != "data-raw");
        let bytes = match (kind, file) {
            ("data-urlencode", _) => urlencode(&value, read)?.into_bytes(),
            ("data" | "data-ascii", Some(file)) => joined(read(file)?)?,
            (_, Some(file)) => read(file)?,
            _ => value.into_bytes(),
        };
        self.json |= kind == "json";
        match &mut self.data {
            Some(data) => {
                if kind != "json" {
                    data.push(b'&');
                }
                data.extend(bytes);
            }
            None => self.data = Some(bytes),
        }
        Ok(())
    }

    fn sent(mut self) -> Result<Sent, String> {
        let url = self.url.take().ok_or("there is no URL in the curl command")?;
        if self.head && self.data.is_some() && !self.get {
            return Err("curl refuses --head with a body".to_owned());
        }
        let mut body = self.data.take();
        let mut queries = Vec::new();
        if self.get
            && let Some(data) = body.take()
        {
            if !self.url_query.is_empty() {
                return Err(
                    "curl takes either --get with data or --url-query, and drops the other".to_owned()
                );
            }
            queries.push(String::from_utf8(data).map_err(|_| "the data for the query is not UTF-8")?);
        }
        queries.append(&mut self.url_query);
        // Where it adds to the query, curl rewrites the path all the same.
        let as_is = self.as_is && queries.is_empty();
        let url = plain_url(&url, as_is, self.globoff)?;
        let url = if queries.is_empty() { url } else { with_query(&url, &queries.join("&"))? };
        let default = match (self.head, &body) {
            (true, _) => "HEAD",
            (false, Some(_)) => "POST",
            (false, None) => "GET",
        };
        let method = self.request.take().unwrap_or_else(|| default.to_owned());
        let headers = self.sent_headers(body.as_deref())?;
        // Without data curl sends no body, whatever the method and the type announce.
        let body = Some(body.unwrap_or_default());
        Ok(Sent { method: Some(method), url: Some(url), body, headers, ..Sent::default() })
    }

    fn sent_headers(&self, body: Option<&[u8]>) -> Result<Vec<(String, String)>, String> {
        let mut defaults = vec![("User-Agent", self.user_agent.as_str()), ("Referer", &self.referer)];
        defaults.retain(|(_, value)| !value.is_empty());
        if self.json {
            defaults.push(("Content-Type", "application/json"));
            defaults.push(("Accept", "application/json"));
        } else if body.is_some() {
            defaults.push(("Content-Type", "application/x-www-form-urlencoded"));
        }
        let mut headers = Vec::new();
        for line in &self.headers {
            no_control(line)?;
            let (name, value) = match (header(line), line.strip_suffix(';')) {
                (Ok(pair), _) => pair,
                (Err(_), Some(name)) => (name.to_owned(), String::new()),
                (Err(_), None) => return Err("a header of the curl command has no colon".to_owned()),
            };
            if name.contains(';') {
                return Err("the name of a header holds a semicolon".to_owned());
            }
            framed(&name, &value, body)?;
            defaults.retain(|default| !default.0.eq_ignore_ascii_case(&name));
            // 'Name:' takes a header away that curl would send, 'Name;' sends it empty.
            if (!value.is_empty() || !line.contains(':')) && !is_credential(&name) {
                headers.push((name, value));
            }
        }
        headers.extend(defaults.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(headers)
    }
}

fn is_credential(name: &str) -> bool {
    ["Authorization", "Proxy-Authorization", "Cookie"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What curl would pass on as a line of its own, or a server could read as one.
fn no_control(value: &str) -> Result<(), String> {
    if value.chars().any(|c| c.is_ascii_control() && c != '\t') {
        return Err("an option of the curl command holds a control character".to_owned());
    }
    Ok(())
}

/// curl sends the body that it has, whatever a header says of it; a server goes by the header.
fn framed(name: &str, value: &str, body: Option<&[u8]>) -> Result<(), String> {
    if name.eq_ignore_ascii_case("Transfer-Encoding") {
        return Err("a body with a transfer encoding is not taken apart".to_owned());
    }
    let length = body.map_or(0, <[u8]>::len);
    if name.eq_ignore_ascii_case("Content-Length") && value != length.to_string() {
        return Err(format!("the body has {length} bytes, the header Content-Length says otherwise"));
    }
    Ok(())
}

/// The lines of a file as one, as curl joins them, so that a file may end in a newline.
fn joined(mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let lone = |(at, byte): (usize, &u8)| *byte == b'\r' && bytes.get(at + 1).is_some_and(|b| *b != b'\n');
    if bytes.contains(&0) || bytes.iter().enumerate().any(lone) {
        return Err("versions of curl differ in what they send of a file with NUL bytes or lone carriage \
                    returns; take --data-binary"
            .to_owned());
    }
    // Of a longer one only the beginning was read, and too long it must stay.
    if bytes.len() <= MAX_BODY {
        bytes.retain(|b| !matches!(b, b'\r' | b'\n'));
    }
    Ok(bytes)
}

/// `content`, `=content`, `name=content`, `@file` or `name@file`, encoded as curl does.
fn urlencode(value: &str, read: ReadFile<'_>) -> Result<String, String> {
    let Some(at) = value.find('=').or_else(|| value.find('@')) else { return Ok(encode(value.as_bytes())) };
    let (name, rest) = value.split_at(at);
    let encoded = match rest.strip_prefix('@') {
        Some(file) => match read(file)? {
            // Without its name, too.
            bytes if bytes.is_empty() => return Ok(String::new()),
            bytes => encode(&bytes),
        },
        None => encode(&rest.as_bytes()[1..]),
    };
    Ok(if name.is_empty() { encoded } else { format!("{name}={encoded}") })
}

fn encode(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::new();
    for &byte in bytes {
        match byte {
            b' ' => encoded.push('+'),
            b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => encoded.push(char::from(b)),
            b => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{b:02X}");
            }
        }
    }
    encoded
}

/// The URL as curl sends it: with a scheme, without user information and fragment.
fn plain_url(url: &str, as_is: bool, globoff: bool) -> Result<String, String> {
    let (scheme, rest) = scheme(url)?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    if scheme.is_none() && GUESSED.iter().any(|guess| host.to_ascii_lowercase().starts_with(guess)) {
        return Err("curl guesses another protocol from this host; write http:// or https://".to_owned());
    }
    // What is not sent is looked at, too: two URLs that differ in it are two requests.
    if !globoff && (host.contains(['{', '}']) || user.contains(GLOBS) || tail.contains(GLOBS)) {
        return Err(
            "curl would take { } [ ] in the URL for several URLs; encode them, or add --globoff".to_owned()
        );
    }
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
    let is_dots =
        |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if !as_is && path.split('/').any(is_dots) {
        return Err("curl rewrites a path with . or .. in it; write the path out, or add --path-as-is \
                    where nothing adds to the query"
            .to_owned());
    }
    let path = if path.is_empty() { "/" } else { path };
    let scheme = scheme.unwrap_or("http");
    Ok(match query {
        Some(query) => format!("{scheme}://{host}{path}?{query}"),
        None => format!("{scheme}://{host}{path}"),
    })
}

/// The scheme of a URL that has one, and what follows.
fn scheme(url: &str) -> Result<(Option<&'static str>, &str), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let after = url.trim_start_matches(letter);
    if !after.starts_with(":/") || after.len() == url.len() {
        return Ok((None, url));
    }
    let (scheme, rest) = origin::scheme(url).ok_or("curl would not speak HTTP to this URL")?;
    if rest.starts_with('/') {
        return Err("there is a / too many behind the scheme of the URL".to_owned());
    }
    Ok((Some(scheme), rest))
}

/// A URL with more in its query, as curl adds it. It drops a `?` with nothing behind.
fn with_query(url: &str, more: &str) -> Result<String, String> {
    if more.contains('#') {
        return Err("curl ends the query at a plain #; encode it".to_owned());
    }
    let (before, query) = url.split_once('?').unwrap_or((url, ""));
    let joint = if query.is_empty() || query.ends_with('&') { "" } else { "&" };
    let query = format!("{query}{joint}{more}");
    Ok(if query.is_empty() { before.to_owned() } else { format!("{before}?{query}") })
}
