import { describe, expect, it } from 'vitest'
import { claimOf, claimOfScript, namedFiles } from '../../../agent/core/unit/keeps.ts'
import type { Subject } from '../../../agent/core/unit/starters.ts'
import { unitOf } from './units.ts'

const IMAGE = 'quay.io/calico/node:v2.6.5'
const OPTS = '--net=host --privileged -e NODENAME=host-1 -v /var/run/calico:/var/run/calico'
const NODE: Subject = { container: 'calico-node', component: 'node', compose: null }
const CONTROLLERS: Subject = { container: 'calico-kube-controllers', component: 'controllers', compose: null }

const service = (...lines: string[]): string => ['[Service]', ...lines, ''].join('\n')

interface Shape {
  unit: string[]
  env?: string
  scripts?: Record<string, string>
  name?: string
  /** What is quoted. */
  line: string
  starts?: boolean
  subject?: Subject
}

/** Units of public installs that keep calico/node otherwise than by a `docker run` that can be changed. */
const KEEPERS: Record<string, Shape> = {
  'calicoctl that waits (kubespray, kismatic)': {
    unit: [
      `ExecStart=/opt/bin/calicoctl node --ip=192.0.2.1 --detach=false --node-image=${IMAGE}`,
      'Restart=always',
    ],
    line: 'ExecStart=/opt/bin/calicoctl node --ip=192.0.2.1 --detach=false',
  },
  'calicoctl in a oneshot': {
    unit: [
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=/opt/bin/calicoctl node run --node-image=${IMAGE}`,
    ],
    line: 'ExecStart=/opt/bin/calicoctl node run',
  },
  'calicoctl with its own default image': {
    unit: ['ExecStart=/usr/local/bin/calicoctl node run'],
    line: 'ExecStart=/usr/local/bin/calicoctl node run',
  },
  'calicoctl around docker run': {
    unit: ['ExecStart=/usr/bin/calicoctl node run --init-system'],
    line: 'ExecStart=/usr/bin/calicoctl node run --init-system',
  },
  'calicoctl by a shell': {
    unit: ["ExecStart=/bin/sh -c 'ETCD_ENDPOINTS=http://192.0.2.9:2379 exec calicoctl node run'"],
    line: "ExecStart=/bin/sh -c 'ETCD_ENDPOINTS=",
  },
  'made before, and waited for': {
    unit: [
      `ExecStartPre=/usr/bin/docker run -d --name=calico-node ${OPTS} ${IMAGE}`,
      'ExecStart=/usr/bin/docker wait calico-node',
    ],
    line: 'ExecStartPre=/usr/bin/docker run -d --name=calico-node',
  },
  'created and started before, and its log followed': {
    unit: [
      `ExecStartPre=/usr/bin/docker create --name calico-node ${OPTS} ${IMAGE}`,
      'ExecStartPre=/usr/bin/docker start calico-node',
      'ExecStart=/usr/bin/docker logs -f calico-node',
    ],
    line: 'ExecStartPre=/usr/bin/docker create --name calico-node',
  },
  'attached to': {
    unit: ['ExecStart=/usr/bin/docker attach calico-node'],
    line: 'ExecStart=/usr/bin/docker attach calico-node',
    starts: false,
  },
  'its log followed, and stopped with the unit': {
    unit: [
      'ExecStart=/usr/bin/docker logs --follow calico-node',
      'ExecStop=/usr/bin/docker stop calico-node',
    ],
    line: 'ExecStart=/usr/bin/docker logs --follow calico-node',
    starts: false,
  },
  'started after the unit': {
    unit: ['ExecStart=/bin/true', 'ExecStopPost=/usr/bin/docker start calico-node'],
    line: 'ExecStopPost=/usr/bin/docker start calico-node',
  },
  'without a name': {
    unit: [`ExecStart=/usr/bin/docker run ${OPTS} ${IMAGE}`],
    line: `ExecStart=/usr/bin/docker run ${OPTS.slice(0, 10)}`,
  },
  'by variables': {
    unit: ['ExecStart=/usr/bin/docker run --name=${NAME} ${IMAGE}'],
    env: `NAME=calico-node\nIMAGE=${IMAGE}\n`,
    line: 'ExecStart=/usr/bin/docker run --name=${NAME} ${IMAGE}',
  },
  podman: {
    unit: [`ExecStart=/usr/bin/podman run --name calico-node ${OPTS} ${IMAGE}`],
    line: 'ExecStart=/usr/bin/podman run',
  },
  nerdctl: {
    unit: [`ExecStart=/usr/local/bin/nerdctl -n k8s.io run --name calico-node ${OPTS} ${IMAGE}`],
    line: 'ExecStart=/usr/local/bin/nerdctl',
  },
  'systemd-docker': {
    unit: [`ExecStart=/opt/bin/systemd-docker run --rm --name calico-node ${OPTS} ${IMAGE}`],
    line: 'ExecStart=/opt/bin/systemd-docker run',
  },
  rkt: {
    unit: [`ExecStart=/usr/bin/rkt run --net=host docker://${IMAGE}`],
    line: 'ExecStart=/usr/bin/rkt run',
  },
  'docker-compose with a file that names it': {
    unit: ['ExecStart=/usr/local/bin/docker-compose -f /etc/net/stack.yml up'],
    scripts: { '/etc/net/stack.yml': `services:\n  node:\n    image: ${IMAGE}\n` },
    line: 'ExecStart=/usr/local/bin/docker-compose -f /etc/net/stack.yml up',
  },
  'docker compose in a directory': {
    unit: ['WorkingDirectory=/srv/calico', 'ExecStart=/usr/bin/docker compose up --remove-orphans'],
    scripts: { '/srv/calico/docker-compose.yml': `services:\n  node:\n    image: ${IMAGE}\n` },
    line: 'ExecStart=/usr/bin/docker compose up',
  },
  'a script': {
    unit: ['ExecStart=/opt/bin/start-network'],
    scripts: {
      '/opt/bin/start-network': `#!/bin/bash\n# don't\nset -e\nif ! docker ps | grep -q calico; then\n  docker run -d \\\n    --name calico-node ${IMAGE}\nfi\n`,
    },
    line: '/opt/bin/start-network: docker run -d --name calico-node',
  },
  'a script with variables of its own': {
    unit: ['ExecStart=/bin/bash /opt/bin/node.sh'],
    scripts: {
      '/opt/bin/node.sh': `NAME=calico-node\nexport IMAGE="${IMAGE}"\nexec /usr/bin/docker run --name=$NAME $IMAGE\n`,
    },
    line: '/opt/bin/node.sh: exec /usr/bin/docker run',
  },
  'a script that works its image out': {
    unit: ['ExecStart=/opt/bin/calico-start'],
    scripts: {
      '/opt/bin/calico-start': '#!/bin/sh\nIMAGE=$(cat /etc/image)\ndocker run -d --name=$N "$IMAGE"\n',
    },
    line: '/opt/bin/calico-start: docker run -d',
  },
  'controllers by docker-compose': {
    unit: ['ExecStart=/usr/bin/docker compose -f /etc/c.yaml up'],
    scripts: { '/etc/c.yaml': 'services:\n  c:\n    image: calico/kube-controllers:v3.1.0\n' },
    line: 'ExecStart=/usr/bin/docker compose',
    subject: CONTROLLERS,
    name: 'policy.service',
  },
  'controllers made before': {
    unit: [
      'ExecStartPre=/usr/bin/docker run -d calico/kube-policy-controller:v0.7.0',
      'ExecStart=/bin/sleep 100',
    ],
    line: 'ExecStartPre=/usr/bin/docker run -d',
    subject: CONTROLLERS,
  },
}

const sourceOf = ({ unit, env, scripts = {}, name }: Omit<Shape, 'line'>) => ({
  ...unitOf(service(...unit), { ...(env !== undefined && { env }), ...(name !== undefined && { name }) }),
  scripts: Object.entries(scripts).map(([path, text]) => ({ path, text })),
})

describe('a unit keeps the container', () => {
  it.each(Object.entries(KEEPERS))('%s', (_, shape) => {
    const claim = claimOf(sourceOf(shape), shape.subject ?? NODE)
    expect(claim).toMatchObject({ starts: shape.starts ?? true })
    expect(claim?.line.slice(0, shape.line.length)).toBe(shape.line)
  })

  it.each(Object.entries(KEEPERS).filter(([, { scripts }]) => scripts))(
    'by a file that is read: %s',
    (_, shape) => {
      expect(namedFiles(sourceOf(shape))).toEqual(
        expect.arrayContaining(Object.keys(shape.scripts ?? {})) as unknown,
      )
    },
  )

  it('and secrets of its line are not shown', () => {
    const unit = [`ExecStart=/usr/bin/podman run -e ETCD_PASSWORD=hush --name calico-node ${IMAGE}`]
    const line = claimOf(sourceOf({ unit }), NODE)?.line
    expect(line).toContain('podman run')
    expect(line).not.toContain('hush')
  })
})

/** Units of hosts whose container Docker alone keeps. */
const OTHERS: Record<string, Omit<Shape, 'line'>> = {
  'ships its log': { unit: ['ExecStart=/usr/bin/docker logs -f calico-node'] },
  'looks at it': { unit: ["ExecStart=/bin/sh -c 'docker exec calico-node birdcl show protocols'"] },
  'restarts it when it is ill': { unit: ['ExecStart=/usr/bin/docker restart calico-node'] },
  'stops it at the end': { unit: ['ExecStart=/bin/true', 'ExecStop=/usr/bin/docker stop calico-node'] },
  'pulls its image': { unit: [`ExecStart=/usr/bin/docker pull ${IMAGE}`] },
  'asks the image for its version': {
    unit: [`ExecStart=/usr/bin/docker run --rm ${IMAGE} calico-node -v`],
  },
  'installs the CNI plugins': {
    unit: ['ExecStart=/usr/bin/docker run --rm calico/cni:v3.1.0 /install-cni.sh'],
  },
  'runs another container': { unit: [`ExecStart=/usr/bin/docker run --name=calico-felix-2 ${IMAGE}`] },
  'asks calicoctl': { unit: ['ExecStart=/usr/bin/calicoctl node status'] },
  'prints what calicoctl would do': { unit: ['ExecStart=/usr/bin/calicoctl node run --dryrun'] },
  'runs the agent': { unit: ['ExecStart=/usr/bin/calico-agent daemon'], name: 'calico-agent.service' },
  'runs an exporter by compose': {
    unit: ['ExecStart=/usr/bin/docker compose -f /srv/exporter.yml up'],
    scripts: { '/srv/exporter.yml': 'services:\n  e:\n    image: prom/node-exporter:v1\n' },
  },
  'is a script that speaks of it': {
    unit: ['ExecStart=/opt/bin/check'],
    scripts: {
      '/opt/bin/check':
        '#!/bin/sh\n# docker run --name calico-node is kubespray’s\ndocker inspect calico-node\n',
    },
  },
  'is the kubelet': { unit: ['ExecStart=/usr/bin/kubelet --network-plugin=cni'] },
}

describe('a unit keeps nothing that', () => {
  it.each(Object.entries(OTHERS))('%s', (_, shape) => {
    expect(claimOf(sourceOf(shape), NODE)).toBeNull()
  })
})

describe('a file that no unit names', () => {
  it.each([
    [
      'a job of upstart',
      '/etc/init/calico-node.conf',
      `start on started docker\nrespawn\nexec /usr/bin/docker run --name=calico-node ${IMAGE}\n`,
    ],
    ['cron', '/etc/cron.d/calico', `@reboot root /usr/bin/docker run -d --name=calico-node ${IMAGE}\n`],
    ['a crontab', '/var/spool/cron/crontabs/root', '@reboot /opt/bin/calicoctl node run\n'],
    ['an init script', '/etc/init.d/calico', 'case "$1" in\n start) docker start calico-node ;;\nesac\n'],
  ])('keeps the container: %s', (_, path, text) => {
    expect(claimOfScript({ path, text }, NODE)).toMatchObject({ by: path, starts: true })
  })

  it('keeps none where the line is a comment', () => {
    const text = `#@reboot root docker run -d --name=calico-node ${IMAGE}\n`
    expect(claimOfScript({ path: '/etc/cron.d/calico', text }, NODE)).toBeNull()
  })
})
