import { keptName, stagedName, stagingName } from '../cni/files.ts'
import { RUN_LABEL } from '../docker/container-spec.ts'
import { dockerRunLine } from '../docker/run.ts'
import { POD_LABEL } from '../pod/static-pod.ts'
import type { UnitChange } from '../unit/change.ts'
import type { ContainerCommit, OldContainer, Plan, StepKind } from './plan.ts'

/**
 * The commands that settle a stuck run by hand: what stands where, and how the old container is put back, made again
 * where it is gone, the old CNI plugins and the old CNI config. Null for a run that touched none of them.
 */
export function settleByHand(plan: Plan, journal: string): string | null {
  const lines = [
    ...nodeLines(plan),
    ...pluginLines(plan),
    ...configLines(plan, journal),
    ...controllersLines(plan),
    ...controllersUnitLines(plan),
    ...staticPodLines(plan, journal),
  ]
  if (lines.length === 0) return null
  return [...lines, `the journal ${journal} has all values, including the hidden ones`].join('\n')
}

function pluginLines({ steps }: Plan): string[] {
  const swap = steps.find((step) => step.kind === 'swap-binaries')
  if (!swap) return []
  const { run, binDir, names } = swap.args
  const move = (from: string, name: string) => `mv -fT ${binDir}/${from} ${binDir}/${name}`
  return [
    `check the CNI plugins: ls -la ${binDir}; files ending in .old were installed before the run, files in ${stagingName(run)} are not installed yet`,
    'to put the old ones back, for each .old file:',
    ...names.map((name) => `  ${move(keptName(run, name), name)}`),
    'or to install the new ones, for each staged file:',
    ...names.map((name) => `  ${move(stagedName(run, name), name)}`),
  ]
}

function configLines({ steps }: Plan, journal: string): string[] {
  const write = steps.find((step) => step.kind === 'write-cni-config')
  if (!write) return []
  const { path, wayBack, reader } = write.args
  return [
    `to put the old CNI config back: mv ${wayBack} ${path}`,
    `  if that file is gone: ${journaled(journal, 'write-cni-config', 'before')} > ${path}`,
    ...(reader === null ? [] : [`  systemctl restart ${reader}`]),
    `to keep the new one: rm -f ${wayBack}`,
  ]
}

function nodeLines(plan: Plan): string[] {
  const unit = plan.steps.find((step) => step.kind === 'swap-unit')
  const lines = unit ? unitLines(unit.args.change) : containerLines(plan)
  return lines.length === 0 ? [] : [...lines, ...HELD_ROUTES]
}

function containerLines({ steps }: Plan): string[] {
  const swap = steps.find((step) => step.kind === 'swap-container')
  const kept = swap && commitOf(steps, swap.args.old)
  if (!kept) return []
  const { old, parkName } = kept
  const id = old.id.slice(0, 12)
  return [
    ...whatStands(kept),
    'to keep the new one (NEW), if docker exec NEW birdcl show protocols has its sessions Established:',
    `  docker update --restart=no ${id}; docker rename ${id} ${parkName}`,
    `  docker update --restart=${policyWord(old)} NEW; docker rename NEW ${old.name}`,
    'to put the old one back, but not while docker exec NEW birdcl show status reports a recovery:',
    `  docker kill NEW; docker rm NEW`,
    `  docker update --restart=${policyWord(old)} ${id}; docker rename ${id} ${old.name}; docker start ${id}`,
    'and if the old one is gone, recreate it:',
    `  ${dockerRunLine(old.name, old.spec)}`,
  ]
}

function commitOf(steps: Plan['steps'], { id }: OldContainer): ContainerCommit | undefined {
  const commits = steps.flatMap((step) => (step.kind === 'commit' ? step.args.containers : []))
  return commits.find(({ old }) => old.id === id)
}

function whatStands({ old, next, parkName }: ContainerCommit): string[] {
  const newOne =
    'parked' in next ? next.parked.slice(0, 12) : `docker ps -a --filter label=${RUN_LABEL}=${next.createdBy}`
  return [
    `check what exists: docker ps -a --no-trunc; the old container is ${old.id.slice(0, 12)} (${old.image}), named ${old.name} or ${parkName}`,
    `the new one: ${newOne}`,
  ]
}

