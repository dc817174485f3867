//! Tokens: make, list, revoke. Who did so is in the audit trail.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use broker_core::identity::Name;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serve::{
    extract::{Path, Query},
    page::Page,
    problem::Problem,
};
use units::Timestamp;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Api,
    page::{self, ByName},
    path::{self, NoQuery},
    problem::{LAST_TOKEN, STORAGE_FULL, TOKEN_EXISTS, TOKEN_NOT_FOUND},
};
use crate::{
    auth::{
        Caller,
        grant::Grant,
        tokens::{NO_ADMIN, Token, Tokens, TokensError},
    },
    engine::note::Note,
};

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

/// A token's name.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct OfName {
    /// The token's name.
    #[param(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "shop")]
    name: String,
}

/// The token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenToMake {
    /// What it is called: in lists, when it is revoked, and as who acted. Not `local` or `anonymous`.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$", example = "shop")]
    name: String,
    /// `publish:PATTERN`, `consume:PATTERN`, `admin:PATTERN`, or `admin` for `admin:*`; 1 to 100 of them.
    #[schema(min_items = 1, max_items = 100, value_type = Vec<GrantText>, example = json!(["publish:orders", "consume:payment.*"]))]
    allow: Vec<String>,
}

/// A role on a pattern of names.
struct GrantText;

impl PartialSchema for GrantText {
    fn schema() -> RefOr<Schema> {
        let pattern = "^((publish|consume|admin):[A-Za-z0-9*][A-Za-z0-9._*-]{0,127}|admin)$";
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build().into()
    }
}

impl ToSchema for GrantText {}

impl TokenToMake {
    /// The name, and what the token is to allow.
    ///
    /// # Errors
    /// `invalid-field` with the name or the grant at fault.
    pub fn checked(&self) -> Result<(Name, Vec<Grant>), Problem> {
        let name = path::name("name", &self.name)?;
        let grant = |(place, text): (usize, &String)| {
            Grant::parse(text).map_err(|error| Problem::invalid(format!("allow[{place}]"), error.to_string()))
        };
        Ok((name, self.allow.iter().enumerate().map(grant).collect::<Result<_, _>>()?))
    }
}

/// A token, without its text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenText {
    name: String,
    /// What it allows.
    allow: Vec<String>,
    created_at: Timestamp,
}

impl TokenText {
    fn of(token: &Token) -> Self {
        Self {
            name: token.name.to_string(),
            allow: token.allow.iter().map(ToString::to_string).collect(),
            created_at: token.created_at,
        }
    }
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
struct NewToken {
    #[serde(flatten)]
    of: TokenText,
    /// Its text. It is shown this once: only a digest of it is kept.
    #[schema(example = "bkr_3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    token: String,
    /// Where no token holds `admin:*` after it: that nobody may administer the broker over HTTP, and what to do
    /// about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    warning: Option<&'static str>,
}

/// Make a token. From the first one on every call needs a token.
///
/// Make one with `admin:*` first: where none holds it, nobody may administer the broker over HTTP, and the answer
/// has a `warning`.
///
/// The audit trail says who made it, unless there is no room for that on the disk. One that
/// `broker tokens create` makes beside a stopped broker is not in the trail.
#[utoipa::path(post, path = "/tokens", operation_id = "create_token", tag = "access", request_body = TokenToMake, responses(
    (status = 201, description = "Made; its text is shown this once", body = NewToken),
    (status = 409, description = "`token-exists`"),
    (status = 507, description = "`storage-full`"),
))]
async fn create(
    State(api): State<Api>,
    caller: Caller,
    _: NoQuery,
    serve::extract::Json(body): serve::extract::Json<TokenToMake>,
) -> Result<(StatusCode, Json<NewToken>), Problem> {
    let (name, allow) = body.checked()?;
    let made = carry_through(async move {
        let (token, secret) = change(&api, move |tokens| tokens.create(name, allow)).await?;
        tracing::info!(token = %token.name, "token_created");
        let warning = api.tokens.lack_admin().then_some(NO_ADMIN);
        if warning.is_some() {
            warn_of_no_admin(&token.name);
        }
        let of = TokenText::of(&token);
        tell(&api, &caller, "create-token", &json!({"name": of.name, "allow": of.allow})).await;
        Ok(NewToken { of, token: secret.reveal().to_owned(), warning })
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// All tokens by name, without their texts.
#[utoipa::path(get, path = "/tokens", operation_id = "list_tokens", tag = "access", params(ByName), responses(
    (status = 200, description = "A page of tokens", body = Page<TokenText>),
))]
async fn list(State(api): State<Api>, Query(page): Query<ByName>) -> Result<Json<Page<TokenText>>, Problem> {
    let wanted = page.wanted();
    let found = api.tokens.list(page.after()?.as_ref(), wanted);
    Ok(Json(page::of(found.iter(), wanted, |token| &token.name, |token| TokenText::of(token))))
}

