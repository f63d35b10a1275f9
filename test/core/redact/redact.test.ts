import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactArgs, redactAssignments, redactValue } from '../../../agent/core/redact/redact.ts'
import { redactText } from '../../../agent/core/redact/text.ts'

const pem = (what: string): string => `-----BEGIN ${what}-----\nMIIB\n-----END ${what}-----`

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
    ['ETCD_ENDPOINTS', 'https://root:hunter2@etcd:2379', 'https://<redacted>@etcd:2379'],
    ['KEYBOARD', 'us', 'us'],
    ['DB_PWD', 'hunter2', '<redacted>'],
    ['pwd', '/hunter2', '<redacted>'],
    ['KEY_PASSPHRASE', 'hunter2', '<redacted>'],
    ['PWD', '/root', '/root'],
    ['OLDPWD', '/root', '/root'],
    ['ETCD_ENDPOINTS', 'https://tok3nSECRET@e.x:2379', 'https://<redacted>@e.x:2379'],
    ['IMAGE', 'quay.io/calico/node@sha256:abc', 'quay.io/calico/node@sha256:abc'],
    ['CONTACT', 'me@example.org', 'me@example.org'],
  ])('of %s=%s is %s', (name, value, shown) => {
    expect(redactValue(name, value)).toBe(shown)
  })
})

describe('redactText', () => {
  it.each([
    ['pull from https://me:pw@quay.io/calico failed', 'pull from https://<redacted>@quay.io/calico failed'],
    ['http://a:b@c,http://d:e@f', 'http://<redacted>@c,http://<redacted>@f'],
    ['HTTP://:pw@proxy:3128', 'HTTP://<redacted>@proxy:3128'],
    ['http://host:2379', 'http://host:2379'],
    ['http://me@host', 'http://<redacted>@host'],
    ['https://u:pa/ssSECRET@h:1/p', 'https://<redacted>@h:1/p'],
    ['https://u:12/ssSECRET@h', 'https://u:12/ssSECRET@h'],
    ['https://me@x.y:pa/s@s@h', 'https://<redacted>@h'],
    ['http://a@b:2379,http://c@[::1]:2379', 'http://<redacted>@b:2379,http://<redacted>@[::1]:2379'],
    ['http://[::1]:80/a@b', 'http://[::1]:80/a@b'],
    ['http://host?to=me@x.y', 'http://host?to=me@x.y'],
    ['http://host, or mail me@x.y', 'http://host, or mail me@x.y'],
    ['docker://node:v1@sha256:abc', 'docker://node:v1@sha256:abc'],
    ['https://quay.io/calico/node@sha256:abc', 'https://quay.io/calico/node@sha256:abc'],
    ['https://me:pw@quay.io/calico/node@sha256:abc', 'https://<redacted>@quay.io/calico/node@sha256:abc'],
    ['http://h/?token=qsSECRET', 'http://h/?token=<redacted>'],
    ['http://h/?a=b&X-Amz-Signature=x%2f&key=y#z', 'http://h/?a=b&X-Amz-Signature=<redacted>&key=<redacted>'],
    ['http://h/?a=b&password=x,http://i/?c=d', 'http://h/?a=b&password=<redacted>,http://i/?c=d'],
    ['http://h/?monkey=a&page=2', 'http://h/?monkey=a&page=2'],
    [`a ${pem('RSA PRIVATE KEY')} b`, 'a <redacted> b'],
    [pem('PRIVATE KEY').replaceAll('\n', String.raw`\n`), '<redacted>'],
    ['-----BEGIN EC PRIVATE KEY-----\nMHcC', '<redacted>'],
    [pem('CERTIFICATE'), pem('CERTIFICATE')],
    ['http://host:80/a@b', 'http://host:80/a@b'],
    ['calico/node:v1@sha256:abc', 'calico/node:v1@sha256:abc'],
    ['http://u:p@ss@host', 'http://<redacted>@host'],
  ])('of %s is %s', (text, shown) => {
    expect(redactText(text)).toBe(shown)
  })

  it.each([
    ['ETCD_PASSWORD=hunter2', 'ETCD_PASSWORD=<redacted>'],
    ['x ETCD_PASSWORD="hun ter2" y', 'x ETCD_PASSWORD="<redacted>" y'],
    ['Environment=ETCD_PASSWORD=a,b&c', 'Environment=ETCD_PASSWORD=<redacted>'],
    ['password: hunter2', 'password: <redacted>'],
    ['the password: hunter', 'the password: <redacted>'],
    ['password: "hun ter2", user: x', 'password: "<redacted>", user: x'],
    ['{"user":"u","password":"hun\\"ter2","a":1}', '{"user":"u","password":"<redacted>","a":1}'],
    [
      String.raw`msg="{\"password\":\"x y\",\"a\":1}"`,
      String.raw`msg="{\"password\":\"<redacted>\",\"a\":1}"`,
    ],
    ['map[password:hunter2 user:x]', 'map[password:<redacted> user:x]'],
    ['password="cut off in the mid', 'password="<redacted>'],
    ['--etcd-password hunter2 --user me', '--etcd-password <redacted> --user me'],
    ['--etcd-password=hunter2', '--etcd-password=<redacted>'],
    ['Authorization: Basic dXNlcjpwdw==', 'Authorization: <redacted>'],
    ['"authorization": "token abc"', '"authorization": "<redacted>"'],
    ['Authorization: token abcdefg', 'Authorization: <redacted>'],
    ['-H "Authorization: ApiKey abc def" https://h', '-H "Authorization: <redacted>" https://h'],
    ['{"auths":{"h":{"auth":"dXNlcjpwYXNz"}}}', '{"auths":{"h":{"auth":"<redacted>"}}}'],
    ['--api-key=abc123 --access-key abc123', '--api-key=<redacted> --access-key <redacted>'],
    ['X-Api-Key: abc123', 'X-Api-Key: <redacted>'],
    ['api-key: abc123', 'api-key: <redacted>'],
    ['sent Bearer abcdefghij1234', 'sent Bearer <redacted>'],
    ['jwt eyJhbGciOiJIUzI1.eyJzdWIiOiIx.sig-x', 'jwt <redacted>'],
    ['key AKIAIOSFODNN7EXAMPLE', 'key <redacted>'],
    ['aws_secret_access_key = wJalr/K7MDENG/bPx+Y', 'aws_secret_access_key = <redacted>'],
    ['ghp_abcdefghijklmnopqrst1234', '<redacted>'],
    ['  token: abcdef', '  token: <redacted>'],
    ['  client-key-data: LS0tLS1CRUdJTiBSU0E=', '  client-key-data: <redacted>'],
    ['the key LS0tLS1CRUdJTiBSU0EgUFJJVkFURQ==', 'the key <redacted>'],
  ])('hides what a name or a form gives away: %s', (text, shown) => {
    expect(redactText(text)).toBe(shown)
    expect(redactText(shown)).toBe(shown)
  })

  it.each([
    'unauthorized: authentication required',
    'Basic authentication required',
    'Bearer realm="https://auth.example/token",service="registry"',
    'failed to get a token: dial tcp 192.0.2.9:443: connection refused',
    'open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory',
    'etcd_key_file: /etc/calico/key.pem',
    '"etcd_key_file":"/etc/calico/key.pem"',
    'docker login --password-stdin quay.io',
    'neighbor 192.0.2.3 passive=on',
    '"password": "<redacted, changed>"',
    "docker run -e 'ETCD_PASSWORD=<redacted>' quay.io/calico/node:v2.6.5",
    'password: ',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text)
  })

  it('is done with a long text in no time', () => {
    const text = `http://u:${'a:/-'.repeat(50_000)} ?${'&token'.repeat(50_000)} ${'http://u:x'.repeat(5_000)} ${'token: a'.repeat(50_000)} ${'a--'.repeat(50_000)}`
    const start = process.cpuUsage()
    redactText(text)
    expect(process.cpuUsage(start).user).toBeLessThan(2_000_000)
  })

  it('never shows a password, wherever the URL stands', () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/)
    fc.assert(
      fc.property(word, fc.stringMatching(/^[A-Z!$%&*+=?^_~.;:@/-]{6,12}$/), word, (user, password, host) => {
        expect(redactText(`x http://${user}:${password}@${host}:80/p y`)).not.toContain(password)
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
      ['-c', 'http://<redacted>@h/?a=b'],
    ],
    [
      ['--url=http://u:p@h', '/var/run:/var/run'],
      ['--url=http://<redacted>@h', '/var/run:/var/run'],
    ],
  ])('of %j is %j', (args, shown) => {
    expect(redactArgs(args)).toEqual(shown)
  })
})

