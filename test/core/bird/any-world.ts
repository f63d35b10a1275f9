import fc from 'fast-check'
import type { Daemon, Interval, World } from './window-world.ts'

const NEVER = 10_000_000

const duration = (max: number): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 0, max: Math.ceil(max / 20) }), fc.integer({ min: 0, max }))

const intervals = fc.array(
  fc.tuple(duration(120_000), duration(20_000)).map(([from, ms]): Interval => [from, from + ms]),
  { maxLength: 3 },
)

const forEver = duration(20_000).map((from): Interval[] => [[from, NEVER]])

/** Falls and comebacks at every phase, some shorter than a look; a life may also hang before its sessions, or after. */
const life = fc
  .record({
    upAfter: fc.oneof(fc.integer({ min: 2, max: 90 }), duration(4_000)),
    sessionsIn: fc.oneof(duration(30_000), duration(100_000), fc.constant(NEVER)),
    endOfRibIn: fc.oneof(duration(5_000), duration(120_000)),
    fallsIn: fc.oneof(duration(10_000), duration(100_000), fc.constant(NEVER)),
  })
  .map(({ upAfter, sessionsIn, endOfRibIn, fallsIn }) => {
    const sessionsAfter = upAfter + sessionsIn
    return { upAfter, sessionsAfter, endOfRibAfter: sessionsAfter + endOfRibIn, diesAfter: upAfter + fallsIn }
  })

const daemon: fc.Arbitrary<Daemon> = fc
  .record({
    livePeers: fc.integer({ min: 0, max: 3 }),
    deadPeers: fc.constantFrom(0, 0, 1, 2),
    lives: fc.array(life, { minLength: 1, maxLength: 5 }),
    silent: intervals,
    flaps: fc.oneof(fc.constant<Interval[]>([]), intervals),
    routes: fc.record({
      after: fc.oneof(fc.constant(NEVER), duration(100_000)),
      left: fc.integer({ min: 0, max: 2 }),
    }),
  })
  .map(
    (one): Daemon => ({
      ...one,
      lives: one.lives.map((last, i) => (i === one.lives.length - 1 ? { ...last, diesAfter: NEVER } : last)),
    }),
  )

export const anyWorld: fc.Arbitrary<World> = fc
  .record({
    pollMs: fc.integer({ min: 100, max: 1_000 }),
    budgetMs: fc.integer({ min: 3_000, max: 90_000 }),
    reserveShare: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
    settleMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 15_000 })),
    daemons: fc.oneof(
      fc.array(daemon, { minLength: 1, maxLength: 2 }),
      fc.array(daemon, { minLength: 1, maxLength: 2 }),
      fc.constant<Daemon[]>([]),
    ),
    exitsAt: fc.oneof(fc.constant(NEVER), fc.constant(NEVER), duration(120_000)),
    cancelledAt: fc.oneof(fc.constant(NEVER), fc.constant(NEVER), duration(120_000)),
    sick: fc.oneof(intervals, intervals, forEver),
    hangs: intervals,
    engineAway: intervals,
  })
  .map(
    ({ reserveShare, ...world }): World => ({
      ...world,
      reserveMs: Math.floor(world.budgetMs * reserveShare),
    }),
  )
