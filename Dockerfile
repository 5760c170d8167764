# Images of the worker (default), hq and the controller: `docker build --target worker|hq|controller .`
# The base images can be replaced: `--build-arg BUILDER=… --build-arg RUNTIME=…`.
ARG BUILDER=rust:1.95-bookworm
ARG RUNTIME=scratch

FROM ${BUILDER} AS dependencies
WORKDIR /build
# A static binary needs an explicit target, or build scripts and macros would be linked statically too.
ENV RUSTFLAGS="-C target-feature=+crt-static" CARGO_TERM_COLOR=never
COPY Cargo.toml Cargo.lock ./
COPY autoscaling/Cargo.toml autoscaling/
COPY controller/Cargo.toml controller/
COPY guard/Cargo.toml guard/
COPY hq/Cargo.toml hq/
COPY localcloud/Cargo.toml localcloud/
COPY worker/Cargo.toml worker/
# Empty sources in place of ours: this layer compiles the dependencies alone, and only a changed manifest or lock file
# compiles them again. An edit of our own source does not.
RUN mkdir -p src autoscaling/src controller/src guard/src hq/src localcloud/src localcloud/tests worker/src worker/benches/orders benches/resync \
    && for main in src hq/src worker/src worker/benches/orders benches/resync; do echo 'fn main() {}' > $main/main.rs; done \
    && touch autoscaling/src/lib.rs controller/src/lib.rs guard/src/lib.rs hq/src/lib.rs localcloud/src/lib.rs worker/src/lib.rs localcloud/tests/runtime_reaper.rs
ARG TARGET=x86_64-unknown-linux-gnu
RUN cargo build --locked --profile dist --target "${TARGET}" -p interstella-worker -p interstella-hq

FROM dependencies AS build
COPY . .
# The empty sources are newer than ours; without this cargo would take them for what is built.
RUN find . -name '*.rs' -not -path './target/*' -exec touch {} + \
    && cargo build --locked --profile dist --target "${TARGET}" -p interstella-worker -p interstella-hq \
    && mkdir /out && cp "target/${TARGET}/dist/worker" "target/${TARGET}/dist/hq" /out/

FROM dependencies AS controller-dependencies
RUN cargo build --locked --profile dist --target "${TARGET}" -p interstella --no-default-features

FROM controller-dependencies AS build-controller
COPY . .
RUN find . -name '*.rs' -not -path './target/*' -exec touch {} + \
    && cargo build --locked --profile dist --target "${TARGET}" -p interstella --no-default-features \
    && mkdir /out && cp "target/${TARGET}/dist/interstella" /out/

FROM ${RUNTIME} AS controller
COPY --from=build-controller /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-controller /out/interstella /interstella
USER 65532:65532
ENTRYPOINT ["/interstella"]

FROM ${RUNTIME} AS hq
COPY --from=build /out/hq /hq
USER 65532:65532
EXPOSE 8889
ENTRYPOINT ["/hq"]

FROM ${RUNTIME} AS worker
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/worker /worker
USER 65532:65532
EXPOSE 5000
ENTRYPOINT ["/worker"]
