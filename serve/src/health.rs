//! `/healthz` and `/readyz`: alive, and able to do the work.

use std::sync::{Arc, RwLock};

use axum::{Json, extract::State, response::IntoResponse};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::NoQuery,
    problem::{NOT_READY, Problem, ProblemBody},
};

/// What a program knows of its own health; clones share it.
#[derive(Clone, Debug)]
pub struct Health(Arc<RwLock<Readiness>>);

#[derive(Debug)]
struct Readiness {
    not_ready: Option<String>,
    degraded: Vec<String>,
}

/// A good answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthStatus {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// What does not work at the moment though the program can do without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    degraded: Vec<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self::starting()
    }
}

impl Health {
    /// Not ready: it is starting.
    #[must_use]
    pub fn starting() -> Self {
        Self(Arc::new(RwLock::new(Readiness { not_ready: Some("starting".to_owned()), degraded: vec![] })))
    }

    /// It can do its work.
    pub fn set_ready(&self) {
        self.write().not_ready = None;
    }

    /// It can't do its work, and why.
    pub fn set_not_ready(&self, why: impl Into<String>) {
        self.write().not_ready = Some(why.into());
    }

    /// What it does without at the moment.
    pub fn set_degraded(&self, what: Vec<String>) {
        self.write().degraded = what;
    }

    /// Why it is not ready, if it is not.
    #[must_use]
    pub fn not_ready(&self) -> Option<String> {
        self.read().not_ready.clone()
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Readiness> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Readiness> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The two routes.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> OpenApiRouter<S> {
        OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).with_state(self.clone())
    }
}

/// Alive.
#[utoipa::path(get, path = "/healthz", tag = "health", responses(
    (status = 200, description = "The program runs", body = HealthStatus),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn healthz(_: NoQuery) -> Json<HealthStatus> {
    Json(HealthStatus { status: "ok", degraded: vec![] })
}

/// Ready to do the work.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "It can do its work", body = HealthStatus),
    (status = 422, description = "`invalid-field`", body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "`not-ready`: it can't, and why", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn readyz(State(health): State<Health>, _: NoQuery) -> impl IntoResponse {
    let readiness = health.read();
    match &readiness.not_ready {
        None => Ok(Json(HealthStatus { status: "ok", degraded: readiness.degraded.clone() })),
        Some(why) => {
            Err(Problem::new(&NOT_READY).detail(why.clone()).retry_after(std::time::Duration::from_secs(1)))
        }
    }
}
