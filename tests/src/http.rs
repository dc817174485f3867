//! JSON over HTTP, as curl would speak it.

use std::{sync::LazyLock, time::Duration};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    // A pool outlives one test's runtime, so every call opens a connection of its own.
    Client::builder()
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client without TLS can always be made")
});

/// Sends a request and answers with the status and the body as JSON (null when it is none).
///
/// # Errors
/// When nothing answers.
pub async fn call(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> anyhow::Result<(StatusCode, Value)> {
    let mut request = CLIENT.request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let response: Response = request.send().await?;
    let status = response.status();
    Ok((status, serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null)))
}

/// GET, which must answer 200.
///
/// # Errors
/// When nothing answers, or something else.
pub async fn get(url: &str) -> anyhow::Result<Value> {
    let (status, body) = call(Method::GET, url, &[], None).await?;
    anyhow::ensure!(status == StatusCode::OK, "GET {url} answered {status}: {body}");
    Ok(body)
}

/// POST, which must answer 2xx.
///
/// # Errors
/// When nothing answers, or something else.
pub async fn post(url: &str, body: &Value) -> anyhow::Result<Value> {
    let (status, answer) = call(Method::POST, url, &[], Some(body)).await?;
    anyhow::ensure!(status.is_success(), "POST {url} answered {status}: {answer}");
    Ok(answer)
}

/// PUT, which must answer 2xx.
///
/// # Errors
/// When nothing answers, or something else.
pub async fn put(url: &str, body: &Value) -> anyhow::Result<Value> {
    let (status, answer) = call(Method::PUT, url, &[], Some(body)).await?;
    anyhow::ensure!(status.is_success(), "PUT {url} answered {status}: {answer}");
    Ok(answer)
}

/// All items of a list, page by page.
///
/// # Errors
/// When a page can't be had.
pub async fn list(url: &str) -> anyhow::Result<Vec<Value>> {
    let (mut items, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let joint = if url.contains('?') { '&' } else { '?' };
        let page = match &cursor {
            Some(cursor) => format!("{url}{joint}limit=1000&cursor={cursor}"),
            None => format!("{url}{joint}limit=1000"),
        };
        let mut page = get(&page).await?;
        if let Some(Value::Array(more)) = page.get_mut("items").map(Value::take) {
            items.extend(more);
        }
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}
