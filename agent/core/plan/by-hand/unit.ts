import type { UnitChange } from '../../unit/change.ts'
import type { StepArgs } from '../plan.ts'
import { HELD_ROUTES } from './container.ts'

/** The unit's file decides, and the drop-in of the run must go. */
export function nodeUnitLines({ change }: StepArgs['swap-unit']): string[] {
  const { unit, container, from, to, trial } = change
  return [
    check(change),
    `to keep the new image, if docker exec ${container} birdcl show protocols has its sessions Established:`,
    `  set the image in ${fileOf(change)} to ${to}`,
    `  rm -f ${trial.path}; systemctl daemon-reload`,
    `to put the old one back, but not while docker exec ${container} birdcl show status reports a recovery:`,
    `  set the image in ${fileOf(change)} to ${from}`,
    `  docker rm -f ${container}; rm -f ${trial.path}; systemctl daemon-reload`,
    `  systemctl reset-failed ${unit}; systemctl restart ${unit}`,
    ...HELD_ROUTES,
  ]
}

/** The name of the container prevents a second one. */
export function controllersUnitLines({ change }: StepArgs['swap-controllers-unit']): string[] {
  const { unit, container, from, to, trial } = change
  return [
    check(change),
    'to put the old controllers back, or to keep the new ones, but never run two at once:',
    `  systemctl stop ${unit}; docker rm -f ${container}; rm -f ${trial.path}`,
    `  set the image in ${fileOf(change)} to ${from}, or to ${to} to keep the new ones`,
    `  systemctl daemon-reload; systemctl reset-failed ${unit}; systemctl start ${unit}`,
  ]
}

function check({ unit }: UnitChange): string {
  return `check what exists: systemctl status ${unit}; systemctl cat ${unit}; docker ps -a --no-trunc`
}

function fileOf({ edit, unit }: UnitChange): string {
  return edit?.path ?? `the file that names it (systemctl cat ${unit})`
}
