import { flagValue } from './kubelet.ts'

const FLAGS = ['--cni-conf-dir', '--cni-bin-dir'] as const

/** A directory of CNI that the kubelet was told of on its command line. */
export interface KubeletDirectory {
  flag: (typeof FLAGS)[number]
  /** `--cni-bin-dir` takes several, with commas between them. */
  paths: string[]
  /** The config of the agent names one of them. */
  isAsked: boolean
}

/** As the arguments say; a variable that is not filled in says nothing. */
export function cniFlags(argv: string[]): Pick<KubeletDirectory, 'flag' | 'paths'>[] {
  return FLAGS.flatMap((flag) => {
    const value = flagValue(argv, flag)
    const paths = (flag === '--cni-bin-dir' ? value?.split(',') : [value])?.flatMap((path) => path || [])
    return paths === undefined || paths.length === 0 || value?.includes('$') === true ? [] : [{ flag, paths }]
  })
}
