import type { ObservedNode } from '../model.ts'
import { nodeUnitChange } from '../unit-plan.ts'
import { type Rule, rulesOn } from './rule.ts'

/** Where a systemd unit runs the container, the unit is what is changed. */
export const unitRules: Rule[] = [
  ...rulesOn(
    (observed, wanted) => {
      const unit = unitOf(observed)
      return unit && { ...unit, change: nodeUnitChange(unit.node, '', wanted.node.image ?? '') }
    },
    [
      {
        code: 'systemd-owned',
        severity: 'error',
        about: 'the unit that runs it names its image in one place that can be changed',
        seen: ({ unit }) => unit.source.name,
        check: ({ name, unit, change }) =>
          change && 'why' in change
            ? {
                message: `cannot upgrade ${name}: ${unit.source.name} runs it, and ${change.why}`,
                fix: change.fix,
              }
            : null,
      },
    ],
  ),
  ...rulesOn(unitOf, [
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
      check: ({ name, node, unit }) =>
        ['', 'no'].includes(node.container.HostConfig.RestartPolicy.Name)
          ? null
          : {
              message: `${name} is kept by ${unit.source.name} and by Docker's restart policy: both start it after a failure`,
              fix: 'take --restart out of the unit',
            },
    },
  ]),
]

function unitOf({ node }: { node: ObservedNode | null }) {
  if (!node?.unit) return null
  return { name: node.container.Name.replace(/^\//, ''), node, unit: node.unit }
}
