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

/** docs/reliability.md. */
export function document(rows: Row[], { asked, taken }: Duration): string {
  return `# Reliability

Written by \`./scripts/soak${asked === null ? '' : ` --minutes ${asked}`}\`, which ran ${taken} minutes. A trial takes two hosts of the lab: systemd,
Docker Engine and BIRD are real ones, the image stands in for calico/node. In each the agent dies in the middle of a
run, \`agent resume\` follows, and then the host must be old or new and whole: one calico/node, under its own name and
restart policy, nothing beside it but a parked one; no packet of the pods lost and no route withdrawn at the peer (with
a power cut: no route withdrawn); none of them held; and a second \`agent resume\` has nothing to do. Where a unit runs it,
its files are byte for byte as before but for the image, which is the one that runs, and no drop-in of the run is left.

${table(rows)}

- A **fault point** stands before and after each journal record, each call that changes something in Docker, systemd, the
  unit's files or the CNI plugins, and each change of BIRD or of the kernel's routes. The executable that is shipped has none.
- **While its call is carried out** is up to 0.3 s after the KILL was asked of Docker, 1.5 s after the restart of systemd:
  they finish it beside the resume.
- A **unit** is one with \`Restart=always\` around \`docker run\`. \`./scripts/soak --only "unit's"\` runs its campaigns alone.
- An **upgrade that goes back** is one to an image that does not start; a **rollback** is \`agent rollback\`.
- **Docker Engine** runs with live-restore, so that the containers outlive it; it comes back after 2 to 8 s.
- **Two agents at once** take the lock of one state directory: one gets it, the other defers (exit 75).
- **Below the file system** is a machine of its own, emulated, with Debian's kernel and ext4. The journal and the file
  library work on its disk until the emulator is killed. What was acknowledged before must be there, and nothing torn.
- A **control** is a trial that must go wrong, or its harness proves nothing: a host that nobody resumes; a swap that
  gives the new container its restart policy at once; an Engine that does not come back;
  two agents that do not share a lock; the file library without fsync.

What is tried in \`./scripts/test\`, each with its control: a kill, EIO and ENOSPC in place of every system call that the
file library makes; a disk that is full; each bit of a journal flipped and each truncation of it; the agent's death at
every move of a run and of its resumes, and while Docker or systemd is at what it asked for, on fakes; a spread of the
fault points above on real hosts, and of a unit's each one by SIGKILL; Docker Engine killed, stopped and frozen, and other people's hands on the containers, in the middle of a run.

Run on ${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Linux ${release()}, ${commit()}.
`
}

function cell(text: string): string {
  return text.replaceAll('|', '/').replaceAll('\n', ' ').slice(0, 100)
}

function commit(): string {
  return `commit ${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`
}
