import { RUN_LABEL } from './container-spec.ts'
import { dockerRunLine } from './docker-run.ts'
import type { OldContainer, Plan } from './plan.ts'

/**
 * The commands that settle a stuck run by hand: what stands where, and how the old container is put back, made again
 * where it is gone, and the old CNI config. Null for a run that touched neither.
 */
export function settleByHand(plan: Plan, journal: string): string | null {
  const lines = [...containerLines(plan), ...configLines(plan, journal)]
  if (lines.length === 0) return null
  return [...lines, `the journal ${journal} has every value, the hidden ones too`].join('\n')
}

function configLines({ steps }: Plan, journal: string): string[] {
  const write = steps.find((step) => step.kind === 'write-cni-config')
  if (!write) return []
  const { path, wayBack, reader } = write.args
  return [
    `to put the old CNI config back: mv ${wayBack} ${path}`,
    `  where that file is gone: cut -c10- ${journal} | head -1 | jq -j '.plan.steps[] | select(.kind=="write-cni-config").args.before' > ${path}`,
    ...(reader === null ? [] : [`  systemctl restart ${reader}`]),
    `to keep the new one: rm -f ${wayBack}`,
  ]
}

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
