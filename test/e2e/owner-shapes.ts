// What keeps a container on public hosts: shapes that are changed, and shapes that are refused.

import { type Host, nodeRunArgs } from '../lab/index.ts'
import { controllers } from './controllers.ts'
import { shapes as unitsOfControllers } from './controllers-units.ts'
import { image } from './support.ts'
import { DIRECTORY, type Shape, shapes, UNIT } from './units.ts'

function changed(
  shape: Shape,
  key: string,
  change: (files: Record<string, string>) => Record<string, string>,
): Shape {
  return { ...shape, key, files: (host, options) => change(shape.files(host, options)) }
}

const inUnit = (key: string, change: (text: string) => string): Shape =>
  changed(shapes.A, key, (files) => ({ ...files, [shapes.A.file]: change(files[shapes.A.file] ?? '') }))

const PATTERN = '/etc/calico/20-version.env'

/** Upgraded by a change of the file. */
export const upgraded: Record<string, Shape> = {
  'docker by env': inUnit('env', (text) =>
    text.replace('ExecStart=/usr/bin/docker', 'ExecStart=/usr/bin/env docker'),
  ),
  'detached in a oneshot that remains': inUnit('remains', (text) =>
    text
      .replace(
        'ExecStart=/usr/bin/docker run',
        'Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/docker run -d',
      )
      .replace(/^Restart=.*$/m, ''),
  ),
  'with a --cidfile, and an argv[0] of its own': inUnit('cidfile', (text) =>
    text.replace(
      'ExecStart=/usr/bin/docker run',
      'ExecStartPre=-/bin/rm -f /run/calico.cid\nExecStart=@/usr/bin/docker docker run --cidfile /run/calico.cid',
    ),
  ),
  'its version in an environment file of a pattern': {
    ...changed(shapes.A, 'pattern', (files) => ({
      ...files,
      [PATTERN]: '# of the node alone\nCALICO_VERSION=v2.6.5\n',
      [shapes.A.file]: (files[shapes.A.file] ?? '')
        .replace('EnvironmentFile=/etc/calico/calico.env', 'EnvironmentFile=-/etc/calico/*.env')
        .replace('node:v2.6.5', 'node:${CALICO_VERSION}'),
    })),
    file: PATTERN,
  },
}

function moved(files: Record<string, string>, from: string, to: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [path === from ? to : path, text.replace(from, to)]),
  )
}

const byFile = unitsOfControllers['named in the environment file']
const [NODE_DEFAULT, CONTROLLERS_DEFAULT] = [
  '/etc/default/calico-node',
  '/etc/default/calico-controllers',
] as const

/** Their images stand in /etc/default, which the agent's service cannot write to. */
export const inDefault = {
  node: {
    ...changed(shapes['image in the environment file'], 'default', (files) =>
      moved(files, '/etc/calico/calico.env', NODE_DEFAULT),
    ),
    file: NODE_DEFAULT,
  },
  controllers: {
    ...byFile,
    file: CONTROLLERS_DEFAULT,
    files: (ref: string) => moved(byFile.files(ref), byFile.file, CONTROLLERS_DEFAULT),
  },
}

/** What stands beside a container that Docker keeps, and what is said of it. */
export interface Refused {
  files: (host: Host) => Record<string, string>
  /** Its unit is only enabled. */
  up?: false
  code: 'systemd-owned' | 'kept-elsewhere'
  says: string
}

const unit = (...lines: string[]): string =>
  ['[Service]', ...lines, '[Install]', 'WantedBy=multi-user.target', ''].join('\n')
const OURS = `${DIRECTORY}/${UNIT}`
/** Stands for a program that a lab's host does not have, which would stay with the container. */
const as = (program: string): Record<string, string> => ({ [program]: '#!/bin/sh\nexec sleep infinity\n' })
const run = (host: Host): string => nodeRunArgs(host, { image: image('v2.6.5') }).join(' ')
const ctl = `/opt/bin/calicoctl node --detach=false --node-image=${image('v2.6.5')}`

