import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AgentEvent } from '../../agent/core/events.ts'
import { createProgress, type Progress } from '../../agent/report/progress.ts'
import { badEnd, begin, describeStep, goodEnd, pull, RUN, SECRET, standing, swapping } from './samples.ts'
import { FakeTerminal } from './terminal.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(() => {
  vi.useRealTimers()
})

function plain(): { progress: Progress; text: () => string } {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  const output = { write, isPending: false }
  const progress = createProgress({ tty: false, color: true, describe: describeStep, output })
  return { progress, text: () => text.trimEnd() }
}

function live(
  columns?: number,
  color = false,
): { progress: Progress; terminal: FakeTerminal; sent: string[]; output: { isPending: boolean } } {
  const terminal = new FakeTerminal(columns)
  const sent: string[] = []
  const write = (text: string) => {
    sent.push(text)
    terminal.write(text)
  }
  const output = { write, isPending: false }
  const progress = createProgress({ tty: true, color, describe: describeStep, output, size: () => terminal })
  return { progress, terminal, sent, output }
}

function feed({ emit }: Progress, events: AgentEvent[]): void {
  for (const event of events) emit(event)
}

/** The next drawing by the timer. */
function tick(ms = 100): void {
  vi.advanceTimersByTime(ms)
}

const lookUps: AgentEvent[] = [
  { type: 'look-up', image: 'calico/node:v2', limitMs: 30_000 },
  {
    type: 'look-up',
    image: 'calico/node:v2',
    limitMs: 30_000,
    retry: { attempt: 1, reason: 'cannot ask\nquay.io' },
  },
]
const lookUpLines = `no answer from the registry of calico/node:v2 yet; waiting up to 30 s
try 1 failed: cannot ask quay.io`

it('tells of a registry that does not answer, before there is a run', () => {
  const { progress, text } = plain()
  feed(progress, lookUps)
  expect(text()).toBe(lookUpLines)
  const { progress: drawn, terminal } = live()
  feed(drawn, lookUps)
  expect(terminal.text).toBe(lookUpLines)
})

describe('plain progress', () => {
  it('tells a good run, a line per fact', () => {
    const { progress, text } = plain()
    feed(progress, [...swapping, ...goodEnd])
    expect(text()).toMatchInlineSnapshot(`
      "run 20261122T141503Z-7f3a: 3 steps
      [1/3] pull quay.io/calico/node:v2.6.12
      [1/3] done in 8.1 s
      [2/3] swap calico-node
        window open: 90 s
        0.131 s  new BIRD up
        3.904 s  sessions back
        released Mesh_dead: down before the run, and BIRD waited only for them
        4.100 s  recovered
        enabled again: Mesh_dead
      [2/3] done in 14.1 s
      [3/3] commit calico-node
      [3/3] done in 12 ms"
    `)
  })

  it('says why a run goes back, and whose BIRD comes up', () => {
    const { progress, text } = plain()
    feed(progress, [...swapping, ...badEnd])
    expect(text()).toMatchInlineSnapshot(`
      "run 20261122T141503Z-7f3a: 3 steps
      [1/3] pull quay.io/calico/node:v2.6.12
      [1/3] done in 8.1 s
      [2/3] swap calico-node
        window open: 90 s
      [2/3] failed: cannot keep the new container: it exited, see https://<redacted>@etcd.example:2379
      rolling back
      [2/3] undo: swap calico-node
        0.240 s  old BIRD up again
      [2/3] undone"
    `)
  })

  it('tells a download in few lines, and every retry', () => {
    const { progress, text } = plain()
    progress.emit(begin)
    for (let mb = 0; mb <= 60; mb++) {
      progress.emit(pull(mb))
      tick(400)
    }
    progress.emit(pull(61, { retry: { attempt: 1, reason: 'connection reset' } }))
    const lines = text().split('\n').slice(1)
    expect(lines.at(-1)).toBe('  try 1 failed: connection reset')
    expect(lines.length).toBeLessThanOrEqual(11)
    expect(lines[1]).toBe('  7.0 of 61.0 MB, 3 of 7 layers')
  })

  it('breaks a long silence with where BIRD stands', () => {
    const { progress, text } = plain()
    feed(progress, swapping)
    for (let ms = 0; ms <= 25_000; ms += 100) {
      progress.emit(standing('recovering', ms, { waitTimer: `${240 - Math.floor(ms / 1000)}/240` }))
      tick()
    }
    expect(text().split('\n').slice(-2)).toEqual([
      '  sessions coming back, recovery in progress, wait timer 230/240',
      '  sessions coming back, recovery in progress, wait timer 220/240',
    ])
  })

  it('sends no control character and no secret, whatever the reasons hold', () => {
    const { progress, text } = plain()
    const reason = 'docker said:\r\n\x1b[31mno\x1b[0m\x07\u009b2J'
    feed(progress, [
      ...swapping,
      ...badEnd,
      { type: 'unwinding', reason },
      pull(1, { retry: { attempt: 1, reason } }),
    ])
    expect(text()).toContain('rolling back: docker said: no')
    expect(text()).not.toMatch(/(?!\n)\p{Cc}/u)
    expect(text()).not.toContain(SECRET)
  })
})

