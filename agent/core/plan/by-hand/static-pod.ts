import { POD_LABEL } from '../../pod/static-pod.ts'
import type { StepArgs } from '../plan.ts'
import { journaled, type StuckRun } from './stuck-run.ts'

/** The manifest stays out while the old pod stops: otherwise the kubelet would start the new one beside it. */
export function staticPodLines(
  { manifest: { path, wayBack }, pod, to }: StepArgs['swap-static-pod'],
  run: StuckRun,
): string[] {
  return [
    `check the controllers: ls -la ${path} ${wayBack}; docker ps -a --filter label=${POD_LABEL}=${pod.pod}`,
    `to put the old ones back, but never run two at once, if ${path} names ${to} or is gone:`,
    `  rm -f ${path}`,
    `  docker ps --filter label=${POD_LABEL}=${pod.pod}   # until it shows no container`,
    `  mv ${wayBack} ${path}`,
    `  if that file is gone: ${journaled(run, 'swap-static-pod', 'manifest.before')} > ${path}`,
    `to keep the new ones, if ${path} names ${to}: rm -f ${wayBack}`,
  ]
}
