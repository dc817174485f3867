//! Traces: an order's spans reach an OpenTelemetry collector, one trace for all of its way.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use system_tests::{
    eventually::eventually,
    shop::{Shop, up_in},
};

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Listens; answers where.
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(collect)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| scope.spans.clone()).collect()
    }

    fn resource(&self) -> Vec<KeyValue> {
        let requests = self.0.lock().unwrap();
        requests[0].resource_spans[0].resource.clone().unwrap().attributes
    }

    /// The spans of the trace in which that order was placed, once there are some of these names.
    async fn trace(&self, order: &str, names: &[&str]) -> Vec<Span> {
        eventually(&format!("spans {names:?}"), async || {
            let spans = self.spans();
            let about = |span: &&Span| text(&span.attributes, "messaging.message.conversation_id") == order;
            let Some(first) = spans.iter().find(about) else { return Err(format!("{} spans", spans.len())) };
            let trace: Vec<Span> =
                spans.iter().filter(|span| span.trace_id == first.trace_id).cloned().collect();
            let there = |name: &&str| trace.iter().any(|span| span.name == *name);
            if names.iter().all(there) { Ok(trace) } else { Err(format!("{:?}", named(&trace))) }
        })
        .await
    }
}

async fn collect(State(collector): State<Collector>, body: Bytes) {
    collector.0.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
}

fn named(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

async fn traced(folder: &std::path::Path) -> (Collector, system_tests::programs::Program, Shop) {
    let collector = Collector::default();
    let url = collector.start().await;
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let pipeline = up_in(&environment, folder).await.unwrap();
    let shop = Shop::of(&pipeline);
    (collector, pipeline, shop)
}

#[tokio::test]
async fn an_orders_way_is_one_trace_from_the_request_through_every_service() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, _pipeline, shop) = traced(folder.path()).await;
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until(&id, "confirmed").await;
    let names = [
        "POST /orders",
        "process inventory.orders",
        "process payment.orders",
        "process email.orders",
        "process order.stock",
        "process order.payments",
    ];
    let trace = collector.trace(&id, &names).await;
    let request = trace.iter().find(|span| span.name == "POST /orders").unwrap();
    assert_eq!((request.kind(), request.parent_span_id.len()), (SpanKind::Server, 0));
    let of_request = |span: &&Span| span.parent_span_id == request.span_id;
    assert!(trace.iter().filter(of_request).count() >= 3, "{:?}", named(&trace));
    for span in trace.iter().filter(|span| span.span_id != request.span_id) {
        assert_eq!(span.kind(), SpanKind::Consumer, "{}", span.name);
        let parent = trace.iter().find(|parent| parent.span_id == span.parent_span_id);
        assert!(parent.is_some(), "{} hangs in the air", span.name);
    }
    assert_eq!(text(&collector.resource(), "service.name"), "pipeline");
    assert!(!format!("{trace:?}").contains("pm_card"), "a payment method is in a span");
}

#[tokio::test]
async fn a_failed_attempt_is_a_span_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, _pipeline, shop) = traced(folder.path()).await;
    shop.gateway("down").await.unwrap();
    let id = shop.place("pm_card_visa").await.unwrap();
    shop.until_dead("payment.orders", &id).await;
    let failed = eventually("three failed spans", async || {
        let spans = collector.trace(&id, &["process payment.orders"]).await;
        let failed: Vec<Span> = spans
            .into_iter()
            .filter(|span| span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error))
            .collect();
        if failed.len() == 3 { Ok(failed) } else { Err(format!("{:?}", named(&failed))) }
    })
    .await;
    for span in failed {
        assert_eq!(
            (span.name.as_str(), text(&span.attributes, "error.type").as_str()),
            ("process payment.orders", "transient")
        );
        assert!(span.status.unwrap().message.contains("503"));
    }
}
