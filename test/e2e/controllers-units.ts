import { expect } from 'vitest'
import { type Host, pullImage, until } from '../lab/index.ts'
import { NAME, overlaps, SHARED } from './controllers.ts'
import { agent, containers, lab } from './support.ts'
import { unitFiles } from './units.ts'

const DIRECTORY = '/etc/systemd/system'
const ENV_FILE = '/etc/calico/controllers.env'

/** How an operator has a unit run the controllers. */
export interface Shape {
  name: string
  unit: string
  /** The file that names the image. */
  file: string
  files: (image: string) => Record<string, string>
}

interface Lines {
  image?: string
  flags?: string
  name?: string
  before?: string
  after: string
}

function service({ image = '', flags = '', name = NAME, before = '', after }: Lines): string {
  const run = `/usr/bin/docker run --net=host ${flags}--name=${name} \\\n  -e KUBECONFIG=\${KUBECONFIG} \\\n  -v ${SHARED}:/shared \\\n  ${image}`
  return `[Unit]
After=docker.service

[Service]
# the API is found by this
EnvironmentFile=${ENV_FILE}
${before}ExecStart=${run}
${after}

[Install]
WantedBy=multi-user.target
`
}

const env = { [ENV_FILE]: 'KUBECONFIG=/etc/kubeconfig\n' }
const removed = (name = NAME) => `ExecStartPre=-/usr/bin/docker rm -f ${name}\n`

function inUnit(name: string, lines: (image: string) => Lines): Shape {
  const file = `${DIRECTORY}/${name}.service`
  const files = (image: string) => ({ ...env, [file]: service({ name, image, ...lines(image) }) })
  return { name, unit: `${name}.service`, file, files }
}

export const shapes = {
  'named in the unit, stopped by TERM': inUnit(NAME, () => ({
    before: removed(),
    after: `ExecStop=-/usr/bin/docker stop ${NAME}\nRestart=always\nRestartSec=1`,
  })),
  'with --rm': inUnit(NAME, () => ({ flags: '--rm ', after: 'Restart=on-failure' })),
  'slow to start': inUnit(NAME, () => ({
    before: `${removed()}ExecStartPre=/bin/sleep 1\n`,
    after: 'Restart=always',
  })),
  'named in the environment file': {
    ...inUnit(NAME, () => ({ after: '' })),
    file: ENV_FILE,
    files: (image) => ({
      [ENV_FILE]: `KUBECONFIG=/etc/kubeconfig\nCONTROLLERS_IMAGE=${image}\nSECRET_TOKEN=hush\n`,
      [`${DIRECTORY}/${NAME}.service`]: service({
        image: '${CONTROLLERS_IMAGE}',
        before: removed(),
        after: `ExecStop=/usr/bin/docker rm -f ${NAME}\nRestart=always\nRestartSec=10`,
      }),
    }),
  },
  // one change would leave the other behind
  'named twice': inUnit(NAME, (image) => ({
    before: `${removed()}ExecStartPre=-/usr/bin/docker pull ${image}\n`,
    after: 'Restart=always',
  })),
  'the old name': inUnit('calico-policy-controller', () => ({
    before: removed('calico-policy-controller'),
    after: 'Restart=always',
  })),
} satisfies Record<string, Shape>

/** Has systemd run them, and waits until they are at work. */
export async function startUnit(host: Host, { files, unit, name }: Shape, image: string): Promise<void> {
  await pullImage(host, image)
  for (const [path, text] of Object.entries(files(image))) await host.writeFile(path, text)
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'enable', '--now', unit])
  await until('the controllers', async () => (await idOf(host, name)) !== null)
}

/** Id of the one that runs; null where none does. */
export async function idOf(host: Host, name = NAME): Promise<string | null> {
  const { code, stdout } = await host.run([
    'docker',
    'inspect',
    '--format',
    '{{.State.Running}} {{.Id}}',
    name,
  ])
  return code === 0 && stdout.startsWith('true ') ? stdout.trim().slice(5) : null
}

/** After a resume: one runs for good, the unit's own file names its image, and there were never two. */
export async function expectSettled(
  host: Host,
  { name, unit, files }: Shape,
  where: string,
): Promise<string> {
  const { outcome } = (await agent(host, 'resume')).report
  const id = await idOf(host, name)
  const [one = '', ...more] = (await containers(host)).filter((line) => line.includes('controller'))
  const tag = one.split(' ')[1] ?? ''
  expect({ where, outcome, one, more }).toEqual({
    where,
    outcome: expect.stringMatching(/^(upgraded|rolled-back|unchanged|refused)$/) as string,
    one: expect.stringMatching(new RegExp(`^${name} v\\S+ running no$`)) as string,
    more: [],
  })
  const found = await unitFiles(host)
  const theirs = Object.entries(found).filter(([path]) => path.includes('controller'))
  expect({ where, files: Object.fromEntries(theirs) }).toEqual({
    where,
    files: files(lab.registry.controllersImage(tag)),
  })
  const shown = await host.ok(['systemctl', 'show', unit, '--property=ActiveState,NeedDaemonReload,Job'])
  expect({ where, shown: shown.trim().split('\n').sort() }).toMatchObject({
    where,
    shown: expect.arrayContaining(['ActiveState=active', 'NeedDaemonReload=no']) as string[],
  })
  await new Promise((done) => setTimeout(done, 1_000))
  expect({ where, id: await idOf(host, name), overlaps: await overlaps(host) }).toEqual({
    where,
    id,
    overlaps: '',
  })
  return outcome
}
