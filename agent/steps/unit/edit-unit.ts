import { AgentError } from '../../core/errors.ts'
import type { FileEdit, UnitChange } from '../../core/unit/change.ts'
import type { UnitFiles } from '../../ports/unit-files.ts'
import { isRunning } from '../container/running.ts'
import type { Step } from '../step.ts'
import { removeTrial } from './restart.ts'

/** Makes the trial permanent: the unit's file names the new image, and the unit's own settings apply again. */
export const editUnit: Step<'edit-unit'> = {
  moves: true,
  describe: ({ change: { edit, unit, to } }) =>
    edit === null
      ? `keep ${unit} as it is: it already names ${to}`
      : `edit ${edit.path}: set the image of ${unit} to ${to}`,
  capture: () => Promise.resolve({}),

  async do({ change }, _before, context) {
    if (change.edit !== null) await replaceFile(change.edit, context)
    await removeTrial(change, context)
  },

  async verify({ change }, _before, { systemd, docker }) {
    const state = await systemd.show(change.unit)
    const isKept = state?.active === 'active' && !state.needsReload
    // while on trial, the unit stays up when its container dies
    if (isKept && (await isRunning(change.container, docker))) return {}
    const how = isKept ? `${change.container} is not running` : `it is ${state?.active ?? 'gone'}`
    throw new AgentError('unit-not-kept', `cannot keep ${change.unit} as it is now: ${how}`, {
      fix: `systemctl status ${change.unit}`,
    })
  },

  goesOn: () => Promise.resolve(true),

  async undo({ change }, _before, context) {
    if (change.edit !== null) await restoreFile(change.edit, change, context)
    return {}
  },
}

/** @throws AgentError `unit-changed` if someone else has changed the file */
async function replaceFile(edit: FileEdit, ports: { unitFiles: UnitFiles }): Promise<void> {
  const now = await textOf(edit.path, ports)
  if (now === edit.after) return
  if (now !== edit.before) throw changed(edit.path)
  await put(edit.path, edit.after, ports)
}

/**
 * Changes a file that already named the new image back to the old one. Returns what prevents that, to be reported once
 * the old one runs: the drop-in starts it anyway.
 */
export async function tryEditBack(
  { editBack }: UnitChange,
  ports: { unitFiles: UnitFiles },
): Promise<Error | null> {
  if (editBack === null) return null
  return await replaceFile(editBack, ports).then(
    () => null,
    (error: unknown) => error as Error,
  )
}

/** The pull before may have taken minutes: do not carry out a plan on a file that has changed since. */
export async function refuseChangedFile(
  { path, before }: FileEdit,
  ports: { unitFiles: UnitFiles },
): Promise<void> {
  if ((await textOf(path, ports)) !== before) throw changed(path)
}

async function textOf(path: string, { unitFiles }: { unitFiles: UnitFiles }): Promise<string | null> {
  return (await unitFiles.read(path))?.text ?? null
}

/** Keeps what someone else has written since. */
async function restoreFile(
  { path, before, after }: FileEdit,
  { unit, container, from }: UnitChange,
  ports: { unitFiles: UnitFiles },
): Promise<void> {
  const now = await textOf(path, ports)
  if (now === before) return
  if (now !== after) {
    throw new AgentError('unit-changed', `cannot restore ${path}: another process changed it`, {
      fix: `set its image to ${from} by hand; then systemctl daemon-reload; docker rm -f ${container}; systemctl reset-failed ${unit}; systemctl restart ${unit}`,
    })
  }
  await put(path, before, ports)
}

async function put(
  path: string,
  text: string | null,
  { unitFiles }: { unitFiles: UnitFiles },
): Promise<void> {
  await (text === null ? unitFiles.remove(path) : unitFiles.write(path, text))
}

function changed(path: string): AgentError {
  return new AgentError('unit-changed', `cannot edit ${path}: another process changed it during the run`, {
    fix: 'run the upgrade again when nothing else changes it',
  })
}
