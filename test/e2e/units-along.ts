// Units that depend on calico-node's, and starts of it that take their time.

import type { Host, ResetOptions } from '../lab/index.ts'
import { DIRECTORY, type Shape, shapes, UNIT } from './units.ts'

/** Under names that a reset of the lab removes. */
export const KUBELET = 'calico-lab-kubelet.service'
export const PLUGIN = '/opt/cni/bin/calico'
/** BIRD announces so many seconds: a start that hangs takes two thirds of them. */
const RESTART_TIME = { LAB_GR_TIME: '60' }

const service = (...lines: string[]): string => `${lines.join('\n')}\n`

/** Each depends on the one before it, in another way. */
const DEPENDENTS: Record<string, string> = {
  [KUBELET]: service(
    ...['[Unit]', `Requires=${UNIT}`, `After=${UNIT}`, '[Service]'],
    `ExecStartPre=/bin/cp /opt/older-plugin ${PLUGIN}`,
    'ExecStart=/bin/sleep infinity',
  ),
  'calico-lab-bound.service': service(
    ...['[Unit]', `BindsTo=${UNIT}`, `After=${UNIT}`, '[Service]', 'ExecStart=/bin/sleep infinity'],
  ),
  'calico-lab-second.service': service(
    ...['[Unit]', `PartOf=${KUBELET}`, '[Service]', 'ExecStart=/bin/sleep infinity'],
  ),
}

/** As the shape, with other text in its unit's file. */
function changed(key: string, shape: Shape, change: (text: string) => string, further = {}): Shape {
  return {
    ...shape,
    key,
    files: (host, options) => {
      const files = shape.files(host, { ...options, env: { ...options.env, ...RESTART_TIME } })
      const path = `${DIRECTORY}/${UNIT}`
      return { ...files, [path]: change(files[path] ?? ''), ...further }
    },
  }
}

const byVariable = shapes['image in the environment file']

const SILENT = 'silent.lab'

/** It pulls before each start, also from a registry that says nothing. */
export const pulling = changed('pulling', byVariable, (text) =>
  text.replace(
    'ExecStart=',
    `ExecStartPre=-/usr/bin/docker pull \${CALICO_NODE_IMAGE}
ExecStartPre=-/usr/bin/docker pull ${SILENT}:5000/calico/tools:v1
ExecStart=`,
  ),
)

/** The start after the file is there never comes to its container; the one after that does. */
export const HANGS_ONCE = '/run/lab-hangs-once'
export const hanging = changed(
  'hanging',
  shapes['by a shell'],
  (text) => text.replace('exec docker', '/opt/bin/prepare.sh; exec docker'),
  { '/opt/bin/prepare.sh': `#!/bin/sh\nrm ${HANGS_ONCE} 2>/dev/null && exec tail -f /dev/null\ntrue\n` },
)

/** docker run tells systemd nothing. */
export const notifying = changed('notifying', byVariable, (text) =>
  text.replace('[Service]', '[Service]\nType=notify\nTimeoutStartSec=infinity'),
)

/** Reset options that do not wait for the start to end, and make scripts run. */
export function begunBy({ key, unit, files }: Shape): ResetOptions {
  const start = async (host: Host, options: Parameters<Shape['files']>[1]): Promise<void> => {
    for (const [path, text] of Object.entries(files(host, options)))
      await host.writeFile(path, text, path.endsWith('.sh') ? 0o755 : 0o644)
    await host.ok(['systemctl', 'daemon-reload'])
    await host.ok(['systemctl', 'enable', unit])
    await host.ok(['systemctl', 'start', '--no-block', unit])
  }
  return { starter: { key: `unit ${key}`, start } }
}

export async function startDependents(host: Host): Promise<void> {
  await host.ok(['mkdir', '-p', '/opt/cni/bin'])
  await host.writeFile('/opt/older-plugin', 'older')
  for (const [name, text] of Object.entries(DEPENDENTS)) await host.writeFile(`${DIRECTORY}/${name}`, text)
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'start', ...Object.keys(DEPENDENTS)])
  await host.writeFile(PLUGIN, 'newer')
}

/** One of systemd's words for each unit that lasts as long as its run; empty where it is down. */
export async function runsOf(host: Host): Promise<string[]> {
  const units = Object.keys(DEPENDENTS)
  const shown = await host.ok(['systemctl', 'show', '--property=InvocationID,ActiveState', ...units])
  return shown.split('\n\n')
}

/** From now on the silent registry has an address: whoever connects there is never accepted. */
export async function startSilentRegistry(host: Host): Promise<void> {
  const socket = '--socket-property=ListenStream=127.0.0.9:5000'
  await host.ok(['systemd-run', '--unit=lab-silent', socket, '/bin/sleep', 'infinity'])
  await host.ok(['sh', '-c', `grep -q ${SILENT} /etc/hosts || echo 127.0.0.9 ${SILENT} >> /etc/hosts`])
}
