//! A request, and rules, as they are typed.

use super::values;
use crate::domain::actor::{ClientAddress, RequestId, RequestMeta};
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The request a token is presented for, or that rules are tried on. A part of a restriction whose subject
/// is not handed over does not hold.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "The request")]
pub struct RequestArgs {
    /// Its method, in capitals
    #[arg(long, value_name = "METHOD", allow_hyphen_values = true)]
    pub method: Option<String>,
    /// Its URL: absolute, or a path with or without query
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, allow_hyphen_values = true)]
    pub url: Option<String>,
    /// Its query, where the URL comes without
    #[arg(long, value_name = "QUERY", allow_hyphen_values = true)]
    pub query: Option<String>,
    /// Its body
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with = "data_file")]
    pub data: Option<String>,
    /// Its body, from this file; - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub data_file: Option<PathBuf>,
    /// What its body says it is
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
    /// It may have a body that is not handed over
    #[arg(long, conflicts_with_all = ["data", "data_file"])]
    pub body_unseen: bool,
    /// One of its headers; may be given more than once
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,
}

impl RequestArgs {
    /// Whether nothing of a request was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { method, url, query, data, data_file, content_type, body_unseen, headers } = self;
        [method, url, query, data, content_type].iter().all(|text| text.is_none())
            && data_file.is_none()
            && !body_unseen
            && headers.is_empty()
    }
}

/// Where a request comes from: written to the audit log.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "The request")]
pub struct OriginArgs {
    /// The address of the client that sent it, for the audit log
    #[arg(long, value_name = "ADDR")]
    pub client: Option<ClientAddress>,
    /// What the service calls it (X-Request-ID), for the audit log
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub request_id: Option<RequestId>,
}

impl OriginArgs {
    /// Whether nothing is known of it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.client.is_none() && self.request_id.is_none()
    }

    /// The same for an audit row.
    #[must_use]
    pub fn meta(&self) -> RequestMeta {
        RequestMeta { client: self.client, request_id: self.request_id.clone(), node: None }
    }
}

/// `Name: value`.
pub fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("write 'Name: value'")?;
    Ok((name.to_owned(), value.trim_matches([' ', '\t', '\r']).to_owned()))
}

/// Rules as they are typed.
#[derive(Args, Debug, Default)]
pub struct RuleArgs {
    /// Allow only what this line, or another, allows; may be given more than once
    #[arg(long = "restrict", value_name = "RULE", allow_hyphen_values = true)]
    pub restrict: Vec<String>,
    /// Allow only what a line of this file allows; - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file())]
    pub restrict_file: Option<PathBuf>,
}

/// `patctl check`
#[derive(Args, Debug)]
#[command(
    help_template = super::TEMPLATE,
    before_help = "Examples:\n  \
        patctl check --restrict '[get]/reports/.*' --method GET --url /reports/2026\n  \
        patctl check --restrict-file ci.rules -- curl https://jira/rest/api/2/issue\n  \
        patctl check --id 7k3m --curl-file pasted.txt\n  \
        patctl check --case-file cases.jsonl          (for CI: prints what differs)",
    after_help = "'patctl man restrictions' explains the language.\n\n\
        Status 0: a line allows the request. 1: none does, or it cannot be judged. 2: wrong usage, or a \
        rule that cannot be used. Credentials in a curl command are dropped and never shown; in a file they \
        are in no argument list either."
)]
pub struct Check {
    /// The rules.
    #[command(flatten)]
    pub rules: RuleArgs,
    /// Try the rules of this token
    #[arg(long, value_name = "ID", conflicts_with_all = ["restrict", "restrict_file"])]
    pub id: Option<crate::domain::id::IdPrefix>,
    /// The request.
    #[command(flatten)]
    pub request: RequestArgs,
    /// The request is the curl command in this file; - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file(), help_heading = "The request",
        conflicts_with_all = ["http_file", "case_file", "curl"])]
    pub curl_file: Option<PathBuf>,
    /// The request is the HTTP message in this file; - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file(), help_heading = "The request",
        conflicts_with_all = ["case_file", "curl"])]
    pub http_file: Option<PathBuf>,
    /// Try every case of this file (JSON lines: a request and 'expect'); - is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = values::file(), help_heading = "The request",
        conflicts_with = "curl")]
    pub case_file: Option<PathBuf>,
    /// The request is this curl command
    #[arg(last = true, value_name = "CURL COMMAND")]
    pub curl: Vec<String>,
}
