import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { renderConfigShow } from '../../agent/report/config-show.ts'
import { renderDoctor } from '../../agent/report/doctor.ts'
import { renderFleet } from '../../agent/report/fleet.ts'
import { renderGc } from '../../agent/report/gc.ts'
import { renderHistory } from '../../agent/report/history.ts'
import { renderReport } from '../../agent/report/human.ts'
import { renderProblems } from '../../agent/report/status.ts'
import { alignedRows, hanging, hangingFix, type TextOptions } from '../../agent/report/wrap.ts'
import { doneRecord } from '../core/fleet/sample.ts'
import { upgraded } from './samples.ts'

const lines = (text: string): string[] => stripVTControlCharacters(text).split('\n')

const rollout = 'kubectl -n kube-system rollout status deployment/calico-kube-controllers'
const problem = {
  code: 'deployment-rolling',
  severity: 'error',
  message:
    'cannot change the Deployment calico-kube-controllers of kube-system: it is being rolled out, and its pods are not yet available',
  fix: `wait for it: ${rollout}`,
} as const

const run = {
  run: '20261122T141503Z-7f3a',
  startedAt: '2026-11-22T14:15:03.000Z',
  endedAt: null,
  command: 'upgrade' as const,
  outcome: 'upgraded' as const,
  components: { node: { from: 'quay.io/calico/node:v2.6.5', to: 'quay.io/calico/node:v2.6.12' } },
}

/** All that people get to read, with texts that are longer than a terminal. */
const reports: Record<string, (options: TextOptions) => string> = {
  problems: (options) => renderProblems([problem], options),
  plan: (options) =>
    renderReport(
      {
        ...{ ...upgraded, outcome: 'planned', controllersDownMs: 800, problems: [problem] },
        steps: upgraded.steps.map((step) => ({ ...step, summary: `${step.summary}, ${problem.message}` })),
      },
      { ...options, diff: false },
    ),
  stuck: (options) =>
    renderReport({ ...upgraded, outcome: 'stuck', problems: [problem] }, { ...options, diff: false }),
  history: (options) => renderHistory({ schema: 1, runs: [run], timeline: null, problems: [] }, options),
  run: (options) =>
    renderHistory(
      {
        ...{ schema: 1, runs: [run], problems: [problem] },
        timeline: {
          ...{
            ...run,
            host: 'host1',
            agent: '0.2.0',
            steps: [],
            window: upgraded.window,
            controllersDownMs: null,
          },
          events: [{ ms: 8_000, event: 'going-back', text: problem.message }],
        },
      },
      options,
    ),
  doctor: (options) =>
    renderDoctor(
      {
        ...{ schema: 1, ready: false, target: null },
        checks: [
          {
            code: 'a-rule',
            severity: 'error',
            passes: true,
            about: problem.message,
            seen: 'well',
            fix: null,
          },
          { ...problem, passes: false, about: '', seen: problem.message },
        ],
      },
      options,
    ),
  fleet: (options) =>
    renderFleet(
      {
        ...{ group: 'rack-7', slots: 1, target: 'calico/node:v2', halted: null, done: 1, total: 1 },
        hosts: [
          {
            ...doneRecord('rack7-host12.example.net'),
            state: 'failed',
            reason: problem.message.slice(0, 100),
          },
        ],
      },
      { ...options, now: new Date('2026-11-27T03:00:00Z') },
    ),
  config: (options) =>
    renderConfigShow(
      {
        ...{ schema: 1, valid: true, problems: [] },
        settings: [
          {
            key: 'node.image',
            value: 'quay.io/calico/node:v2.6.12',
            origin: { from: 'release', release: 'v2.6.12' },
          },
          {
            key: 'kubernetes.kubeconfig',
            value: '/etc/kubernetes/kubelet.conf',
            origin: { from: 'default' },
          },
        ],
      } as unknown as Parameters<typeof renderConfigShow>[0],
      options,
    ),
  gc: (options) =>
    renderGc(
      {
        schema: 1,
        changed: true,
        containers: [],
        images: ['quay.io/calico/node:v2.6.5'],
        files: [],
        journals: [],
        problems: [problem],
      },
      { ...options, check: true },
    ),
}

const words = (text: string): string[] => stripVTControlCharacters(text).split(/\s+/).filter(Boolean)

describe.each(Object.keys(reports))('the text of %s', (name) => {
  const text = (columns?: number, color = false): string => reports[name]?.({ color, columns }) ?? ''

  it.each([60, 80, 200])('has no line longer than %i columns, and all of its words', (columns) => {
    for (const color of [false, true]) {
      const wrapped = text(columns, color)
      expect(words(wrapped)).toEqual(words(text()))
      expect(lines(wrapped).filter((line) => stringWidth(line) > columns)).toEqual(
        // a word that is longer than the line stays whole
        lines(wrapped).filter((line) => Math.max(...words(line).map((word) => word.length)) > columns - 7),
      )
    }
  })

  it('indents what goes on', () => {
    const begun = new Set(lines(text()))
    const more = lines(text(60)).filter((line) => ![...begun].some((whole) => whole.startsWith(line)))
    expect(more.filter((line) => !line.startsWith('  '))).toEqual([])
  })

  it('keeps its lines where there is no terminal', () => {
    expect(text(undefined)).toBe(text(10_000))
  })
})

describe('a line', () => {
  it('goes on under its text', () => {
    expect(lines(renderProblems([problem], { color: true, columns: 80 }))).toEqual([
      'error: cannot change the Deployment calico-kube-controllers of kube-system: it',
      '       is being rolled out, and its pods are not yet available',
      '       [deployment-rolling]',
      '  fix: wait for it:',
      `       ${rollout}`,
    ])
  })

  it('breaks a command where it fits nowhere, at a space', () => {
    expect(hangingFix('  fix: ', problem.fix, 60)).toEqual([
      '  fix: wait for it: kubectl -n kube-system rollout status',
      '       deployment/calico-kube-controllers',
    ])
  })

  it('keeps a colour on every one of its lines', () => {
    const red = '\x1b[31mone two three four five six seven\x1b[39m'
    expect(hanging('', red, 24)).toEqual([
      '\x1b[31mone two three four\x1b[39m',
      '  \x1b[31mfive six seven\x1b[39m',
    ])
  })

  it('counts the columns of wide characters', () => {
    const wide = hanging('', '日本語 日本語 日本語 日本語', 24)
    expect(wide.map((line) => stringWidth(line) <= 24)).toEqual([true, true])
  })
})

describe('a row', () => {
  const row = ['20261122T141503Z-7f3a', 'upgrade', 'node v2.6.5 -> v2.6.12; cni v1.11.2 -> v1.11.8']

  it('goes on in its last column', () => {
    expect(alignedRows([row], 60)).toEqual([
      '20261122T141503Z-7f3a  upgrade  node v2.6.5 -> v2.6.12; cni',
      '                                v1.11.2 -> v1.11.8',
    ])
  })

  it('has its last cell below where that has no room', () => {
    expect(alignedRows([row], 50)).toEqual([
      '20261122T141503Z-7f3a  upgrade',
      '    node v2.6.5 -> v2.6.12; cni v1.11.2 -> v1.11.8',
    ])
  })

  it('begins further left with a word that fits only there, and leaves a longer one where it is', () => {
    const digest = `sha256:${'a'.repeat(64)}`
    expect(alignedRows([['image', digest]], 75)).toEqual(['image', `    ${digest}`])
    expect(alignedRows([['', digest]], 73)).toEqual([`  ${digest}`])
    expect(alignedRows([['image', digest]], 60)).toEqual([`image  ${digest}`])
  })
})
