import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKubernetes } from '../../../agent/adapters/kubernetes/kubernetes.ts'
import type { AgentError } from '../../../agent/core/errors.ts'

interface Asked {
  method: string
  url: string
  type: string | undefined
  token: string | undefined
  body: string
}

const NODE = { kind: 'Node', metadata: { name: 'host-1', resourceVersion: '7' } }
const statusOf = (code: number, message: string) => ({ kind: 'Status', code, message })

let server: Server
let dir: string
let asked: Asked[]
let answer: (request: Asked, response: ServerResponse) => void

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubernetes-'))
  asked = []
  answer = ({ url }, response) =>
    response.end(JSON.stringify(url === '/version' ? { gitVersion: 'v1.23.17' } : NODE))
  server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  writeKubeconfig('token-1')
})

afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true })
})

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString()
  const { method = '', url = '', headers } = request
  const one = { method, url, type: headers['content-type'], token: headers.authorization, body }
  asked.push(one)
  answer(one, response)
}

function answers(code: number, body: unknown): void {
  answer = ({ url }, response) => {
    response.statusCode = url === '/readyz' ? 200 : code
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

function writeKubeconfig(token: string): void {
  const { port } = server.address() as AddressInfo
  writeFileSync(join(dir, 'kubeconfig'), kubeconfig(`http://127.0.0.1:${port}`, token))
}

const EXEC = { apiVersion: 'client.authentication.k8s.io/v1beta1', kind: 'ExecCredential' }

const kubeconfig = (url: string, user: string | object): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'lab', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'agent', user: typeof user === 'string' ? { token: user } : user }],
    contexts: [{ name: 'here', context: { cluster: 'lab', user: 'agent' } }],
  })

function client(node = 'auto', file = 'kubeconfig') {
  return createKubernetes({ kubeconfig: join(dir, file), inCluster: false, node })
}

const errorOf = async (work: Promise<unknown>): Promise<AgentError> =>
  await work.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: unknown) => error as AgentError,
  )

const ref = { kind: 'Node', name: 'host-1' } as const

