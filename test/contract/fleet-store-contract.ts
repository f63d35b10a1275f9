import { beforeEach, describe, expect, it } from 'vitest'
import type { FleetStore, Snapshot } from '../../agent/ports/fleet-store.ts'

/** What the fleet relies on, of each engine and of the one in memory alike; `make` gives a group that nobody has used. */
export function fleetStoreContract(of: string, make: () => Promise<FleetStore>): void {
  describe(`FleetStore: ${of}`, () => {
    let store: FleetStore
    beforeEach(async () => {
      store = await make()
    })

    it('has nothing before the first write', async () => {
      expect((await store.read()).text).toBeNull()
      expect(await store.record('host-1')).toBeNull()
      expect(await store.records()).toEqual(new Map())
    })

    it('writes over the version that was read, and over no other one', async () => {
      const { version } = await store.read()
      expect(await store.write('one', version, 'host-1')).toBe(true)
      expect(await store.write('two', version, '')).toBe(false)
      const first = await store.read()
      expect(first.text).toBe('one')
      expect(first.version).not.toBe(version)
      expect(await store.write('two', first.version, '')).toBe(true)
      expect(await store.write('three', first.version, '')).toBe(false)
      expect((await store.read()).text).toBe('two')
    })

    it('lets one of many writers through', async () => {
      const { version } = await store.read()
      const writes = Array.from({ length: 20 }, (_, i) => store.write(`by ${i}`, version, ''))
      const through = (await Promise.all(writes)).flatMap((isWritten, i) => (isWritten ? [i] : []))
      expect(through).toHaveLength(1)
      expect((await store.read()).text).toBe(`by ${through[0] ?? ''}`)
    })

    it('keeps a record of each host, and of the hosts of its own group only', async () => {
      const other = await make()
      await store.writeRecord('host-1', 'a')
      await store.writeRecord('host-2.example', 'b')
      await store.writeRecord('host-1', 'c')
      await other.writeRecord('host-1', 'd')
      expect(await store.record('host-1')).toBe('c')
      expect(await store.records()).toEqual(
        new Map([
          ['host-1', 'c'],
          ['host-2.example', 'b'],
        ]),
      )
    })

    it('keeps text of any kind', async () => {
      const text = JSON.stringify({ reason: 'kann nicht: "größer" \u{1f6a7}\n', long: 'x'.repeat(20_000) })
      await store.write(text, (await store.read()).version, '')
      expect((await store.read()).text).toBe(text)
    })

    it('shows the document as it is, and then each change', async () => {
      await store.write('one', (await store.read()).version, '')
      const end = new AbortController()
      const seen: Snapshot[] = []
      const watching = (async () => {
        for await (const snapshot of store.watch(end.signal)) seen.push(snapshot)
      })().catch((error: unknown) => {
        if (!end.signal.aborted) throw error
      })
      try {
        await expect.poll(() => seen.map(({ text }) => text)).toContain('one')
        await store.write('two', (await store.read()).version, '')
        await expect.poll(() => seen.at(-1)?.text).toBe('two')
        expect(seen.at(-1)).toEqual(await store.read())
      } finally {
        end.abort()
        await watching
      }
    })

    it('shows a group that nobody has used, and its first document', async () => {
      const end = new AbortController()
      const seen: (string | null)[] = []
      const watching = (async () => {
        for await (const { text } of store.watch(end.signal)) seen.push(text)
      })().catch((error: unknown) => {
        if (!end.signal.aborted) throw error
      })
      try {
        await expect.poll(() => seen).toContain(null)
        await store.write('one', (await store.read()).version, '')
        await expect.poll(() => seen).toContain('one')
      } finally {
        end.abort()
        await watching
      }
    })
  })
}
