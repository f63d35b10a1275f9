import { keptName, stagedName } from './cni-files.ts'
import { RUN_LABEL } from './container-spec.ts'
import { dockerRunLine } from './docker-run.ts'
import type { OldContainer, Plan } from './plan.ts'

/**
 * The commands that settle a stuck run by hand: what stands where, and how what was there before is put back. Null for a
 * run that touched nothing.
 */
export function settleByHand(plan: Plan, journal: string): string | null {
  const lines = [...containerLines(plan), ...pluginLines(plan)]
  if (lines.length === 0) return null
  return [...lines, `the journal ${journal} has every value, the hidden ones too`].join('\n')
}

function pluginLines({ steps }: Plan): string[] {
  const swap = steps.find((step) => step.kind === 'swap-binaries')
  if (!swap) return []
  const { run, binDir, names } = swap.args
  const move = (from: string, name: string) => `mv -fT ${binDir}/${from} ${binDir}/${name}`
  return [
    `see what stands of the CNI plugins: ls -la ${binDir}; what ends in .old was live before, what ends in .new was not yet`,
    'to put the old ones back, as far as there is an .old:',
    ...names.map((name) => `  ${move(keptName(run, name), name)}`),
    'or to put the new ones in place, as far as there is a .new:',
    ...names.map((name) => `  ${move(stagedName(run, name), name)}`),
  ]
}

/** The old container put back, made again where it is gone. */
function containerLines({ steps }: Plan): string[] {
  const swap = steps.find((step) => step.kind === 'swap-container')
  const commit = steps.find((step) => step.kind === 'commit')
  const [kept] = commit?.args.containers ?? []
  if (!swap || !kept) return []
  const { old, next, parkName } = kept
  const id = old.id.slice(0, 12)
  const newOne =
    'parked' in next ? next.parked.slice(0, 12) : `docker ps -a --filter label=${RUN_LABEL}=${next.createdBy}`
  return [
    `see what stands: docker ps -a --no-trunc; the old container is ${id} (${old.image}), named ${old.name} or ${parkName}`,
    `the new one: ${newOne}`,
    'to keep the new one (NEW), if docker exec NEW birdcl show protocols has its sessions Established:',
    `  docker update --restart=no ${id}; docker rename ${id} ${parkName}`,
    `  docker update --restart=${policyWord(old)} NEW; docker rename NEW ${old.name}`,
    'to put the old one back, but not while docker exec NEW birdcl show status tells of a recovery:',
    `  docker kill NEW; docker rm NEW`,
    `  docker update --restart=${policyWord(old)} ${id}; docker rename ${id} ${old.name}; docker start ${id}`,
    'and where the old one is gone, make it again:',
    `  ${dockerRunLine(old.name, old.spec)}`,
    'take away the routes that were held for the swap:',
    '  for f in -4 -6; do ip $f rule del pref 32724; ip $f rule del pref 32725; ip $f route flush table 24724; done',
  ]
}

function policyWord({ policy: { Name, MaximumRetryCount } }: OldContainer): string {
  return `${Name === '' ? 'no' : Name}${MaximumRetryCount ? `:${MaximumRetryCount}` : ''}`
}