describe('a call to the API server', () => {
  it('reads an object, or finds none', async () => {
    expect(await client().get(ref)).toEqual(NODE)
    expect(asked[0]).toMatchObject({ method: 'GET', url: '/api/v1/nodes/host-1', token: 'Bearer token-1' })
    answers(404, statusOf(404, 'not found'))
    expect(await client().get(ref)).toBeNull()
  })

  it('takes a credential that was rotated meanwhile', async () => {
    const kubernetes = client()
    await kubernetes.get(ref)
    writeKubeconfig('token-2')
    await kubernetes.get(ref)
    expect(asked.map(({ token }) => token)).toEqual(['Bearer token-1', 'Bearer token-2'])
  })

  it.each([
    ['a file with the token', () => ({ tokenFile: 'token' })],
    ['a program that prints it', () => ({ exec: { ...EXEC, command: 'cat', args: [join(dir, 'exec')] } })],
  ])('takes a credential from %s', async (_, user) => {
    writeFileSync(join(dir, 'token'), 'token-3\n')
    writeFileSync(join(dir, 'exec'), JSON.stringify({ ...EXEC, status: { token: 'token-3' } }))
    const { port } = server.address() as AddressInfo
    writeFileSync(join(dir, 'kubeconfig'), kubeconfig(`http://127.0.0.1:${port}`, user()))
    await client().get(ref)
    expect(asked[0]?.token).toBe('Bearer token-3')
  })

  it('patches as the agent', async () => {
    const kubernetes = client()
    await kubernetes.patch(ref, { spec: { unschedulable: true } })
    await kubernetes.patch(ref, {}, 'strategic')
    expect(asked).toMatchObject([
      {
        method: 'PATCH',
        url: '/api/v1/nodes/host-1?fieldManager=calico-agent',
        type: 'application/merge-patch+json',
        body: '{"spec":{"unschedulable":true}}',
      },
      { type: 'application/strategic-merge-patch+json' },
    ])
  })

  it('deletes by uid, in a body that the API server reads', async () => {
    let length: string | undefined
    server.prependListener('request', ({ headers }: IncomingMessage) => (length = headers['content-length']))
    await client().remove(ref, 'uid-1')
    const body = '{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"uid-1"}}'
    expect(asked).toMatchObject([{ method: 'DELETE', body }])
    expect(length).toBe(String(body.length))
  })

  it('lists the pods of a namespace by their labels', async () => {
    answers(200, { kind: 'PodList', items: [{ metadata: { name: 'calico-node-1' } }] })
    const found = await client().list(
      { kind: 'Pod', namespace: 'kube-system' },
      'k8s-app=calico-node,tier=node',
    )
    expect(found).toMatchObject([{ metadata: { name: 'calico-node-1' } }])
    expect(asked.map(({ url }) => decodeURIComponent(url))).toEqual([
      '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app=calico-node,tier=node',
    ])
  })

  it('tries a patch by a dry run', async () => {
    answer = ({ url }, response) =>
      response.end(JSON.stringify(url === '/version' ? { gitVersion: 'v1.23.17' } : NODE))
    await client().tryPatch(ref, { spec: {} })
    expect(asked.map(({ url }) => url)).toEqual([
      '/version',
      '/api/v1/nodes/host-1?fieldManager=calico-agent&dryRun=All',
    ])
  })

  it.each(['v1.12.10', 'v1.9.3+coreos.0', undefined])(
    'sends no dry run to %s, which would do it, and asks for the right',
    async (gitVersion) => {
      let allowed = true
      answer = ({ url }, response) =>
        response.end(JSON.stringify(url === '/version' ? { gitVersion } : { status: { allowed } }))
      await client().tryPatch(ref, { spec: {} })
      expect(asked.map(({ method }) => method)).toEqual(['GET', 'POST'])
      expect(JSON.parse(asked[1]?.body ?? '')).toMatchObject({
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { verb: 'patch', group: '', resource: 'nodes', name: 'host-1' } },
      })
      allowed = false
      expect(await errorOf(client().tryPatch(ref, {}))).toMatchObject({ code: 'kubernetes-forbidden' })
    },
  )

  it('takes a webhook that cannot be asked in a dry run for no objection', async () => {
    const hook = 'admission webhook "nodes.example.com" does not support dry run'
    answer = ({ method, url }, response) => {
      response.statusCode = method === 'PATCH' ? 400 : 200
      const found = url === '/version' ? { gitVersion: 'v1.19.0' } : NODE
      response.end(JSON.stringify(method === 'PATCH' ? statusOf(400, hook) : found))
    }
    await client().tryPatch(ref, {})
    expect(await errorOf(client().patch(ref, {}))).toMatchObject({ code: 'kubernetes-refused' })
  })

  it('lists the pods of a namespace that a selector takes, and names the right that it lacks', async () => {
    const pods = { kind: 'Pod', namespace: 'kube-system' } as const
    answers(200, { kind: 'PodList', items: [{ metadata: { name: 'a' } }] })
    expect(await client().list(pods, 'k8s-app=x,y=z')).toEqual([{ metadata: { name: 'a' } }])
    const query = '?labelSelector=k8s-app%3Dx%2Cy%3Dz'
    expect(asked.at(-1)?.url).toBe(`/api/v1/namespaces/kube-system/pods${query}`)
    answers(403, statusOf(403, 'pods is forbidden: User "agent" cannot list resource "pods" in API group ""'))
    const error = await errorOf(client().list(pods, ''))
    expect(error.fix).toContain('--verb=list --resource=pods')
  })

  it.each([
    [401, 'kubernetes-credential', false],
    [403, 'kubernetes-forbidden', false],
    [409, 'kubernetes-conflict', true],
    [422, 'kubernetes-refused', false],
    [429, 'kubernetes-unreachable', true],
    [503, 'kubernetes-unreachable', true],
  ])('fails with what %s means', async (code, name, isTransient) => {
    answers(code, statusOf(code, 'the reason of the server'))
    expect(await errorOf(client().patch(ref, {}))).toMatchObject({ code: name, isTransient })
  })

  it('names the rule that grants what RBAC forbids, and none where admission does', async () => {
    const rbac = 'nodes "host-1" is forbidden: User "agent" cannot patch resource "nodes" in API group ""'
    answers(403, statusOf(403, rbac))
    const { message, fix } = await errorOf(client().patch(ref, {}))
    expect(message).toBe(`cannot patch Node host-1: ${rbac}`)
    expect(fix).toContain('--verb=patch --resource=nodes')

    answers(403, statusOf(403, 'nodes "host-1" is forbidden: node "host-2" is not allowed to modify it'))
    expect((await errorOf(client().patch(ref, {}))).fix).toBe(
      "use the credential of this host's kubelet, or change the policy that the message names",
    )
  })

  it('takes a 403 of an API server that has just started for none', async () => {
    answer = (_, response) => response.writeHead(403).end(JSON.stringify(statusOf(403, 'no role yet')))
    expect(await errorOf(client().get(ref))).toMatchObject({ code: 'kubernetes-unreachable' })
  })

  it('names the webhooks where one of them is away', async () => {
    answers(500, statusOf(500, 'Internal error occurred: failed calling webhook "a.example.com": refused'))
    const { code, fix, isTransient } = await errorOf(client().patch(ref, {}))
    expect({ code, isTransient }).toEqual({ code: 'kubernetes-refused', isTransient: true })
    expect(fix).toContain('kubectl get validatingwebhookconfigurations')
  })

  it.each([
    ['a page of a proxy', 200, '<html>'],
    ['an object of something else', 404, '{}'],
  ])('does not take %s for an answer', async (_, code, body) => {
    answers(code, body)
    expect(await errorOf(client().get(ref))).toMatchObject({
      code: 'kubernetes-unreachable',
      message: expect.stringContaining('but not like a Kubernetes API server') as string,
    })
  })

  it('fails where nobody listens', async () => {
    writeFileSync(join(dir, 'gone'), kubeconfig('http://127.0.0.1:1', 'x'))
    const error = await errorOf(client('auto', 'gone').get(ref))
    expect(error).toMatchObject({ code: 'kubernetes-unreachable', isTransient: true })
    expect(error.message).toContain('http://127.0.0.1:1: connect ECONNREFUSED')
    expect(error.fix).toContain(`kubectl --kubeconfig ${dir}/gone get --raw /version`)
  })

  it('fails where nobody answers, within its deadline', { timeout: 30_000 }, async () => {
    answer = () => undefined
    const watch = client().watch(ref, new AbortController().signal)
    const errors = await Promise.all([client().get(ref), watch[Symbol.asyncIterator]().next()].map(errorOf))
    for (const { message } of errors) expect(message).toContain('it did not answer within 5 s')
  })

  it.each([
    ['missing', undefined, 'no such file'],
    ['empty', '', 'clusters, users or contexts are missing'],
    [
      'without its context',
      kubeconfig('http://127.0.0.1:1', 'x').replace('"lab"', '"other"'),
      'names no cluster',
    ],
    ['text', 'not: [a kubeconfig', 'it is not a kubeconfig'],
  ])('says so of a kubeconfig that is %s', async (name, text, why) => {
    if (text !== undefined) writeFileSync(join(dir, name), text)
    const error = await errorOf(client('auto', name).get(ref))
    expect(error.code).toBe('kubernetes-credential')
    expect(error.message).toContain(why)
  })
})

