import { runsAlready } from '../docker/image-state.ts'
import type { Observed, ObservedUnit } from '../model.ts'
import { isInstalled } from '../plan/cni.ts'
import { slowLines } from '../unit/slow-lines.ts'
import { whyActivating } from '../unit/state.ts'
import type { Wanted } from '../wanted.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** A unit that is about to be restarted. */
interface Restarted {
  name: string
  unit: ObservedUnit
  kubelet: string
  /** Other plugins come with this run. */
  movesPlugins: boolean
}

/** What a restart of the unit does besides the swap, and what could delay it in the window. */
function restartRulesOn(restartedOf: (observed: Observed, wanted: Wanted) => Restarted | null): Rule[] {
  return rulesOn(restartedOf, [
    {
      code: 'unit-activating',
      severity: 'error',
      allowable: true,
      about: 'the unit is not starting or stopping',
      seen: ({ unit }) => `${unit.state.active}, ${unit.state.sub}`,
      check: ({ name, unit }) =>
        SETTLED.includes(unit.state.active)
          ? null
          : {
              message: `cannot upgrade ${name}: ${unit.source.name} runs it, and ${whyActivating(unit.state)}`,
              fix:
                unit.state.sub === 'start'
                  ? `set Type=simple in ${unit.source.name}, then systemctl daemon-reload`
                  : `run again when systemctl status ${unit.source.name} reports active`,
            },
    },
    {
      code: 'slow-start',
      severity: 'error',
      allowable: true,
      about: 'the unit starts the container without pulling, downloading or waiting',
      seen: ({ unit }) => unit.source.name,
      check: ({ name, unit }) =>
        slowLines(unit.source).map((line) => ({
          message: `cannot upgrade ${name}: ${unit.source.name} would delay the start, also inside the window: ${line}`,
          fix: 'move it to its own ExecStartPre=, which a swap skips',
        })),
    },
    {
      code: 'units-along',
      severity: 'error',
      allowable: true,
      about: 'no other unit depends on the unit',
      seen: ({ unit }) => unit.source.name,
      check: alongWith,
    },
    {
      code: 'unit-writes-cni',
      severity: 'error',
      allowable: true,
      about: 'no unit that starts with the container installs CNI plugins',
      seen: ({ unit }) => unit.source.name,
      check: writersOf,
    },
  ])
}

const SETTLED = ['active', 'inactive', 'failed']

/** Units that stay are a warning; a unit that a stop starts may do what no one expects from an upgrade. */
function alongWith({ unit, kubelet, name }: Restarted): Objection[] {
  const along = unit.along ?? []
  const staying = along.filter(({ does }) => does === 'stays')
  const started = along.filter(({ does }) => does === 'starts')
  return [
    ...staying.map((one) => ({
      severity: 'warning' as const,
      message: `${one.unit} is not restarted (${one.via}): the agent restarts only ${unit.source.name}`,
      fix: `a plain systemctl restart ${unit.source.name} restarts it too`,
    })),
    ...started.map((one) => {
      const isRisky = one.unit === kubelet || one.writes.length > 0
      const why = `a restart of ${unit.source.name} starts ${one.unit} (${one.via})${quoted(one.writes)}`
      const fix = `remove ${one.via} from ${unit.source.name}`
      return isRisky
        ? { message: `cannot upgrade ${name}: ${why}`, fix }
        : { severity: 'warning' as const, message: why, fix }
    }),
  ]
}

/** The swap does not run them, but the next boot does, or whoever restarts the unit. */
function writersOf({ unit, movesPlugins }: Restarted): Objection[] {
  const along = (unit.along ?? []).filter(({ does }) => does === 'stays')
  const all = [{ unit: unit.source.name, writes: unit.writes ?? [] }, ...along]
  return all.flatMap(({ unit: writer, writes }) =>
    writes.map((line) => ({
      ...(!movesPlugins && { severity: 'warning' as const }),
      message: `${movesPlugins ? 'cannot keep the new CNI plugins: ' : ''}${writer} may install other CNI plugins at its next start: ${line}`,
      fix: `remove that line from ${writer}, or let it install the same version`,
    })),
  )
}

function quoted(lines: string[]): string {
  return lines.length === 0 ? '' : `, which may write CNI plugins: ${lines.join('; ')}`
}

export const nodeRestartRules: Rule[] = restartRulesOn((observed, wanted) => {
  const { node } = observed
  if (node === null || node.unit === null) return null
  const name = wanted.node.container
  return { name, unit: node.unit, ...asked(observed, wanted) }
})

export const controllersRestartRules: Rule[] = restartRulesOn((observed, wanted) => {
  const { controllers, controllersImage: image } = observed
  const { container: name, image: asksFor } = wanted.controllers
  if (controllers === null || controllers.unit === null || asksFor === null) return null
  if (image !== null && runsAlready(controllers, image)) return null
  return { name, unit: controllers.unit, ...asked(observed, wanted) }
})

function asked({ cni }: Observed, { kubelet }: Wanted): Pick<Restarted, 'kubelet' | 'movesPlugins'> {
  return { kubelet: kubelet.unit, movesPlugins: cni !== null && !isInstalled(cni) }
}
