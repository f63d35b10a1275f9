import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'
import { upperBound } from './statistics.ts'

export interface Row {
  name: string
  planned: number
  trials: number
  bad: number
  /** What the control saw; null where it saw nothing, and proves nothing. */
  control: string | null
}

/** Minutes; null where all trials were asked for. */
export interface Duration {
  asked: number | null
  taken: number
}

export function table(rows: Row[]): string {
  const lines = rows.map(({ name, planned, trials, bad, control }) => {
    const bound = trials === 0 ? '-' : `${(100 * upperBound(trials, bad)).toFixed(1)} %`
    return `| ${name} | ${trials} of ${planned} | ${bad} | ${bound} | ${control === null ? 'DID NOT FAIL' : cell(control)} |`
  })
  return `| fault | trials | bad | 95 % bound on the rate | its control saw |
| --- | --- | --- | --- | --- |
${lines.join('\n')}`
}

/** docs/reliability.md; the sections of `old` stay: they are of campaigns that were run on their own. */
export function document(rows: Row[], { asked, taken }: Duration, old = ''): string {
  return `# Reliability

Written by \`./scripts/soak${asked === null ? '' : ` --minutes ${asked}`}\`, which ran ${taken} minutes. Each trial uses two hosts of the lab. systemd,
Docker Engine and BIRD are real; the image is a stand-in for calico/node. In each trial, the agent dies in the middle of a
run, and \`calico-agent resume\` follows. After that, the host must be either in the old or in the new state, complete: one
calico/node, with its own name and restart policy, and no other container but a parked one. No packet of the pods may be
lost, no route withdrawn at the peer (after a power cut, only the routes count), and no route left held. A second \`calico-agent resume\` must
have nothing to do. If a unit runs the node, its files must be the same byte for byte, except for the image, which is the
running one, and no drop-in of the run may be left.

${table(rows)}

- A **fault point** is before and after each journal record, each call that changes something in Docker, systemd, the
  unit's files or the CNI plugins, and each change of BIRD or of the kernel's routes. The released executable has none.
- **While its call is carried out** means up to 0.3 s after Docker was asked for the KILL, or 1.5 s after systemd was asked
  for the restart: they finish it while the resume runs.
- A **unit** is one with \`Restart=always\` around \`docker run\`. \`./scripts/soak --only "unit's"\` runs only its campaigns.
- An **upgrade that goes back** is an upgrade to an image that does not start; a **rollback** is \`calico-agent rollback\`.
- **Docker Engine** runs with live-restore, so that the containers survive it; it comes back after 2 to 8 s.
- **Two agents at once** request the lock of one state directory: one gets it, the other defers (exit 75).
- **Below the file system** uses a separate, emulated machine, with Debian's kernel and ext4. The journal and the file
  library work on its disk until the emulator is killed. All data acknowledged before that must be there, and complete.
- A **fleet** is four simulated hosts with one slot, the agent's own fleet code and client, on a real etcd of three members
  for each trial. Two hosts must never be at work at once, none may start after a halt, and no slot may stay taken without a
  host that holds it. \`./scripts/soak --only fleet\` runs only these. Members that **hang** are stopped (SIGSTOP); one that is
  **cut off** is in a network of its own whose link is down, and two of the agents know only that one.
- A **control** is a trial that must fail; if it does not, the harness proves nothing. The controls are a host that nobody
  resumes; a swap that gives the new container its restart policy at once; an Engine that does not come back; two agents
  that do not share a lock; the file library without fsync; a lock that reads before it writes, and one with a time to live.

\`./scripts/test\` tries the following, each with its control:

- a kill, EIO and ENOSPC instead of each system call of the file library, and a full disk
- a flip of each bit of a journal, and each truncation of it
- with fakes: the death of the agent at every move of a run and of its resumes, and while Docker or systemd does what it was
  asked to do
- on real hosts: a selection of the fault points above, and each one of a unit's with SIGKILL
- in the middle of a run: Docker Engine killed, stopped and frozen, and other people who change the containers

Run on ${machine()}.
${sectionsOf(old)
  .map((section) => `\n${section}`)
  .join('')}`
}

interface PartOfCampaigns {
  only: string
  rows: Row[]
  duration: Duration
}

/** The document with what these campaigns came to in a section of theirs. */
export function withPart(old: string, { only, rows, duration: { taken } }: PartOfCampaigns): string {
  const heading = `## Only ${only}\n`
  const section = `${heading}
\`./scripts/soak --only ${only}\`, which ran ${taken} minutes, on ${machine()}.

${table(rows)}
`
  const [whole = ''] = old.split(/^(?=## )/m)
  const others = sectionsOf(old).filter((one) => !one.startsWith(heading))
  return [whole, ...others, section].map((text) => `${text.trim()}\n`).join('\n')
}

function sectionsOf(text: string): string[] {
  return text.split(/^(?=## )/m).slice(1)
}

function machine(): string {
  return `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Linux ${release()}, ${commit()}`
}

function cell(text: string): string {
  return text.replaceAll('|', '/').replaceAll('\n', ' ').slice(0, 100)
}

function commit(): string {
  return `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`
}
