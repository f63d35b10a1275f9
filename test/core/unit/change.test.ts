import { describe, expect, it } from 'vitest'
import type { ObservedUnit } from '../../../agent/core/model.ts'
import { unitChange } from '../../../agent/core/unit/change.ts'
import type { UnitSource } from '../../../agent/core/unit/commands.ts'
import { withPreparation } from '../../../agent/core/unit/drop-in.ts'
import { parseUnitState, type UnitState } from '../../../agent/core/unit/state.ts'
import { unit } from '../observed.ts'
import { ENV_FILE, SHAPES, UNIT_FILE, unitOf } from './units.ts'

const images = { run: 'RUN', from: 'quay.io/calico/node:v2.6.5', to: 'quay.io/calico/node:v2.6.12' }
const DROP_IN = '/etc/systemd/system/calico-node.service.d/zz-calico-agent.conf'

function changeOf(source: UnitSource, state: Partial<UnitState> = {}, links: string[] = []) {
  const change = unitChange({ ...unit(state, source), links }, 'calico-node', images)
  if (!('unit' in change)) throw new Error(change.why)
  return change
}

const shape = SHAPES['D: followed by a command']
const bare = '[Service]\nExecStart=/usr/bin/docker run --name=calico-node $IMAGE\n'

describe('the change of a unit', () => {
  it('tries the new image by a drop-in that kills, and edits the file for good', () => {
    const change = changeOf(unitOf(shape))
    expect(change.edit).toEqual({ path: UNIT_FILE, before: shape, after: shape.replace('v2.6.5', 'v2.6.12') })
    expect(change.editBack).toBeNull()
    expect(change.trial.path).toBe('/run/systemd/system/calico-node.service.d/zzz-calico-agent-trial.conf')
    expect(change.trial.forward).toBe(
      `# Written by calico-agent, run RUN: the unit while a new image is on trial. Removed at the end of the run, or by a reboot.
[Service]
ExecStartPre=
ExecStart=
ExecStart=-/usr/bin/docker run --net=host --privileged \\
 --name=calico-node \\
 -e FELIX_DATASTORETYPE=\${DATASTORE_TYPE} \\
 -v /var/run/calico:/var/run/calico \\
 -v /lib/modules:/lib/modules \\
 quay.io/calico/node:v2.6.12 /bin/calico-node -felix
ExecStop=
ExecStop=-/usr/bin/docker rm --force calico-node
RemainAfterExit=yes
Restart=no
SuccessExitStatus=137 SIGKILL
KillSignal=SIGKILL
TimeoutStopSec=10
`,
    )
    expect(change.trial.back).toBe(change.trial.forward.replace('v2.6.12', 'v2.6.5'))
  })

  it('tries an image that a variable names as a word of its own', () => {
    const change = changeOf(unitOf(bare, { env: `IMAGE=${images.from}\n` }))
    expect(change.trial.forward).toContain(`ExecStart=-/usr/bin/docker run --name=calico-node ${images.to}\n`)
    expect(change.edit).toMatchObject({ path: ENV_FILE, after: `IMAGE=${images.to}\n` })
  })

  it('leaves out what the unit prepares around its container, both ways', () => {
    const lines = [
      'ExecStartPre=-/usr/bin/docker pull $IMAGE',
      'RuntimeDirectory=calico',
      'ExecStopPost=/bin/rm /run/a',
    ]
    const { trial } = changeOf(unitOf(`${bare}${lines.join('\n')}\n`, { env: `IMAGE=${images.from}\n` }))
    for (const text of [trial.forward, trial.back]) {
      expect(text).toContain('[Service]\nExecStartPre=\nExecStopPost=\nExecStart=\n')
      expect(text).toContain('RuntimeDirectoryPreserve=yes\n')
      expect(text).not.toContain('pull')
    }
  })

  it('leaves in what each start needs, and a start that fails without the rest gets all of it', () => {
    const { forward, back } = changeOf(
      unitOf(
        bare.replace(
          'ExecStart=/usr/bin/docker run',
          [
            'ExecStartPre=/usr/bin/wait-for-etcd',
            'ExecStartPre=/bin/rm -f /run/node.cid',
            'ExecCondition=/bin/sh -c "until curl -sf etcd; do sleep 1; done"',
            'ExecStartPost=/usr/bin/docker cp /etc/calico/bird.cfg calico-node:/etc/calico/confd/',
            'ExecStartPost=/usr/bin/systemd-cat echo started',
            'ExecStart=/usr/bin/docker run --cidfile /run/node.cid',
          ].join('\n'),
        ),
        { env: `IMAGE=${images.from}\n` },
      ),
    ).trial
    const around = [
      'ExecCondition=',
      'ExecStartPre=',
      'ExecStartPre=-/bin/rm -f /run/node.cid',
      'ExecStartPost=',
      'ExecStartPost=-/usr/bin/docker cp /etc/calico/bird.cfg calico-node:/etc/calico/confd/',
    ]
    for (const text of [forward, back])
      expect(text.split('\n').filter((line) => /^Exec(Condition|StartP|StopP)/.test(line))).toEqual(around)
    expect(withPreparation(back)).toBe(back.replace(/^Exec(Condition|StartPre|StartPost)=\n/gm, ''))
  })

  it('writes its own drop-in again where that names the image twice', () => {
    const file = `[Service]\nEnvironment=IMAGE=${images.from}\nExecStartPre=/usr/bin/docker pull $IMAGE\n${bare.slice(10)}`
    const package_ = { path: '/usr/lib/systemd/system/calico-node.service', text: file }
    const source = { name: 'calico-node.service', fragments: [package_], environmentFiles: [] }
    const first = changeOf(source)
    const dropIn = { path: DROP_IN, text: (first.edit?.after ?? '').replaceAll(images.to, images.from) }
    const second = changeOf({ ...source, fragments: [package_, dropIn] })
    expect(second.edit).toMatchObject({ path: DROP_IN, after: first.edit?.after })
  })

  it('has a pull by the same variable pull the new image where a drop-in makes it last', () => {
    const text = bare.replace(
      '[Service]',
      '[Service]\nEnvironment=IMAGE=calico/node:v2.6.5\nExecStartPre=-/usr/bin/docker pull ${IMAGE}',
    )
    const { edit } = changeOf(unitOf(text), {}, [UNIT_FILE])
    expect(edit?.after).toContain(`ExecStartPre=\nExecStartPre=-/usr/bin/docker pull ${images.to}\n`)
    expect(edit?.after).toContain(
      `ExecStart=\nExecStart=/usr/bin/docker run --name=calico-node ${images.to}\n`,
    )
  })

  it('restarts one that waits for a notification as one that does not', () => {
    const source = unitOf(bare.replace('[Service]', '[Service]\nType=notify'), {
      env: `IMAGE=${images.from}\n`,
    })
    expect(changeOf(source).trial.forward).not.toContain('Type=')
    const state = { active: 'activating', sub: 'start', type: 'notify' }
    expect(changeOf(source, state).trial.forward).toContain('\nType=simple\n')
  })

  it('stops the container by the Engine that started it', () => {
    const line = `/bin/sh -c 'docker -H unix:///run/d.sock run --name=calico-node ${images.from}'`
    expect(changeOf(unitOf(`[Service]\nExecStart=${line}\n`)).trial.forward).toContain(
      'ExecStop=-/usr/bin/env docker -H unix:///run/d.sock rm --force calico-node\n',
    )
  })

  it('leaves a unit as it is that names the new image, and knows the way back', () => {
    const text = shape.replace('v2.6.5', 'v2.6.12')
    const change = changeOf(unitOf(text))
    expect(change.edit).toBeNull()
    expect(change.editBack).toEqual({ path: UNIT_FILE, before: text, after: shape })
  })

  it.each<[string, UnitSource, string[]]>([
    [
      'under /usr/lib',
      { ...unitOf(''), fragments: [{ path: '/usr/lib/systemd/system/u', text: shape }] },
      [],
    ],
    ['that is a link', unitOf(shape), [UNIT_FILE]],
    [
      'of a template',
      {
        name: 'calico-node.service',
        fragments: [{ path: '/etc/systemd/system/calico@.service', text: shape }],
        environmentFiles: [],
      },
      [],
    ],
  ])('writes a drop-in beside a file %s', (_which, source, links) => {
    const { edit } = changeOf(source, {}, links)
    expect(edit).toMatchObject({ path: DROP_IN, before: null })
    expect(edit?.after).toContain('\nExecStart=\nExecStart=/usr/bin/docker run --net=host')
    expect(edit?.after).toContain('quay.io/calico/node:v2.6.12 /bin/calico-node -felix\n')
  })

  describe('back to what a package’s file names', () => {
    const packaged = { path: '/usr/lib/systemd/system/calico-node.service', text: shape }
    const from = { ...unitOf(''), fragments: [packaged] }
    const text = changeOf(from).edit?.after ?? ''
    const back = (dropIn: string, file = packaged) =>
      unitChange(unit({}, { ...from, fragments: [file, { path: DROP_IN, text: dropIn }] }), 'calico-node', {
        run: 'RUN',
        from: images.to,
        to: images.from,
      })

    it('takes the drop-in away', () => {
      expect(back(text)).toMatchObject({ edit: { path: DROP_IN, before: text, after: null } })
    })

    it.each([
      ['to which somebody added', `${text}Environment=X=1\n`, packaged],
      [
        'where the file says more by now',
        text,
        { ...packaged, text: shape.replace('--privileged', '--privileged --init') },
      ],
    ])('keeps a drop-in %s', (_, dropIn, file) => {
      const after = dropIn.replace('v2.6.12', 'v2.6.5')
      expect(back(dropIn, file)).toMatchObject({ edit: { path: DROP_IN, before: dropIn, after } })
    })
  })

  it.each<[RegExp, UnitSource, Partial<UnitState>]>([
    [/masked/, unitOf(shape), { fileState: 'masked-runtime' }],
    [/transient/, unitOf(shape), { transient: true }],
    [/no readable docker run of calico-node/, unitOf('[Service]\nExecStart=/usr/local/bin/start\n'), {}],
    [/podman/, unitOf('[Service]\nExecStart=/usr/bin/podman run --name=calico-node x:1\n'), {}],
    [
      /from parts/,
      unitOf(
        '[Service]\nEnvironment=V=v2.6.5\nExecStart=/usr/bin/docker run --name=calico-node other/node:${V}\n',
      ),
      {},
    ],
  ])('is refused: %s', (why, source, state) => {
    expect(unitChange(unit(state, source), 'calico-node', images)).toMatchObject({
      why: expect.stringMatching(why) as string,
      fix: expect.any(String) as string,
    })
  })
})

