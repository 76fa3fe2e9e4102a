# Both binaries in one image, for those who have a registry: docker build -t REGISTRY/ostler:TAG . && docker push …
# The chart chooses the command. The demo and the tests build the same content without a container engine
# (tests/images/build.sh).
ARG DEBIAN=bookworm

FROM docker.io/library/rust:1.95-slim-${DEBIAN} AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev libvirt-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The pinned toolchain is the one of the base image; rustup must not fetch components that only developers need.
RUN rm rust-toolchain.toml \
 && cargo build --locked --release -p ostler-controller -p ostler-api-shim

# glibc, because libvirt's client library needs it; of the same suite as the stage above.
FROM docker.io/library/debian:${DEBIAN}-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates libvirt0 nftables qemu-utils \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/target/release/controller /src/target/release/api-shim /usr/local/bin/
USER 65532:65532
