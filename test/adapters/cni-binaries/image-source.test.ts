import { beforeEach, describe, expect, it } from 'vitest'
import { imageSource } from '../../../agent/adapters/cni-binaries/image-source.ts'
import { readerName } from '../../../agent/adapters/cni-binaries/reader.ts'
import { FakeDocker } from '../../fakes/docker.ts'
import { failureOf } from '../docker/agent-error.ts'
import { signal } from './plugins.ts'

const IMAGE = 'calico/cni:v2.0.6'
const LABEL = 'calico-agent.cni-source'
let docker: FakeDocker

beforeEach(() => {
  docker = new FakeDocker()
  docker.images.publish(IMAGE)
  docker.images.pull(IMAGE, () => undefined)
})

async function read(names: string[]) {
  const found: Record<string, string> = {}
  const take = async ({ name, content }: { name: string; content: AsyncIterable<Uint8Array> }) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    found[name] = Buffer.concat(chunks).toString()
  }
  await imageSource(docker, IMAGE)(names, take, signal)
  return found
}

describe('imageSource', () => {
  it.each(['/opt/cni/bin', '/opt/cni/bin/install'])('finds plugins in %s', async (directory) => {
    docker.files.set(`${directory}/calico`, 'one')
    docker.files.set(`${directory}/calico-ipam`, 'two')
    expect(await read(['calico', 'calico-ipam'])).toEqual({ calico: 'one', 'calico-ipam': 'two' })
  })

  it('follows links inside the image', async () => {
    docker.files.set('/usr/bin/calico', 'one')
    docker.files.set('/opt/cni/bin/calico', { linkTo: '/usr/bin/calico' })
    expect(await read(['calico'])).toEqual({ calico: 'one' })
    docker.files.set('/usr/bin/calico', { linkTo: '/opt/cni/bin/calico' })
    expect((await failureOf(read(['calico']))).message).toContain('its symbolic links form a loop')
  })

  it('lists what the image has where one is missing, and leaves no container', async () => {
    docker.files.set('/opt/cni/bin/portmap', 'x')
    docker.files.set('/opt/cni/bin/install', 'the installer, beside them')
    const error = await failureOf(read(['calico', 'portmap']))
    expect(error.code).toBe('cni-binary-missing')
    expect(error.message).toBe(
      `cannot use calico: ${IMAGE} does not contain it; it contains install, portmap`,
    )
    expect(await docker.listContainers(LABEL)).toEqual([])
  })

  it('never starts the container, and removes it', async () => {
    docker.files.set('/opt/cni/bin/calico', 'one')
    await read(['calico'])
    expect(docker.ops.map((op) => op.replace(/cni-[0-9a-f-]{36}/, 'cni-N'))).toEqual([
      `docker create calico-agent-cni-N ${IMAGE}`,
      'docker rm calico-agent-cni-N',
    ])
  })

  it("removes the container of an agent that died, and not a live one's", async () => {
    docker.files.set('/opt/cni/bin/calico', 'one')
    const body = (reader: string) => ({
      Image: IMAGE,
      Labels: { [LABEL]: reader },
      HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'no' } },
    })
    const own = readerName(Date.now())
    const [namespace = '', pid = '', start = '', began = ''] = own.split('/')
    const readers = {
      'of-this-process': own,
      'of-the-dead': [namespace, 2 ** 30, start, began].join('/'),
      'of-another-with-its-pid': [namespace, pid, '1', began].join('/'),
      // as pid 1 of a container
      'beside-us': ['4026500000', '1', start, began].join('/'),
      'left-beside-us': ['4026500000', '1', start, Number(began) - 3_600_000].join('/'),
      'of-an-earlier-version': String(process.ppid),
    }
    for (const [name, reader] of Object.entries(readers)) await docker.createContainer(name, body(reader))
    await read(['calico'])
    const left = (await docker.listContainers(LABEL)).map(({ name }) => name)
    expect(left.toSorted()).toEqual(['beside-us', 'of-this-process'])
  })

  it('says that the image must be pulled first', async () => {
    await docker.removeImage(IMAGE)
    expect((await failureOf(read(['calico']))).code).toBe('image-missing')
  })
})
