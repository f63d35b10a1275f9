import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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

  it('is asked of what runs, whose variables are filled in', async () => {
    await unitOf('/usr/bin/kubelet --pod-manifest-path=$DIRECTORY', process.pid)
    expect(await manifests()).toBe(null)
  })
})
