// Units whose files are not where an operator writes them, and units that systemd would not start again.

import type { Host, NodeOptions, ResetOptions } from '../lab/index.ts'
import { nodeRunArgs } from '../lab/node-run.ts'
import { DIRECTORY, PACKAGES, type Shape, STORE, shapes, UNIT } from './units.ts'

/** The shape's files, each of systemd's at another path. */
function movedTo(directory: string, { files }: Shape): Shape['files'] {
  return (host, options) =>
    Object.fromEntries(
      Object.entries(files(host, options)).map(([path, text]) => [path.replace(DIRECTORY, directory), text]),
    )
}

function changed({ files }: Shape, change: (text: string) => string): Shape['files'] {
  return (host, options) =>
    Object.fromEntries(Object.entries(files(host, options)).map(([path, text]) => [path, change(text)]))
}

const lasting = (unit: string): string => `${DIRECTORY}/${unit}.d/zz-calico-agent.conf`
const template = shapes['a template’s instance']
const KEPT = `${STORE}/8v2k-calico`

/** Upgraded, with a file that stays as it is. */
export const kept = {
  'of a package': { key: 'packaged', unit: UNIT, file: lasting(UNIT), files: movedTo(PACKAGES, shapes.A) },
  'that is a link into a store': {
    key: 'linked',
    unit: UNIT,
    file: lasting(UNIT),
    files: movedTo(KEPT, shapes.C),
    links: { [`${DIRECTORY}/${UNIT}`]: `${KEPT}/${UNIT}` },
  },
  'of a package’s template': { ...template, key: 'packaged template', files: movedTo(PACKAGES, template) },
  'whose template is a link into a store': {
    ...template,
    key: 'linked template',
    files: movedTo(KEPT, template),
    links: { [`${DIRECTORY}/calico@.service`]: `${KEPT}/calico@.service` },
  },
} satisfies Record<string, Shape>

/** A unit without `[Install]`: something else starts it. */
export const staticUnit: Shape = {
  ...shapes.A,
  key: 'static',
  files: changed(shapes.A, (text) => text.replace(/\[Install\][^]*/, '')),
}

/** One that restarts nothing: a `docker run` that is killed leaves it failed, and its container as it is. */
export const unrestarted: Shape = {
  ...shapes.A,
  key: 'unrestarted',
  files: changed(shapes.A, (text) => text.replace('Restart=on-failure', 'Restart=no')),
}

/** The container is made before the unit's own process, which only waits for it. */
export const waited: Shape = {
  ...shapes.A,
  key: 'waited',
  files: changed(shapes.A, (text) =>
    text
      .replace('ExecStart=/usr/bin/docker run', 'ExecStartPre=/usr/bin/docker run -d')
      .replace('ExecStop=', 'ExecStart=/usr/bin/docker wait calico-node\nExecStop='),
  ),
}

/** Over as soon as the container is up; the next boot makes it anew. */
export const oneshot: Shape = {
  ...shapes.A,
  key: 'oneshot',
  files: changed(shapes.A, (text) =>
    text
      .replace(
        'ExecStart=/usr/bin/docker run',
        'Type=oneshot\nExecStart=/usr/bin/docker run -d --restart=always',
      )
      .replace(/^ExecStop=.*$/m, ''),
  ),
}

/** By a script that stays with the container, as `calicoctl node --detach=false` does. */
export const scripted: Shape = {
  ...shapes.A,
  key: 'scripted',
  files: (host, options) => ({
    '/opt/bin/calicoctl.sh': `#!/bin/sh
docker rm -f calico-node
${nodeRunArgs(host, { ...options, policy: 'always' })
  .map((word) => `'${word}'`)
  .join(' ')}
exec docker wait calico-node
`,
    [`${DIRECTORY}/${UNIT}`]:
      '[Service]\nExecStart=/bin/sh /opt/bin/calicoctl.sh\nRestart=always\n[Install]\nWantedBy=multi-user.target\n',
  }),
}

/** `systemd-run docker run ...` */
export const transientUnit: ResetOptions = {
  starter: {
    key: 'transient unit',
    start: (host, options) => host.ok(['systemd-run', `--unit=${UNIT}`, ...attached(host, options)]),
  },
}

/** A unit that runs podman, which here hands its words on to Docker. */
export const podmanUnit: ResetOptions = {
  starter: {
    key: 'podman unit',
    start: async (host, options) => {
      await host.writeFile('/usr/local/bin/podman', '#!/bin/sh\nexec docker "$@"\n', 0o755)
      const [, ...words] = attached(host, options)
      await host.writeFile(
        `${DIRECTORY}/${UNIT}`,
        `[Service]\nExecStart=/usr/local/bin/podman ${words.join(' ')}\n`,
      )
      await host.ok(['systemctl', 'daemon-reload'])
      await host.ok(['systemctl', 'start', UNIT])
    },
  },
}

function attached(host: Host, options: NodeOptions): string[] {
  return nodeRunArgs(host, { ...options, policy: undefined }).filter((word) => word !== '--detach')
}
