//! A broker that is spoken to over HTTPS, under a certificate that only those trust who are told to.

use std::fs;

use reqwest::Method;
use system_tests::{eventually::eventually, http::call, programs::Program};

#[tokio::test]
async fn services_speak_https_with_a_broker_whose_authority_they_are_told_to_trust() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let (certificate, key, data) = (path("cert.pem"), path("key.pem"), path("broker"));
    let arguments =
        ["--listen", "127.0.0.1:0", "--data", &data, "--tls-cert", &certificate, "--tls-key", &key];
    let broker = Program::start("broker", &arguments, folder.path()).await.unwrap();
    assert!(broker.own_url().starts_with("https://"));

    let url = broker.own_url().replace("127.0.0.1", "localhost");
    let data = path("email-service");
    let arguments = ["--listen", "127.0.0.1:0", "--data", &data, "--broker-url", &url];
    let trusting = [("SSL_CERT_FILE", certificate.as_str())];
    let service = Program::start_in(&trusting, "email-service", &arguments, folder.path()).await.unwrap();
    let ready = format!("{}/readyz", service.own_url());
    // It is ready once it has declared its queues at the broker.
    eventually("the service is ready", || async {
        let (status, body) = call(Method::GET, &ready, &[], None).await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(()) } else { Err(body.to_string()) }
    })
    .await;
}
