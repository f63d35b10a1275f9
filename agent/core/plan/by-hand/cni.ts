import { keptName, stagedName, stagingName } from '../../cni/files.ts'
import type { StepArgs } from '../plan.ts'
import { journaled, type StuckRun } from './stuck-run.ts'

export function pluginLines({ run, binDir, names }: StepArgs['swap-binaries']): string[] {
  const move = (from: string, name: string) => `mv -fT ${binDir}/${from} ${binDir}/${name}`
  return [
    `check the CNI plugins: ls -la ${binDir}; files ending in .old were installed before the run, files in ${stagingName(run)} are not installed yet`,
    'to put the old ones back, for each .old file:',
    ...names.map((name) => `  ${move(keptName(run, name), name)}`),
    'or to install the new ones, for each staged file:',
    ...names.map((name) => `  ${move(stagedName(run, name), name)}`),
  ]
}

export function configLines(
  { path, wayBack, reader }: StepArgs['write-cni-config'],
  run: StuckRun,
): string[] {
  return [
    `to put the old CNI config back: mv ${wayBack} ${path}`,
    `  if that file is gone: ${journaled(run, 'write-cni-config', 'before')} > ${path}`,
    ...(reader === null ? [] : [`  systemctl restart ${reader}`]),
    `to keep the new one: rm -f ${wayBack}`,
  ]
}
