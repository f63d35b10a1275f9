import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactArgs, redactUrls, redactValue } from '../../agent/core/redact.ts'

describe('redactValue', () => {
  it.each([
    ['ETCD_PASSWORD', 'hunter2', '<redacted>'],
    ['etcd_passwd', 'hunter2', '<redacted>'],
    ['PASS', 'hunter2', '<redacted>'],
    ['K8S_API_TOKEN', 'abc', '<redacted>'],
    ['AWS_SECRET_ACCESS_KEY', 'abc', '<redacted>'],
    ['MY_APIKEY', 'abc', '<redacted>'],
    ['MY_API_KEY', 'abc', '<redacted>'],
    ['SSH_PRIVATE', 'abc', '<redacted>'],
    ['REGISTRY_AUTH', 'abc', '<redacted>'],
    ['GOOGLE_CREDENTIALS', '{"a":1}', '<redacted>'],
    ['ETCD_PASSWORD', '', ''],
    ['ETCD_KEY_FILE', '/calico-secrets/etcd-key', '/calico-secrets/etcd-key'],
    ['ETCD_CERT_KEY', '/etc/calico/key.pem', '/etc/calico/key.pem'],
    ['ETCD_PASSWORD', '/hunter2', '<redacted>'],
    ['AWS_SECRET_ACCESS_KEY', '/aB3+hunter2', '<redacted>'],
    ['K8S_TOKEN_PATH', '/var/run/token', '/var/run/token'],
    ['ETCD_AUTHORITY', '192.0.2.10:2379', '192.0.2.10:2379'],
    ['NODENAME', 'host-1', 'host-1'],
    ['ETCD_ENDPOINTS', 'http://127.0.0.1:2379', 'http://127.0.0.1:2379'],
    ['ETCD_ENDPOINTS', 'https://root:hunter2@etcd:2379', 'https://root:<redacted>@etcd:2379'],
    ['KEYBOARD', 'us', 'us'],
  ])('of %s=%s is %s', (name, value, shown) => {
    expect(redactValue(name, value)).toBe(shown)
  })
})

describe('redactUrls', () => {
  it.each([
    [
      'pull from https://me:pw@quay.io/calico failed',
      'pull from https://me:<redacted>@quay.io/calico failed',
    ],
    ['http://a:b@c,http://d:e@f', 'http://a:<redacted>@c,http://d:<redacted>@f'],
    ['HTTP://:pw@proxy:3128', 'HTTP://:<redacted>@proxy:3128'],
    ['http://host:2379', 'http://host:2379'],
    ['http://me@host', 'http://me@host'],
    ['http://host:80/a@b', 'http://host:80/a@b'],
    ['calico/node:v1@sha256:abc', 'calico/node:v1@sha256:abc'],
    ['http://u:p@ss@host', 'http://u:<redacted>@host'],
  ])('of %s is %s', (text, shown) => {
    expect(redactUrls(text)).toBe(shown)
  })

  it('never shows a password, wherever the URL stands', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/)
    fc.assert(
      fc.property(word, fc.stringMatching(/^[A-Z!$%&*+=?^_~.;:-]{6,12}$/), word, (user, password, host) => {
        expect(redactUrls(`x http://${user}:${password}@${host}:80/p y`)).not.toContain(password)
      }),
    )
  })
})

describe('redactArgs', () => {
  it.each([
    [['start_runit'], ['start_runit']],
    [
      ['--password=x', '--user=me'],
      ['--password=<redacted>', '--user=me'],
    ],
    [
      ['--password', 'x', 'y'],
      ['--password', '<redacted>', 'y'],
    ],
    [
      ['--token', '--verbose', 'x'],
      ['--token', '--verbose', 'x'],
    ],
    [
      ['--key-file', '/etc/key.pem'],
      ['--key-file', '/etc/key.pem'],
    ],
    [
      ['-c', 'http://u:p@h/?a=b'],
      ['-c', 'http://u:<redacted>@h/?a=b'],
    ],
    [
      ['--url=http://u:p@h', '/var/run:/var/run'],
      ['--url=http://u:<redacted>@h', '/var/run:/var/run'],
    ],
  ])('of %j is %j', (args, shown) => {
    expect(redactArgs(args)).toEqual(shown)
  })
})
