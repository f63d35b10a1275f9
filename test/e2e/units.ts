import type { Host, NodeOptions, ResetOptions } from '../lab/index.ts'
import { nodeEnvironment } from '../lab/node-run.ts'

/** Files of a unit by their paths, for a host and an image. */
type Files = (host: Host, options: NodeOptions) => Record<string, string>

export interface Shape {
  key: string
  unit: string
  /** The file that names the image after an upgrade. */
  file: string
  files: Files
  /** Symbolic links: where they stand, and where they lead. */
  links?: Record<string, string>
}

export const DIRECTORY = '/etc/systemd/system'
export const PACKAGES = '/usr/lib/systemd/system'
/** Read-only to everyone but its keeper, as a store of packages is. */
export const STORE = '/opt/store'
export const UNIT = 'calico-node.service'
const ENV_FILE = '/etc/calico/calico.env'

const REMOVE_BEFORE = 'ExecStartPre=-/usr/bin/docker rm -f calico-node'
const STOP = 'ExecStop=-/usr/bin/docker stop calico-node'
const mounts = ['/lib/modules', '/var/run/calico', '/var/log/calico', '/var/lib/calico']
  .map((path) => `-v ${path}:${path}`)
  .join(' \\\n  ')

/** `docker run` over several lines, each variable taken from the unit's environment. */
function dockerRun(host: Host, options: NodeOptions, image: string, further = ''): string {
  const names = Object.keys(nodeEnvironment(host, options))
  const env = names.map((name) => `  -e ${name}=\${${name}} \\\n`).join('')
  return `/usr/bin/docker run --net=host --privileged ${further}\\\n  --name=calico-node \\\n${env}  ${mounts} \\\n  ${image}`
}

function envFile(host: Host, options: NodeOptions, ...further: string[]): string {
  const lines = Object.entries(nodeEnvironment(host, options)).map(([name, value]) => `${name}=${value}`)
  return ['# calico/node', ...lines, ...further, ''].join('\n')
}

