import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ConfigFile, inKubeletOrder, judgeConfig } from '../../../agent/core/cni/config.ts'
import { configChange, findConfig } from '../../../agent/core/cni/config-change.ts'
import type { Json } from '../../../agent/core/json/merge-patch.ts'
import type { CniConfigChange } from '../../../agent/core/model.ts'
import { redactedJsonDiff } from '../../../agent/core/redact/json.ts'

const file = (name: string, text: string, isLink = false): ConfigFile => ({ name, isLink, content: { text } })
const CALICO = '{"name":"calico","type":"calico","ipam":{"type":"calico-ipam"}}'
const LIST = `{"name":"calico","cniVersion":"0.3.1","plugins":[${CALICO},{"type":"portmap"}]}`
const OTHER = '{"name":"other","type":"bridge"}'
const place = { configDir: '/etc/cni/net.d', configFile: null }

describe('the order of the kubelet', () => {
  it('is that of the bytes of the names', () => {
    const names = [
      'calico.conf',
      '9.conf',
      '10-calico.conf',
      'B.conf',
      '.a.conf',
      'a\uffff.conf',
      'a😀.conf',
      'a.conf',
    ]
    const sorted = inKubeletOrder(names.map((name) => ({ name }))).map(({ name }) => name)
    expect(sorted).toEqual(names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(sorted.slice(0, 3)).toEqual(['.a.conf', '10-calico.conf', '9.conf'])
  })
})

describe('a config that the kubelet takes', () => {
  it.each([
    ['a.conf', CALICO],
    ['a.json', CALICO],
    ['a.conflist', LIST],
    ['a.conf', '{"type":"x","type":"calico"}'],
    ['a.conf', `\n\t${CALICO}\r\n`],
  ])('%s with %j', (name, text) => {
    expect(judgeConfig(file(name, text))).toMatchObject({ plugins: expect.anything() as unknown })
  })

  it.each([
    ['a.conf', '', 'line 1, column 1: expected a value, found the end of the file'],
    ['a.conf', `\ufeff${CALICO}`, 'line 1, column 1: expected a value, found a byte order mark'],
    ['a.conf', '{"name":"calico"}', 'it has no "type"'],
    ['a.conf', '{"type":""}', 'it has no "type"'],
    ['a.conf', '{"type":7}', '"type" must be a string, but it is a number'],
    ['a.conf', '["calico"]', 'it is not a JSON object'],
    ['a.json', LIST, 'it has no "type"; a list of plugins must end in .conflist'],
    ['a.conflist', CALICO, 'a conflist needs "plugins", a list with at least one plugin'],
    [
      'a.conflist',
      '{"name":"calico","plugins":[]}',
      'a conflist needs "plugins", a list with at least one plugin',
    ],
    ['a.conflist', '{"name":"calico","plugins":[{}]}', 'it has no "type"'],
    ['a.conflist', `{"plugins":[${CALICO}]}`, 'a conflist needs a "name"'],
  ])('is not %s with %j', (name, text, invalid) => {
    expect(judgeConfig(file(name, text))).toEqual({ name, isLink: false, invalid })
  })
})

describe('the Calico config', () => {
  const found = (files: ConfigFile[], configFile: string | null = null) => {
    const { live, calico, problems } = findConfig(files, { ...place, configFile })
    const told = problems.map(({ severity, code }) => `${severity} ${code}`)
    return [live?.name ?? null, calico?.name ?? null, ...told]
  }

  it.each<[string, ConfigFile[], string | null, (string | null)[]]>([
    ['alone', [file('10-calico.conf', CALICO)], null, ['10-calico.conf', '10-calico.conf']],
    ['a list', [file('10-calico.conflist', LIST)], null, ['10-calico.conflist', '10-calico.conflist']],
    [
      'before another',
      [file('99-x.conf', OTHER), file('10-c.conf', CALICO)],
      null,
      ['10-c.conf', '10-c.conf'],
    ],
    [
      'behind another that the kubelet takes',
      [file('00-multus.conf', OTHER), file('10-c.conf', CALICO)],
      null,
      ['00-multus.conf', '10-c.conf', 'error cni-config-shadowed'],
    ],
    [
      'behind a hidden one, which counts',
      [file('.x.conf', OTHER), file('10-c.conf', CALICO)],
      null,
      ['.x.conf', '10-c.conf', 'error cni-config-shadowed'],
    ],
    [
      'behind one that the kubelet skips',
      [file('00-x.conf', '{'), file('10-c.conf', CALICO)],
      null,
      ['10-c.conf', '10-c.conf', 'warning cni-config-invalid'],
    ],
    [
      'beside a second one',
      [file('10-calico.conf', CALICO), file('10-calico.conflist', LIST)],
      '10-calico.conf',
      ['10-calico.conf', null, 'error cni-config-second'],
    ],
    ['nowhere', [], null, [null, null, 'error cni-config-missing']],
    ['among others nowhere', [file('1.conf', OTHER)], null, ['1.conf', null, 'error cni-config-missing']],
    ['broken', [file('10-calico.conf', '{')], null, [null, null, 'error cni-config-invalid']],
    ['named', [file('10-c.conf', CALICO)], '10-c.conf', ['10-c.conf', '10-c.conf']],
    [
      'named wrongly',
      [file('10-c.conf', CALICO)],
      '1-c.conf',
      ['10-c.conf', null, 'error cni-config-missing'],
    ],
    [
      'named, and another one',
      [file('1.conf', OTHER), file('2.conf', CALICO)],
      '1.conf',
      ['1.conf', null, 'error cni-config-missing'],
    ],
    ['named and broken', [file('10-c.conf', 'x')], '10-c.conf', [null, null, 'error cni-config-invalid']],
    [
      'a link',
      [file('10-c.conf', CALICO, true)],
      null,
      ['10-c.conf', '10-c.conf', 'error cni-config-symlink'],
    ],
    [
      'with a name twice',
      [file('10-c.conf', '{"type":"calico","ipam":{"type":"a","type":"b"}}')],
      null,
      ['10-c.conf', '10-c.conf', 'error cni-config-invalid'],
    ],
    [
      'twice in a list',
      [file('10-c.conflist', `{"name":"c","plugins":[${CALICO},${CALICO}]}`)],
      null,
      ['10-c.conflist', '10-c.conflist', 'error cni-config-invalid'],
    ],
  ])('%s', (_, files, configFile, result) => {
    expect(found(files, configFile)).toEqual(result)
  })

  it('that is no JSON is told with line and column', () => {
    const { problems } = findConfig(
      [file('10-calico.conf', '{\n  "type": "calico"\n  "mtu": 1500\n}')],
      place,
    )
    expect(problems[0]?.message).toBe(
      'cannot use /etc/cni/net.d/10-calico.conf as a CNI config: line 3, column 3: expected "," or "}", found "\\""',
    )
  })

  it('whose name stands twice is told with line and column', () => {
    const { problems } = findConfig(
      [file('10-calico.conf', '{\n "type": "calico",\n "a": 1, "a": 2\n}')],
      place,
    )
    expect(problems[0]?.message).toContain('line 3, column 10: the key "a" is there twice')
  })
})

/** What the patch makes of the file. */
function changed(name: string, text: string, merge: { [key: string]: Json }): CniConfigChange {
  const { calico } = findConfig([file(name, text)], place)
  if (calico === null) throw new Error(`no Calico config: ${name}`)
  const change = configChange(calico, { configDir: '/etc/cni/net.d', merge })
  if ('code' in change) throw new Error(change.message)
  return change
}

describe('the change of a config', () => {
  it('of a list is that of its calico plugin, whose binaries and version it names', () => {
    expect(changed('10-calico.conflist', LIST, { mtu: 1440 })).toEqual({
      path: '/etc/cni/net.d/10-calico.conflist',
      before: LIST,
      after: LIST.replace('"calico-ipam"}', '"calico-ipam"},"mtu":1440'),
      plugins: ['calico', 'calico-ipam', 'portmap'],
      cniVersion: '0.3.1',
    })
  })

  it('names the binaries and the version that it asks for itself', () => {
    const { plugins, cniVersion } = changed('c.conf', CALICO, {
      cniVersion: '0.3.0',
      ipam: { type: 'host-local' },
    })
    expect({ plugins, cniVersion }).toEqual({ plugins: ['calico', 'host-local'], cniVersion: '0.3.0' })
    expect(changed('c.conf', CALICO, {}).cniVersion).toBe('0.1.0')
  })

  it.each<[Json, string]>([
    [null, 'it has no "type"'],
    ['bridge', 'its "type" is no longer "calico"'],
    [7, '"type" must be a string, but it is a number'],
  ])('to the type %j is refused', (type, why) => {
    expect(() => changed('10-calico.conf', CALICO, { type })).toThrow(
      `cannot merge cni.merge into /etc/cni/net.d/10-calico.conf: ${why}`,
    )
  })
})

const fixtures = join(import.meta.dirname, '../fixtures/cni')
const samples = readdirSync(fixtures).map((name) => ({
  name,
  text: readFileSync(join(fixtures, name), 'utf8'),
}))

describe('a config as Calico documents it', () => {
  it('is there for each shape', () => {
    expect(new Set(samples.map(({ name }) => name.replace(/.*\./, '.')))).toEqual(
      new Set(['.conf', '.json', '.conflist']),
    )
  })

  it.each(samples)('$name keeps every line that the patch does not name', ({ name, text }) => {
    for (const eol of ['\n', '\r\n']) {
      const before = text.replaceAll('\n', eol)
      const { after } = changed(name, before, { log_level: 'warning', policy: { type: 'none' }, none: null })
      const undone = after
        .replace('"warning"', /"log_level": ?("\w+")/.exec(before)?.[1] ?? '"warning"')
        .replace('"none"', '"k8s"')
      // one that has no log_level gets it as its last member
      expect(undone.replace(/,\r?\n\t"log_level": "warning"/, '')).toBe(before)
    }
  })

  it.each(samples)('$name is as it was when the patch says what it says', ({ name, text }) => {
    const root = JSON.parse(text) as { plugins?: { [key: string]: Json }[] }
    const [merge = root] = root.plugins ?? []
    // rounded by JSON.parse, as it would be by the config: the text keeps it
    expect(changed(name, text, merge).after).toBe(text)
  })

  it.each(samples)('$name shows no secret in its diff', ({ name, text }) => {
    const { before, after } = changed(name, text, { mtu: 1440 })
    const diff = redactedJsonDiff({ target: name, before, after })
    expect(JSON.stringify(diff)).not.toContain('hunter2')
    expect(diff.before.replaceAll('<redacted>', 'hunter2')).toBe(before.replace('root:hunter2', 'hunter2'))
  })
})

describe('the diff of a secret', () => {
  it('shows that it changes, and not to what', () => {
    const of = (token: string) =>
      `{"type":"calico","policy":{"k8s_auth_token":"${token}"},"ports":{"password":[1,"b"]}}`
    const diff = redactedJsonDiff({ target: 'x', before: of('one'), after: of('two') })
    expect(diff.before).toBe(of('<redacted>').replace('[1,"b"]', '["<redacted>","<redacted>"]'))
    expect(diff.after).toBe(of('<redacted, changed>').replace('[1,"b"]', '["<redacted>","<redacted>"]'))
  })
})
