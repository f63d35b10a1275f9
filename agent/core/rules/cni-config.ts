import type { Problem } from '../errors.ts'
import { isInstalled } from '../plan/cni.ts'
import { cniConfigProblems } from '../plan/cni-config.ts'
import { type Rule, rulesOn } from './rule.ts'

/** Calico's CNI config can be changed, and the kubelet takes it. */
export const cniConfigRules: Rule[] = rulesOn(
  ({ cni, cniConfig }, wanted) =>
    cniConfig && {
      path: cniConfig.change?.path ?? '',
      plugins: cniConfig.plugins.map(({ name }) => name),
      // plugins that this run puts in place are tried by their staging
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
      about: 'the kubelet takes no other CNI config before it',
      seen: ({ path }) => path,
      check: ({ problems }) => problems.filter(isShadow),
    },
    {
      code: 'cni-config-missing',
      severity: 'error',
      about: "Calico's CNI config is valid, the only one, and its plugins know its version",
      seen: ({ path, plugins }) => [path, ...plugins].join(', '),
      // Each with its own code.
      check: ({ problems }) => problems.filter((problem) => !isShadow(problem)),
    },
  ],
)

function isShadow({ code }: Problem): boolean {
  return code === 'cni-config-shadowed'
}
