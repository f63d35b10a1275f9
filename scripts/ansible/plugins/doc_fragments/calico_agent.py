"""Options that the modules of this collection share."""


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  config:
    description:
      - The config to use in place of the host's own C(/etc/calico-agent/agent.yaml), such as one that is not written yet.
      - It is written to a file that only root can read, and removed after the run.
    type: dict
  to:
    description: The Calico release to upgrade to, such as C(v2.6.12). Overrides the images of the config.
    type: str
  node:
    description: The calico/node image. Overrides the config and I(to).
    type: str
  cni:
    description: Where the CNI plugins come from, an image, or the path of a directory or an archive. Overrides the config.
    type: str
  controllers:
    description: The image of kube-controllers. Overrides the config and I(to).
    type: str
  only:
    description: The parts to upgrade, such as C(node) or C(cni). All of them when it is not given.
    type: list
    elements: str
  executable:
    description: The agent's executable.
    type: path
    default: /usr/bin/calico-agent
attributes:
  platform:
    description: Target platforms.
    platforms: posix
    support: full
requirements:
  - the C(calico-agent) package on the host
author:
  - The calico-host-agent project (!UNKNOWN)
"""