describe('the Node of this host', () => {
  const nodes = (...all: [name: string, address: string][]) => ({
    items: all.map(([name, address]) => ({
      metadata: { name, resourceVersion: '1' },
      status: { addresses: [{ type: 'InternalIP', address }] },
    })),
  })

  function serve(named: Record<string, unknown>, list: unknown, forbidden = false): void {
    answer = ({ url }, response) => {
      const name = url.split('/')[4]
      const found = name === undefined ? list : named[name]
      response.statusCode = found !== undefined || url === '/readyz' ? 200 : forbidden ? 403 : 404
      response.end(JSON.stringify(found ?? statusOf(404, 'none')))
    }
  }

  it('is found by the name of the host, in small letters', async () => {
    serve({ 'host-1': NODE }, undefined)
    expect(await client().thisNode('Host-1')).toEqual(NODE)
  })

  it('is found by an address, where another name is not there or must not be read', async () => {
    for (const forbidden of [false, true]) {
      serve({}, nodes(['a', '192.0.2.99'], ['b', '127.0.0.1']), forbidden)
      expect((await client().thisNode(hostname())).metadata.name).toBe('b')
    }
  })

  it('is none where nothing fits, or more than one does', async () => {
    serve({}, nodes(['a', '192.0.2.99']))
    expect((await errorOf(client().thisNode('x'))).message).toContain('no Node is named x or has an address')
    serve({}, nodes(['a', '127.0.0.1'], ['b', '127.0.0.1']))
    expect((await errorOf(client().thisNode('x'))).message).toContain(
      'several Nodes have an address of this host: a, b',
    )
  })

  it('must be named where the Nodes must not be listed', async () => {
    const forbidden = 'nodes is forbidden: User "a" cannot list resource "nodes" in API group ""'
    answer = ({ url }, response) => {
      response.statusCode = url === '/api/v1/nodes' ? 403 : 404
      response.end(JSON.stringify(statusOf(response.statusCode, forbidden)))
    }
    const { code, message, fix } = await errorOf(client().thisNode('X'))
    expect(code).toBe('kubernetes-node')
    expect(message).toContain('no Node is named x, and it cannot list Nodes: nodes is forbidden')
    expect(fix).toContain('kubernetes.node')
  })

  it('is the one that the config names, or none', async () => {
    serve({ 'host-1': NODE }, nodes(['a', '127.0.0.1']))
    expect(await client('host-1').thisNode('x')).toEqual(NODE)
    expect(await errorOf(client('typo').thisNode('x'))).toMatchObject({ code: 'kubernetes-node' })
  })
})
