//! What `patctl snippet` was asked to write: flags, presets and what is made up, as one call.

use super::asked::{self, TokenAt};
use super::context::Context;
use crate::cli::{AuthArg, Lang, Preset, Snippet};
use crate::config::Settings;
use crate::domain::pat::Pat;
use crate::domain::policy::Policy;
use crate::domain::presented::Scheme;
use crate::domain::restriction::{Base, Rules, Sent, example};
use crate::domain::text::User;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::snippet::{self, Auth, Call, Language, TokenFrom, Unfit};
use crate::store::{Read, StoreError};

/// Where the token service of Jira and Confluence answers.
const TOKENS: &str = "/rest/pat/latest/tokens";
/// A host that no name server knows (RFC 2606): what is pasted unread goes nowhere.
const NOWHERE: &str = "https://service.example";

/// The token a snippet is for, and its restrictions.
pub struct Holder {
    pub pat: Pat,
    pub rules: Vec<String>,
}

impl Holder {
    pub fn new(pat: Pat, db: &impl Read) -> Result<Self, StoreError> {
        let rules = if pat.restricted { db.restrictions(pat.id)? } else { Vec::new() };
        Ok(Self { pat, rules })
    }
}

/// What is to be written.
pub struct Order {
    pub language: Language,
    pub call: Call,
    /// Whether the call is the point, and not the authentication alone.
    pub calls: bool,
    pub token: TokenFrom,
    pub remarks: Vec<String>,
}

/// Puts the parts together, each of which is checked.
pub fn read(
    args: &Snippet,
    cx: &mut Context<'_>,
    settings: &Settings,
    holder: Option<&Holder>,
) -> Result<Order, Failure> {
    let language = language(args.lang);
    let auth = auth(args, &settings.policy(), holder.map(|holder| &holder.pat))?;
    let mut remarks = Vec::new();
    let asked = args.preset.is_some() || !args.request.is_empty();
    let base = settings.base();
    let mut sent = if args.preset.is_none() && args.request.is_empty() {
        let calls = language != Language::Header;
        made_up(base.as_ref(), holder.filter(|_| calls))?
    } else {
        request(args, cx, base.as_ref(), &mut remarks)?
    };
    if let Some(name) = &args.on_behalf {
        sent.headers.push(("contextUser".to_owned(), name.as_str().to_owned()));
    }
    let calls = language != Language::Header || asked;
    if absolute(&mut sent, base.as_ref(), !asked)? && calls {
        remarks.push(
            "service.example stands for your service; --url names it, or the property patctl.base.url"
                .to_owned(),
        );
    }
    let call = Call::new(&sent, auth, args.follow).map_err(|why| unfit(&why))?;
    if let Some(why) = snippet::unfit(language, &call) {
        return Err(unfit(&why));
    }
    remarks.extend(snippet::remarks(language, &call));
    Ok(Order { language, call, calls, token: token(args), remarks })
}

fn language(lang: Lang) -> Language {
    match lang {
        Lang::Curl => Language::Curl,
        Lang::JavaScript => Language::JavaScript,
        Lang::Python => Language::Python,
        Lang::Httpie => Language::Httpie,
        Lang::Wget => Language::Wget,
        Lang::PowerShell => Language::PowerShell,
        Lang::Go => Language::Go,
        Lang::Header => Language::Header,
    }
}

fn token(args: &Snippet) -> TokenFrom {
    match (&args.token_file, &args.token_env) {
        _ if args.with_token => TokenFrom::Here,
        (Some(file), _) => TokenFrom::File(file.clone()),
        (None, name) => TokenFrom::Variable(name.clone().unwrap_or_else(|| "PATCTL_TOKEN".to_owned())),
    }
}

/// As it was asked, else as it may be.
fn auth(args: &Snippet, policy: &Policy, pat: Option<&Pat>) -> Result<Auth, Failure> {
    let bearer = policy.auth.allow(&Scheme::Bearer)
        && pat.is_none_or(|pat| pat.auth.allow(&Scheme::Bearer) && pat.user.is_some());
    let kind = match (args.auth, &args.user) {
        (Some(AuthArg::Bearer), Some(_)) => {
            return Err(Failure::usage("Bearer names no user").hint("leave --user out, or say --auth basic"));
        }
        (Some(kind), _) => kind,
        (None, None) if bearer => AuthArg::Bearer,
        (None, _) => AuthArg::Basic,
    };
    let auth = if kind == AuthArg::Bearer {
        Auth::Bearer
    } else {
        let known = pat.and_then(|pat| pat.user.clone());
        let user = args.user.as_ref().map(User::as_str).map(str::to_owned).or(known);
        Auth::Basic {
            user: user.ok_or_else(|| {
                Failure::usage("Basic needs a user name")
                    .hint("name the user with --user, or the token by its id")
            })?,
        }
    };
    let scheme = match &auth {
        Auth::Bearer => Scheme::Bearer,
        Auth::Basic { user } => Scheme::Basic { user: user.clone() },
    };
    if pat.is_none() && !policy.auth.allow(&scheme) {
        let message =
            format!("no token may be presented so (patctl.auth.methods = {})", policy.auth.as_str());
        return Err(Failure::new(Exit::No, "wrong-auth-method", message).hint("choose the other --auth"));
    }
    Ok(auth)
}

