import { imageChange, pullSteps, type RunningImage } from '../docker/image-state.ts'
import { known } from '../known.ts'
import { deploymentProblem } from '../kubernetes/deployment-problem.ts'
import type { Observed, ObservedImage } from '../model.ts'
import type { Wanted } from '../wanted.ts'
import { type CniInput, cniFetchSteps, cniPart } from './cni.ts'
import { cniConfigPart } from './cni-config.ts'
import { configChange, staleConfig } from './config-map.ts'
import type { Replaced } from './container-swap.ts'
import { type ControllersInput, controllersBackPart, controllersPart } from './controllers.ts'
import { controllersUnitBackPart, controllersUnitPart } from './controllers-unit.ts'
import { cordonOf } from './cordon.ts'
import { daemonSetPart, podPart } from './daemon-set.ts'
import { pluginInstaller, pluginsChange } from './daemon-set-plugins.ts'
import { deploymentPart, deploymentPulls, restartPart } from './deployment.ts'
import { manifestPart } from './manifest.ts'
import { type NodeInput, nodeBackPart, nodePart } from './node.ts'
import { unitBackPart, unitPart } from './node-unit.ts'
import { joinParts, type Leftovers, type PlannedChange, type PlanPart, unchanged } from './part.ts'
import type { Change, Judged, Plan, PlannedStep } from './plan.ts'
import { staticPodPart } from './static-pod.ts'

interface UpgradeInput {
  run: string
  wanted: Wanted
  observed: Observed
  leftovers: Leftovers
}

/** The plan that replaces what is there with what is requested; no steps if it is already there. */
export function upgradePlan({ run, wanted, observed, leftovers }: UpgradeInput): PlannedChange {
  const { engine, node, image, cniConfig } = observed
  const on = { run, wanted, engineHostname: engine.name, runtime: engine.runtime }
  const cni = cniInput(run, wanted, observed)
  const manifest = known(observed.manifest)
  const parts = [
    manifest && manifestPart(manifest),
    node && (image ? nodeOfKeeper({ ...on, node }, image, observed) : podAlone({ ...on, node }, observed)),
    cni ? cniPart(cni) : null,
    cniConfig && wanted.cniConfig ? cniConfigPart(run, cniConfig, wanted.cniConfig) : null,
    controllersOfKeeper(on, observed),
  ]
  const { plan, diff } = joinParts(
    { run, command: 'upgrade' },
    parts.filter((part) => part !== null),
    leftovers,
    cordonOf(run, observed, wanted),
  )
  return { plan: { ...plan, steps: judgedPulls(plan.steps, { observed, wanted }) }, diff }
}

/** Has each pull check its image again once it is here. The journal need not keep every BIRD session for that. */
function judgedPulls(steps: PlannedStep[], { observed, wanted }: Judged): PlannedStep[] {
  const node = observed.node && { ...observed.node, daemons: [] }
  const seen = { ...observed }
  // as large as its file, and no rule about an image reads it
  delete seen.manifest
  const judged = {
    observed: { ...seen, node, cniConfig: null, problems: [] },
    wanted: { ...wanted, manifest: null },
  }
  return steps.map((step) =>
    step.kind === 'pull-image' ? { ...step, args: { ...step.args, judged } } : step,
  )
}

function nodeOfKeeper(
  input: NodeInput & { wanted: Wanted },
  image: ObservedImage,
  observed: Observed,
): PlanPart {
  const { cni, flexvol } = observed
  const daemonSet = known(input.node.daemonSet)
  if (daemonSet)
    return daemonSetPart(
      {
        ...{ ...input, daemonSet, cni, flexvol: flexvol ?? null, configMap: staleConfig(observed) },
        configMark: known(observed.configMap)?.mark,
        manifest: known(observed.manifest)?.daemonSet ?? null,
      },
      image,
    )
  return input.node.unit ? unitPart(input, image) : nodePart(input, image)
}

