/** A unit that a restart of another one concerns. */
export interface Along {
  unit: string
  /** By which setting, such as `Requires=calico-node.service`. */
  via: string
  /** `stays`: a plain restart would stop it. `starts`: it is started by any stop. */
  does: 'stays' | 'starts'
}

/** One along with what of it may write to the directory of the CNI plugins at its next start: the lines, as they are written. */
export interface ObservedAlong extends Along {
  writes: string[]
}

/**
 * Properties of a unit that name others, and the setting of those that is behind it. Measured with systemd 252: a
 * restart takes along all but the last two; PropagatesStopTo= only where the unit fails, as BoundBy= then does.
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

/** Of what `systemctl show` prints of units, a block each: the other units that it names, and how. */
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