describe('a unit that keeps the container otherwise', () => {
  const claim = { by: 'calico-node.service', line: 'ExecStart=/bin/calicoctl node run', starts: true }
  const calicoctl = unitOf(`[Service]\n${claim.line}\n`)
  const of = (changes: Partial<ObservedUnit>, source = unitOf(shape), to: string | null = images.to) =>
    unitChange({ ...unit({}, source), ...changes }, 'calico-node', { ...images, to })

  it.each<[RegExp, Partial<ObservedUnit>, UnitSource]>([
    [/starts calico-node in a way.*: ExecStart=\/bin\/calicoctl node run$/, { claim }, calicoctl],
    [/follows calico-node in a way/, { claim: { ...claim, starts: false } }, calicoctl],
    [
      /is not active, but starts calico-node at the next boot: ExecStart=/,
      { claim, standsBy: true },
      calicoctl,
    ],
    [/is not active, but starts calico-node at the next boot$/, { standsBy: true }, unitOf(shape)],
    [
      /^\/etc\/systemd\/system\/calico-node.service, which names its image, is not writable/,
      { readOnly: [UNIT_FILE] },
      unitOf(shape),
    ],
    [
      /^\/run\/systemd\/system\/calico-node.service.d\/zzz-calico-agent-trial.conf, which names/,
      { readOnly: ['/run/systemd/system/calico-node.service.d'] },
      unitOf(shape),
    ],
    [
      /^\/etc\/calico\/calico.env, which names/,
      { readOnly: [ENV_FILE] },
      unitOf(bare, { env: `IMAGE=${images.from}\n` }),
    ],
  ])('is refused: %s', (why, changes, source) => {
    expect(of(changes, source)).toMatchObject({ why: expect.stringMatching(why) as string })
  })

  it('is changed where only a file is read-only that need not be changed', () => {
    const source = unitOf(shape, { env: 'X=1\n' })
    expect(of({ readOnly: [ENV_FILE] }, source)).toMatchObject({ unit: 'calico-node.service' })
  })

  it('is not judged by an image that nobody asks for', () => {
    const parts = unitOf('[Service]\nExecStart=/usr/bin/docker run --name=calico-node calico/node:${V}\n', {
      env: 'V=v2.6.5\n',
    })
    expect(of({}, parts, null)).toMatchObject({ edit: null, to: 'calico/node:v2.6.5' })
  })
})

