# One build, one small image; the command chooses the service: broker, order-service, …
FROM rust:1-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked --bins \
    --package broker --package order-service --package inventory-service \
    --package payment-service --package email-service --package analytics-service \
 && mkdir /binaries \
 && cd target/release \
 && cp broker order-service inventory-service payment-service email-service analytics-service /binaries/

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin service \
 && install --directory --owner service --group service /data
COPY docker/healthcheck /usr/local/bin/healthcheck
COPY --from=build /binaries/ /usr/local/bin/
USER service
VOLUME /data
ENV DATA=/data
HEALTHCHECK --interval=2s --timeout=3s --start-period=20s --retries=5 CMD ["healthcheck"]
CMD ["broker"]