describe('redactAssignments', () => {
  it.each([
    ['A=1 ETCD_PASSWORD=x B=2', 'A=1 ETCD_PASSWORD=<redacted> B=2'],
    ['ETCD_PASSWORD="x y"\nB=2', 'ETCD_PASSWORD="<redacted>"\nB=2'],
    [`Environment='TOKEN=x y' B=2`, `Environment='TOKEN=<redacted>' B=2`],
    ['Environment=ETCD_PASSWORD=ab== B=2', 'Environment=ETCD_PASSWORD=<redacted> B=2'],
    ['docker run --env=DB_PWD=x', 'docker run --env=DB_PWD=<redacted>'],
    [String.raw`"TOKEN=a\"b" B=2`, '"TOKEN=<redacted>" B=2'],
    [`-e "TOKEN=it's" -e B=2`, `-e "TOKEN=<redacted>" -e B=2`],
    ['ENDPOINTS="https://u:p@h"', 'ENDPOINTS="https://<redacted>@h"'],
    ['ExecStart=/bin/x --etcd https://u:p@h', 'ExecStart=/bin/x --etcd https://<redacted>@h'],
    [`KEYS="${pem('PRIVATE KEY')}"`, 'KEYS="<redacted>"'],
    ['IMAGE=quay.io/calico/node@sha256:abc', 'IMAGE=quay.io/calico/node@sha256:abc'],
    ['A="" B=\'\' C=', 'A="" B=\'\' C='],
  ])('of %j is %j', (text, shown) => {
    expect(redactAssignments(text)).toBe(shown)
  })
})
