import { describe, expect, it } from 'vitest'
import { pullByPod } from '../../../agent/adapters/pods/pull.ts'
import { AgentError } from '../../../agent/core/errors.ts'
import type { PullProgress } from '../../../agent/ports/docker.ts'
import { CRI_DIGEST, FakePodApi, STATUS } from './fake-pod-api.ts'

const IMAGE = 'registry.lab:5000/calico/node:v0'
const never = new AbortController().signal

interface Pulled {
  api: FakePodApi
  result: unknown
  retries: string[]
}

interface PullOptions {
  signal?: AbortSignal
  limitMs?: number
  prepare?: (api: FakePodApi) => void
}

async function pull(
  statuses: FakePodApi['statuses'],
  { signal = never, limitMs = 5_000, prepare }: PullOptions = {},
): Promise<Pulled> {
  const api = new FakePodApi()
  api.statuses = statuses
  prepare?.(api)
  const retries: string[] = []
  const onProgress = ({ retry }: PullProgress): void => {
    if (retry) retries.push(`${retry.attempt}: ${retry.reason}`)
  }
  const options = { signal, onProgress, tries: 3, limitMs, pollMs: 1 }
  const place = { namespace: 'calico-agent', node: 'host-1' }
  const result: unknown = await pullByPod(IMAGE, place, api, options).catch((error: unknown) => error)
  return { api, result, retries }
}

describe('a pull by a pod', () => {
  it('is bound to the node, runs nothing of the image, and leaves no pod', async () => {
    let made: unknown
    const { api, result } = await pull([STATUS.pending, STATUS.creating, STATUS.pulled], {
      prepare: (api) => {
        const create = api.create.bind(api)
        api.create = async (ref, object) => {
          made = structuredClone(object)
          return await create(ref, object)
        }
      },
    })
    expect(result).toBe(`quay.io/calico/node@${CRI_DIGEST}`)
    expect(api.pulls).toEqual([])
    expect(api.ops.slice(0, 3)).toEqual(['may delete', 'list', 'create'])
    expect(made).toMatchObject({
      metadata: { namespace: 'calico-agent' },
      spec: {
        nodeName: 'host-1',
        restartPolicy: 'Never',
        automountServiceAccountToken: false,
        containers: [
          {
            image: IMAGE,
            imagePullPolicy: 'IfNotPresent',
            command: ['/calico-agent-pulls-this-image-and-runs-nothing'],
          },
        ],
      },
    })
  })

  it('takes away what an agent that died has left', async () => {
    const { api } = await pull([STATUS.pulled], {
      prepare: ({ pulls }) => {
        const metadata = { name: 'left', namespace: 'calico-agent', uid: 'left', resourceVersion: '1' }
        pulls.push({ metadata, spec: { containers: [] } })
      },
    })
    expect(api.ops.slice(0, 4)).toEqual(['may delete', 'list', 'remove', 'create'])
    expect(api.pulls).toEqual([])
  })

  it.each<[string, FakePodApi['statuses'], string, string]>([
    [
      'the registry does not have',
      [STATUS.creating, STATUS.missing],
      'image-not-found',
      'ErrImagePull: rpc error',
    ],
    ['has no name', [STATUS.badName], 'pull-failed', 'InvalidImageName'],
    ['the kubelet has no room for', [STATUS.full], 'pull-failed', 'OutOfpods: Pod Node'],
  ])(
    'fails at once, with the reason of the kubelet, for an image that %s',
    async (_, statuses, code, reason) => {
      const { api, result, retries } = await pull(statuses)
      expect(result).toMatchObject({ code, message: expect.stringContaining(reason) as string })
      expect(retries).toEqual([])
      expect(api.pulls).toEqual([])
    },
  )

  it('is left to the kubelet’s own tries where one more may help', async () => {
    const { result, retries } = await pull([
      STATUS.creating,
      STATUS.refused,
      STATUS.backOff,
      STATUS.backOff,
      STATUS.pulled,
    ])
    expect(result).toBe(`quay.io/calico/node@${CRI_DIGEST}`)
    expect(retries).toEqual([expect.stringMatching(/^1: cannot pull .* ErrImagePull: .*connection refused$/)])
  })

  it('ends with the reason of its last try, not with that of a pause', async () => {
    const again = [STATUS.refused, STATUS.backOff]
    const { api, result } = await pull([...again, ...again, ...again])
    expect(result).toMatchObject({
      code: 'pull-failed',
      message: expect.stringContaining('connection refused') as string,
    })
    expect(api.pulls).toEqual([])
  })

  it('ends where the kubelet says nothing', async () => {
    const { result, api } = await pull([STATUS.pending], { limitMs: 20 })
    expect(result).toMatchObject({ code: 'pull-stalled' })
    expect(api.pulls).toEqual([])
  })

  it('ends, and leaves no pod, when it is told to stop', async () => {
    const stop = new AbortController()
    const reason = new Error('asked to stop')
    setTimeout(() => {
      stop.abort(reason)
    }, 10)
    const { result, api } = await pull([STATUS.creating], { signal: stop.signal })
    expect(result).toBe(reason)
    expect(api.pulls).toEqual([])
  })

  it('makes no pod where it could not remove it', async () => {
    const { api } = await pull([STATUS.pulled], {
      prepare: (api) => {
        api.checkRight = () => Promise.reject(new AgentError('kubernetes-forbidden', 'no', { fix: '' }))
      },
    })
    expect(api.ops).toEqual([])
  })

  it('goes on while the API server is away', async () => {
    const { result } = await pull([STATUS.pulled], {
      prepare: (api) => {
        const list = api.list.bind(api)
        let looks = 0
        api.list = async () => {
          looks += 1
          if (looks === 2)
            throw new AgentError('kubernetes-unreachable', 'away', { fix: '', isTransient: true })
          return await list()
        }
      },
    })
    expect(result).toBe(`quay.io/calico/node@${CRI_DIGEST}`)
  })
})