describe('live progress', () => {
  it('draws the download', () => {
    const { progress, terminal } = live()
    feed(progress, [begin, { type: 'step', index: 0, status: 'doing' }])
    feed(progress, [pull(20, { retry: { attempt: 1, reason: 'connection reset' } }), pull(30.5)])
    tick()
    expect(terminal.text).toMatchInlineSnapshot(`
      "run 20261122T141503Z-7f3a
      ⠙ pull quay.io/calico/node:v2.6.12 0.1 s
          [###############---------------] 30.5 of 61.0 MB, 3 of 7 layers
          try 1 failed: connection reset
        swap calico-node
        commit calico-node"
    `)
  })

  it('draws where BIRD stands in the window', () => {
    const { progress, terminal } = live()
    feed(progress, swapping)
    const phases = [
      standing('down', 100, { unmet: ['BIRD is not up'] }),
      standing('starting', 900, { unmet: ['session a is not Established', 'session b is not Established'] }),
      standing('recovering', 15_000, { waitTimer: '225/240' }),
      standing('recovered', 20_000),
      standing('recovered', 26_300),
    ].map((event) => {
      progress.emit(event)
      tick()
      return terminal.text.split('\n').slice(3, 5).join('\n')
    })
    expect(phases.join('\n')).toMatchInlineSnapshot(`
      "    BIRD down 0.1 s
          window [------------------------------] 0.1 s of 90 s
          BIRD up, no session yet (session a is not Established, and 1 more)
          window [------------------------------] 0.9 s of 90 s
          sessions coming back, recovery in progress, wait timer 225/240
          window [#####-------------------------] 15.0 s of 90 s
          recovered, settling 0 of 10 s
          window [#######-----------------------] 20.0 s of 90 s
          recovered, settling 6 of 10 s
          window [#########---------------------] 26.3 s of 90 s"
    `)
  })

  it('stops the bar at the recovery', () => {
    const { progress, terminal } = live()
    feed(progress, [
      ...swapping,
      { type: 'mark', mark: 'recovered', sinceGoneMs: 4100 },
      standing('recovered', 9000),
    ])
    tick()
    expect(terminal.text).toContain('4.1 s of 90 s')
  })

  it('draws over the ^C that a terminal echoes', () => {
    const { progress, terminal } = live()
    feed(progress, swapping)
    terminal.write('^C')
    progress.end()
    expect(terminal.text).not.toContain('^C')
  })

  it('shows neither window nor bar where no BIRD runs', () => {
    const { progress, terminal } = live()
    feed(progress, [...swapping, standing('none', 3000)])
    tick()
    expect(terminal.text).toContain('container up, no BIRD to wait for, settling 0 of 10 s')
    expect(terminal.text).not.toContain('window')
  })

  it('leaves a finished run to be read', () => {
    const { progress, terminal } = live()
    feed(progress, [...swapping, ...goodEnd])
    progress.end()
    expect(terminal.text).toMatchInlineSnapshot(`
      "run 20261122T141503Z-7f3a
      ✔ pull quay.io/calico/node:v2.6.12 8.1 s
      ✔ swap calico-node 14.1 s
      ✔ commit calico-node 12 ms
      released Mesh_dead: down before the run, and BIRD waited only for them"
    `)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('shows the reason and the undone steps of a run that goes back', () => {
    const { progress, terminal } = live(90)
    feed(progress, [...swapping, ...badEnd])
    progress.end()
    expect(terminal.text).toMatchInlineSnapshot(`
      "run 20261122T141503Z-7f3a
      ✔ pull quay.io/calico/node:v2.6.12 8.1 s
      ↩ undone: swap calico-node
        commit calico-node
      rolling back: cannot keep the new container: it exited, see https://<redacted>@etcd.exam…"
    `)
    expect(terminal.text).not.toContain(SECRET)
  })

  it('keeps the warnings and the settled run above the run that follows', () => {
    const { progress, terminal } = live()
    const problem = { code: 'peer-down', severity: 'warning' as const, message: 'peer b is down', fix: '' }
    feed(progress, [{ ...begin, resumed: true } as AgentEvent, { type: 'problem', problem }, begin])
    progress.end()
    expect(terminal.text.split('\n').filter((line) => !line.startsWith(' '))).toEqual([
      'warning: peer b is down',
      `run ${RUN} (resumed)`,
      `run ${RUN}`,
    ])
  })

  it('never breaks a line, however narrow the terminal and long the reason', () => {
    const { progress, terminal } = live(24, true)
    feed(progress, [
      ...swapping,
      { type: 'step', index: 1, status: 'failed', reason: '長い理由 '.repeat(40) },
    ])
    progress.end()
    expect(terminal.text.split('\n')).toHaveLength(5)
  })

  it('leaves frames out while the terminal is behind, and draws on where the last one stands', () => {
    const { progress, terminal, sent, output } = live()
    feed(progress, [begin])
    const [shown, count] = [terminal.text, sent.length]
    output.isPending = true
    feed(progress, swapping.slice(1))
    tick(1000)
    expect([terminal.text, sent.length]).toEqual([shown, count])
    output.isPending = false
    tick()
    expect(sent).toHaveLength(count + 1)
    expect(terminal.text.split('\n').filter((line) => line.startsWith('run '))).toHaveLength(1)
    expect(terminal.text).not.toBe(shown)
  })

  it('draws the last state for a terminal that is behind', () => {
    const { progress, sent, output } = live()
    feed(progress, [begin])
    output.isPending = true
    const count = sent.length
    progress.end()
    expect(sent).toHaveLength(count + 1)
  })

  it('draws over lines that a narrowed terminal has broken', () => {
    let columns = 80
    const sent: string[] = []
    const output = { write: (text: string) => void sent.push(text), isPending: false }
    const progress = createProgress({
      tty: true,
      color: false,
      describe: describeStep,
      output,
      size: () => ({ columns }),
    })
    feed(progress, [begin])
    columns = 20
    tick()
    progress.end()
    // Four lines, of which "run 2026..." and the pull take two rows each.
    expect(sent[1]).toMatch(/^\x1b\[6F/)
  })

  it('never hides the cursor, and colours only when asked', () => {
    const { progress, sent } = live()
    feed(progress, [...swapping, ...badEnd])
    progress.end()
    expect(sent.join('')).not.toMatch(/\x1b\[(\?25l|\d+m)/)
  })
})
