import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import { upperBound } from './statistics.ts'

export interface Row {
  name: string
  planned: number
  trials: number
  bad: number
  controlFailed: boolean
}

/** docs/reliability.md. */
export function document(rows: Row[]): string {
  const table = rows.map(({ name, planned, trials, bad, controlFailed }) => {
    const bound = trials === 0 ? '-' : `${(100 * upperBound(trials, bad)).toFixed(1)} %`
    return `| ${name} | ${trials} of ${planned} | ${bad} | ${bound} | ${controlFailed ? 'failed, as it must' : 'DID NOT FAIL'} |`
  })
  return `# Reliability

Written by \`./scripts/soak\`. Two hosts of the lab a trial: systemd, Docker Engine and BIRD are real ones, the image
stands in for calico/node. In each trial the agent dies in the middle of a run, \`agent resume\` follows, and then the
host must be old or new and whole: one calico/node, under its own name and restart policy, nothing beside it but a parked
one; no packet of the pods lost and no route withdrawn at the peer (with a power cut: no route withdrawn); and a second
\`agent resume\` has nothing to do.

| fault | trials | bad | 95 % bound on the rate | control |
| --- | --- | --- | --- | --- |
${table.join('\n')}

The controls are: a host that nobody resumes; a swap that gives the new container its restart policy at once; two agents
that do not share a lock. Run on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Linux ${release()}, ${commit()}.
`
}

function commit(): string {
  return `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`
}
