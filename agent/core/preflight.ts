import { AgentError, ExitCode, isError, type Problem } from './errors.ts'
import { known } from './known.ts'
import type { Observed } from './model.ts'
import { nodeRuns } from './node-image.ts'
import { staleConfig } from './plan/config-map.ts'
import { pluginInstaller, pluginsChange } from './plan/daemon-set-plugins.ts'
import { birdRules } from './rules/bird.ts'
import { cniImageRules, cniRules, cniSourceRules } from './rules/cni.ts'
import { cniConfigRules, kubeletDirectoryRules } from './rules/cni-config.ts'
import { configMapRules } from './rules/config-map.ts'
import { containerRules, REPLACING } from './rules/container.ts'
import { controllersEnvRules, controllersImageRules, controllersRules } from './rules/controllers.ts'
import { controllersUserRules } from './rules/controllers-user.ts'
import { daemonSetRules, daemonSetSwapRules } from './rules/daemon-set.ts'
import { datastoreRules } from './rules/datastore.ts'
import { deploymentRules } from './rules/deployment.ts'
import { diallingRules } from './rules/dialling.ts'
import { imageRules } from './rules/image.ts'
import { justStartedRules } from './rules/just-started.ts'
import { keeperRules } from './rules/keepers.ts'
import { kubernetesRules } from './rules/kubernetes.ts'
import { manifestRules } from './rules/manifest.ts'
import { moveRules } from './rules/moves.ts'
import type { Rule } from './rules/rule.ts'
import { secondNodeRules } from './rules/second-node.ts'
import { setRules } from './rules/set.ts'
import { staticPodRules } from './rules/static-pod.ts'
import { unitRules } from './rules/unit.ts'
import { controllersRestartRules, nodeRestartRules } from './rules/unit-restart.ts'
import { versionRules } from './rules/versions.ts'
import type { Wanted } from './wanted.ts'

const nodeImageRules = imageRules(({ image }) => image)

/** About the node, swapped or not: what prevents a swap does not matter if the image already runs. */
const NODE_RULES: readonly Rule[] = [
  ...containerRules,
  ...daemonSetRules,
  ...configMapRules,
  ...manifestRules,
  ...secondNodeRules,
  ...unitRules,
  ...keeperRules,
  ...nodeImageRules,
]
const CNI_RULES: readonly Rule[] = [
  ...cniSourceRules,
  ...cniImageRules,
  ...cniRules,
  ...kubeletDirectoryRules,
  ...cniConfigRules,
]

const CONTROLLERS_RULES: readonly Rule[] = [
  ...controllersRules,
  ...controllersRestartRules,
  ...staticPodRules,
  ...deploymentRules,
]

/** Rules about the version of an image: it may be known only from its labels. */
const LABEL_RULES: readonly Rule[] = [
  ...versionRules,
  ...moveRules,
  ...setRules,
  ...cniRules,
  ...controllersEnvRules,
  ...controllersUserRules,
]

/** The rules for a swap of the node. */
const SWAP_RULES: readonly Rule[] = [
  ...containerRules,
  ...daemonSetRules,
  ...daemonSetSwapRules,
  ...configMapRules,
  ...manifestRules,
  ...secondNodeRules,
  ...unitRules,
  ...nodeRestartRules,
  ...keeperRules,
  ...birdRules,
  ...diallingRules,
  ...justStartedRules,
  ...datastoreRules,
  ...nodeImageRules,
  ...versionRules,
  ...moveRules,
  ...setRules,
  ...CNI_RULES,
]

/** Every rule, in the order of its report; `calico-agent doctor` goes through the same list. */
export const RULES: readonly Rule[] = [...SWAP_RULES, ...CONTROLLERS_RULES, ...kubernetesRules]

/** The codes that an operator can override, each once. */
export function allowableRules(): string[] {
  return [...new Set(RULES.filter(({ allowable }) => allowable).map(({ code }) => code))]
}

/** @throws AgentError `unknown-rule` (exit 2) */
export function checkAllowed(rules: string[]): void {
  const known = allowableRules()
  const unknown = rules.find((rule) => !known.includes(rule))
  if (unknown === undefined) return
  throw new AgentError('unknown-rule', `cannot allow "${unknown}": no such rule`, {
    fix: `rules: ${known.join(', ')}`,
    exitCode: ExitCode.usage,
  })
}

const DEFERRABLE = new Set(RULES.filter(({ deferrable }) => deferrable).map(({ code }) => code))

/** The outcome of a run that these problems prevent: deferred if all of them go away by themselves. */
export function refusalOf(problems: Pick<Problem, 'code' | 'severity'>[]): 'refused' | 'deferred' {
  const codes = problems.filter(isError).map(({ code }) => code)
  const isPassing =
    codes.some((code) => REPLACING.includes(code)) || codes.every((code) => DEFERRABLE.has(code))
  return isPassing ? 'deferred' : 'refused'
}

/** Everything that prevents the request; what is allowed became a warning. */
export function preflight(observed: Observed, wanted: Wanted): Problem[] {
  return problemsOf(rulesFor(observed), observed, wanted)
}

/** A rollback has no image to look at: it ran here before. */
export function preflightWithoutImage(
  observed: Observed,
  wanted: Wanted,
  component: 'node' | 'controllers',
): Problem[] {
  return problemsOf(component === 'node' ? SWAP_RULES : CONTROLLERS_RULES, observed, wanted)
}

/** What prevents the prefetch of what is requested. */
export function prefetchProblems(observed: Observed, wanted: Wanted): Problem[] {
  return problemsOf(
    [...nodeImageRules, ...cniSourceRules, ...cniImageRules, ...controllersImageRules],
    observed,
    wanted,
  )
}

/** What a pull has revealed: `before` is the host as checked, `now` the same with the image here. */
export function pulledProblems(before: Observed, now: Observed, wanted: Wanted): Problem[] {
  const known = problemsOf(LABEL_RULES, before, wanted).map(({ message }) => message)
  return problemsOf(LABEL_RULES, now, wanted).filter(({ message }) => !known.includes(message))
}

function rulesFor(observed: Observed): readonly Rule[] {
  const { node, image, cni } = observed
  const others = [...moveRules, ...CNI_RULES, ...CONTROLLERS_RULES, ...kubernetesRules]
  const plugins = pluginsChange(observed)
  if (plugins !== null && plugins.from !== plugins.to) return RULES
  if (staleConfig(observed) || known(observed.manifest)?.daemonSet) return RULES
  const isOfPod = cni !== null && pluginInstaller(observed) !== null
  if (image === null) return [...(isOfPod ? NODE_RULES : secondNodeRules), ...configMapRules, ...others]
  return node !== null && nodeRuns(node, image) ? [...NODE_RULES, ...others] : RULES
}

function problemsOf(rules: readonly Rule[], observed: Observed, wanted: Wanted): Problem[] {
  return rules.flatMap((rule) => rule.look(observed, wanted)?.problems ?? [])
}
