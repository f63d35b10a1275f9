import { describe, expect, it } from 'vitest'
import { askedCniVersion, supportedCniVersions } from '../../../agent/core/cni/version.ts'

describe('the reply to CNI_COMMAND=VERSION', () => {
  it.each([
    [
      'a plugin of today',
      '{"cniVersion":"0.4.0","supportedVersions":["0.1.0","0.3.1","0.4.0"]}\n',
      ['0.1.0', '0.3.1', '0.4.0'],
    ],
    ['a plugin of 0.2.0, which lists none', '{"cniVersion":"0.2.0"}', ['0.1.0', '0.2.0']],
  ])('of %s', (_, stdout, versions) => {
    expect(supportedCniVersions(stdout, true)).toEqual(versions)
    // it may have died before the end of its answer
    expect(supportedCniVersions(stdout, false)).toBeNull()
  })

  it('of a plugin older than VERSION is a failure', () => {
    expect(supportedCniVersions('{"code":4,"msg":"unknown CNI_COMMAND: VERSION"}', false)).toEqual(['0.1.0'])
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'v1.11.8'],
    ['null', 'null'],
    ['no object', '["0.1.0"]'],
    ['an error of another kind', '{"code":100,"msg":"cannot load config"}'],
    ['a list without its own version', '{"supportedVersions":["0.3.1"]}'],
    ['no list, at 0.3.0', '{"cniVersion":"0.3.0"}'],
    ['an empty list', '{"cniVersion":"0.4.0","supportedVersions":[]}'],
    ['numbers in the list', '{"cniVersion":"0.4.0","supportedVersions":[0.4]}'],
    ['a text for the list', '{"cniVersion":"0.4.0","supportedVersions":"0.3.1"}'],
  ])('that is %s tells nothing', (_, stdout) => {
    expect(supportedCniVersions(stdout, true)).toBeNull()
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