export const refused: Record<string, Refused> = {
  'calicoctl that waits': {
    files: () => ({ ...as('/opt/bin/calicoctl'), [OURS]: unit(`ExecStart=${ctl}`, 'Restart=always') }),
    code: 'systemd-owned',
    says: `it starts calico-node in a way that the agent cannot change: ExecStart=${ctl}`,
  },
  'calicoctl with a drop-in that names another image': {
    files: () => ({
      ...as('/opt/bin/calicoctl'),
      [OURS]: unit('ExecStart=/bin/true'),
      [`${OURS}.d/10-run.conf`]: `[Service]\nExecStart=\nExecStart=/usr/bin/env ETCD=x ${ctl}\n`,
    }),
    code: 'systemd-owned',
    says: `ExecStart=/usr/bin/env ETCD=x ${ctl}`,
  },
  'calicoctl out of a container, at the next boot': {
    files: () => ({
      [OURS]: unit('Type=oneshot', 'ExecStart=/usr/bin/docker run --rm calico/ctl:v1.6.3 node run'),
    }),
    up: false,
    code: 'systemd-owned',
    says: 'it is not active, but starts calico-node at the next boot: ExecStart=/usr/bin/docker run --rm calico/ctl',
  },
  'attached to': {
    files: () => ({ [OURS]: unit('ExecStart=/usr/bin/docker attach --sig-proxy=false calico-node') }),
    code: 'systemd-owned',
    says: 'it follows calico-node in a way that the agent cannot change: ExecStart=/usr/bin/docker attach',
  },
  'docker-compose': {
    files: () => ({
      ...as('/usr/local/bin/docker-compose'),
      [`${DIRECTORY}/calico-net.service`]: unit(
        'ExecStart=/usr/local/bin/docker-compose -f /etc/calico/net.yml up',
      ),
      '/etc/calico/net.yml': `services:\n  node:\n    image: ${image('v2.6.5')}\n`,
    }),
    code: 'systemd-owned',
    says: 'ExecStart=/usr/local/bin/docker-compose -f /etc/calico/net.yml up',
  },
  'a script of an instance': {
    files: (host) => ({
      '/etc/calico/start': `#!/bin/sh\ncase $1 in node) exec sleep infinity;; esac\n${run(host)}\n`,
      [`${DIRECTORY}/calico@.service`]: unit('ExecStart=/etc/calico/start %i'),
    }),
    code: 'systemd-owned',
    says: '/etc/calico/start: docker run --detach --net=host',
  },
  'a oneshot that is over': {
    files: (host) => ({ [OURS]: unit('Type=oneshot', `ExecStart=/usr/bin/${run(host)}`) }),
    up: false,
    code: 'systemd-owned',
    says: 'it is not active, but starts calico-node at the next boot: ExecStart=/usr/bin/docker run --detach',
  },
  'cron at boot': {
    files: (host) => ({ '/etc/cron.d/calico': `@reboot root ${run(host)}\n` }),
    code: 'kept-elsewhere',
    says: '/etc/cron.d/calico starts it too: @reboot root docker run --detach',
  },
  supervisord: {
    files: () => ({ '/etc/supervisor/conf.d/calico.conf': `[program:calico]\ncommand=${ctl}\n` }),
    code: 'kept-elsewhere',
    says: `/etc/supervisor/conf.d/calico.conf starts it too: command=${ctl}`,
  },
}

export const refusedControllers: Record<string, Refused> = {
  'made before, in a oneshot that is over': {
    files: () => ({
      [`${DIRECTORY}/calico-policy.service`]: unit(
        'Type=oneshot',
        `ExecStartPre=-/usr/bin/docker rm -f calico-kube-controllers`,
        `ExecStart=/usr/bin/docker run -d --name=calico-kube-controllers ${controllers('v3.20.0')}`,
      ),
    }),
    up: false,
    code: 'systemd-owned',
    says: 'it is not active, but starts calico-kube-controllers at the next boot: ExecStart=/usr/bin/docker run -d',
  },
  'by cron': {
    files: () => ({
      '/etc/cron.d/calico': `@reboot root docker run -d --name calico-kube-controllers ${controllers('v3.20.0')}\n`,
    }),
    code: 'kept-elsewhere',
    says: '/etc/cron.d/calico starts it too',
  },
}