/// A request where none was asked for: the service itself, or what the restrictions allow.
fn made_up(base: Option<&Base>, holder: Option<&Holder>) -> Result<Sent, Failure> {
    let root = || Sent {
        method: Some("GET".to_owned()),
        url: Some(format!("{}/", base.map_or("", |base| base.prefix.as_str()))),
        ..Sent::default()
    };
    let Some(holder) = holder.filter(|holder| holder.pat.restricted && !holder.rules.is_empty()) else {
        return Ok(root());
    };
    // What is wrong with a rule that no longer parses, the judge will say.
    let Ok(rules) = Rules::parse(&holder.rules.join("\n"), base) else { return Ok(root()) };
    example::example(&rules, base).ok_or_else(|| {
        let id = holder.pat.id;
        Failure::usage(format!(
            "no request was given, and none could be made up for the restrictions of {id}"
        ))
        .hint(format!("--method and --url say which; 'patctl show {id}' lists the restrictions"))
    })
}

fn request(
    args: &Snippet,
    cx: &mut Context<'_>,
    base: Option<&Base>,
    remarks: &mut Vec<String>,
) -> Result<Sent, Failure> {
    let mut sent = asked::request(&args.request, TokenAt::Elsewhere, cx)?;
    let prefix = base.map_or("", |base| base.prefix.as_str());
    match args.preset {
        None => {
            if sent.url.is_none() && base.is_none() {
                return Err(Failure::usage("no URL was given, and patctl.base.url is not set")
                    .hint("name one with --url https://…, or set the property to where the service lives"));
            }
            let path = sent.url.get_or_insert_with(|| format!("{prefix}/"));
            let below =
                path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
            if path.starts_with('/') && !below {
                remarks.push(format!("the path is not below {prefix}, where patctl.base.url begins"));
            }
        }
        Some(preset) => {
            let (method, behind) = match preset {
                Preset::CreateToken => ("POST", String::new()),
                Preset::ListTokens => ("GET", String::new()),
                Preset::RevokeToken => ("DELETE", format!("/{}", args.target.as_deref().unwrap_or("ID"))),
            };
            if preset == Preset::RevokeToken && args.target.is_none() {
                remarks.push("put the token's id in place of ID, or name it with --target".to_owned());
            }
            if preset != Preset::RevokeToken && args.target.is_some() {
                return Err(Failure::usage("--target is for --preset revoke-token").hint("leave it out"));
            }
            sent.method = Some(method.to_owned());
            sent.url = Some(format!("{prefix}{TOKENS}{behind}"));
            if preset == Preset::CreateToken {
                let draft = || br#"{"name":"made by a call","expirationDuration":90}"#.to_vec();
                sent.body.get_or_insert_with(draft);
                let typed = |(name, _): &(String, String)| name.eq_ignore_ascii_case("Content-Type");
                if sent.content_type.is_none() && !sent.headers.iter().any(typed) {
                    sent.content_type = Some("application/json".to_owned());
                }
            }
        }
    }
    Ok(sent)
}

/// Puts the service before a path; true where it is not known, and `anywhere` will do.
fn absolute(sent: &mut Sent, base: Option<&Base>, anywhere: bool) -> Result<bool, Failure> {
    let Some(path) = sent.url.as_ref().filter(|url| url.starts_with('/')) else { return Ok(false) };
    match base {
        Some(base) => sent.url = Some(format!("{}{path}", base.origin)),
        None if anywhere => {
            sent.url = Some(format!("{NOWHERE}{path}"));
            return Ok(true);
        }
        None => return Err(unfit(&Unfit::NoOrigin)),
    }
    Ok(false)
}

/// What to do about an objection.
fn unfit(why: &Unfit) -> Failure {
    let hint = match why {
        Unfit::Request(_) => {
            "--method in capitals; --url and --query encoded as they are sent (%20 for a blank)"
        }
        Unfit::NoOrigin => {
            "name the service with --url https://…, or set patctl.base.url to where it lives ('patctl config keys')"
        }
        Unfit::Odd(_) => "write the URL in its plain form, or take --lang curl, which sends it as it is",
        Unfit::Made(_) => "leave it out; --auth, --user and --on-behalf say how the token is presented",
        Unfit::Twice(_) => "give it once, its values joined by ', '",
        Unfit::Hidden(..) => "write the value without it",
        Unfit::Bytes | Unfit::Control(..) | Unfit::Long(_) => {
            "in a JSON text \\u001b stands for such a character; or keep the body in a file, and call with \
             --data-binary @FILE"
        }
        Unfit::Head => "leave the body out, or choose another --method",
        Unfit::Secret(_) => {
            "if it is a live token, revoke it: every process on this machine could read it; --with-token embeds one"
        }
        Unfit::Language(..) => "--lang curl can; so can most of the others ('patctl snippet --help')",
    };
    Failure::usage(why.to_string()).hint(hint)
}
