//! Tokens that are none, and those that are.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use getcases_server::{Algorithm, AppSettings, CONFIGURATION, Limits, Secret, WRITE};
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::sign;
use serde_json::json;

use crate::client::{Answer, Connection};
use crate::endpoint::path;
use crate::setup::{APP, SECRET, app, now};
use crate::*;

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const OTHER_SECRET: &str = "the secret of another app, as long";

/// A file of the keys for tests.
pub(crate) fn key_file(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/http/keys").join(name)
}

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(key_file(name)).unwrap()
}

/// What a PEM file has, decoded.
fn der(name: &str) -> Vec<u8> {
    let text = String::from_utf8(pem(name)).unwrap();
    let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(lines).unwrap()
}

fn apps() -> Vec<AppSettings> {
    let with = |id: &str, change: &dyn Fn(&mut AppSettings)| {
        let mut own = AppSettings { id: id.to_owned(), ..app() };
        change(&mut own);
        own
    };
    let public = |own: &mut AppSettings, file: &str, algorithm: Algorithm| {
        own.secret = None;
        own.public_key_file = Some(key_file(file));
        own.algorithms = vec![algorithm];
    };
    vec![
        app(),
        with("rsa", &|own| public(own, "rsa.pub.pem", Algorithm::RS256)),
        with("ec", &|own| public(own, "ec.pub.pem", Algorithm::ES256)),
        with("endless", &|own| own.require_exp = false),
        with("other", &|own| own.secret = Some(Secret::new(OTHER_SECRET))),
        with("reads", &|own| own.scopes = vec![CONFIGURATION.to_owned()]),
        with("writes", &|own| own.scopes = vec![WRITE.to_owned()]),
        with("nothing", &|own| own.scopes = Vec::new()),
        with("elsewhere", &|own| own.accounts = vec!["another".to_owned()]),
        with("one stream", &|own| own.streams = vec!["another".to_owned()]),
        with("sub", &|own| own.user_claim = "sub".to_owned()),
    ]
}

