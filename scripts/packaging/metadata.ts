/** What the Debian package and the RPM say of the agent, each in its own form. */

export const maintainer = 'Calico host agent maintainers <calico-host-agent@users.noreply.github.com>'

export const configFile = '/etc/calico-agent/agent.yaml'

export const summary = 'upgrades Calico on hosts that run it in Docker themselves'

export const description = `Replaces calico/node inside the window that BIRD's graceful restart leaves
open, so that the peers keep this host's routes and the pods their traffic.
If the new node does not get its BGP sessions back in time, the old one is
put back. A journal on disk lets an interrupted run be finished or unwound.`
