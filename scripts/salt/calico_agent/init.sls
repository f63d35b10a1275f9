# The whole of it for one minion: stage, then upgrade. Several minions: calico_agent.orchestrate.
#
# Pillar:
#   calico_agent:
#     version: 0.2.0            # of the package in salt://calico_agent/files
#     config:                   # the whole agent.yaml; "apply: manual" unless it says otherwise
#       node:
#         image: quay.io/calico/node:v2.6.12
#     allow: []                 # optional: preflight rules to override
#     window: 60                # optional
#     wait: 30m                 # optional: for how long to wait for this host's turn, where `fleet` is configured
include:
  - calico_agent.stage
  - calico_agent.upgrade
