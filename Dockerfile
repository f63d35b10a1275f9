# The agent as an image, for hosts that take nothing but containers.
#
#   docker build -t calico-host-agent .
#   docker run --rm --net=host \
#     -v /run:/run \
#     -v /etc/calico-agent:/etc/calico-agent:ro \
#     -v /var/lib/calico-agent:/var/lib/calico-agent \
#     -v /root/.docker:/root/.docker:ro \
#     calico-host-agent status
#
# It manages its host by these mounts:
#   /run                    docker.sock and BIRD's sockets (/run/calico). The directory, not the sockets: a file mount
#                           keeps the old socket when its owner makes a new one.
#   /etc/calico-agent       the config
#   /var/lib/calico-agent   the journal: without it an interrupted run cannot be resumed
#   /root/.docker           registry logins, where the images need one
# and by --net=host: it asks Felix on localhost, and the peers' BGP ports from the host's address.
#
# What it cannot do that the executable on the host can:
#   - see systemd. Do not use it where a unit starts calico-node: it would not know, and the two would fight.
#   - use Docker's credential helpers: those are programs of the host.
#   - outlive its Engine: a dockerd that stops without live-restore takes the agent along. Run `resume` afterwards.
#
# The default base is a dated tag, which is not moved; give a digest to have it fixed:
#   docker build --build-arg BASE=debian@sha256:... .
ARG BASE=debian:bookworm-20251229-slim

FROM ${BASE} AS build
WORKDIR /src
SHELL ["/bin/bash", "-c"]
COPY scripts/lib.sh scripts/
COPY package.json package-lock.json .npmrc ./
RUN source scripts/lib.sh && ensure_packages build && ensure_node_modules
COPY agent agent
COPY scripts/build.ts scripts/
RUN source scripts/lib.sh && use_pinned_node && node scripts/build.ts

# Debian's base has what the agent calls: flock (util-linux).
FROM ${BASE}
COPY --from=build /src/dist/agent /usr/bin/agent
ENTRYPOINT ["/usr/bin/agent"]
