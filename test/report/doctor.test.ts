import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { DoctorCheck, DoctorReport } from '../../agent/core/report/doctor.ts'
import { renderDoctor } from '../../agent/report/doctor.ts'
import { SECRET, SECRET_URL, TO } from './samples.ts'

const good: DoctorCheck = {
  code: 'container-missing',
  severity: 'error',
  passes: true,
  about: 'the calico/node container exists',
  seen: 'calico-node',
  fix: null,
}
const bad: DoctorCheck = {
  ...good,
  code: 'bird-down',
  passes: false,
  seen: `cannot take BIRD's baseline\n  of ${SECRET_URL}`,
  fix: 'docker exec calico-node birdcl show status\nbird.sockets in the config',
}
const odd: DoctorCheck = {
  ...bad,
  code: 'peer-down',
  severity: 'warning',
  seen: 'peer x is down',
  fix: 'mend it',
}

function render(checks: DoctorCheck[], ready: boolean, target: string | null = null): string {
  const report: DoctorReport = { schema: 1, ready, target, checks }
  const [plain, colored] = [false, true].map((color) => renderDoctor(report, { color })) as [string, string]
  expect(stripVTControlCharacters(colored)).toBe(plain)
  return plain
}

describe('renderDoctor', () => {
  it('has a line for each check, and the way out below it', () => {
    expect(render([good, odd, bad], false).split('\n')).toEqual([
      'ok       the calico/node container exists (calico-node)  [container-missing]',
      'warning  peer x is down  [peer-down]',
      '         fix: mend it',
      "error    cannot take BIRD's baseline",
      expect.stringMatching(/^ {11}of https:\/\/<redacted>@etcd\.example:2379 {2}\[bird-down\]$/),
      '         fix: docker exec calico-node birdcl show status',
      '              bird.sockets in the config',
      '',
      'the upgrade would be refused: 1 error, 1 warning',
    ])
    expect(render([bad], false)).not.toContain(SECRET)
  })

  it('has no parentheses around nothing', () => {
    expect(render([{ ...good, seen: '' }], true)).toMatch(/^ok {2}the calico\/node container exists {2}\[/)
  })

  it('tells what is put off from what is refused', () => {
    const restarting = { ...bad, code: 'peer-restarting' }
    expect(render([good, restarting], false)).toContain('the upgrade would be deferred: 1 error, 0 warnings')
    expect(render([bad, restarting], false)).toContain('the upgrade would be refused: 2 errors, 0 warnings')
  })

  it.each<[DoctorCheck[], string | null, string]>([
    [[good], null, 'the upgrade can start'],
    [[good], TO, `the upgrade can start (${TO})`],
    [[good, odd, odd], null, 'the upgrade can start, with 2 warnings'],
  ])('ends with the verdict', (checks, target, verdict) => {
    expect(render(checks, true, target).split('\n').at(-1)).toBe(verdict)
  })
})
