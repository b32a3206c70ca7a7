//! The visibility matrix: every route × every kind of token × a foreign environment. `rows.rs` has a good request for each
//! route, `routes.rs` who may send it, `scene.rs` the callers. The table in docs/security.md is written from what was answered.

mod environment;
mod names;
mod rows;
mod scene;
mod table;

use crate::client::Answer;
use crate::integration_files::{root, same_as_stored};
use crate::routes::{declared_names, name_at};
use names::{Names, names};
use rows::{ROWS, Row, route_of};
use scene::{CANARY, Caller, Ids, Of, SECRET, Scene, Token};

/// What another account of environment A has, too.
const OF_EACH_ACCOUNT: [&str; 3] = ["environment", "install", "other_account"];

/// What a caller must get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The request is carried out.
    Done,
    /// Refused by one of these.
    Refused(&'static [u16]),
    /// 200, in which each record is `not_found`.
    NotFoundEach,
    /// What a caller without a token gets.
    AsWithoutToken,
}

fn expected(row: &Row, caller: &Caller) -> Expected {
    let allowed = crate::routes::ROWS
        .iter()
        .find(|own| name_at(own.0, own.1) == name_at(row.0, row.1));
    let allowed = allowed
        .unwrap_or_else(|| panic!("{row:?} is not in routes.rs"))
        .2;
    let named = names(&route_of(row));
    if matches!(named, Names::Link | Names::Mcp | Names::Signed)
        || allowed == crate::routes::ANYBODY
    {
        return Expected::AsWithoutToken;
    }
    let may = match caller.token {
        Token::Admin => named != Names::Own,
        Token::Api(scopes) => scopes.iter().any(|scope| allowed.contains(scope)),
        Token::Account => allowed.contains(&"account"),
        Token::Nothing => false,
    };
    match (caller.of, caller.token, may) {
        // An account's object confirms its token. What the token could not do anyway is refused before: 403, or 404 for another account.
        (Of::NoOwner, Token::Account, _) => Expected::Refused(&[401, 403, 404]),
        (Of::NoOwner, ..) => Expected::Refused(&[401]),
        (.., false) => Expected::Refused(&[403]),
        (Of::A | Of::Operator, ..) => Expected::Done,
        (Of::B | Of::OtherAccount, ..) => match named {
            Names::Shared
            | Names::Own
            | Names::Link
            | Names::Mcp
            | Names::Signed
            | Names::Public => Expected::Done,
            Names::Record => Expected::Refused(&[404]),
            Names::Records => Expected::NotFoundEach,
        },
    }
}

