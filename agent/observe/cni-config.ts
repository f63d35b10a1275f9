import { calicoPlugins, pathIn, textOf, type ValidConfig } from '../core/cni/config.ts'
import { configChange, findConfig } from '../core/cni/config-change.ts'
import { askedCniVersion, silentPlugin } from '../core/cni/version.ts'
import { AgentError, type Problem } from '../core/errors.ts'
import type { ObservedCniConfig, ObservedPlugin } from '../core/model.ts'
import type { CniConfigStatus } from '../core/report/status.ts'
import type { WantedCniConfig } from '../core/wanted.ts'
import type { CniBinaries } from '../ports/cni-binaries.ts'
import type { CniConfigs } from '../ports/cni-config.ts'
import type { Kubelet } from '../ports/kubelet.ts'

/** The config that the kubelet uses, whatever is requested; a problem if it cannot be looked for. */
export async function observeLiveConfig(
  places: Pick<WantedCniConfig, 'configDir' | 'configFile'>,
  configs: CniConfigs,
  problems: Problem[],
): Promise<CniConfigStatus | null> {
  try {
    const { live } = findConfig(await configs.list(places.configDir), places)
    return live && statusOf(live, places.configDir)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    problems.push(error.asProblem())
    return null
  }
}

function statusOf(live: ValidConfig, configDir: string): CniConfigStatus {
  return {
    path: pathIn(configDir, live.name),
    plugins: live.plugins.map((plugin) => textOf(plugin, 'type') ?? ''),
    cniVersion: askedCniVersion(textOf(live.root, 'cniVersion')),
    isCalico: calicoPlugins(live).length > 0,
  }
}

interface ConfigPorts {
  configs: CniConfigs
  cni: CniBinaries
  kubelet: Kubelet
}

/** Calico's CNI config, the result of the merge patch, and what it affects. Nothing if it changes nothing. */
export async function observeCniConfig(
  wanted: WantedCniConfig,
  { configs, cni, kubelet }: ConfigPorts,
): Promise<ObservedCniConfig> {
  const { calico, problems } = findConfig(await configs.list(wanted.configDir), wanted)
  const none = { change: null, plugins: [], kubelet: null }
  if (calico === null) return { ...none, problems }
  const change = configChange(calico, wanted)
  if ('code' in change) return { ...none, problems: [...problems, change] }
  if (change.before === change.after) return { ...none, change, problems }
  const { unit, restart } = wanted.kubelet
  const [plugins, facts, problem] = await Promise.all([
    Promise.all(change.plugins.map((name) => observePlugin(name, wanted.binDir, { configs, cni }))),
    restart === 'never' ? null : kubelet.look(unit),
    configs.directoryProblem(wanted.configDir),
  ])
  return { change, plugins, kubelet: facts, problems: [...problems, ...(problem ? [problem] : [])] }
}

async function observePlugin(
  name: string,
  binDir: string,
  { configs, cni }: Pick<ConfigPorts, 'configs' | 'cni'>,
): Promise<ObservedPlugin> {
  const path = pathIn(binDir, name)
  if (!(await configs.isProgram(path))) return { name, path, isThere: false, versions: null }
  const answer = await cni.cniVersions(path)
  const versions = 'known' in answer ? answer.known : silentPlugin(path, answer.failure)
  return { name, path, isThere: true, versions }
}
