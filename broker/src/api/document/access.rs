//! What the document says of access: the scheme, and what each operation needs, out of the guard's table.

use axum::http::Method;
use utoipa::openapi::{
    Components, HeaderBuilder, RefOr,
    path::Operation,
    security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
};

use crate::auth::need::Need;

const SCHEME: &str = "bearer";

/// The one scheme that there is.
pub(super) fn add_scheme(components: &mut Components) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token of this broker (`bkr_…`), made with `broker tokens create` or POST /tokens. \
         A broker without tokens wants none. A token allows roles on names by patterns in which `*` stands \
         for any run of characters: `publish:orders`, `consume:payment.*`, `admin:*`; admin on a name \
         includes publish and consume on it. Any token may list queues, topics and figures.",
    ));
    components.security_schemes.insert(SCHEME.to_owned(), RefOr::T(SecurityScheme::Http(bearer.build())));
}

/// Says of each operation of a path what it needs, and how it answers without that.
pub(super) fn describe<'a>(path: &str, operations: impl Iterator<Item = (Method, &'a mut Operation)>) {
    for (method, operation) in operations {
        let Some(words) = Need::of(&method, Some(path)).in_words(path) else { continue };
        // Optional, since a broker without tokens wants none.
        let either =
            [SecurityRequirement::new::<_, [&str; 0], _>(SCHEME, []), SecurityRequirement::default()];
        operation.security = Some(either.into());
        let before = operation.description.take().map(|text| format!("{text}\n\n")).unwrap_or_default();
        operation.description = Some(format!("{before}{words}"));
        super::add(operation, "unauthenticated");
        super::add(operation, "forbidden");
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("401") {
            let header = HeaderBuilder::new().description(Some("`Bearer`"));
            response.headers.insert("WWW-Authenticate".to_owned(), header.build().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serve::health::Health;

    use super::*;
    use crate::{api::endpoints, auth::need::TABLE};

    fn calls() -> Vec<(Method, String)> {
        let mut router = endpoints(&Health::starting());
        let paths = router.get_openapi_mut().paths.paths.iter_mut();
        let calls = paths.flat_map(|(path, item)| {
            super::super::operations(item).map(|(method, _)| (method, path.clone())).collect::<Vec<_>>()
        });
        calls.collect()
    }

    #[test]
    fn every_endpoint_has_its_row_in_the_guards_table() {
        let calls = calls();
        assert!(calls.len() > 30, "{calls:?}");
        for (method, path) in calls {
            let has_row = TABLE.iter().any(|row| row.method == method && row.path == path);
            assert!(has_row, "what does {method} {path} need? say it in auth/need.rs");
        }
    }

    #[test]
    fn every_row_of_the_guards_table_has_its_endpoint() {
        let calls = calls();
        for row in TABLE {
            let is_there = calls.iter().any(|(method, path)| *method == row.method && path == row.path);
            assert!(is_there, "there is no endpoint {} {}", row.method, row.path);
        }
    }
}
