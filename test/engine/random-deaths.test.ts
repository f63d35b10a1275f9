import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FakeHost } from './fake-host.ts'
import { shapes } from './shapes.ts'

const TRIALS = 1_000

describe('an agent that dies at random moments', () => {
  it('may die in its resumes as well', async () => {
    const death = fc.record({ at: fc.nat({ max: 60 }), before: fc.boolean(), powerCut: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...shapes.map(([, options]) => options)),
        fc.array(death, { minLength: 2, maxLength: 5 }),
        async (options, [first, ...more]) => {
          const host = await FakeHost.create(options)
          await host.run(undefined, first)
          if (first?.powerCut === true) host.powerCycle()
          for (const next of more) {
            await host.resume(next)
            if (next.powerCut) host.powerCycle()
          }
          expect(await host.flaws(await host.resume())).toEqual([])
        },
      ),
      { numRuns: TRIALS },
    )
  })
})
