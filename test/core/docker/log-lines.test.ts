import { describe, expect, it } from 'vitest'
import {
  isErrorLine,
  linesSince,
  logLines,
  quoted,
  saysDatastoreIsAway,
} from '../../../agent/core/docker/log-lines.ts'

describe('logLines', () => {
  it.each([
    ['a\r\nb\rc\n\n d \n', ['a', 'b', 'c', 'd']],
    ['\u001b[31mred\u001b[0m \u001b]0;title\u0007x', ['red x']],
    ['a\tb\u0000c\u200bd\u2028e', ['a b c d', 'e']],
    ['ETCD_PASSWORD=\u001b[1mhunter2\u001b[0m', ['ETCD_PASSWORD=<redacted>']],
    ['to https://user:password@192.0.2.9:2379 x', ['to https://<redacted>@192.0.2.9:2379 x']],
    [
      'a\n-----BEGIN RSA PRIVATE KEY-----\nMIIB\nabcd\n-----END RSA PRIVATE KEY-----\nb',
      ['a', '<redacted>', 'b'],
    ],
    ['MIIB\nabcd\n-----END RSA PRIVATE KEY-----\nb', ['<redacted>', 'b']],
    ['', []],
  ])('of %j are %j', (text, lines) => {
    expect(logLines(text)).toEqual(lines)
  })
})

describe('linesSince', () => {
  const since = '2026-11-26T15:30:00.123456789Z'
  const old = '2026-11-26_15:29:59.99999 old'
  const young = '2026-11-26_15:30:00.50000 new'

  it.each([
    ['svlogd -tt', [old, young], [young]],
    ['svlogd -ttt', ['2026-11-26T15:29:00.1 a', '2026-11-26T15:31:00.1 b'], ['2026-11-26T15:31:00.1 b']],
    [
      'Felix',
      ['2026-11-26 15:29:00.100 [INFO][1] a', '2026-11-26 15:31:00.100 [INFO][2] b'],
      ['2026-11-26 15:31:00.100 [INFO][2] b'],
    ],
    ['a stack trace behind a line', [old, 'of old', young, 'of new'], [young, 'of new']],
    ['old lines alone', [old, 'of old'], []],
    ['lines that say no time', ['bird: a', 'bird: b'], ['bird: a', 'bird: b']],
    ['nothing', [], []],
  ])('of %s', (_what, lines, kept) => {
    expect(linesSince(lines, since)).toEqual(kept)
  })
})

describe('quoted', () => {
  it.each([
    [['a', 'b', 'c'], 'b | c'],
    [['2026-11-26_15:30:00.12345 bird: <FATAL> Unable to open.'], 'bird: <FATAL> Unable to open'],
    [
      ['2026-11-26_15:30:00.12345 2026-11-26 15:30:00.123 [WARNING][45] health.go 100: no;'],
      '2026-11-26 15:30:00.123 [WARNING][45] health.go 100: no',
    ],
    [['x'.repeat(300)], `${'x'.repeat(159)}…`],
    [[], ''],
  ])('%j is %j', (lines, text) => {
    expect(quoted(lines, 2)).toBe(text)
  })
})

it.each([
  '2026-11-26 15:30:00.123 [WARNING][45] health.go 100: Reporter is not ready',
  '[ERROR][7] x',
  'bird: <FATAL> x',
  'bird: Unable to open configuration file /etc/calico/confd/config/bird.cfg: No such file or directory',
  'panic: runtime error',
  'runsv felix: fatal: unable to start ./run',
])('%s is trouble', (line) => {
  expect(isErrorLine(line)).toBe(true)
})

it.each(['[INFO][45] felix up', 'bird: Started', 'bird: Mesh_192_0_2_2: State changed to up'])(
  '%s is none',
  (line) => {
    expect(isErrorLine(line)).toBe(false)
  },
)

describe('a datastore that is away', () => {
  it.each([
    'client: etcd cluster is unavailable or misconfigured; error #0: dial tcp 192.0.2.9:2379: connect: connection refused',
    'Error: dial tcp: lookup etcd.example on 192.0.2.53:53: no such host',
    'Post https://10.0.0.1:443/apis: context deadline exceeded',
    'Waiting for datastore connection...',
    'Unable to connect to the Calico datastore',
    'ERROR: Unable to access datastore to query node configuration',
    'Hit error connecting to datastore - retry error=x',
    '[ERROR][8] Failed to get config from datastore error=x',
    'etcdserver: request timed out',
  ])('says %s', (line) => {
    expect(saysDatastoreIsAway(['x', line])).toBe(true)
  })

  it('is none where it was so long before, or where BGP speaks of its peers', () => {
    expect(saysDatastoreIsAway(['dial tcp', ...Array<string>(10).fill('[INFO] in sync')])).toBe(false)
    expect(saysDatastoreIsAway(['Calico node started successfully'])).toBe(false)
  })
})
