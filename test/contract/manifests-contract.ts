import { beforeEach, describe, expect, it } from 'vitest'
import type { Manifests } from '../../agent/ports/manifests.ts'

interface World {
  manifests: Manifests
  directory: string
  names(): Promise<string[]>
}

/** What the steps rely on, of the real files and of the fake alike. */
export function manifestsContract(name: string, make: () => Promise<World>): void {
  describe(`manifests: ${name}`, () => {
    const text = 'kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: "a:1"}]}\n'
    const attributes = { mode: 0o640, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
    let world: World
    let path: string
    let wayBack: string

    beforeEach(async () => {
      world = await make()
      path = `${world.directory}/a.yaml`
      wayBack = `${world.directory}/.a.yaml.old`
    })

    it('puts a whole one in place, with its attributes', async () => {
      const { manifests } = world
      await manifests.put(path, text, attributes)
      expect(await manifests.read(path)).toBe(text)
      expect(await manifests.attributes(path)).toEqual(attributes)
      expect(await world.names()).toEqual(['a.yaml'])
    })

    it('has none where there is none', async () => {
      const { manifests } = world
      expect([await manifests.read(path), await manifests.attributes(path)]).toEqual([null, null])
      expect(await manifests.bringBack(wayBack, path)).toBe(false)
      await manifests.remove(path)
      await expect(manifests.takeOut(path, wayBack)).rejects.toMatchObject({ code: 'cannot-write' })
      expect(await manifests.list(`${world.directory}/none`)).toEqual([])
    })

    it('takes one out of what the kubelet sees, and brings it back', async () => {
      const { manifests } = world
      await manifests.put(path, text, attributes)
      await manifests.takeOut(path, wayBack)
      expect([await world.names(), await manifests.list(world.directory)]).toEqual([['.a.yaml.old'], []])
      expect(await manifests.bringBack(wayBack, path)).toBe(true)
      expect(await world.names()).toEqual(['a.yaml'])
      expect(await manifests.list(world.directory)).toMatchObject([
        { path, text, isLink: false, pod: { name: 'a', containers: [{ image: 'a:1' }] } },
      ])
    })
  })
}