/// A token of any parts, signed by any key.
fn signed(
    header: &str,
    claims: impl AsRef<[u8]>,
    key: &EncodingKey,
    algorithm: jsonwebtoken::Algorithm,
) -> String {
    let [header, claims] =
        [header.as_bytes(), claims.as_ref()].map(|own| URL_SAFE_NO_PAD.encode(own));
    let message = format!("{header}.{claims}");
    let signature = sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn by_secret(header: &str, claims: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> String {
    let key = EncodingKey::from_secret(secret.as_ref());
    signed(header, claims, &key, jsonwebtoken::Algorithm::HS256)
}

/// A token of the app's own secret with any claims, as a text of JSON.
fn own(claims: impl AsRef<[u8]>) -> String {
    by_secret(HS256, claims, SECRET)
}

/// Good claims of an app.
fn claims(app: &str) -> String {
    json!({"sub": "s", "appId": app, "exp": now() + 600, "userId": "u-1"}).to_string()
}

/// Good claims, with more.
fn with(more: &str) -> String {
    format!("{{\"appId\":\"{APP}\",{more}}}")
}

fn rsa(header: &str, claims: &str, file: &str) -> String {
    let key = EncodingKey::from_rsa_pem(&pem(file)).unwrap();
    signed(header, claims, &key, jsonwebtoken::Algorithm::RS256)
}

fn ec(header: &str, claims: &str) -> String {
    let key = EncodingKey::from_ec_pem(&pem("ec.pem")).unwrap();
    signed(header, claims, &key, jsonwebtoken::Algorithm::ES256)
}

type Attack = (String, Vec<(&'static str, String)>);

/// In the header of the API's page.
fn attack(name: impl Into<String>, token: impl Into<String>) -> Attack {
    (name.into(), vec![("auth", token.into())])
}

/// What says itself how it is signed.
fn algorithms() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for alg in [
        r#""none""#,
        r#""None""#,
        r#""NONE""#,
        r#""nOnE""#,
        r#""hs256""#,
        "\"\"",
        "null",
        "1",
        "[]",
    ] {
        let header = format!("{{\"alg\":{alg},\"typ\":\"JWT\"}}");
        let token = by_secret(&header, claims(APP), SECRET);
        let (message, _) = token.rsplit_once('.').unwrap();
        attacks.push(attack(format!("alg {alg}, not signed"), format!("{message}.")));
        attacks.push(attack(format!("alg {alg}, signed"), token));
    }
    for (name, header) in [
        ("no alg", "{}"),
        ("a header that is a list", "[]"),
        ("a header that is no JSON", "alg"),
        ("two algs", r#"{"alg":"none","alg":"HS256"}"#),
        ("two algs, the other way", r#"{"alg":"HS256","alg":"none"}"#),
        ("what must be understood", r#"{"alg":"HS256","crit":["exp"]}"#),
        ("what must be understood, and is not", r#"{"alg":"HS256","crit":["x"],"x":1}"#),
        ("a payload that is not encoded", r#"{"alg":"HS256","crit":["b64"],"b64":false}"#),
    ] {
        attacks.push(attack(name, by_secret(header, claims(APP), SECRET)));
    }
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for algorithm in [jsonwebtoken::Algorithm::HS384, jsonwebtoken::Algorithm::HS512] {
        let header = format!("{{\"alg\":\"{algorithm:?}\"}}");
        let token = signed(&header, claims(APP), &key, algorithm);
        attacks.push(attack(format!("{algorithm:?} by the right secret"), token));
    }
    let key = EncodingKey::from_rsa_pem(&pem("rsa.pem")).unwrap();
    for algorithm in [jsonwebtoken::Algorithm::RS384, jsonwebtoken::Algorithm::PS256] {
        let header = format!("{{\"alg\":\"{algorithm:?}\"}}");
        let token = signed(&header, claims("rsa"), &key, algorithm);
        attacks.push(attack(format!("{algorithm:?} by the right key"), token));
    }
    for (id, file) in [("rsa", "rsa.pub.pem"), ("ec", "ec.pub.pem")] {
        let text = pem(file);
        let trimmed = text.trim_ascii().to_vec();
        for (form, secret) in [("as it is", text), ("trimmed", trimmed), ("decoded", der(file))] {
            let name = format!("{id}: HS256 by the public key, {form}");
            attacks.push(attack(name, by_secret(HS256, claims(id), secret)));
        }
        attacks.push(attack(format!("{id}: HS256 by no secret"), by_secret(HS256, claims(id), "")));
    }
    let (rs256, es256) = (r#"{"alg":"RS256"}"#, r#"{"alg":"ES256"}"#);
    attacks.push(attack("RS256 for an app of HS256", rsa(rs256, &claims(APP), "rsa.pem")));
    attacks.push(attack("ES256 for an app of HS256", ec(es256, &claims(APP))));
    attacks.push(attack("ES256 for an app of RS256", ec(es256, &claims("rsa"))));
    attacks.push(attack("RS256 that says ES256", rsa(es256, &claims("ec"), "rsa.pem")));
    attacks.push(attack("RS256 by another key", rsa(rs256, &claims("rsa"), "rsa-other.pem")));
    attacks.extend(brought_keys());
    attacks
}

/// Tokens that bring the key along, or say where it is.
fn brought_keys() -> Vec<Attack> {
    let own_key = "the attacker's own secret, long enough";
    let encoded = URL_SAFE_NO_PAD.encode(own_key);
    let jwk = format!(r#"{{"alg":"HS256","jwk":{{"kty":"oct","k":"{encoded}","alg":"HS256"}}}}"#);
    let of = |more: &str| format!(r#"{{"alg":"HS256",{more}}}"#);
    vec![
        attack("jwk", by_secret(&jwk, claims(APP), own_key)),
        attack("jku", by_secret(&of(r#""jku":"http://127.0.0.1/k""#), claims(APP), own_key)),
        attack("x5u", by_secret(&of(r#""x5u":"http://127.0.0.1/k""#), claims(APP), own_key)),
        attack("kid", by_secret(&of(r#""kid":"../../dev/null""#), claims(APP), "")),
        attack("kid of an app", by_secret(&of(r#""kid":"other""#), claims(APP), OTHER_SECRET)),
    ]
}

/// When a token holds.
fn times() -> Vec<Attack> {
    let (past, future) = (now() - 40, now() + 600);
    let exp = |value: &str| with(&format!("\"exp\":{value}"));
    let mut attacks = vec![
        attack("ended", own(exp(&past.to_string()))),
        attack("ended, as a fraction", own(exp(&format!("{past}.5")))),
        attack("ended, as a power", own(exp("1e3"))),
        attack("no end", own(with("\"a\":1"))),
        attack("two ends", own(with(&format!("\"exp\":{future},\"exp\":{future}")))),
        attack("two ends, past first", own(with(&format!("\"exp\":{past},\"exp\":{future}")))),
        attack("two ends, past last", own(with(&format!("\"exp\":{future},\"exp\":{past}")))),
        attack("an end by another name", own(with(&format!("\"EXP\":{future}")))),
        attack("not begun", own(with(&format!("\"exp\":{future},\"nbf\":{}", now() + 60)))),
    ];
    let no_times = [
        "\"9999999999\"",
        "-1",
        "-1e3",
        "1e400",
        "NaN",
        "true",
        "[]",
        "[9999999999]",
        "{}",
        "\"\"",
    ];
    for value in no_times {
        attacks.push(attack(format!("ends at {value}"), own(exp(value))));
        let begins = format!("\"exp\":{future},\"nbf\":{value}");
        attacks.push(attack(format!("begins at {value}"), own(with(&begins))));
        let endless = format!("{{\"appId\":\"endless\",\"exp\":{value}}}");
        attacks.push(attack(format!("may be endless, ends at {value}"), own(endless)));
    }
    attacks.push(attack("ends at null", own(exp("null"))));
    attacks.push(attack("may be endless, ended", {
        own(format!("{{\"appId\":\"endless\",\"exp\":{past}}}"))
    }));
    attacks
}

/// Whose a token is.
fn apps_of_tokens() -> Vec<Attack> {
    let end = now() + 600;
    let named = |id: &str| own(format!("{{\"appId\":{id},\"exp\":{end}}}"));
    let mut attacks: Vec<_> =
        ["1", "null", "[\"cs-1\"]", "{}", "\"\"", "\"cs-1 \"", "\"CS-1\"", "\"cs-2\"", "\"*\""]
            .map(|id| attack(format!("appId {id}"), named(id)))
            .into();
    let two = |first: &str, last: &str| {
        format!("{{\"appId\":\"{first}\",\"appId\":\"{last}\",\"exp\":{end}}}")
    };
    attacks.extend([
        attack("no appId", own(format!("{{\"exp\":{end}}}"))),
        attack("an appid", own(format!("{{\"appid\":\"{APP}\",\"exp\":{end}}}"))),
        attack("another app's secret", by_secret(HS256, claims(APP), OTHER_SECRET)),
        attack("another app's token", own(claims("other"))),
        attack("the same appId twice", own(two(APP, APP))),
        attack("two appIds", own(two(APP, "other"))),
        attack("two appIds, by the other", by_secret(HS256, two(APP, "other"), OTHER_SECRET)),
        attack("two appIds, turned", by_secret(HS256, two("other", APP), OTHER_SECRET)),
    ]);
    attacks
}

/// Tokens that were changed, and texts that are none.
fn forms() -> Vec<Attack> {
    let good = own(claims(APP));
    let parts: Vec<_> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let other = URL_SAFE_NO_PAD.encode(claims(APP).replace("u-1", "u-2"));
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{first}{}", &signature[1..]);
    // Of the last character two bits say nothing; one that sets them is another text.
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(signature.chars().last().unwrap()).unwrap();
    let trailing = format!("{}{}", &signature[..42], &alphabet[at + 1..at + 2]);
    let long = own(with(&format!("\"exp\":{},\"pad\":\"{}\"", now() + 600, "x".repeat(9000))));
    let deep = own(with(&format!("\"exp\":{},\"a\":{}", now() + 600, "[".repeat(3000))));
    let mut attacks = vec![
        attack("a changed payload", format!("{header}.{other}.{signature}")),
        attack("a changed signature", format!("{header}.{body}.{tampered}")),
        attack("a signature with more bits", format!("{header}.{body}.{trailing}")),
        attack("a signature with padding", format!("{good}=")),
        attack("half a signature", format!("{header}.{body}.{}", &signature[..20])),
        attack("no signature", format!("{header}.{body}.")),
        attack("two parts", format!("{header}.{body}")),
        attack("four parts", format!("{good}.{signature}")),
        attack("a part before", format!(".{good}")),
        attack("a huge one", long),
        attack("one of many open brackets", deep),
        attack("a payload with white space before its base64", good.replacen('.', ". ", 1)),
    ];
    for payload in ["null", "[]", "\"x\"", "1", "", "{", "\u{feff}{}"] {
        attacks.push(attack(format!("payload {payload:?}"), own(payload)));
    }
    attacks.push(attack("a payload that is no UTF-8", own(b"{\"appId\":\"cs-1\",\"a\":\"\xff\"}")));
    for text in ["", " ", ".", "..", "...", "null", "undefined", "Bearer", "Bearer ", "bearer .."] {
        attacks.push(attack(format!("the text {text:?}"), text));
    }
    for shape in [
        "Basic {}",
        "JWT {}",
        "Bearer, {}",
        "Bearer:{}",
        "Bearer{}",
        "Bearer Bearer {}",
        "{} Bearer",
        "{},{}",
        "{} {}",
        "{};",
        "\"{}\"",
        "Bearer\t{}",
        "Token token={}",
        "%20{}",
        "{}%00",
        "é{}",
        "{}é",
        "\u{a0}{}",
        "Bearer\u{a0}{}",
    ] {
        attacks.push(attack(format!("shaped {shape:?}"), shape.replace("{}", &good)));
    }
    attacks.extend([
        ("none at all".to_owned(), vec![]),
        ("in another header".to_owned(), vec![("x-auth", good.clone())]),
        ("in a cookie".to_owned(), vec![("cookie", format!("auth={good}"))]),
        ("auth twice".to_owned(), vec![("auth", good.clone()), ("Auth", good.clone())]),
        (
            "in both headers".to_owned(),
            vec![("auth", good.clone()), ("Authorization", good.clone())],
        ),
        (
            "an empty one beside".to_owned(),
            vec![("auth", good.clone()), ("authorization", "".to_owned())],
        ),
        (
            "Authorization twice".to_owned(),
            vec![("authorization", good.clone()), ("authorization", good)],
        ),
    ]);
    attacks
}

fn ask(connection: &mut Connection, headers: &[(&'static str, String)]) -> Answer {
    let mut request = Request::new("POST", &path()).header("accountId", ACCOUNT).json("{}");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    connection.ask(&request)
}

#[test]
fn no_attack_is_let_in_or_told_why() {
    let started = Started::with(Limits::default(), &apps());
    let mut connection = Connection::open(started.address);
    let attacks = [algorithms(), times(), apps_of_tokens(), forms()].concat();
    assert!(attacks.len() > 150, "{}", attacks.len());
    let first = ask(&mut connection, &[]).body;
    for (name, headers) in attacks {
        let answer = ask(&mut connection, &headers);
        assert_eq!(answer.status, 401, "{name}: {headers:?}");
        assert_eq!(answer.codes(), ["unauthenticated"], "{name}");
        assert_eq!(answer.body, first, "{name}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{name}");
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let secret_file = Some(key_file("rsa.pub.pem"));
    let settings = AppSettings { secret: None, secret_file, ..app() };
    let error = getcases_server::Apps::new(&[settings]).unwrap_err().to_string();
    assert!(error.starts_with("app[0].secret_file: "), "{error}");
}

#[test]
fn what_is_right_is_let_in() {
    let started = Started::with(Limits::default(), &apps());
    let mut connection = Connection::open(started.address);
    let good = own(claims(APP));
    let end = now() + 600;
    let exp = |exp: &str| own(with(&format!("\"exp\":{exp}")));
    let pad =
        |length: usize| own(with(&format!("\"exp\":{end},\"pad\":\"{}\"", "x".repeat(length))));
    let (rs256, es256) = (r#"{"alg":"RS256"}"#, r#"{"alg":"ES256"}"#);
    for (name, header, token) in [
        ("HS256", "auth", good.clone()),
        ("RS256", "auth", rsa(rs256, &claims("rsa"), "rsa.pem")),
        ("ES256", "auth", ec(es256, &claims("ec"))),
        ("Authorization", "Authorization", good.clone()),
        ("Bearer", "Authorization", format!("Bearer {good}")),
        ("bearer, more space", "auth", format!("  bearer   {good}  ")),
        ("ended within the leeway", "auth", exp(&(now() - 10).to_string())),
        (
            "begins within the leeway",
            "auth",
            own(with(&format!("\"exp\":{end},\"nbf\":{}", now() + 20))),
        ),
        ("an end with a fraction", "auth", exp(&format!("{end}.5"))),
        ("the last end of all", "auth", exp(&u64::MAX.to_string())),
        ("no end where none is needed", "auth", own("{\"appId\":\"endless\",\"sub\":\"s\"}")),
        (
            "claims of any kind",
            "auth",
            own(with(&format!("\"exp\":{end},\"aud\":[1],\"iss\":{{}}"))),
        ),
        ("no kind", "auth", by_secret(r#"{"alg":"HS256"}"#, claims(APP), SECRET)),
        ("a long one", "auth", pad(5900)),
    ] {
        let answer = ask(&mut connection, &[(header, token)]);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
}

#[test]
fn the_user_is_whom_the_app_lets_name() {
    let started = Started::with(Limits::default(), &apps());
    let end = now() + 600;
    let mine = |claims: String| {
        let request = Request::new("POST", &path()).header("accountId", ACCOUNT);
        let request = request.header("auth", &own(claims)).header("userId", "u-1");
        let answer = request.json("{\"mycase\":true}").send(started.address);
        if answer.status == 200 { vec!["found".to_owned()] } else { answer.codes() }
    };
    let of = |app: &str, more: &str| mine(format!("{{\"appId\":\"{app}\",\"exp\":{end}{more}}}"));
    assert_eq!(of(APP, ",\"userId\":\"u-1\""), ["found"]);
    assert_eq!(of("sub", ",\"sub\":\"u-1\""), ["found"]);
    for more in ["", ",\"sub\":\"u-1\"", ",\"userId\":7", ",\"userid\":\"u-1\"", ",\"userId\":null"]
    {
        assert_eq!(of(APP, more), ["missing_current_user"], "{more}");
    }
    assert_eq!(of("sub", ",\"userId\":\"u-1\""), ["missing_current_user"]);
}

#[test]
fn an_app_does_what_it_may_and_no_more() {
    let started = Started::with(Limits::default(), &apps());
    let case = format!("/v1/{ACCOUNT}/{STREAM}/cases/c-1");
    let batch = format!("/v1/{ACCOUNT}/{STREAM}/cases:batch");
    let reading = [
        Request::new("POST", &path()).header("accountId", ACCOUNT).json("{}"),
        Request::new("POST", &format!("/v1/{ACCOUNT}/{STREAM}/getCases")).json("{}"),
        Request::new("POST", &format!("/v1/{ACCOUNT}/{STREAM}/cases:get")).json("{\"ids\":[]}"),
        Request::new("GET", &format!("/v1/{ACCOUNT}/{STREAM}/stats")),
    ];
    let writing = [
        Request::new("PUT", &case).json("{\"_id\":\"c-1\"}"),
        Request::new("POST", &batch).json("{\"_id\":\"c-2\"}"),
        Request::new("DELETE", &case),
    ];
    let told = |request: &Request, id: &str| {
        let answer = request.clone().header("auth", &own(claims(id))).send(started.address);
        let code = if answer.status < 300 { String::new() } else { answer.codes().remove(0) };
        (answer.status, code)
    };
    let missing = (403, "missing_scope".to_owned());
    let foreign = (404, "unknown_stream".to_owned());
    for request in &reading {
        assert_eq!(told(request, APP).0, 200, "{request:?}");
        assert_eq!(told(request, "reads").0, 200);
        for id in ["writes", "nothing"] {
            assert_eq!(told(request, id), missing, "{id} {request:?}");
        }
    }
    for request in &writing {
        for id in ["reads", "nothing"] {
            assert_eq!(told(request, id), missing, "{id} {request:?}");
        }
    }
    for request in reading.iter().chain(&writing) {
        // Scopes are judged before the account: nothing is told of a foreign one.
        for id in ["elsewhere", "one stream"] {
            assert_eq!(told(request, id), foreign, "{id} {request:?}");
        }
    }
    for (request, status) in writing.iter().zip([201, 200, 200]) {
        assert_eq!(told(request, "writes").0, status, "{request:?}");
    }
}
