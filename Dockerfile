# The agent as an image, for hosts that take nothing but containers. It is built with BuildKit, which older Engines
# use when DOCKER_BUILDKIT=1 is set.
#
# docs/docker.md has the commands that build and run it, and says what each mount is for, and what this image cannot do that
# the executable on the host can.
#
# BASE is a dated tag, which is not moved; give a digest to have it fixed: --build-arg BASE=debian@sha256:...
# AGENT=prebuilt takes dist/agent as scripts/build.ts left it, and needs no network.
ARG BASE=debian:bookworm-20251229-slim
ARG AGENT=build

# tsconfig.json is part of the build: without it esbuild leaves strict mode out, and says nothing.
FROM ${BASE} AS build
WORKDIR /src
SHELL ["/bin/bash", "-c"]
COPY scripts/lib.sh scripts/
COPY package.json package-lock.json tsconfig.json .npmrc ./
RUN source scripts/lib.sh && ensure_packages build && ensure_node_modules
COPY agent agent
COPY scripts/build.ts scripts/run.ts scripts/
COPY scripts/building scripts/building
RUN source scripts/lib.sh && use_pinned_node && node scripts/build.ts

FROM scratch AS prebuilt
COPY dist/agent /src/dist/agent

FROM ${AGENT} AS agent

# What the agent calls: flock, which Debian's base has, and ip, which looks tcp up in /etc/protocols.
FROM ${BASE}
RUN command -v ip >/dev/null || \
  { apt-get update && apt-get install --yes --no-install-recommends iproute2 && rm -rf /var/lib/apt/lists/*; }
RUN [ -e /etc/protocols ] || printf 'tcp\t6\tTCP\n' >/etc/protocols
COPY --from=agent /src/dist/agent /usr/bin/calico-agent
RUN ln -s calico-agent /usr/bin/agent
ENTRYPOINT ["/usr/bin/calico-agent"]
