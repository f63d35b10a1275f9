import { describe, expect, it } from 'vitest'
import type { UnitSource } from '../../../agent/core/unit/commands.ts'
import { placeFor, readUnit, replaceImage } from '../../../agent/core/unit/image.ts'
import { ENV_FILE, SHAPES, UNIT_FILE, unitOf } from './units.ts'

const OLD = 'quay.io/calico/node:v2.6.5'
const NEW = 'registry.example:5000/calico/node:v2.6.12'

const service = (...lines: string[]): string => ['[Service]', ...lines, ''].join('\n')
const start = (line: string): UnitSource => unitOf(service(`ExecStart=${line}`))

/** The unit with the image changed where it is named, and the file that was changed. */
function edited(source: UnitSource, image = NEW): { file: string; text: string } {
  const reading = readUnit(source, 'calico-node')
  if (reading.kind !== 'runs') throw new Error(JSON.stringify(reading))
  const place = placeFor(reading.run, image)
  if (!place) throw new Error('no place fits')
  const file = [...source.fragments, ...source.environmentFiles].find(({ path }) => path === place.file)
  return { file: place.file, text: replaceImage(file?.text ?? '', place, image) }
}

const refusal = (source: UnitSource): string => {
  const reading = readUnit(source, 'calico-node')
  return reading.kind === 'refused' ? reading.why : reading.kind
}

describe('the image of a documented unit', () => {
  it.each(Object.entries(SHAPES))('is changed, and nothing else: %s', (_shape, text) => {
    expect(edited(unitOf(text))).toEqual({ file: UNIT_FILE, text: text.replace(OLD, NEW) })
  })
})

describe('the image', () => {
  it.each([
    ['in one line', `/usr/bin/docker run --name=calico-node ${OLD}`],
    [
      'behind options with values of their own',
      `/usr/bin/docker run -e A=1 --name calico-node -v /a:/b -it ${OLD}`,
    ],
    [
      'behind options of the client',
      `/usr/bin/docker -H unix:///run/docker.sock run --name=calico-node ${OLD}`,
    ],
    ['behind docker container run', `/usr/bin/docker container run --name=calico-node ${OLD}`],
    ['behind --', `/usr/bin/docker run --name=calico-node -- ${OLD} sh`],
    ['in double quotes', `/usr/bin/docker run --name=calico-node "${OLD}"`],
    [
      'in single quotes, beside a quoted option',
      `/usr/bin/docker run --name=calico-node -e 'A=b c' '${OLD}' x`,
    ],
    ['behind a prefix', `-/usr/bin/docker run --name=calico-node ${OLD}`],
    ['behind @ and a name of the program', `@/usr/bin/docker docker run --name=calico-node ${OLD}`],
    ['behind +! prefixes', `+!/usr/bin/docker run --name=calico-node ${OLD}`],
    ['in a script', `/bin/sh -c 'docker run --name=calico-node ${OLD}'`],
    ['in quotes in a script', `/bin/sh -c "exec docker run --name=calico-node '${OLD}' /bin/calico-node"`],
    [
      'behind another command of a script',
      `/bin/bash -ec 'mkdir -p /x && docker run --name=calico-node ${OLD}'`,
    ],
    ['beside a substitution', `/bin/sh -c 'docker run --name=calico-node -e IP=$(hostname -i) ${OLD}'`],
    ['behind an escaped name', `/usr/bin/docker run --name=calico\\x2dnode ${OLD}`],
    ['behind a name by a specifier', `/usr/bin/docker run --name=%N ${OLD}`],
    ['beside a percent sign', `/usr/bin/docker run --name=calico-node -e A=100%% ${OLD}`],
  ])('is found %s', (_where, line) => {
    const source = start(line)
    expect(edited(source).text).toBe(service(`ExecStart=${line.replace(OLD, NEW)}`))
  })

  it('is found in the last of several ExecStart=, comments between its lines', () => {
    const text = service(
      `ExecStart=/usr/bin/docker run --name=calico-node old:1`,
      'ExecStart=',
      '; ExecStart=/usr/bin/docker run --name=calico-node other:2',
      'ExecStart=/usr/bin/docker run \\',
      '  # the name',
      '  --name=calico-node \\',
      `\t${OLD}\t\\`,
      '    sh',
    )
    expect(edited(unitOf(text)).text).toBe(text.replace(OLD, NEW))
  })

  it('is found in a file with CRLF and a byte order mark', () => {
    const text = `\uFEFF[Service]\r\nExecStart=/usr/bin/docker run \\\r\n --name=calico-node ${OLD}\r\n`
    expect(edited(unitOf(text)).text).toBe(text.replace(OLD, NEW))
  })
})