/// An answer as text without what differs each time: the request's id and the ids that the request named.
fn comparable(answer: &Answer, ids: &Ids) -> String {
    let mut headers = answer.headers.clone();
    let id = headers.remove("x-request-id").unwrap();
    let whole = format!(
        "{} {headers:?} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    let whole = without_nonce(&whole.replace(id.to_str().unwrap(), ""));
    ids.iter()
        .fold(whole, |text, (_, id)| text.replace(id, "{id}"))
}

/// A page's style has a new nonce each time; the header names it, too.
fn without_nonce(text: &str) -> String {
    let nonce = text
        .split_once("'nonce-")
        .and_then(|(_, rest)| rest.split_once('\''));
    nonce.map_or_else(|| text.to_owned(), |(nonce, _)| text.replace(nonce, ""))
}

/// What is wrong with an answer to a caller who may not see environment A, or only another account of it.
fn foreign_text_in(answer: &Answer, caller: &Caller, row: &Row, scene: &Scene) -> Option<String> {
    let requests_of = format!(
        "{}{}",
        scene::filled(row.1, &scene.ids),
        scene::filled(row.2, &scene.ids)
    );
    let whole = format!(
        "{:?} {}",
        answer.headers,
        String::from_utf8_lossy(&answer.body)
    );
    let is_inside = caller.of == Of::OtherAccount;
    let ids = scene.ids.iter().filter(|(word, id)| {
        !(requests_of.contains(id) || is_inside && OF_EACH_ACCOUNT.contains(word))
    });
    let texts = ids.map(|(_, id)| id.as_str()).chain([CANARY, SECRET]);
    let seen: Vec<&str> = texts
        .filter(|text| whole.contains(text) && !(is_inside && *text == CANARY))
        .collect();
    (!seen.is_empty()).then(|| format!("shows {seen:?}: {whole}"))
}

/// Asks as a caller who must not get through; what is wrong with the answers, and the status.
fn refused(scene: &Scene, caller: &Caller, row: &Row, expected: Expected) -> (Option<String>, u16) {
    let made_up = scene.made_up();
    let real = caller.ask(row, &scene.ids);
    let unknown = caller.ask(row, &made_up);
    let is_right = match expected {
        Expected::Refused(statuses) => statuses.contains(&real.status),
        _ => real.status == 200 && real.text().contains("caller.not_found"),
    };
    // A forged account token may name the account that it claims, and no other.
    let claims_one = (caller.of, caller.token) == (Of::NoOwner, Token::Account);
    let differs = !claims_one && comparable(&real, &scene.ids) != comparable(&unknown, &made_up);
    let fault = match (is_right, differs) {
        (false, _) => Some(format!(
            "{} {}, expected {expected:?}",
            real.status,
            real.text()
        )),
        (_, true) => Some(format!(
            "a real id answers {}, a made-up one {}",
            comparable(&real, &scene.ids),
            comparable(&unknown, &made_up)
        )),
        _ => foreign_text_in(&real, caller, row, scene),
    };
    (fault, real.status)
}

/// Asks as a caller who must get through.
fn done(scene: &Scene, caller: &Caller, row: &Row) -> (Option<String>, u16) {
    let answer = caller.ask(row, &scene.ids);
    let text = String::from_utf8_lossy(&answer.body);
    let fault = match caller.of {
        _ if !(200..300).contains(&answer.status) => {
            Some(format!("{} {text}, expected 2xx", answer.status))
        }
        Of::A | Of::Operator if text.contains(SECRET) => Some(format!("shows a secret: {text}")),
        Of::A | Of::Operator => None,
        _ => foreign_text_in(&answer, caller, row, scene),
    };
    (fault, answer.status)
}

/// One row, asked by every caller: what is wrong, and the status each got.
fn requests_of(row: &Row) -> (Vec<String>, Vec<u16>) {
    let mut scene = Scene::new();
    let mut faults = Vec::new();
    let mut statuses = vec![0; scene.callers.len()];
    let plain = comparable(
        &scene.callers[unauthenticated(&scene)].ask(row, &scene.ids),
        &scene.ids,
    );
    let at_rest = scene.world.at_rest();
    let mut note = |scene: &Scene, index: usize, (fault, status): (Option<String>, u16)| {
        let caller = &scene.callers[index];
        statuses[index] = status;
        faults.extend(fault.map(|fault| {
            format!(
                "{} {} by {} of {:?}: {fault}",
                row.0, row.1, caller.name, caller.of
            )
        }));
    };
    let wanted: Vec<Expected> = scene
        .callers
        .iter()
        .map(|caller| expected(row, caller))
        .collect();
    for (index, wanted) in wanted
        .iter()
        .enumerate()
        .filter(|(_, wanted)| **wanted != Expected::Done)
    {
        let caller = &scene.callers[index];
        let outcome = if *wanted == Expected::AsWithoutToken {
            let answer = caller.ask(row, &scene.ids);
            let is_same = comparable(&answer, &scene.ids) == plain;
            let differs =
                (!is_same).then(|| "is answered otherwise than without a token".to_owned());
            (
                differs.or_else(|| foreign_text_in(&answer, caller, row, &scene)),
                answer.status,
            )
        } else {
            refused(&scene, caller, row, *wanted)
        };
        note(&scene, index, outcome);
    }
    assert_eq!(
        scene.world.at_rest(),
        at_rest,
        "{} {}: a refused request changed what is stored",
        row.0,
        row.1
    );
    for (index, _) in wanted
        .iter()
        .enumerate()
        .filter(|(_, wanted)| **wanted == Expected::Done)
    {
        let mut outcome = done(&scene, &scene.callers[index], row);
        // What was done once may not be there to be done again.
        if outcome.0.is_some() {
            scene = Scene::new();
            outcome = done(&scene, &scene.callers[index], row);
        }
        note(&scene, index, outcome);
    }
    (faults, statuses)
}

fn unauthenticated(scene: &Scene) -> usize {
    scene
        .callers
        .iter()
        .position(|caller| caller.name == "no token")
        .unwrap()
}

#[test]
fn every_route_stands_in_the_visibility_matrix() {
    let rows: Vec<String> = ROWS
        .iter()
        .map(|row| name_at(row.0, row.1.split('?').next().unwrap()))
        .collect();
    let missing: Vec<String> = declared_names()
        .into_iter()
        .filter(|name| !rows.contains(name))
        .collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn a_token_sees_what_its_row_says_and_of_another_environment_nothing() {
    let lines: Vec<_> = ROWS.iter().map(|row| (row, requests_of(row))).collect();
    let faults: Vec<&String> = lines.iter().flat_map(|(_, (faults, _))| faults).collect();
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults
            .iter()
            .map(|fault| format!("- {fault}"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    let lines: Vec<_> = lines
        .into_iter()
        .map(|(row, (_, statuses))| (row, statuses))
        .collect();
    same_as_stored(&root().join("docs/security.md"), &table::document(&lines));
}

#[test]
fn a_forged_account_token_does_not_find_out_which_accounts_there_are() {
    let scene = Scene::new();
    let random = "A".repeat(43);
    let answers = [&scene.ids, &scene.made_up()].map(|ids| {
        let account = &ids.iter().find(|(word, _)| *word == "account").unwrap().1;
        let client = scene.callers[unauthenticated(&scene)]
            .client
            .with_token(&format!("at_{}_{random}", account.replace('-', "")));
        let paths = [
            "/integrated-account/me",
            "/proxy/orders",
            "/custom/x",
            "/integrated-account",
        ];
        paths.map(|path| comparable(&client.get(path), ids))
    });
    assert_eq!(answers[0], answers[1]);
}
