import { pullSteps } from '../docker/image-state.ts'
import type { Problem } from '../errors.ts'
import { type ObservedConfigMap } from '../kubernetes/config-map.ts'
import { type ObservedDeployment, RECREATE } from '../kubernetes/deployment.ts'
import { CONFIG_ANNOTATION } from '../kubernetes/marks.ts'
import type { ObservedImage } from '../model.ts'
import type { DiffEntry } from '../report/report.ts'
import type { Wanted } from '../wanted.ts'
import type { BackPart } from './back.ts'
import { configChange, isDeploymentStale } from './config-map.ts'
import { templateDiff } from './object-diff.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep, StepArgs } from './plan.ts'

export interface DeploymentInput {
  run: string
  wanted: Pick<Wanted, 'settleMs'>
  deployment: ObservedDeployment
  /** Its pod runs on this host. */
  isHere: boolean
  /** Null where none is asked for that it reads. */
  configMap: ObservedConfigMap | null
  /** The template of a manifest; null where none is asked for, or it is there. */
  manifest: ManifestChange | null
}

type ManifestChange = NonNullable<StepArgs['swap-deployment']['manifest']>

/** Has the Deployment run `image` with the config that is asked for, and one pod end before the next one starts. */
export function deploymentPart(input: DeploymentInput, image: ObservedImage): PlanPart {
  const { deployment, manifest } = input
  const from = deployment.image ?? ''
  const change = { from, to: image.ref }
  const config = configOf(input)
  if (from === image.ref && deployment.strategy === RECREATE && !config && !manifest)
    return unchanged('controllers', change)
  return { ...partOf(input, { ...change, config, manifest }), prepare: deploymentPulls(input, image) }
}

/** Has the Deployment start its pod again with the config that is asked for; null where it has it, or does not read it. */
export function restartPart(input: DeploymentInput): PlanPart | null {
  const { deployment, configMap } = input
  const config = configOf(input)
  const image = deployment.image ?? ''
  if (!config || configMap === null) return null
  const part = partOf(input, { from: image, to: image, config })
  return {
    ...part,
    change: configChange(configMap),
  }
}

type ConfigChange = StepArgs['swap-deployment']['config']

function configOf({ deployment, configMap }: DeploymentInput): ConfigChange {
  if (configMap === null || !isDeploymentStale(configMap, deployment)) return undefined
  return { from: deployment.config ?? null, to: configMap.mark }
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
  input: Pick<DeploymentInput, 'run' | 'wanted'> & { deployment: ObservedDeployment | null },
  { deployment: named, from, to, config, manifest }: StepArgs['swap-deployment'],
): BackPart {
  const { deployment } = input
  const isMarked = (now: string | undefined, mark: string | null | undefined): boolean =>
    mark === undefined || (now ?? null) === mark
  const isAs = (image: string, side: 'from' | 'to'): boolean =>
    deployment?.image === image &&
    isMarked(deployment.config, config?.[side]) &&
    isMarked(deployment.manifest, manifest?.[side].mark)
  if (isAs(from, 'from')) return { part: null, problems: [] }
  if (deployment && isAs(to, 'to')) {
    const back = { from: to, to: from, config: swapped(config), manifest: swapped(manifest) }
    return { part: partOf({ ...input, deployment }, back), problems: [] }
  }
  const problem: Problem = {
    code: 'template-changed',
    severity: 'warning',
    message: `the controllers stay as they are: Deployment ${named.namespace}/${named.name} ${deployment ? 'was changed since by somebody else' : 'is gone'}`,
    fix: `kubectl -n ${named.namespace} rollout history deployment/${named.name}`,
  }
  return { part: null, problems: [problem] }
}

function swapped<T>(change: { from: T; to: T } | undefined): { from: T; to: T } | undefined {
  return change && { from: change.to, to: change.from }
}

function partOf(
  { run, wanted: { settleMs }, deployment }: Pick<DeploymentInput, 'run' | 'wanted' | 'deployment'>,
  { config, manifest, ...change }: DeploymentSwap,
): PlanPart {
  const { namespace, name, container, strategy } = deployment
  const args = {
    deployment: { namespace, name },
    run,
    container,
    ...change,
    strategy,
    ...(config && { config }),
    ...(manifest && { manifest }),
    settleMs,
  }
  return {
    component: 'controllers',
    change,
    prepare: [],
    move: [{ kind: 'swap-deployment', component: 'controllers', args }],
    commits: [],
    commitsAlone: true,
    diff: [deploymentDiff(deployment, change, config), ...manifestDiff(deployment, manifest)],
  }
}

interface DeploymentSwap {
  from: string
  to: string
  config?: ConfigChange
  manifest?: ManifestChange | null | undefined
}

function manifestDiff(
  { namespace, name }: ObservedDeployment,
  manifest: DeploymentSwap['manifest'],
): DiffEntry[] {
  return manifest
    ? templateDiff(`deployment ${namespace}/${name}`, manifest.from.template, manifest.to.template)
    : []
}

function deploymentDiff(
  { namespace, name, container, strategy }: ObservedDeployment,
  { from, to }: { from: string; to: string },
  config: ConfigChange,
): DiffEntry {
  const text = (type: string, image: string, mark: string | null | undefined): string =>
    `strategy: ${type}\ncontainers.${container}: ${image}\n${mark ? `annotations.${CONFIG_ANNOTATION}: ${mark}\n` : ''}`
  return {
    target: `deployment ${namespace}/${name}`,
    before: text(strategy, from, config?.from),
    after: text(RECREATE, to, config?.to),
  }
}
