import { RUN_LABEL } from '../../docker/container-spec.ts'
import { dockerRunLine } from '../../docker/run.ts'
import type { ContainerCommit, OldContainer, StepArgs } from '../plan.ts'
import type { StuckRun } from './stuck-run.ts'

/** BIRD shows which of two nodes may be kept. */
export function nodeLines({ old }: StepArgs['swap-container'], run: StuckRun): string[] {
  const lines = swapLines(old, run, ({ id, policy, parkName }) => [
    'to keep the new one (NEW), if docker exec NEW birdcl show protocols has its sessions Established:',
    `  docker update --restart=no ${id}; docker rename ${id} ${parkName}`,
    `  docker update --restart=${policy} NEW; docker rename NEW ${old.name}`,
    'to put the old one back, but not while docker exec NEW birdcl show status reports a recovery:',
    `  docker kill NEW; docker rm NEW`,
    `  docker update --restart=${policy} ${id}; docker rename ${id} ${old.name}; docker start ${id}`,
  ])
  return lines.length === 0 ? [] : [...lines, ...HELD_ROUTES]
}

/** See one stopped before you start the other: two would both write. */
export function containersLines({ old }: StepArgs['swap-controllers'], run: StuckRun): string[] {
  return swapLines(old, run, ({ id, policy, parkName }) => [
    'to put the old controllers back, but never run two at once:',
    '  docker update --restart=no NEW; docker stop NEW; docker rm NEW',
    `  docker update --restart=${policy} ${id}; docker rename ${id} ${old.name}; docker start ${id}`,
    'to keep the new ones:',
    `  docker update --restart=no ${id}; docker stop ${id}; docker rename ${id} ${parkName}`,
    `  docker update --restart=${policy} NEW; docker rename NEW ${old.name}; docker start NEW`,
  ])
}

interface Kept {
  /** Of the old container, in short. */
  id: string
  /** As `docker update --restart` takes it. */
  policy: string
  parkName: string
}

/** What exists, the two ways out, and how to recreate the old container; nothing about one that no commit names. */
function swapLines(old: OldContainer, { steps }: StuckRun, waysOut: (kept: Kept) => string[]): string[] {
  const commits = steps.flatMap((step) => (step.kind === 'commit' ? step.args.containers : []))
  const commit = commits.find((one) => one.old.id === old.id)
  if (!commit) return []
  const kept = { id: old.id.slice(0, 12), policy: policyWord(old), parkName: commit.parkName }
  return [
    ...present(commit),
    ...waysOut(kept),
    'and if the old one is gone, recreate it:',
    `  ${dockerRunLine(old.name, old.spec)}`,
  ]
}

function present({ old, next, parkName }: ContainerCommit): string[] {
  const newOne =
    'parked' in next ? next.parked.slice(0, 12) : `docker ps -a --filter label=${RUN_LABEL}=${next.createdBy}`
  return [
    `check what exists: docker ps -a --no-trunc; the old container is ${old.id.slice(0, 12)} (${old.image}), named ${old.name} or ${parkName}`,
    `the new one: ${newOne}`,
  ]
}

export const HELD_ROUTES = [
  'remove the routes that were held for the swap:',
  '  for f in -4 -6; do ip $f rule del pref 32724; ip $f rule del pref 32725; ip $f route flush table 24724; done',
]

function policyWord({ policy: { Name, MaximumRetryCount } }: OldContainer): string {
  return `${Name === '' ? 'no' : Name}${MaximumRetryCount ? `:${MaximumRetryCount}` : ''}`
}
