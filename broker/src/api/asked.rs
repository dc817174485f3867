//! A body that says what to set, and the same as JSON for the audit trail.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serve::{
    extract::{Body, parse_json},
    problem::Problem,
};

/// Settings, and how they were asked for.
#[derive(Debug)]
pub(super) struct Asked<T> {
    pub(super) set: T,
    pub(super) json: Value,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Body(bytes) = Body::from_request(request, state).await?;
        Ok(Self { set: parse_json(&bytes)?, json: parse_json(&bytes)? })
    }
}
