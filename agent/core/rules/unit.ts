import type { Observed, ObservedUnit, Wanted } from '../model.ts'
import { type KeptContainer, unitChangeOf } from '../plan/running-unit.ts'
import type { UnitChange, UnitRefusal } from '../unit/change.ts'
import { notReplaced, type Objection, type Rule, rulesOn } from './rule.ts'

/** A container that a systemd unit runs, and what is asked of it. */
interface Kept {
  name: string
  running: KeptContainer
  unit: ObservedUnit
  change: UnitChange | UnitRefusal | null
  /** Only a release asks: what cannot be brought up to date is left alone. */
  byRelease: boolean
}

/** Where a systemd unit runs the container, the unit is what is changed. */
function unitRulesOn(keptOf: (observed: Observed, wanted: Wanted) => Kept | null): Rule[] {
  return rulesOn(keptOf, [
    {
      code: 'systemd-owned',
      severity: 'error',
      about: 'the unit that runs it names its image in one place that can be changed',
      seen: ({ unit }) => unit.source.name,
      check: ({ change, ...kept }) => (change && 'why' in change ? notChanged(kept, change) : null),
    },
    {
      code: 'unit-changed-on-disk',
      severity: 'warning',
      about: 'systemd has read the unit as it is on disk',
      seen: ({ unit }) => unit.state.fragment,
      check: ({ unit }) =>
        unit.state.needsReload
          ? {
              message: `${unit.source.name} was changed since systemd read it: the restart brings all of it in`,
              fix: `systemctl cat ${unit.source.name}`,
            }
          : null,
    },
    {
      code: 'two-keepers',
      severity: 'warning',
      about: 'nobody but the unit restarts it',
      seen: () => "no restart policy of Docker's",
      // of one that is not changed, the reason is said
      check: ({ name, running, unit, change }) =>
        (change && 'why' in change) || ['', 'no'].includes(running.container.HostConfig.RestartPolicy.Name)
          ? null
          : {
              message: `${name} is kept by ${unit.source.name} and by Docker's restart policy: both start it after a failure`,
              fix: 'take --restart out of the unit',
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
