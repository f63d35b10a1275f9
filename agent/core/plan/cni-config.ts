import { kubeletRestart } from '../cni/kubelet.ts'
import type { Problem } from '../errors.ts'
import type { ObservedCniConfig, ObservedPlugin } from '../model.ts'
import { redactedJsonDiff } from '../redact/json.ts'
import type { WantedCniConfig } from '../wanted.ts'
import type { PlanPart } from './part.ts'
import type { PlannedStep, StepArgs } from './plan.ts'

/** The part of a plan that changes Calico's CNI config; no steps if the patch changes nothing. */
export function cniConfigPart(
  run: string,
  { change, kubelet }: ObservedCniConfig,
  { kubelet: asked }: Pick<WantedCniConfig, 'kubelet'>,
): PlanPart | null {
  if (change === null) return null
  const { path, before, after } = change
  const part = { component: 'cniConfig' as const, prepare: [], commits: [] }
  if (before === after) return { ...part, change: { from: path, to: path }, move: [], diff: [] }
  const restarts = kubelet !== null && kubeletRestart(kubelet, asked.restart).restart
  const write = writeStep({
    path,
    before,
    after,
    wayBack: wayBackOf(path, run),
    reader: restarts ? asked.unit : null,
  })
  return {
    ...part,
    change: { from: path, to: `${path} with cni.merge` },
    move: restarts
      ? [write, { kind: 'restart-kubelet', component: 'cniConfig', args: { unit: asked.unit } }]
      : [write],
    kept: [wayBackOf(path, run)],
    diff: [redactedJsonDiff({ target: path, before, after })],
  }
}

function writeStep(args: StepArgs['write-cni-config']): PlannedStep {
  return { kind: 'write-cni-config', component: 'cniConfig', args }
}

/** In the same directory, hidden, and without an extension that the kubelet reads. */
export function wayBackOf(path: string, run: string): string {
  return path.replace(/[^/]+$/, (name) => `.${name}.calico-agent-${run}.old`)
}

/** What prevents the change of the CNI config; plugins that this run installs are checked when they are staged. */
export function cniConfigProblems(
  { change, plugins, kubelet, problems }: ObservedCniConfig,
  cniConfig: WantedCniConfig | null,
  staged: string[],
): Problem[] {
  const isChanged = change !== null && change.before !== change.after
  if (!isChanged || cniConfig === null) return problems
  const kept = plugins.filter(({ name }) => !staged.includes(name))
  return [
    ...problems,
    ...kept.flatMap((plugin) => pluginProblems(plugin, change.cniVersion, cniConfig)),
    ...(kubelet === null ? [] : kubeletRestart(kubelet, cniConfig.kubelet.restart).problems),
  ]
}

function pluginProblems(
  { name, path, isThere, versions }: ObservedPlugin,
  cniVersion: string,
  { binDir }: WantedCniConfig,
): Problem[] {
  if (!isThere) {
    return [
      {
        code: 'cni-plugin-missing',
        severity: 'error',
        message: `cannot change the CNI config: it needs the plugin ${name}, and ${path} does not exist`,
        fix: `set cni.binDir (now ${binDir}), or let this run install it: cni.binaries and a source`,
      },
    ]
  }
  if (versions === null) return []
  if (!Array.isArray(versions)) return [versions]
  if (versions.includes(cniVersion)) return []
  return [
    {
      code: 'cni-version-unknown',
      severity: 'error',
      message: `cannot change the CNI config: it sets CNI version ${cniVersion}, and ${path} supports ${versions.join(', ')}`,
      fix: `set cniVersion in cni.merge to one of them, or install a plugin that supports ${cniVersion}`,
    },
  ]
}
