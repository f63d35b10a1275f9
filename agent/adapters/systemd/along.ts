import { type Along, RELATION_NAMES, relationsIn, runsSomething } from '../../core/unit/along.ts'

type Systemctl = (argv: string[]) => Promise<{ stdout: string }>

const SHOW = ['show', `--property=${['Id', ...RELATION_NAMES].join(',')}`, '--']

/** Also what depends on a unit that does. An inactive one stays down in any restart. */
export async function alongWith(unit: string, systemctl: Systemctl): Promise<Along[]> {
  const known = new Map<string, Along>()
  let asked = [unit]
  while (asked.length > 0) {
    const { stdout } = await systemctl([...SHOW, ...asked])
    const found = relationsIn(stdout).filter((one) => one.unit !== unit && !known.has(one.unit))
    // what runs when the unit itself stops; the others do not stop
    const started = asked[0] === unit ? found.filter(({ does }) => does === 'starts') : []
    const staying = await upOf(
      found.filter(({ does }) => does === 'stays'),
      systemctl,
    )
    for (const one of [...started, ...staying]) known.set(one.unit, one)
    asked = staying.map((one) => one.unit)
  }
  return [...known.values()].filter(runsSomething)
}

async function upOf(found: Along[], systemctl: Systemctl): Promise<Along[]> {
  if (found.length === 0) return []
  const names = found.map(({ unit }) => unit)
  const { stdout } = await systemctl(['show', '--property=Id,ActiveState', '--', ...names])
  const down = stdout
    .split('\n\n')
    .filter((block) => /^ActiveState=(inactive|failed)$/m.test(block))
    .map((block) => /^Id=(.*)$/m.exec(block)?.[1])
  return found.filter(({ unit }) => !down.includes(unit))
}
