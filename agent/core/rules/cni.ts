import { cniBinaryProblems, nodenameProblem } from '../cni/preflight.ts'
import { imageRules } from './image.ts'
import { type Rule, rulesOn } from './rule.ts'

/** The plugins are available, and can be installed. */
export const cniSourceRules: Rule[] = [
  ...imageRules(({ cni }) => cni?.image ?? null),
  ...rulesOn(
    ({ cni, cniConfig }, wanted) =>
      cni && { cni, wanted: wanted.cni, cniVersion: cniConfig?.change?.cniVersion ?? null },
    [
      {
        code: 'cni-binary-checksum',
        severity: 'error',
        about: 'the source has the expected CNI plugins, and they can be installed',
        seen: ({ wanted }) => `${wanted.binaries.join(', ')} for ${wanted.binDir}`,
        // Each with its own code.
        check: ({ cni, wanted, cniVersion }) => cniBinaryProblems(cni, wanted, cniVersion),
      },
    ],
  ),
]

export const cniRules: Rule[] = rulesOn(
  (observed) => observed.cni && { cni: observed.cni, problem: nodenameProblem(observed, observed.cni) },
  [
    {
      code: 'cni-needs-nodename',
      severity: 'error',
      allowable: true,
      about: "the CNI plugins can find this host's name",
      seen: ({ cni: { nodename } }) =>
        nodename.written ? '/var/lib/calico/nodename exists' : 'they need no nodename file',
      check: ({ problem }) => problem,
    },
  ],
)
