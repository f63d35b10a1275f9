import { flagValue } from './kubelet.ts'

const FLAGS = ['--cni-conf-dir', '--cni-bin-dir'] as const

/** A CNI directory on the kubelet's command line. */
export interface KubeletDirectory {
  flag: (typeof FLAGS)[number]
  /** `--cni-bin-dir` may have several, separated by commas. */
  paths: string[]
  /** The agent's config names one of them. */
  isAsked: boolean
}

/** From the arguments; an unexpanded variable says nothing. */
export function cniFlags(argv: string[]): Pick<KubeletDirectory, 'flag' | 'paths'>[] {
  return FLAGS.flatMap((flag) => {
    const value = flagValue(argv, flag)
    const paths = (flag === '--cni-bin-dir' ? value?.split(',') : [value])?.flatMap((path) => path || [])
    return paths === undefined || paths.length === 0 || value?.includes('$') === true ? [] : [{ flag, paths }]
  })
}
