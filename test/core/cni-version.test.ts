import { describe, expect, it } from 'vitest'
import { askedCniVersion, supportedCniVersions } from '../../agent/core/cni-version.ts'

describe('the reply to CNI_COMMAND=VERSION', () => {
  it.each([
    [
      'a plugin of today',
      '{"cniVersion":"0.4.0","supportedVersions":["0.1.0","0.3.1","0.4.0"]}\n',
      ['0.1.0', '0.3.1', '0.4.0'],
    ],
    ['a plugin of 0.2.0, which lists none', '{"cniVersion":"0.2.0"}', ['0.1.0', '0.2.0']],
    ['a plugin older than VERSION', '{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}', ['0.1.0']],
  ])('of %s', (_, stdout, versions) => {
    expect(supportedCniVersions(stdout, '/opt/cni/bin/calico')).toEqual(versions)
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'v1.11.8'],
    ['no object', '["0.1.0"]'],
    ['an error of another kind', '{"code":100,"msg":"cannot load config"}'],
    ['no list, at 0.3.0', '{"cniVersion":"0.3.0"}'],
    ['numbers in the list', '{"cniVersion":"0.4.0","supportedVersions":[0.4]}'],
  ])('that is %s is refused', (_, stdout) => {
    expect(() => supportedCniVersions(stdout, '/opt/cni/bin/calico')).toThrow(
      'cannot tell which CNI versions /opt/cni/bin/calico knows',
    )
  })
})

describe('the version that a config asks for', () => {
  it.each([
    ['0.3.1', '0.3.1'],
    [undefined, '0.1.0'],
    ['', '0.1.0'],
  ])('of %s is %s', (cniVersion, asked) => {
    expect(askedCniVersion(cniVersion)).toBe(asked)
  })
})
