import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectDocker } from '../../../agent/adapters/docker/engine.ts'
import { registryLogin } from '../../../agent/adapters/docker/registry-auth.ts'
import { failureOf } from './agent-error.ts'
import { json, startFakeEngine } from './fake-engine.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'login-'))
  vi.stubEnv('PATH', `${directory}:${process.env['PATH'] ?? ''}`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(directory, { recursive: true, force: true })
})

function config(content: unknown): Promise<void> {
  return writeFile(
    join(directory, 'config.json'),
    typeof content === 'string' ? content : JSON.stringify(content),
  )
}

async function helper(name: string, script: string): Promise<void> {
  const file = join(directory, `docker-credential-${name}`)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

const hub = 'https://index.docker.io/v1/'
const secret = 's3:cret'
const auth = Buffer.from(`ann:${secret}`).toString('base64')

describe('logins in the file', () => {
  it.each([
    ['by the key', { 'quay.io': { auth } }, 'quay.io'],
    ['by an old URL', { 'https://quay.io/v1/': { auth } }, 'quay.io'],
    ["Docker Hub's", { [hub]: { auth } }, hub],
    ['a port is part of the name', { 'quay.io': { auth: 'eDp5' }, 'quay.io:8443': { auth } }, 'quay.io:8443'],
    ['user and password in clear', { 'quay.io': { username: 'ann', password: secret } }, 'quay.io'],
  ])('%s', async (_what, auths, registry) => {
    await config({ auths })
    const login = await registryLogin(directory, registry)
    expect(login).toEqual({ serveraddress: registry, username: 'ann', password: secret })
  })

  it('a token instead of a password', async () => {
    await config({
      auths: { 'quay.io': { auth: Buffer.from('ann:').toString('base64'), identitytoken: 'tok' } },
    })
    expect(await registryLogin(directory, 'quay.io')).toEqual({
      serveraddress: 'quay.io',
      username: 'ann',
      identitytoken: 'tok',
    })
  })

  it.each([
    ['no file', undefined],
    ['an empty object', {}],
    ['another registry', { auths: { 'other.example': { auth } } }],
    ['what a store leaves behind', { auths: { 'quay.io': {} } }],
  ])('none: %s', async (_what, content) => {
    if (content !== undefined) await config(content)
    expect(await registryLogin(directory, 'quay.io')).toBeUndefined()
  })

  it.each([
    ['a FIFO', 'mkfifo config.json', 'it is not a regular file'],
    ['a directory', 'mkdir config.json', 'it is not a regular file'],
    ['a device', 'ln -s /dev/zero config.json', 'it is not a regular file'],
    ['what does not end', 'truncate -s 1G config.json', 'it is larger than'],
  ])('refuses %s in the place of the file, and waits for nobody', async (_what, make, reason) => {
    execFileSync('sh', ['-c', make], { cwd: directory })
    const error = await failureOf(registryLogin(directory, 'quay.io'))
    expect(error.code).toBe('docker-config-invalid')
    expect(error.message).toContain(`cannot read the registry logins in ${directory}/config.json: ${reason}`)
  })

  it.each([
    ['broken JSON', `{"auths":{"quay.io":{"auth":"${auth}"}`, 'it is not a JSON object'],
    ['not an object', '[]', 'it is not a JSON object'],
    ['auth that is none', { auths: { 'quay.io': { auth: 's3cret' } } }, 'not user:password in base64'],
  ])('refuses %s without showing a secret', async (_what, content, reason) => {
    await config(content)
    const error = await failureOf(registryLogin(directory, 'quay.io'))
    expect(error.code).toBe('docker-config-invalid')
    expect(error.message).toContain(`cannot read the registry logins in ${directory}/config.json: `)
    expect(error.message).toContain(reason)
    expect(`${error.message} ${error.fix}`).not.toMatch(new RegExp(`${auth}|s3:?cret`))
  })
})

describe('credential helpers', () => {
  it('are asked on their input, the one of the registry before the store', async () => {
    await config({
      credHelpers: { 'quay.io': 'mine' },
      credsStore: 'other',
      auths: { 'quay.io': { auth: 'eDp5' } },
    })
    await helper('mine', `echo "$1" $(cat) > ${directory}/asked; echo '{"Username":"ann","Secret":"s"}'`)
    expect(await registryLogin(directory, 'quay.io')).toEqual({
      serveraddress: 'quay.io',
      username: 'ann',
      password: 's',
    })
    expect(await readFile(join(directory, 'asked'), 'utf8')).toBe('get quay.io\n')
  })

  it('may keep a token', async () => {
    await config({ credsStore: 'store' })
    await helper('store', `echo '{"ServerURL":"x","Username":"<token>","Secret":"tok"}'`)
    expect(await registryLogin(directory, hub)).toEqual({ serveraddress: hub, identitytoken: 'tok' })
  })

  it('may know nothing, and need not read the question', async () => {
    await config({ credsStore: 'store' })
    await helper('store', 'exec <&-; echo "credentials not found in native keychain"; exit 1')
    expect(await registryLogin(directory, 'quay.io')).toBeUndefined()
  })

  it.each([
    ['is missing', undefined, 'it is not in PATH'],
    ['fails', 'echo "s3cret" ; echo "s3cret" >&2; exit 4', 'it failed with exit code 4'],
    ['talks nonsense', 'echo "{s3cret"', 'its output is not the JSON that Docker expects'],
  ])('one that %s is named, and what it said is not', async (_what, script, reason) => {
    await config({ credsStore: 'store' })
    if (script !== undefined) await helper('store', script)
    const error = await failureOf(registryLogin(directory, 'quay.io'))
    expect(error.code).toBe('credential-helper-failed')
    expect(error.message).toBe(`cannot get the login for quay.io from docker-credential-store: ${reason}`)
    expect(error.fix).not.toContain('s3cret')
  })

  it('are programs, not paths', async () => {
    await config({ credsStore: '../../bin/x' })
    expect((await failureOf(registryLogin(directory, 'quay.io'))).message).toContain(
      'not the name of a program',
    )
  })
})

it('the Engine gets the login of the registry that it asks', async () => {
  const engine = await startFakeEngine()
  vi.stubEnv('DOCKER_CONFIG', directory)
  await config({ auths: { [hub]: { auth } } })
  engine.on('GET /distribution/calico/node:v3.0.1/json', json(401, { message: 'unauthorized' }))
  const docker = connectDocker(engine)
  const error = await failureOf(
    docker.inspectRemoteImage('calico/node:v3.0.1', () => undefined, AbortSignal.timeout(5000)),
  )
  await engine.close()
  const header = String(engine.calls.at(-1)?.headers['x-registry-auth'])
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
    serveraddress: hub,
    username: 'ann',
    password: secret,
  })
  expect(error.fix).toBe('docker login docker.io')
  expect(`${error.message} ${error.stack ?? ''}`).not.toContain(secret)
})
