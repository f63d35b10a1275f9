import { pullSteps } from '../docker/image-state.ts'
import type { Problem } from '../errors.ts'
import { type ObservedDeployment, RECREATE } from '../kubernetes/deployment.ts'
import type { ObservedImage, Wanted } from '../model.ts'
import type { DiffEntry } from '../report/report.ts'
import type { BackPart } from './back.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep, StepArgs } from './plan.ts'

export interface DeploymentInput {
  run: string
  wanted: Pick<Wanted, 'settleMs'>
  deployment: ObservedDeployment
  /** Its pod runs on this host. */
  isHere: boolean
}

/** Has the Deployment run `image`, and one pod end before the next one starts. */
export function deploymentPart(input: DeploymentInput, image: ObservedImage): PlanPart {
  const { deployment } = input
  const from = deployment.image ?? ''
  const change = { from, to: image.ref }
  if (from === image.ref && deployment.strategy === RECREATE) return unchanged('controllers', change)
  return { ...partOf(input, change), prepare: deploymentPulls(input, image) }
}

/** Where the pod runs here, it most likely will again. Elsewhere, and where a Secret is asked for, the kubelet pulls. */
export function deploymentPulls(
  { deployment, isHere }: Pick<DeploymentInput, 'deployment' | 'isHere'>,
  image: ObservedImage,
): PlannedStep[] {
  const mayPull = isHere && !deployment.hasPullSecrets && 'digest' in image.remote
  return mayPull ? pullSteps('controllers', image) : []
}

/** Has the Deployment run the image that an earlier run replaced; what others made of it since stays. */
export function deploymentBackPart(
  input: Omit<DeploymentInput, 'deployment' | 'isHere'> & { deployment: ObservedDeployment | null },
  { deployment: named, from, to }: StepArgs['swap-deployment'],
): BackPart {
  const { deployment } = input
  if (deployment?.image === from) return { part: null, problems: [] }
  if (deployment?.image === to)
    return { part: partOf({ ...input, deployment }, { from: to, to: from }), problems: [] }
  const problem: Problem = {
    code: 'template-changed',
    severity: 'warning',
    message: `the controllers stay as they are: Deployment ${named.namespace}/${named.name} ${deployment ? 'was changed since by somebody else' : 'is gone'}`,
    fix: `kubectl -n ${named.namespace} rollout history deployment/${named.name}`,
  }
  return { part: null, problems: [problem] }
}

function partOf(
  { run, wanted: { settleMs }, deployment }: Omit<DeploymentInput, 'isHere'>,
  change: { from: string; to: string },
): PlanPart {
  const { namespace, name, container, strategy } = deployment
  const args = { deployment: { namespace, name }, run, container, ...change, strategy, settleMs }
  return {
    component: 'controllers',
    change,
    prepare: [],
    move: [{ kind: 'swap-deployment', component: 'controllers', args }],
    commits: [],
    commitsAlone: true,
    diff: [deploymentDiff(deployment, change)],
  }
}

function deploymentDiff(
  { namespace, name, container, strategy }: ObservedDeployment,
  { from, to }: { from: string; to: string },
): DiffEntry {
  const text = (type: string, image: string): string =>
    `strategy: ${type}\ncontainers.${container}: ${image}\n`
  return {
    target: `deployment ${namespace}/${name}`,
    before: text(strategy, from),
    after: text(RECREATE, to),
  }
}
