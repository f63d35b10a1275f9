import { restartTimeline, session, upView } from '../fakes/bird.ts'
import type { HostOptions } from './fake-host.ts'

const all = [session(2), session(3)]
const connecting = all.map((peer) => ({ ...peer, established: false, info: 'Connect', imported: 0 }))

/** New images that must be given up. */
export const brokenBirds: Record<string, HostOptions> = {
  'a BIRD that never comes up': { newBird: () => [] },
  'a BIRD whose sessions never come': {
    newBird: (instance) => [{ at: 200, view: upView(instance, connecting, true) }],
  },
  'a BIRD that recovers late and without a route': {
    newBird: (instance) =>
      restartTimeline(instance, [session(2, { imported: 0 }), session(3)], { recoveredMs: 18_000 }),
  },
  'a BIRD that keeps dying': {
    newBird: (instance) =>
      Array.from({ length: 20 }, (_, i) => [
        { at: i * 2_000 + 200, view: upView(`${instance} ${i}`, connecting, true) },
        { at: i * 2_000 + 1_500, view: { state: 'down' as const } },
      ]).flat(),
  },
  'a container that exits at once': { newExitsAfter: 100 },
  'a container that exits in its recovery': { newExitsAfter: 4_000 },
}
