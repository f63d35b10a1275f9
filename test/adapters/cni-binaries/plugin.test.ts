import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { calicoVersionOf, cniVersionsOf, versionOf } from '../../../agent/adapters/cni-binaries/plugin.ts'
import { temporaryDirectory, write } from './plugins.ts'

async function plugin(script: string): Promise<string> {
  return await write(join(await temporaryDirectory(), 'calico'), `#!/bin/sh\n${script}\n`)
}

const answer = (versions: string) => `echo '{"cniVersion":"0.4.0","supportedVersions":["${versions}"]}'`

/** As those do that were built before VERSION was known (containernetworking/cni v0.2.3: pkg/skel). */
const OLDER_THAN_VERSION = `
for each in "$CNI_NETNS" "$CNI_IFNAME" "$CNI_PATH"; do
  [ "$each" ] || { echo '{"code":100,"msg":"required env variables missing"}'; exit 1; }
done
echo "{\\"code\\":4,\\"msg\\":\\"unknown CNI_COMMAND: $CNI_COMMAND\\"}"
exit 1`

describe('a plugin that is asked which CNI versions it knows', () => {
  it('is asked by CNI_COMMAND=VERSION, with a config on stdin', async () => {
    const path = await plugin(`read config; echo "$CNI_COMMAND $config" > "$0.asked"; ${answer('0.3.1')}`)
    expect(await cniVersionsOf(path)).toEqual({ known: ['0.3.1'] })
    const asked = await plugin(`cat "${path}.asked" >&2; exit 1`)
    expect(await cniVersionsOf(asked)).toEqual({
      failure: 'it exited with code 1: VERSION {"cniVersion":"0.4.0"}',
    })
  })

  it('gets nothing of the environment of the agent', async () => {
    vi.stubEnv('SECRET_OF_THE_AGENT', 'x')
    const path = await plugin('[ -z "$SECRET_OF_THE_AGENT" ] && ' + answer('0.3.1'))
    expect(await cniVersionsOf(path)).toEqual({ known: ['0.3.1'] })
    vi.unstubAllEnvs()
  })

  it('knows 0.1.0 alone where it is older than the question', async () => {
    expect(await cniVersionsOf(await plugin(OLDER_THAN_VERSION))).toEqual({ known: ['0.1.0'] })
  })

  it('may end without reading', async () => {
    expect(await cniVersionsOf(await plugin(`exec 0<&-; ${answer('0.3.1')}`))).toEqual({ known: ['0.3.1'] })
  })

  it.each([
    ['fails after its answer', `${answer('0.3.1')}; exit 1`, /^it exited with code 1: \{"cniVersion"/],
    ['answers nothing', 'exit 0', /^its answer to CNI VERSION is empty$/],
    ['prints without end', 'exec yes', /^it prints too much output/],
    ['hangs', 'exec sleep 60', /^it did not finish within 5 s$/],
  ])(
    'does not tell where it %s, and costs a few seconds at most',
    async (_, script, failure) => {
      expect(await cniVersionsOf(await plugin(script))).toEqual({
        failure: expect.stringMatching(failure) as string,
      })
    },
    10_000,
  )
})

describe('the version of a plugin', () => {
  it.each([
    ['echo v3.20.1', 'v3.20.1', 'v3.20.1'],
    ['echo CNI ptp plugin v1.1.1', 'v1.1.1', null],
    // the reference plugins say it on stderr
    ['echo CNI ptp plugin v1.1.1 >&2', 'v1.1.1', null],
    ['echo v3.20.1; exit 1', null, null],
  ])('that says "%s" is %s, and as Calico %s', async (script, version, ofCalico) => {
    const path = await plugin(script)
    expect([await versionOf(path), await calicoVersionOf(path)]).toEqual([version, ofCalico])
  })
})
