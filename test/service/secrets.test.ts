import { expect, it } from 'vitest'
import type { StatusReport } from '../../agent/core/report/status.ts'
import { json } from '../../agent/service/http.ts'
import { atStart, onConfigRead } from '../../agent/service/loop.ts'
import { metricsPage } from '../../agent/service/metrics/page.ts'
import { type ServiceStatus, serviceDocument, statusLine } from '../../agent/service/service-status.ts'
import { unstarted } from '../../agent/stories/run-report.ts'

/** As an agent of before left it in a journal, and as a log with colours and line breaks. */
const said = 'it logged: ETCD_PASSWORD=hunter2\n\u001b[31mat https://root:hunter2@192.0.2.9:2379\u001b[0m'
const problem = { code: 'gate-failed', severity: 'error' as const, message: said, fix: said }
const state = onConfigRead(atStart, { kind: 'valid', fingerprint: 'A', target: 'A', apply: 'auto' })
const account: ServiceStatus = {
  state: { ...state, resumeDue: false, stuck: true },
  live: null,
  held: { run: 'run-1', reason: said, stuck: true },
  lastReport: unstarted('rolled-back', null, [problem]),
  retryAt: null,
}

it('neither /status nor the line of systemctl status show what an old journal holds', () => {
  const { text } = json({ service: serviceDocument(account, '0.1.0'), host: { problems: [problem] } })
  for (const shown of [text, statusLine(account)]) {
    expect(shown).toContain('ETCD_PASSWORD=<redacted>')
    expect(shown).not.toContain('hunter2')
  }
  expect(statusLine(account)).not.toMatch(/\p{Cc}/u)
})

it('the line of systemctl status is one that systemd-notify can be given', () => {
  const held = { run: 'run-1', reason: 'x'.repeat(200_000), stuck: true }
  expect(statusLine({ ...account, held }).length).toBeLessThan(1_000)
})

it('no label of a metric shows one either', async () => {
  const node = { image: 'https://root:hunter2@registry.example/calico/node:v2.6.5', state: 'running' }
  const host = { node, bird: null, problems: [], lastRun: null } as unknown as StatusReport
  const facts = {
    version: '0.1.0',
    state: 'idle' as const,
    configValid: true,
    runs: null,
    host,
    fleet: null,
    waitedMs: null,
  }
  const { text } = await metricsPage(facts, undefined)
  expect(text).toContain('calico_agent_node_info{image="https://<redacted>@registry.example/')
})
