//! `PUT /products/{sku}`: adds a product, or changes its name and price. Orders placed before keep the
//! price of their time.

use axum::{Json, extract::State, http::StatusCode};
use events::{Money, Sku};
use serde::Deserialize;
use serve::{
    extract::{self, NoQuery, Path},
    problem::{Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::App;
use crate::product::{Product, is_name, is_sku};

/// A product's name and price.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PutProduct {
    /// What it is called; no control characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\x00-\\x1f\\x7f-\\x9f]*[^\\s\\x00-\\x1f\\x7f-\\x9f][^\\x00-\\x1f\\x7f-\\x9f]*$",
        example = "Mug"
    )]
    name: String,
    /// The price of one.
    price: Money,
}

/// Add or change a product.
#[utoipa::path(put, path = "/products/{sku}", tag = "products",
    params(("sku" = String, Path, description = "1 to 64 of a-z A-Z 0-9 . _ -, beginning with a letter or digit",
        pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")),
    request_body = PutProduct,
    responses(
        (status = 200, description = "Changed", body = Product),
        (status = 201, description = "Added", body = Product),
        (status = 400, description = "`malformed-json`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not-found`: the path can't be read", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    ))]
pub(super) async fn put_product(
    State(app): State<App>,
    Path(sku): Path<String>,
    _: NoQuery,
    extract::Json(PutProduct { name, price }): extract::Json<PutProduct>,
) -> Result<(StatusCode, Json<Product>), Problem> {
    if !is_sku(&sku) {
        let detail = "is 1 to 64 of a-z A-Z 0-9 . _ -, beginning with a letter or digit";
        return Err(Problem::invalid("sku", detail));
    }
    if !is_name(&name) {
        let detail = "is 1 to 200 characters, not only blanks, without control characters";
        return Err(Problem::invalid("name", detail));
    }
    let product = Product { sku: Sku::new(&sku), name, price };
    let added = app.0.catalogue.put(product.clone()).await?;
    Ok((if added { StatusCode::CREATED } else { StatusCode::OK }, Json(product)))
}
