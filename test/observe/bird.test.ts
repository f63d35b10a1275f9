import { describe, expect, it } from 'vitest'
import type { BirdEndpoint } from '../../agent/core/bird/view.ts'
import type { ContainerJson, MountPoint } from '../../agent/core/docker/json.ts'
import type { Problem } from '../../agent/core/errors.ts'
import { findDaemons } from '../../agent/observe/bird.ts'
import type { Bird } from '../../agent/ports/bird.ts'
import { container } from '../core/observed.ts'
import { session, upView } from '../fakes/bird.ts'

const OWN = '/var/run/calico/bird.ctl'
const FALLBACK = '/var/run/bird/bird.ctl'

/** A host on which BIRDs answer at these sockets; `inContainer`, by birdcl as well. /var/run is a symlink. */
function hostWith(sockets: string[], { inContainer = false } = {}): Bird {
  const never = (): Promise<never> => Promise.reject(new Error('not asked for'))
  const view = ({ via, socket }: BirdEndpoint) => {
    const answers = via === 'exec' ? inContainer : sockets.includes(socket)
    return answers ? upView('old', [session(2)]) : ({ state: 'down' } as const)
  }
  return {
    socketState: (path) => Promise.resolve(sockets.includes(path) ? 'listening' : 'missing'),
    realPath: (path) => Promise.resolve(path.replace(/^\/var\/run(?=\/|$)/, '/run')),
    look: (endpoint: BirdEndpoint) => Promise.resolve(view(endpoint)),
    disable: never,
    enable: never,
  }
}

function nodeWith(...sources: string[]): ContainerJson {
  const mount = (Source: string): MountPoint => ({ Type: 'bind', Source, Destination: Source, RW: true })
  return { ...container(), Mounts: sources.map(mount) }
}

async function found(node: ContainerJson, bird: Bird, sockets = [OWN, '/var/run/calico/bird6.ctl']) {
  const problems: Problem[] = []
  const daemons = await findDaemons(sockets, node, bird, problems)
  return { endpoints: daemons.map(({ endpoint: { via, socket } }) => `${via} ${socket}`), problems }
}

describe('a socket of the host', () => {
  it.each([
    ['its directory', '/var/run/calico'],
    ['its directory by another name', '/run/calico'],
    ['a directory above', '/run'],
    ['the root', '/'],
  ])('is taken for the container’s where that mounts %s', async (_, source) => {
    expect(await found(nodeWith('/lib/modules', source), hostWith([OWN]))).toEqual({
      endpoints: [`host ${OWN}`],
      problems: [],
    })
  })

  it.each([
    ['nothing', []],
    ['another directory', ['/var/run/cal', '/var/run/calico/sub']],
  ])('belongs to somebody else where the container mounts %s', async (_, sources) => {
    const { endpoints, problems } = await found(nodeWith(...sources), hostWith([OWN]))
    expect(endpoints).toEqual([])
    expect(problems).toMatchObject([{ code: 'bird-down' }])
    expect(problems[0]?.message).toContain(
      `${OWN}: it belongs to another BIRD: this container does not mount its directory`,
    )
  })

  it('of somebody else does not hide the BIRD in the container', async () => {
    const bird = hostWith([OWN, FALLBACK], { inContainer: true })
    expect(await found(nodeWith(), bird)).toMatchObject({ endpoints: [`exec ${OWN}`, expect.anything()] })
  })

  it('counts in a volume as well', async () => {
    const socket = '/var/lib/docker/volumes/bird/_data/bird.ctl'
    const node = nodeWith('/var/lib/docker/volumes/bird/_data')
    expect(await found(node, hostWith([socket]), [socket])).toMatchObject({ endpoints: [`host ${socket}`] })
  })
})

describe("BIRD's own default place", () => {
  it('is taken where the container mounts it', async () => {
    const bird = hostWith([FALLBACK])
    expect(await found(nodeWith('/run/bird'), bird)).toMatchObject({ endpoints: [`host ${FALLBACK}`] })
  })

  it.each([
    ['/var/run/calico alone', '/var/run/calico'],
    ['all of /run', '/run'],
  ])('is the host’s own BIRD where the container mounts %s', async (_, source) => {
    const { endpoints, problems } = await found(nodeWith(source), hostWith([FALLBACK]))
    expect(endpoints).toEqual([])
    expect(problems[0]?.message).toContain(`${FALLBACK}: it belongs to another BIRD`)
  })
})