/** One is seen stopped before the other starts: two would both write. */
function controllersLines({ steps }: Plan): string[] {
  const swap = steps.find((step) => step.kind === 'swap-controllers')
  const kept = swap && commitOf(steps, swap.args.old)
  if (!kept) return []
  const { old, parkName } = kept
  const id = old.id.slice(0, 12)
  return [
    ...whatStands(kept),
    'to put the old controllers back, but never run two at once:',
    '  docker update --restart=no NEW; docker stop NEW; docker rm NEW',
    `  docker update --restart=${policyWord(old)} ${id}; docker rename ${id} ${old.name}; docker start ${id}`,
    'to keep the new ones:',
    `  docker update --restart=no ${id}; docker stop ${id}; docker rename ${id} ${parkName}`,
    `  docker update --restart=${policyWord(old)} NEW; docker rename NEW ${old.name}; docker start NEW`,
    'and if the old one is gone, recreate it:',
    `  ${dockerRunLine(old.name, old.spec)}`,
  ]
}

/** The same where a unit runs them: the name of the container keeps a second one out. */
function controllersUnitLines({ steps }: Plan): string[] {
  const swap = steps.find((step) => step.kind === 'swap-controllers-unit')
  if (!swap) return []
  const { unit, container, from, to, trial, edit } = swap.args.change
  const start = `systemctl daemon-reload; systemctl reset-failed ${unit}; systemctl start ${unit}`
  return [
    `check what exists: systemctl status ${unit}; systemctl cat ${unit}; docker ps -a --no-trunc`,
    `to put the old controllers back, or to keep the new ones, but never run two at once:`,
    `  systemctl stop ${unit}; docker rm -f ${container}; rm -f ${trial.path}`,
    `  set the image in ${edit?.path ?? `the file that names it (systemctl cat ${unit})`} to ${from}, or to ${to} to keep the new ones`,
    `  ${start}`,
  ]
}

/** The manifest is out while the old pod ends: the kubelet would start the new one beside it. */
function staticPodLines({ steps }: Plan, journal: string): string[] {
  const swap = steps.find((step) => step.kind === 'swap-static-pod')
  if (!swap) return []
  const { manifest, pod, to } = swap.args
  const { path, wayBack } = manifest
  const none = `  docker ps --filter label=${POD_LABEL}=${pod.pod}   # until it shows no container`
  return [
    `check the controllers: ls -la ${path} ${wayBack}; docker ps -a --filter label=${POD_LABEL}=${pod.pod}`,
    `to put the old ones back, but never run two at once, if ${path} names ${to} or is gone:`,
    `  rm -f ${path}`,
    none,
    `  mv ${wayBack} ${path}`,
    `  if that file is gone: ${journaled(journal, 'swap-static-pod', 'manifest.before')} > ${path}`,
    `to keep the new ones, if ${path} names ${to}: rm -f ${wayBack}`,
  ]
}

/** A text of a step's arguments, as the journal's first record has it. */
function journaled(journal: string, kind: StepKind, field: string): string {
  return `cut -c10- ${journal} | head -1 | jq -j '.plan.steps[] | select(.kind=="${kind}").args.${field}'`
}

/** The same where a unit runs the container: its file decides, and the drop-in of the run must go. */
function unitLines({ unit, container, from, to, trial, edit }: UnitChange): string[] {
  const file = edit?.path ?? `the file that names it (systemctl cat ${unit})`
  return [
    `check what exists: systemctl status ${unit}; systemctl cat ${unit}; docker ps -a --no-trunc`,
    `to keep the new image, if docker exec ${container} birdcl show protocols has its sessions Established:`,
    `  set the image in ${file} to ${to}`,
    `  rm -f ${trial.path}; systemctl daemon-reload`,
    `to put the old one back, but not while docker exec ${container} birdcl show status reports a recovery:`,
    `  set the image in ${file} to ${from}`,
    `  docker rm -f ${container}; rm -f ${trial.path}; systemctl daemon-reload`,
    `  systemctl reset-failed ${unit}; systemctl restart ${unit}`,
  ]
}

const HELD_ROUTES = [
  'remove the routes that were held for the swap:',
  '  for f in -4 -6; do ip $f rule del pref 32724; ip $f rule del pref 32725; ip $f route flush table 24724; done',
]

function policyWord({ policy: { Name, MaximumRetryCount } }: OldContainer): string {
  return `${Name === '' ? 'no' : Name}${MaximumRetryCount ? `:${MaximumRetryCount}` : ''}`
}
