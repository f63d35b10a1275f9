import { cniBinaryProblems, nodenameProblem } from '../cni/preflight.ts'
import { pluginInstaller } from '../plan/daemon-set-plugins.ts'
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
        seen: ({ wanted }) => `${wanted.binaries.join(', ')}, into ${wanted.binDir}`,
        // Each with its own code.
        check: ({ cni, wanted, cniVersion }) => cniBinaryProblems(cni, wanted, cniVersion),
      },
    ],
  ),
]

/** Docker alone copies files out of an image. */
export const cniImageRules: Rule[] = rulesOn(
  ({ cni, engine: { runtime }, node }) =>
    cni?.image && runtime !== undefined && pluginInstaller({ node }) === null
      ? { ref: cni.image.ref, runtime }
      : null,
  [
    {
      code: 'docker-needed',
      severity: 'error',
      about: 'the CNI plugins can be copied out of their image',
      seen: ({ ref }) => ref,
      check: ({ ref, runtime }) => ({
        message: `cannot install the CNI plugins of ${ref}: no DaemonSet installs them, the container runtime is ${runtime}, and only Docker copies files out of an image`,
        fix: 'name a directory or an archive that has them: --cni SOURCE',
      }),
    },
  ],
)

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
