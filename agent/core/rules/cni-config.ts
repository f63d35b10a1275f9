import type { Problem } from '../errors.ts'
import { isInstalled } from '../plan/cni.ts'
import { cniConfigProblems } from '../plan/cni-config.ts'
import { type Rule, rulesOn } from './rule.ts'

/** The agent changes what the kubelet reads, according to its flags. */
export const kubeletDirectoryRules: Rule[] = rulesOn(
  ({ cni, cniConfig, kubeletDirectories = [] }, wanted) =>
    (cni || cniConfig) && {
      told: kubeletDirectories.filter(({ flag }) => (flag === '--cni-conf-dir' ? cniConfig : cni) !== null),
      ...{ ...wanted.places, unit: wanted.kubelet.unit },
    },
  [
    {
      code: 'kubelet-cni-directory',
      severity: 'error',
      allowable: true,
      about: 'the kubelet uses the configured CNI directories',
      seen: ({ told, unit }) =>
        told.length === 0
          ? `${unit} sets no others`
          : told.map(({ flag, paths }) => `${flag}=${paths.join(',')}`).join(' '),
      check: ({ told, configDir, binDir, unit }) =>
        told
          .filter(({ isAsked }) => !isAsked)
          .map(({ flag, paths }) => {
            const [key, own] = flag === '--cni-conf-dir' ? ['configDir', configDir] : ['binDir', binDir]
            return {
              message: `cannot use ${own}: ${unit} runs with ${flag}=${paths.join(',')}`,
              fix: `set cni.${key} to ${paths[0] ?? ''}`,
            }
          }),
    },
  ],
)

/** Calico's CNI config can be changed, and the kubelet takes it. */
export const cniConfigRules: Rule[] = rulesOn(
  ({ cni, cniConfig }, wanted) =>
    cniConfig && {
      path: cniConfig.change?.path ?? '',
      plugins: cniConfig.plugins.map(({ name }) => name),
      // plugins that this run installs are tried when they are staged
      problems: cniConfigProblems(
        cniConfig,
        wanted.cniConfig,
        cni === null || isInstalled(cni) ? [] : wanted.cni.binaries,
      ),
    },
  [
    {
      code: 'cni-config-shadowed',
      severity: 'error',
      allowable: true,
      about: "the kubelet uses Calico's CNI config",
      seen: ({ path }) => path,
      check: ({ problems }) => problems.filter(isShadow),
    },
    {
      code: 'cni-config-missing',
      severity: 'error',
      about: "Calico's CNI config is valid and the only one, and its plugins support its version",
      seen: ({ path, plugins }) => [path, ...plugins].join(', '),
      // Each with its own code.
      check: ({ problems }) => problems.filter((problem) => !isShadow(problem)),
    },
  ],
)

function isShadow({ code }: Problem): boolean {
  return code === 'cni-config-shadowed'
}
