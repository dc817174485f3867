//! `/openapi.json`: the document made from the code, with the fallbacks that every router has.

use std::sync::Arc;

use axum::{Router, middleware, response::IntoResponse, routing::get};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    extract::{
        NoQuery, Path,
        bodiless::{Bodiless, refuse_bodies},
    },
    problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem, Slug},
};

/// Finishes a router: serves its own description at `/openapi.json`, explains its problems at
/// `/problems/{slug}`, answers unknown paths and methods with problems, and refuses bodies where none is taken.
pub fn finish<S: Clone + Send + Sync + 'static>(
    router: OpenApiRouter<S>,
    table: &'static [&'static Slug],
) -> Router<S> {
    let (router, document) = router.split_for_parts();
    let bodiless = Bodiless::of(&document);
    let document: Arc<str> = document_text(&document).into();
    let describe = move |_: NoQuery| {
        let document = Arc::clone(&document);
        async move { ([(axum::http::header::CONTENT_TYPE, "application/json")], document.to_string()) }
    };
    router
        .route("/openapi.json", get(describe))
        .route("/problems/{slug}", get(move |path, query| explain(table, path, query)))
        .fallback(async || Problem::new(&NOT_FOUND))
        .method_not_allowed_fallback(async || Problem::new(&METHOD_NOT_ALLOWED))
        .layer(middleware::from_fn_with_state(bodiless, refuse_bodies))
}

fn document_text(document: &OpenApi) -> String {
    document.to_json().expect("a document made from code is JSON")
}

async fn explain(table: &'static [&'static Slug], Path(slug): Path<String>, _: NoQuery) -> impl IntoResponse {
    crate::problem::explain(table, &slug)
        .or_else(|| crate::problem::explain(crate::problem::COMMON, &slug))
        .map(axum::Json)
        .ok_or_else(|| Problem::new(&NOT_FOUND).detail(format!("no problem is called {slug}")))
}
