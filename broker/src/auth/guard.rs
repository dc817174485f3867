//! The guard: every call passes it, known paths and unknown ones, before anything else of it is looked at.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use serve::problem::{NOT_FOUND, Problem};

use super::{caller::Caller, grant::Role, need::Need, origin, reach::Reach, tokens::Tokens};
use crate::{api::problem::UNAUTHENTICATED, console};

/// Lets a request through, with its [`Caller`], or answers 401 or 403 without reading its body.
pub(crate) async fn guard(State(tokens): State<Arc<Tokens>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asks_for_console = parts.uri.path() == "/" && console::is_wanted(&parts.headers);
    match admit(&tokens, &mut parts).await {
        Ok(caller) => {
            parts.extensions.insert(caller);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => refuse(problem, asks_for_console),
    }
}

async fn admit(tokens: &Tokens, parts: &mut Parts) -> Result<Caller, Problem> {
    origin::check(parts)?;
    let path = parts.extensions.get::<MatchedPath>();
    let need = Need::of(&parts.method, path.map(MatchedPath::as_str));
    if need != Need::Nothing && tokens.is_empty() && tokens.reach() == Reach::ThisMachine {
        origin::check_name(parts)?;
    }
    let given = bearer(&parts.headers).and_then(|text| tokens.find(text));
    let Some(token) = given else {
        return if need == Need::Nothing || tokens.is_empty() {
            Ok(Caller::anonymous())
        } else {
            Err(unauthenticated(&parts.headers))
        };
    };
    let caller = Caller::with(token);
    check(&caller, need, parts).await?;
    Ok(caller)
}

/// The token's text, where the header is there once and in its form.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(text.trim_matches(' '))
}

fn unauthenticated(headers: &HeaderMap) -> Problem {
    let detail = match (headers.contains_key(header::AUTHORIZATION), bearer(headers)) {
        (false, _) => "this broker wants a token: send the header Authorization: Bearer TOKEN",
        (true, None) => "the header Authorization is not of the form: Bearer TOKEN",
        (true, Some(_)) => "no token is that: it may have been revoked",
    };
    Problem::new(&UNAUTHENTICATED).detail(detail)
}

async fn check(caller: &Caller, need: Need, parts: &mut Parts) -> Result<(), Problem> {
    let roles: &[Role] = match &need {
        Need::Nothing | Need::AnyToken => return Ok(()),
        Need::AdminOfAll if caller.is_admin_of_all() => return Ok(()),
        Need::AdminOfAll => return Err(caller.lacks("admin", "*")),
        Need::Role(role) => std::slice::from_ref(role),
        Need::AnyRole => &Role::ALL,
    };
    // As the router decoded them, so that the guard and the handler speak of the same names.
    let parameters = RawPathParams::from_request_parts(parts, &()).await;
    let parameters = parameters.map_err(|_| Problem::new(&NOT_FOUND))?;
    let named = parameters.iter().filter(|(key, _)| matches!(*key, "queue" | "topic"));
    for (_, name) in named {
        if !roles.iter().any(|role| caller.may(*role, name)) {
            let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
            return Err(caller.lacks(&roles.join(" or "), name));
        }
    }
    Ok(())
}

/// Says by which scheme to come in, where nobody did. A browser can't send a token by itself: it is given the
/// console, which asks for one.
fn refuse(problem: Problem, asks_for_console: bool) -> Response {
    let is_unknown = *problem.slug() == UNAUTHENTICATED;
    let mut response = if is_unknown && asks_for_console {
        console::page(StatusCode::UNAUTHORIZED).into_response()
    } else {
        problem.into_response()
    };
    if is_unknown {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let pairs = values.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_static(value)));
        pairs.collect()
    }

    #[test]
    fn a_token_is_given_once_in_the_form_of_rfc_6750() {
        for values in [&["Bearer bkr_x"], &["bearer bkr_x"], &["BEARER  bkr_x "]] {
            assert_eq!(bearer(&headers(values)), Some("bkr_x"), "{values:?}");
        }
        for values in [&[][..], &["bkr_x"], &["Basic bkr_x"], &["Bearer"], &["Bearer a", "Bearer a"]] {
            assert_eq!(bearer(&headers(values)), None, "{values:?}");
        }
    }
}
