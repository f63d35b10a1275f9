import type { UnitSource } from '../../../agent/core/unit/commands.ts'

/** The file of the unit. */
export const UNIT_FILE = '/etc/systemd/system/calico-node.service'
export const ENV_FILE = '/etc/calico/calico.env'

interface Further {
  name?: string
  dropIns?: Record<string, string>
  env?: string
}

/** A unit of one file, and what else it is read from. */
export function unitOf(
  text: string,
  { name = 'calico-node.service', dropIns = {}, env }: Further = {},
): UnitSource {
  return {
    name,
    fragments: [
      { path: UNIT_FILE, text },
      ...Object.entries(dropIns).map(([file, content]) => ({
        path: `${UNIT_FILE}.d/${file}`,
        text: content,
      })),
    ],
    environmentFiles: env === undefined ? [] : [{ path: ENV_FILE, text: env }],
  }
}

/** The shapes of non-hosted installs, written anew from the fields of Calico's docs and kubespray. */
export const SHAPES = {
  'A: as a service': `[Unit]
Description=calico-node
After=docker.service
Requires=docker.service

[Service]
EnvironmentFile=/etc/calico/calico.env
ExecStartPre=-/usr/bin/docker rm -f calico-node
ExecStart=/usr/bin/docker run --net=host --privileged \\
 --name=calico-node \\
 -e NODENAME=\${CALICO_NODENAME} \\
 -e IP=\${CALICO_IP} \\
 -e AS=\${CALICO_AS} \\
 -v /var/log/calico:/var/log/calico \\
 -v /run/docker/plugins:/run/docker/plugins \\
 -v /lib/modules:/lib/modules \\
 -v /var/run/calico:/var/run/calico \\
 quay.io/calico/node:v2.6.5

ExecStop=-/usr/bin/docker stop calico-node

Restart=on-failure
StartLimitBurst=3
StartLimitInterval=60s

[Install]
WantedBy=multi-user.target
`,
  'B: integration': `[Unit]
Description=calico node
After=docker.service
Requires=docker.service

[Service]
User=root
Environment=ETCD_ENDPOINTS=http://192.0.2.9:2379
PermissionsStartOnly=true
ExecStart=/usr/bin/docker run --net=host --privileged --name=calico-node \\
  -e ETCD_ENDPOINTS=\${ETCD_ENDPOINTS} \\
  -e NODENAME=\${HOSTNAME} \\
  -v /var/run/calico:/var/run/calico \\
  quay.io/calico/node:v2.6.5
Restart=always
RestartSec=10
ExecStop=/usr/bin/docker rm -f calico-node

[Install]
WantedBy=multi-user.target
`,
  'C: kubespray': `[Unit]
Description=calico-node
After=docker.service

[Service]
EnvironmentFile=/etc/calico/calico.env
ExecStartPre=-/usr/bin/docker rm -f calico-node
ExecStart=/usr/bin/docker run --net=host --privileged \\
 --name=calico-node \\
 -e HOSTNAME=\${CALICO_HOSTNAME} \\
 -v /var/log/calico:/var/log/calico \\
 --memory=500M --cpu-shares=300 \\
 quay.io/calico/node:v2.6.5

Restart=always
RestartSec=10s

ExecStop=-/usr/bin/docker stop calico-node

[Install]
WantedBy=multi-user.target
`,
  'D: followed by a command': `[Service]
EnvironmentFile=/etc/calico/calico.env
ExecStartPre=-/usr/bin/docker rm -f calico-node
ExecStart=/usr/bin/docker run --net=host --privileged \\
 --name=calico-node \\
 -e FELIX_DATASTORETYPE=\${DATASTORE_TYPE} \\
 -v /var/run/calico:/var/run/calico \\
 -v /lib/modules:/lib/modules \\
 quay.io/calico/node:v2.6.5 /bin/calico-node -felix

ExecStop=-/usr/bin/docker stop calico-node
Restart=on-failure
`,
}
