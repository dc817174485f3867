//! What comes as the body of a call that takes none: it may be empty or `{}`, as everywhere, and is otherwise
//! refused, not ignored. A DELETE that means to say more than its path does must not do more than it means.

use std::{collections::HashSet, sync::Arc};

use axum::{
    body::{Body, HttpBody as _},
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use utoipa::openapi::OpenApi;

use super::{Nothing, bytes_limit::read, parse_json};
use crate::problem::Problem;

/// The calls that take no body: those that a document has as GET or DELETE.
#[derive(Debug)]
pub(crate) struct Bodiless(HashSet<(Method, String)>);

impl Bodiless {
    /// Those of a document.
    pub(crate) fn of(document: &OpenApi) -> Arc<Self> {
        let calls = document.paths.paths.iter().flat_map(|(path, item)| {
            let get = item.get.as_ref().map(|_| (Method::GET, path.clone()));
            let delete = item.delete.as_ref().map(|_| (Method::DELETE, path.clone()));
            get.into_iter().chain(delete)
        });
        Arc::new(Self(calls.collect()))
    }

    fn has(&self, request: &Request) -> bool {
        let method = if *request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let path = request.extensions().get::<MatchedPath>();
        path.is_some_and(|path| self.0.contains(&(method.clone(), path.as_str().to_owned())))
    }
}

/// Refuses a call that says something in a body that it does not take.
pub(crate) async fn refuse_bodies(
    State(bodiless): State<Arc<Bodiless>>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() || !bodiless.has(&request) {
        return next.run(request).await;
    }
    match without_body(request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn without_body(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let head = parts.clone();
    let Nothing {} = parse_json(&read(Request::from_parts(parts, body)).await?)?;
    Ok(Request::from_parts(head, Body::empty()))
}
