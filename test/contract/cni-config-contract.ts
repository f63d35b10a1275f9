import { describe, expect, it } from 'vitest'
import type { CniConfigs } from '../../agent/ports/cni-config.ts'

/** A directory with the files that a test names, by their texts. */
export interface ConfigWorld {
  configs: CniConfigs
  directory: string
  put: (name: string, text: string) => Promise<void>
  names: () => Promise<string[]>
  /** Something that another write of the same text changes. */
  stamp: (name: string) => Promise<string>
}

/** What the configs' port promises, of the fake and of the real one. */
export function cniConfigContract(name: string, create: () => Promise<ConfigWorld>): void {
  describe(`CNI configs: ${name}`, () => {
    const OLD = '{"type":"calico"}\n'
    const NEW = '{"type":"calico","mtu":1440}\n'
    const FILE = '10-calico.conf'
    const KEPT = '.10-calico.conf.calico-agent-RUN.old'

    async function world() {
      const made = await create()
      const path = `${made.directory}/${FILE}`
      const kept = `${made.directory}/${KEPT}`
      await made.put(FILE, OLD)
      return { ...made, path, kept, before: await made.stamp(FILE) }
    }

    it('lists files with a live ending, hidden ones too, and no others', async () => {
      const { configs, directory, put } = await world()
      for (const other of ['a.conflist', 'b.json', '.c.conf', 'd.conf.bak', 'e.conf~', 'conf', KEPT])
        await put(other, OLD)
      const listed = await configs.list(directory)
      expect(listed.map((file) => file.name).sort()).toEqual(['.c.conf', FILE, 'a.conflist', 'b.json'])
      expect(listed[0]).toMatchObject({ isLink: false, content: { text: OLD } })
    })

    it('replaces a file, and keeps the old one under a name that is not listed', async () => {
      const { configs, directory, path, kept, names, stamp, before } = await world()
      await configs.replace(path, NEW, kept)
      expect([await configs.read(path), await configs.read(kept)]).toEqual([NEW, OLD])
      expect(await stamp(KEPT)).toBe(before)
      expect(await configs.list(directory)).toHaveLength(1)
      expect(await names()).toEqual([KEPT, FILE])
    })

    it.each([false, true])(
      'restores the file itself, replaced: %s, and does it again',
      async (isReplaced) => {
        const { configs, path, kept, names, stamp, before } = await world()
        if (isReplaced) await configs.replace(path, NEW, kept)
        for (let time = 0; time < 2; time++) {
          await configs.restore(path, OLD, kept)
          expect(await configs.read(path)).toBe(OLD)
          expect(await stamp(FILE)).toBe(before)
          expect(await names()).toEqual([FILE])
        }
      },
    )

    it('restores by the text where the kept file is gone', async () => {
      const { configs, path, kept, names } = await world()
      await configs.replace(path, NEW, kept)
      await configs.remove(kept)
      await configs.restore(path, OLD, kept)
      expect(await configs.read(path)).toBe(OLD)
      expect(await names()).toEqual([FILE])
    })

    it('removes a kept file, and one that is gone', async () => {
      const { configs, path, kept } = await world()
      await configs.replace(path, NEW, kept)
      expect(await configs.exists(kept)).toBe(true)
      await configs.remove(kept)
      await configs.remove(kept)
      expect([await configs.exists(kept), await configs.read(kept)]).toEqual([false, null])
    })

    it('has no file where there is none, and no directory either', async () => {
      const { configs, directory } = await world()
      expect(await configs.read(`${directory}/none.conf`)).toBeNull()
      expect(await configs.list(`${directory}/none`)).toEqual([])
      await expect(
        configs.replace(`${directory}/none.conf`, NEW, `${directory}/.none`),
      ).rejects.toMatchObject({
        code: 'cannot-write',
      })
    })

    it('has no problem with a directory that can be written to', async () => {
      const { configs, directory } = await world()
      expect(await configs.directoryProblem(directory)).toBeNull()
    })

    it('knows a program from none', async () => {
      const { configs } = await world()
      expect(await configs.isProgram('/opt/cni/bin/none')).toBe(false)
    })
  })
}
