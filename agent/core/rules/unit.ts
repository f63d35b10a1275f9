import type { Observed, ObservedUnit } from '../model.ts'
import { type KeptContainer, unitChangeOf } from '../plan/running-unit.ts'
import type { UnitChange, UnitRefusal } from '../unit/change.ts'
import type { Wanted } from '../wanted.ts'
import { notReplaced, type Objection, type Rule, rulesOn } from './rule.ts'

/** A container that a systemd unit runs, and what is requested for it. */
interface Kept {
  name: string
  running: KeptContainer
  unit: ObservedUnit
  change: UnitChange | UnitRefusal | null
  /** Only a release requests it: what cannot be upgraded is left alone. */
  byRelease: boolean
}

/** If a systemd unit runs the container, the unit is changed. */
function unitRulesOn(keptOf: (observed: Observed, wanted: Wanted) => Kept | null): Rule[] {
  return rulesOn(keptOf, [
    {
      code: 'systemd-owned',
      severity: 'error',
      about: 'the unit names the image in one place that the agent can change',
      seen: ({ unit }) => unit.source.name,
      check: ({ change, ...kept }) => (change && 'why' in change ? notChanged(kept, change) : null),
    },
    {
      code: 'unit-changed-on-disk',
      severity: 'warning',
      about: 'systemd has loaded the unit as it is on disk',
      seen: ({ unit }) => unit.state.fragment,
      check: ({ unit }) =>
        unit.state.needsReload
          ? {
              message: `${unit.source.name} changed on disk since systemd loaded it: the restart applies every change`,
              fix: `systemctl cat ${unit.source.name}`,
            }
          : null,
    },
    {
      code: 'two-keepers',
      severity: 'warning',
      about: 'only the unit restarts the container',
      seen: () => 'no Docker restart policy',
      // for a unit that is not changed, the reason is given
      check: ({ name, running, unit, change }) =>
        (change && 'why' in change) || ['', 'no'].includes(running.container.HostConfig.RestartPolicy.Name)
          ? null
          : {
              message: `${unit.source.name} and Docker's restart policy both keep ${name} running: both start it after a failure`,
              fix: 'remove --restart from the unit',
            },
    },
  ])
}

export const unitRules: Rule[] = unitRulesOn(({ node }, wanted) =>
  node ? kept(node, wanted.node.image, false) : null,
)

export const controllersUnitRules: Rule[] = unitRulesOn(({ controllers }, { controllers: wanted }) =>
  controllers && wanted.image !== null ? kept(controllers, wanted.image, wanted.onlyIfInstalled) : null,
)

function kept(running: KeptContainer, to: string | null, byRelease: boolean): Kept | null {
  const { container, unit } = running
  if (unit === null) return null
  const name = container.Name.replace(/^\//, '')
  return { name, running, unit, change: unitChangeOf(running, '', to), byRelease }
}

function notChanged({ name, unit, byRelease }: Omit<Kept, 'change'>, { why, fix }: UnitRefusal): Objection {
  return notReplaced(name, `${unit.source.name} runs it, and ${why}`, fix, byRelease)
}