describe('the image in a variable', () => {
  const run = 'ExecStart=/usr/bin/docker run --name=calico-node $' + '{IMAGE} sh'
  const bare = 'ExecStart=/usr/bin/docker run --name=calico-node $IMAGE'
  const script = `ExecStart=/bin/sh -c 'docker run --name=calico-node "$IMAGE"'`

  it.each([
    ['Environment=', unitOf(service(`Environment=A=1 IMAGE=${OLD} "B=2 3"`, run)), UNIT_FILE],
    ['Environment= in quotes', unitOf(service(`Environment="IMAGE=${OLD}"`, bare)), UNIT_FILE],
    ['Environment= of a script', unitOf(service(`Environment='IMAGE=${OLD}'`, script)), UNIT_FILE],
    [
      'an environment file',
      unitOf(service(run), { env: `# node\nA='x y'\nIMAGE=${OLD}  \nB=2\n` }),
      ENV_FILE,
    ],
    ['quotes of an environment file', unitOf(service(script), { env: `IMAGE="${OLD}"\n` }), ENV_FILE],
    [
      'the file over Environment=',
      unitOf(service('Environment=IMAGE=a:1', bare), { env: `IMAGE='${OLD}'` }),
      ENV_FILE,
    ],
    ['the last of an environment file', unitOf(service(run), { env: `IMAGE=a:1\nIMAGE=${OLD}\n` }), ENV_FILE],
    [
      'a drop-in',
      unitOf(service(run), { dropIns: { '10.conf': service(`Environment=IMAGE=${OLD}`) } }),
      `${UNIT_FILE}.d/10.conf`,
    ],
    [
      'a drop-in that has its own ExecStart=',
      unitOf(service(run), { dropIns: { '10.conf': service('ExecStart=', run.replace('${IMAGE}', OLD)) } }),
      `${UNIT_FILE}.d/10.conf`,
    ],
  ])('is changed where it is set: %s', (_where, source, file) => {
    const before = [...source.fragments, ...source.environmentFiles].find(({ path }) => path === file)?.text
    expect(edited(source)).toEqual({ file, text: before?.replace(OLD, NEW) })
  })

  it('is changed by its tag where only the tag is in it', () => {
    const source = unitOf(service('ExecStart=/usr/bin/docker run --name=calico-node calico/node:${V}'), {
      env: 'V=v2.6.5\n',
    })
    expect(edited(source, 'calico/node:v2.6.12')).toEqual({ file: ENV_FILE, text: 'V=v2.6.12\n' })
    const reading = readUnit(source, 'calico-node')
    expect(reading.kind === 'runs' && placeFor(reading.run, NEW)).toBeNull()
  })
})

describe('a unit that cannot be edited', () => {
  it.each([
    [start(`/usr/bin/podman run --name=calico-node ${OLD}`), /podman/],
    [start('/usr/bin/docker start -a calico-node'), /an existing container/],
    [start(`/usr/bin/docker run --name=calico-node --new-option x ${OLD}`), /--new-option/],
    [start('/usr/bin/docker run --name=calico-node ${IMAGE}'), /is not set/],
    [start('/usr/bin/docker run --name=calico-node $OPTIONS'), /^other$/],
    [start(`/usr/bin/docker run -itd --name=calico-node ${OLD}`), /-d leaves the container running/],
    [
      unitOf(
        service(
          'EnvironmentFile=/etc/calico/calico.env',
          'ExecStartPre=/usr/bin/docker run --rm -v /opt/cni/bin:/host calico/cni:${CALICO_VERSION}',
          'ExecStart=/usr/bin/docker run --name=calico-node calico/node:${CALICO_VERSION}',
        ),
        { env: 'CALICO_VERSION=v2.6.5\n' },
      ),
      /is also used in calico\/cni:v2.6.5/,
    ],
    [
      unitOf(
        service(
          'ExecStartPre=/usr/bin/curl -o /opt/cni/bin/calico https://example.test/${V}/calico',
          'ExecStart=/usr/bin/docker run --name=calico-node calico/node:${V}',
        ),
        { env: 'V=v2.6.5\n' },
      ),
      /is also used in https:/,
    ],
    [
      unitOf(service('ExecStart=/usr/bin/docker run --name=calico-node calico/node:%i'), {
        name: 'calico-node@v2.6.5.service',
      }),
      /specifiers/,
    ],
    [start(`/usr/bin/docker run --name=calico-node calico/"node":v1`), /quotes/],
    [
      unitOf(
        service(
          `ExecStartPre=/usr/bin/docker pull ${OLD}`,
          `ExecStart=/usr/bin/docker run --name=calico-node ${OLD}`,
        ),
      ),
      /several commands/,
    ],
    [start(`/usr/bin/docker run --name=other ${OLD}`), /^other$/],
    [start('/usr/bin/docker run --name=calico-node "open'), /^other$/],
    [unitOf(`ExecStart=/usr/bin/docker run --name=calico-node ${OLD}`), /^other$/],
  ])('is refused: %#', (source, why) => {
    expect(refusal(source)).toMatch(why)
  })

  it('is none that pulls the image by the same variable', () => {
    const text = service(
      `Environment=IMAGE=${OLD}`,
      'ExecStartPre=/usr/bin/docker pull ${IMAGE}',
      'ExecStart=/usr/bin/docker run --name=calico-node ${IMAGE}',
    )
    expect(edited(unitOf(text)).text).toBe(text.replace(OLD, NEW))
  })
})

describe('a variable of the image', () => {
  it.each([
    ['tells the container its version', '-e CALICO_VERSION=${V}', ''],
    ['is shown', '', 'ExecStartPre=/bin/echo starting calico ${V}'],
  ])('is changed where it also %s', (_, option, line) => {
    const text = service(line, `ExecStart=/usr/bin/docker run --name=calico-node ${option} calico/node:\${V}`)
    const source = unitOf(text, { env: 'V=v2.6.5\n' })
    expect(edited(source, 'calico/node:v2.6.12')).toEqual({ file: ENV_FILE, text: 'V=v2.6.12\n' })
  })
})

it('docker run -d is changed where the unit stays up without it', () => {
  const text = service(
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=/usr/bin/docker run -d --name=calico-node ${OLD}`,
  )
  expect(edited(unitOf(text)).text).toBe(text.replace(OLD, NEW))
})

describe('specifiers', () => {
  it('name the container of a template’s instance', () => {
    const text = service(`ExecStart=/usr/bin/docker run --name=%p-%i ${OLD}`)
    const source = unitOf(text, { name: 'calico@node.service' })
    expect(edited(source).text).toBe(text.replace(OLD, NEW))
  })
})