/// Revoke a token: the next call with it is unauthenticated.
///
/// The audit trail says who revoked it, unless there is no room for that on the disk. One that
/// `broker tokens revoke` revokes beside a stopped broker is not in the trail.
#[utoipa::path(delete, path = "/tokens/{name}", operation_id = "revoke_token", tag = "access", params(OfName), responses(
    (status = 204, description = "Revoked"),
    (status = 404, description = "`token-not-found`"),
    (status = 409, description = "`last-token`: the broker would be open to all who can reach it"),
    (status = 507, description = "`storage-full`"),
))]
async fn revoke(
    State(api): State<Api>,
    caller: Caller,
    Path(path): Path<OfName>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let name = path::name("name", &path.name)?;
    let revoked = carry_through(async move {
        let revoked = change(&api, move |tokens| tokens.revoke(&name)).await?;
        tracing::info!(token = %revoked.name, "token_revoked");
        if revoked.is_admin_of_all() && api.tokens.lack_admin() {
            warn_of_no_admin(&revoked.name);
        }
        tell(&api, &caller, "revoke-token", &json!({"name": revoked.name.as_str()})).await;
        Ok(())
    });
    revoked.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does it to the end although the caller may have gone away.
async fn carry_through<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.map_err(|error| Problem::internal(&error))?
}

/// Says in the log after which change of a token nobody may administer the broker over HTTP.
fn warn_of_no_admin(token: &Name) {
    tracing::warn!(%token, "{NO_ADMIN}");
}

/// Has the audit trail tell of what was done. Where it can't, the change holds all the same: access that was
/// taken must not come back for want of room.
async fn tell(api: &Api, caller: &Caller, action: &'static str, request: &serde_json::Value) {
    let note = Note::always(caller.name(), action).request(request);
    if let Err(error) = api.broker.tell(note).await {
        tracing::error!(who = caller.name(), action, %request, %error, "audit_item_not_written");
    }
}

/// Changes tokens where waiting for the disk holds nobody up.
async fn change<T: Send + 'static>(
    api: &Api,
    how: impl FnOnce(&Tokens) -> Result<T, TokensError> + Send + 'static,
) -> Result<T, Problem> {
    let tokens = Arc::clone(&api.tokens);
    let changed = tokio::task::spawn_blocking(move || how(&tokens)).await;
    changed.map_err(|error| Problem::internal(&error))?.map_err(refused)
}

fn refused(error: TokensError) -> Problem {
    let detail = error.to_string();
    match error {
        TokensError::Exists(_) => Problem::new(&TOKEN_EXISTS).detail(detail),
        TokensError::NotFound(_) => Problem::new(&TOKEN_NOT_FOUND).detail(detail),
        TokensError::LastOfAll(_) => Problem::new(&LAST_TOKEN).detail(detail),
        TokensError::Reserved(_) => Problem::invalid("name", detail),
        TokensError::AllowsNothing | TokensError::TooManyGrants => Problem::invalid("allow", detail),
        error if error.is_full_disk() => Problem::new(&STORAGE_FULL),
        error => Problem::internal(&error),
    }
}