it('what systemctl shows is taken apart', () => {
  const shown = `Id=calico-node.service
LoadState=loaded
ActiveState=active
EnvironmentFiles=/etc/calico/calico.env (ignore_errors=no)
EnvironmentFiles=/etc/calico/more.env (ignore_errors=yes)
ExecStart={ path=/usr/bin/docker ; argv[]=/usr/bin/docker run a b ; ignore_errors=no ; start_time=[n/a] ; pid=0 }
ExecStop=
ExecStartPre={ path=/bin/a ; argv[]=/bin/a b ; ignore_errors=yes ; start_time=[n/a] }
WantedBy=multi-user.target kubelet.service
TriggeredBy=
FragmentPath=/etc/systemd/system/calico-node.service
DropInPaths=/etc/systemd/system/calico-node.service.d/a.conf /run/systemd/system/calico-node.service.d/b.conf
Transient=no
NeedDaemonReload=yes
`
  expect(parseUnitState(shown)).toMatchObject({
    unit: 'calico-node.service',
    environmentFiles: ['/etc/calico/calico.env', '/etc/calico/more.env'],
    execStart: ['/usr/bin/docker run a b'],
    execStop: [],
    commands: ['/bin/a b', '/usr/bin/docker run a b'],
    startedBy: ['multi-user.target', 'kubelet.service'],
    dropIns: [
      '/etc/systemd/system/calico-node.service.d/a.conf',
      '/run/systemd/system/calico-node.service.d/b.conf',
    ],
    transient: false,
    needsReload: true,
  })
})