function service(...lines: string[]): string {
  return [
    '[Unit]',
    'After=docker.service',
    '',
    '[Service]',
    ...lines,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n')
}

/** A unit in one file, its environment in another. */
function shape(
  key: string,
  lines: (run: (image: string, further?: string) => string, image: string) => string[],
): Shape {
  return {
    key,
    unit: UNIT,
    file: `${DIRECTORY}/${UNIT}`,
    files: (host, options) => ({
      [ENV_FILE]: envFile(host, options),
      [`${DIRECTORY}/${UNIT}`]: service(
        `EnvironmentFile=${ENV_FILE}`,
        ...lines((image, further) => dockerRun(host, options, image, further), options.image),
      ),
    }),
  }
}

export const shapes = {
  A: shape('A', (run, image) => [
    REMOVE_BEFORE,
    `ExecStart=${run(image)}`,
    '',
    STOP,
    'Restart=on-failure',
    'StartLimitBurst=3',
  ]),
  C: shape('C', (run, image) => [
    REMOVE_BEFORE,
    `ExecStart=${run(image, '--memory=500M --cpu-shares=300 ')}`,
    'Restart=always',
    'RestartSec=10s',
    STOP,
  ]),
  D: shape('D', (run, image) => [
    REMOVE_BEFORE,
    `ExecStart=${run(image)} /sbin/start_runit`,
    STOP,
    'Restart=on-failure',
  ]),
  'with --rm': shape('rm', (run, image) => [
    `ExecStart=${run(`'${image}'`, '--rm ')}`,
    STOP,
    'Restart=always',
  ]),
  'by a shell': shape('sh', (run, image) => [
    REMOVE_BEFORE,
    `ExecStart=/bin/sh -c "exec ${run(`'${image}'`).replace('/usr/bin/', '')}"`,
    STOP,
    'Restart=always',
  ]),
  B: {
    key: 'B',
    unit: UNIT,
    file: `${DIRECTORY}/${UNIT}`,
    files: (host, options) => ({
      [`${DIRECTORY}/${UNIT}`]: service(
        ...Object.entries(nodeEnvironment(host, options)).map(
          ([name, value]) => `Environment=${name}=${value}`,
        ),
        `ExecStart=${dockerRun(host, options, options.image)}`,
        'Restart=always',
        'RestartSec=10',
        'ExecStop=/usr/bin/docker rm -f calico-node',
      ),
    }),
  },
  'image in the environment file': {
    key: 'env',
    unit: UNIT,
    file: ENV_FILE,
    files: (host, options) => ({
      [ENV_FILE]: envFile(host, options, `CALICO_NODE_IMAGE="${options.image}"`, 'SECRET_TOKEN=hush'),
      [`${DIRECTORY}/${UNIT}`]: service(
        `EnvironmentFile=${ENV_FILE}`,
        REMOVE_BEFORE,
        `ExecStart=${dockerRun(host, options, '${CALICO_NODE_IMAGE}')}`,
        STOP,
        'Restart=always',
        'RestartSec=10',
      ),
    }),
  },
  'image in a drop-in': {
    key: 'drop-in',
    unit: UNIT,
    file: `${DIRECTORY}/${UNIT}.d/10-image.conf`,
    files: (host, options) => ({
      [ENV_FILE]: envFile(host, options),
      [`${DIRECTORY}/${UNIT}.d/10-image.conf`]: `[Service]\nEnvironment="IMAGE=${options.image}"\n`,
      [`${DIRECTORY}/${UNIT}`]: service(
        `EnvironmentFile=${ENV_FILE}`,
        'Environment=IMAGE=calico/node:none',
        REMOVE_BEFORE,
        `ExecStart=${dockerRun(host, options, '$IMAGE')}`,
        STOP,
      ),
    }),
  },
  'a template’s instance': {
    key: 'template',
    unit: 'calico@node.service',
    file: `${DIRECTORY}/calico@node.service.d/zz-calico-agent.conf`,
    files: (host, options) => ({
      [ENV_FILE]: envFile(host, options),
      [`${DIRECTORY}/calico@.service`]: service(
        `EnvironmentFile=${ENV_FILE}`,
        REMOVE_BEFORE,
        `ExecStart=${dockerRun(host, options, options.image).replace('--name=calico-node', '--name=%p-%i')}`,
        STOP,
      ),
    }),
  },
} satisfies Record<string, Shape>

/** Reset options that start calico-node as the unit does. */
export function startedBy({ key, unit, files, links = {} }: Shape, image?: string): ResetOptions {
  const start = async (host: Host, options: NodeOptions): Promise<void> => {
    for (const [path, text] of Object.entries(files(host, options))) await host.writeFile(path, text)
    for (const [path, target] of Object.entries(links)) await host.ok(['ln', '-s', target, path])
    await host.ok(['systemctl', 'daemon-reload'])
    // a static unit cannot be enabled
    await host.run(['systemctl', 'enable', unit])
    await host.ok(['systemctl', 'start', unit])
  }
  return { starter: { key: `unit ${key}`, start }, ...(image !== undefined && { image }) }
}

/** Every file under systemd's and Calico's directories, with its content; of a link, where it leads. */
export async function unitFiles(host: Host): Promise<Record<string, string>> {
  const places = [DIRECTORY, PACKAGES, '/run/systemd/system', '/etc/calico', STORE]
  const wanted = ['-path', '*calico*', '-not', '-path', '*.wants/*', '-printf', '%y %p %l\\n']
  const found = await host.run(['find', ...places, '(', '-type', 'f', '-o', '-type', 'l', ')', ...wanted])
  const lines = found.stdout.split('\n').filter(Boolean).sort()
  const texts = lines.map(async (line) => {
    const [type, path = '', target = ''] = line.split(' ')
    return [path, type === 'l' ? `-> ${target}` : await host.readFile(path)] as const
  })
  return Object.fromEntries(await Promise.all(texts))
}
