# The one program, in every role: `docker run aftercare worker`, `... migrate`, and so on; without an argument, API and
# workers together. Needs BuildKit, for the caches of the build.

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
# The whole workspace, so that features unify as they do in the tests. The program leaves the cache with the layer.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --workspace --bin aftercare \
    && cp target/release/aftercare /usr/local/bin/aftercare

FROM debian:trixie-slim
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Aftercare" \
      org.opencontainers.image.description="A brand's after-sales service: procedures, allowances, visits, complaints, surveys" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.revision="$REVISION"

# The certificates are for mail servers, webhook targets and issuers of tokens.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 aftercare \
    && useradd --uid 10001 --gid aftercare --no-create-home --shell /usr/sbin/nologin aftercare \
    && install --directory --owner aftercare --group aftercare --mode 0700 /var/lib/aftercare

COPY --from=build /usr/local/bin/aftercare /usr/local/bin/aftercare
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/aftercare/

# The allocator gives back what it does not use: about a quarter less memory at rest, and no request is slower.
ENV MIMALLOC_ARENA_EAGER_COMMIT=0 MIMALLOC_PURGE_DELAY=50

# In a container "loopback" is the container alone; what is published is decided outside.
ENV AFTERCARE_ENV=production \
    AFTERCARE_BIND=0.0.0.0:8080 \
    AFTERCARE_DATA_DIR=/var/lib/aftercare

USER 10001:10001
WORKDIR /var/lib/aftercare
VOLUME /var/lib/aftercare
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["aftercare", "healthcheck"]
ENTRYPOINT ["aftercare"]
CMD ["all"]