/** Where a DaemonSet keeps calico/node, and only its plugins or its config are asked for. */
function podAlone(input: NodeInput, observed: Observed): PlanPart | null {
  const { node, cni } = observed
  const daemonSet = known(node?.daemonSet)
  if (daemonSet === null) return null
  const pod = { ...input, daemonSet, cni, flexvol: null, configMap: staleConfig(observed), manifest: null }
  const plugins = pluginsChange({ node, cni })
  if (plugins) return podPart(pod, 'cni', plugins)
  const config = known(observed.configMap)
  if (config === null) return null
  const change = configChange(config)
  return pod.configMap ? podPart(pod, 'configMap', change) : unchanged('configMap', change)
}

/** Restores the calico/node that an earlier run replaced. */
export function nodeOrUnitBack(input: NodeInput, replaced: Replaced): PlanPart {
  return input.node.unit ? unitBackPart(input, replaced) : nodeBackPart(input, replaced)
}

function controllersOfKeeper(
  on: Omit<ControllersInput, 'controllers'>,
  { controllers, deployment, controllersImage: image, configMap, manifest }: Observed,
): PlanPart | null {
  if (deployment) {
    const found = known(deployment)
    if (found === null || deploymentProblem(found) !== null) return null
    const asked = { configMap: known(configMap), manifest: known(manifest)?.deployment ?? null }
    const input = { ...on, deployment: found, isHere: controllers !== null, ...asked }
    return image ? deploymentPart(input, image) : restartPart(input)
  }
  if (image === null) return null
  return controllers && controllersOfHost({ ...on, controllers }, image)
}

function controllersOfHost(input: ControllersInput, image: ObservedImage): PlanPart {
  const { pod, unit } = input.controllers
  if (pod) return staticPodPart({ ...input, pod }, image)
  return unit ? controllersUnitPart(input, image) : controllersPart(input, image)
}

/** Restores the controllers that an earlier run replaced. */
export function controllersOrUnitBack(input: ControllersInput, replaced: Replaced): PlanPart {
  return input.controllers.unit
    ? controllersUnitBackPart(input, replaced)
    : controllersBackPart(input, replaced)
}

/** The plan that only fetches: images are pulled, plugins are staged. */
export function prefetchPlan({ run, wanted, observed }: Omit<UpgradeInput, 'leftovers'>): Plan {
  const { node, image, flexvol, controllers, controllersImage } = observed
  const cni = cniInput(run, wanted, observed)
  const plugins = cni ? cniPart(cni).change : pluginsChange(observed)
  return {
    run,
    command: 'prefetch',
    components: {
      ...(image && { node: fetched(node, image) }),
      ...(plugins && { cni: plugins }),
      ...(controllersImage && { controllers: fetched(controllers, controllersImage) }),
    },
    steps: [
      ...(image ? pullSteps('node', image) : []),
      ...(flexvol ? pullSteps('node', flexvol) : []),
      ...(cni ? cniFetchSteps(cni) : []),
      ...(!cni && observed.cni?.image ? pullSteps('cni', observed.cni.image) : []),
      ...controllersPulls(observed),
    ],
  }
}

function controllersPulls({ controllers, deployment, controllersImage: image }: Observed): PlannedStep[] {
  if (image === null) return []
  if (!deployment) return pullSteps('controllers', image)
  const isHere = controllers !== null
  return 'problem' in deployment ? [] : deploymentPulls({ deployment, isHere }, image)
}

function fetched(running: RunningImage | null, image: ObservedImage): Change {
  return running ? imageChange(running, image) : { from: '', to: image.ref }
}

function cniInput(
  run: string,
  { cni: { source, ...places } }: Pick<Wanted, 'cni'>,
  { node, cni: observed, cniConfig }: Pick<Observed, 'node' | 'cni' | 'cniConfig'>,
): CniInput | null {
  if (source === null || observed === null || pluginInstaller({ node })) return null
  return { run, wanted: { ...places, source }, observed, cniVersion: cniConfig?.change?.cniVersion ?? null }
}
