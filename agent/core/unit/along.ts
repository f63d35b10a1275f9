/** A unit that is affected by a restart of another one. */
export interface Along {
  unit: string
  /** By which setting, such as `Requires=calico-node.service`. */
  via: string
  /** `stays`: a plain restart would stop it. `starts`: it is started by any stop. */
  does: 'stays' | 'starts'
}

/** Such a unit, with its lines that may write to the directory of the CNI plugins at its next start, as written. */
export interface ObservedAlong extends Along {
  writes: string[]
}

/**
 * Properties of a unit that name others, and the setting of those others that causes it. Measured with systemd 252: a
 * restart affects all but the last two; PropagatesStopTo= only if the unit fails, like BoundBy=.
 */
const RELATIONS = {
  RequiredBy: { setting: 'Requires', does: 'stays' },
  RequisiteOf: { setting: 'Requisite', does: 'stays' },
  BoundBy: { setting: 'BindsTo', does: 'stays' },
  ConsistsOf: { setting: 'PartOf', does: 'stays' },
  PropagatesStopTo: { setting: 'StopPropagatedFrom', does: 'stays' },
  OnSuccess: { setting: 'OnSuccess', does: 'starts' },
} as const

export const RELATION_NAMES = Object.keys(RELATIONS) as (keyof typeof RELATIONS)[]

/** Parses what `systemctl show` prints for units, one block each: the other units that it names, and how. */
export function relationsIn(shown: string): Along[] {
  return shown.split('\n\n').flatMap((block) => {
    const values = new Map(
      [...block.matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]),
    )
    const of = values.get('Id') ?? ''
    return RELATION_NAMES.flatMap((name) => {
      const { setting, does } = RELATIONS[name]
      const units = (values.get(name) ?? '').split(' ').filter(Boolean)
      return units.map((unit) => ({ unit, via: `${setting}=${does === 'starts' ? unit : of}`, does }))
    })
  })
}

/** A target runs nothing. */
export function runsSomething({ unit }: Along): boolean {
  return !unit.endsWith('.target')
}
