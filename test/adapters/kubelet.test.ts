import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createKubelet } from '../../agent/adapters/kubelet.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-kubelet-'))
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true })
})

/** A systemctl that shows a unit of this command line; what runs is this very test where it runs. */
async function unitOf(command: string, MainPID = 0): Promise<void> {
  const shown = `ExecStart={ path=/usr/bin/kubelet ; argv[]=${command} ; ignore_errors=no }\nMainPID=${MainPID}`
  await writeFile(join(directory, 'systemctl'), `#!/bin/sh\ncat <<'END'\n${shown}\nEND\n`)
  await chmod(join(directory, 'systemctl'), 0o755)
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH'] ?? ''}`)
}

const manifests = () => createKubelet().manifests('kubelet.service')

describe('the directory of static pods', () => {
  it.each([
    ['/usr/bin/kubelet --pod-manifest-path=/m --v=2', '/m'],
    ['/usr/bin/docker run hyperkube kubelet --pod-manifest-path /m', '/m'],
    ['/usr/bin/kubelet --v=2', null],
  ])('is told by the unit: %s', async (command, expected) => {
    await unitOf(command)
    expect(await manifests()).toBe(expected)
  })

  it('is what an old --config names', async () => {
    await mkdir(join(directory, 'pods'))
    await unitOf(`/usr/bin/kubelet --config=${directory}/pods`)
    expect(await manifests()).toBe(`${directory}/pods`)
  })

  it.each([
    ['staticPodPath: /m', () => '/m'],
    ['staticPodPath: pods', () => join(directory, 'pods')],
    ['kind: KubeletConfiguration', () => null],
    ['- not a mapping', () => null],
    ['', () => null],
  ])('is in the file of a new one: %s', async (text, expected) => {
    await writeFile(join(directory, 'config.yaml'), text)
    await unitOf(`/usr/bin/kubelet --config=${directory}/config.yaml`)
    expect(await manifests()).toBe(expected())
  })

  it('is not waited for where it is a FIFO', async () => {
    execFileSync('mkfifo', [join(directory, 'config.yaml')])
    await unitOf(`/usr/bin/kubelet --config=${directory}/config.yaml`)
    expect(await manifests()).toBe(null)
  })

  it('is asked of what runs, whose variables are filled in', async () => {
    await unitOf('/usr/bin/kubelet --pod-manifest-path=$DIRECTORY', process.pid)
    expect(await manifests()).toBe(null)
  })
})

describe('the flags of a kubelet', () => {
  const conf = async () => {
    const asked = { configDir: '/etc/cni/net.d', binDir: '/opt/cni/bin' }
    return (await createKubelet().cniDirectories('kubelet.service', asked)).map(({ paths }) => paths.join())
  }

  it('that does not run are those of its files, with their variables', async () => {
    const [unit, dropIn, env] = ['kubelet.service', 'args.conf', 'kubelet.env'].map((name) =>
      join(directory, name),
    )
    await writeFile(unit ?? '', '[Service]\nExecStart=/usr/bin/kubelet\n')
    const cleared = 'ExecStart=\nExecStart=/usr/bin/kubelet $NETWORK --cni-bin-dir=${BIN}'
    await writeFile(
      dropIn ?? '',
      `[Service]\nEnvironment="NETWORK=--cni-conf-dir=/srv/net.d --v=2"\n${cleared}\n`,
    )
    await writeFile(env ?? '', 'BIN=/srv/bin\n')
    const shown = `FragmentPath=${unit}\nDropInPaths=${dropIn}\nEnvironmentFiles=${env} (ignore_errors=yes)\nMainPID=0`
    await writeFile(join(directory, 'systemctl'), `#!/bin/sh\ncat <<'END'\n${shown}\nEND\n`)
    await chmod(join(directory, 'systemctl'), 0o755)
    vi.stubEnv('PATH', `${directory}${delimiter}${process.env['PATH'] ?? ''}`)
    expect(await conf()).toEqual(['/srv/net.d', '/srv/bin'])
  })

  it('that a script started, and waits for, are its own', async () => {
    await writeFile(join(directory, 'kubelet'), '#!/bin/sh\nsleep 60 & wait\n')
    await writeFile(
      join(directory, 'start'),
      `#!/bin/sh\n${directory}/kubelet --cni-conf-dir=/srv/net.d\necho over\n`,
    )
    for (const name of ['kubelet', 'start']) await chmod(join(directory, name), 0o755)
    const started = spawn(join(directory, 'start'), { detached: true, stdio: 'ignore' })
    try {
      await unitOf(join(directory, 'start'), started.pid)
      await vi.waitFor(async () => {
        expect(await conf()).toEqual(['/srv/net.d'])
      }, 60_000)
    } finally {
      process.kill(-(started.pid ?? 0), 'SIGKILL')
    }
  })
})

describe('the directories of CNI', () => {
  const asked = () => ({ configDir: join(directory, 'net.d'), binDir: '/opt/cni/bin' })
  const cni = () => createKubelet().cniDirectories('kubelet.service', asked())

  it.each<[string, unknown[]]>([
    ['/usr/bin/kubelet --v=2', []],
    [
      '/usr/bin/kubelet --cni-conf-dir=/srv/net.d --cni-bin-dir /usr/lib/cni',
      [
        { flag: '--cni-conf-dir', paths: ['/srv/net.d'], isAsked: false },
        { flag: '--cni-bin-dir', paths: ['/usr/lib/cni'], isAsked: false },
      ],
    ],
    [
      '/usr/bin/docker run hyperkube kubelet --cni_bin_dir=/usr/lib/cni,/opt/cni/bin/',
      [{ flag: '--cni-bin-dir', paths: ['/usr/lib/cni', '/opt/cni/bin/'], isAsked: true }],
    ],
    ['/usr/bin/kubelet --cni-conf-dir=$CONF_DIR', []],
    [
      '/usr/bin/kubelet --cni-conf-dir=/a --cni-conf-dir=/b',
      [{ flag: '--cni-conf-dir', paths: ['/b'], isAsked: false }],
    ],
  ])('are those of the flags: %s', async (command, expected) => {
    await unitOf(command)
    expect(await cni()).toEqual(expected)
  })

  it('are the same by another name', async () => {
    await mkdir(join(directory, 'net.d'))
    await symlink('net.d', join(directory, 'link'))
    await unitOf(`/usr/bin/kubelet --cni-conf-dir=${directory}/link`)
    expect(await cni()).toMatchObject([{ isAsked: true }])
  })
})
