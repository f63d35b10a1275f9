import type { Problem } from '../errors.ts'
import type { JsonNode } from '../json/text.ts'
import type { CniConfigChange } from '../model.ts'
import type { WantedCniConfig } from '../wanted.ts'
import {
  type ConfigFile,
  calicoPlugins,
  calicoUndecodable,
  delegatesToCalico,
  doubleName,
  inKubeletOrder,
  isValid,
  type JudgedConfig,
  judgeConfig,
  pathIn,
  pluginNames,
  textOf,
  type ValidConfig,
} from './config.ts'
import { mergeInto, withoutEffect } from './merge.ts'
import { askedCniVersion } from './version.ts'

type Place = Pick<WantedCniConfig, 'configDir' | 'configFile'>

/** Which config the kubelet uses, and which is Calico's; the problems say why there is none. */
export interface FoundConfig {
  live: ValidConfig | null
  calico: ValidConfig | null
  problems: Problem[]
}

export function findConfig(files: ConfigFile[], place: Place): FoundConfig {
  const judged = inKubeletOrder(files).map(judgeConfig)
  const valid = judged.filter(isValid)
  const [live = null] = valid
  const ofCalico = valid.filter((config) => calicoPlugins(config).length > 0)
  const [calico, second] = ofCalico
  if (second && calico) return { live, calico: null, problems: [twoConfigs(calico, second, place)] }
  const named = place.configFile
  const asked = named === null ? calico : ofCalico.find(({ name }) => name === named)
  if (!asked) return { live, calico: null, problems: whyNone(judged, place) }
  const problems = [...unfit(asked, place), ...shadowed(live, asked, place), ...skipped(judged, place)]
  return { live, calico: asked, problems }
}

/** The found config after the merge patch; a problem if the result would not work. */
export function configChange(
  calico: ValidConfig,
  { configDir, merge }: Pick<WantedCniConfig, 'configDir' | 'merge'>,
): CniConfigChange | Problem {
  const path = pathIn(configDir, calico.name)
  const stray = withoutEffect(calico, merge)
  if (stray !== null) return unmergeable(path, stray)
  const after = mergeInto(calico, merge)
  const judged = judgeConfig({ name: calico.name, isLink: false, content: { text: after } })
  if (!isValid(judged)) return unmergeable(path, judged.invalid)
  if (calicoPlugins(judged).length !== 1) return unmergeable(path, 'its "type" is no longer "calico"')
  const wrong = calicoUndecodable(judged)
  if (wrong !== null) {
    return calicoUndecodable(calico) === wrong
      ? invalid(calico.name, `Calico's plugins cannot decode it: ${wrong}`, configDir)
      : unmergeable(path, `Calico's plugins cannot decode the result: ${wrong}`)
  }
  return {
    path,
    before: calico.text,
    after,
    plugins: pluginNames(judged),
    cniVersion: askedCniVersion(textOf(judged.root, 'cniVersion')),
  }
}

function unmergeable(path: string, why: string): Problem {
  return error('cni-merge-invalid', `cannot merge cni.merge into ${path}: ${why}`, 'correct cni.merge')
}

function twoConfigs({ name }: ValidConfig, second: ValidConfig, { configDir }: Place): Problem {
  return error(
    'cni-config-second',
    `cannot determine Calico's CNI config: ${configDir} has ${name} and ${second.name}, and two of them break pod creation`,
    `move the unused one out of ${configDir}; renaming it to another .conf, .conflist or .json does not help`,
  )
}

function whyNone(judged: JudgedConfig[], { configDir, configFile }: Place): Problem[] {
  const named = judged.find(({ name }) => name === configFile)
  if (configFile !== null && named === undefined)
    return [missing(`${configFile} does not exist`, judged, configDir)]
  if (named && isValid(named) && delegatesToCalico(named)) return [delegated(named, configDir)]
  if (named && isValid(named))
    return [missing(`${named.name} has no plugin of type calico`, judged, configDir)]
  const [outer] = judged.filter(isValid).filter(delegatesToCalico)
  if (outer) return [delegated(outer, configDir)]
  const broken = judged.filter((config) => !isValid(config) && (configFile === null || config === named))
  if (broken.length === 0) return [missing('no file there has one', judged, configDir)]
  return broken.flatMap((config) =>
    isValid(config) ? [] : [invalid(config.name, config.invalid, configDir)],
  )
}

function delegated({ name }: ValidConfig, configDir: string): Problem {
  const path = pathIn(configDir, name)
  return error(
    'cni-config-missing',
    `cannot change Calico's CNI config: it is under "delegates" in ${path}, which cni.merge does not change`,
    `change it in ${path} by hand, and remove cni.merge from the config`,
  )
}

function missing(why: string, judged: JudgedConfig[], configDir: string): Problem {
  const known = judged.map(({ name }) => name).join(', ')
  return error(
    'cni-config-missing',
    `cannot find Calico's CNI config in ${configDir}: ${why}`,
    `set cni.configDir and cni.configFile; ${known === '' ? `${configDir} has no CNI config` : `found there: ${known}`}`,
  )
}

/** The kubelet uses it, but it cannot be changed in place without loss. */
function unfit(config: ValidConfig, { configDir }: Place): Problem[] {
  const path = pathIn(configDir, config.name)
  const double = doubleName(config.text, config.root)
  const two = calicoPlugins(config).length > 1
  return [
    ...(double === null ? [] : [invalid(config.name, double, configDir)]),
    ...(two ? [invalid(config.name, 'it has two plugins of type calico', configDir)] : []),
    ...(config.isLink
      ? [
          error(
            'cni-config-symlink',
            `cannot change ${path}: it is a symbolic link, and a rename would replace it`,
            `replace it with the file itself: cp --remove-destination "$(readlink -f ${path})" ${path}`,
          ),
        ]
      : []),
  ]
}

function shadowed(live: ValidConfig | null, calico: ValidConfig, { configDir }: Place): Problem[] {
  if (live === null || live === calico) return []
  const type = live.plugins.map((plugin: JsonNode) => textOf(plugin, 'type')).join(', ')
  return [
    error(
      'cni-config-shadowed',
      `cannot activate ${calico.name}: the kubelet uses ${pathIn(configDir, live.name)} (${type}), which sorts before it`,
      `move ${live.name} out of ${configDir} if you do not need it; --allow cni-config-shadowed overrides`,
    ),
  ]
}

/** Other files with a live extension that the kubelet skips, and logs again and again. */
function skipped(judged: JudgedConfig[], { configDir }: Place): Problem[] {
  return judged.flatMap((config) =>
    isValid(config)
      ? []
      : [{ ...invalid(config.name, config.invalid, configDir), severity: 'warning' as const }],
  )
}

function invalid(name: string, why: string, configDir: string): Problem {
  const path = pathIn(configDir, name)
  return error(
    'cni-config-invalid',
    `cannot use ${path} as a CNI config: ${why}`,
    `correct ${path}, or move it away`,
  )
}

function error(code: string, message: string, fix: string): Problem {
  return { code, severity: 'error', message, fix }
}
