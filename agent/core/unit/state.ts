import { EXEC_KEYS } from './commands.ts'

/** systemd.unit(5): what pulls a unit in. */
export const STARTED_BY = ['WantedBy', 'RequiredBy', 'BoundBy', 'UpheldBy', 'TriggeredBy']

/** A unit as systemd has it loaded. */
export interface UnitState {
  unit: string
  load: string
  active: string
  /** enabled, static, masked, transient, ... */
  fileState: string
  /** Empty where it was read from none. */
  fragment: string
  dropIns: string[]
  environmentFiles: string[]
  /** Command lines of `ExecStart=` and `ExecStop=`, specifiers put in, variables not. */
  execStart: string[]
  execStop: string[]
  /** All command lines, of whatever kind. */
  commands: string[]
  /** Units that start it along with them: targets, those that require it, timers. */
  startedBy: string[]
  transient: boolean
  /** Its files changed since systemd read them. */
  needsReload: boolean
  /** How it ended last: success, exit-code, start-limit-hit, ... */
  result: string
}

/** What `systemctl show` prints, a `Name=value` a line; a name may come more than once. */
export function parseUnitState(shown: string): UnitState {
  const values = new Map<string, string[]>()
  for (const line of shown.split('\n')) {
    const equals = line.indexOf('=')
    if (equals < 0) continue
    const name = line.slice(0, equals)
    values.set(name, [...(values.get(name) ?? []), line.slice(equals + 1)])
  }
  const one = (name: string): string => values.get(name)?.[0] ?? ''
  const lines = (name: string): string[] => (values.get(name) ?? []).filter((value) => value !== '')
  return {
    unit: one('Id'),
    load: one('LoadState'),
    active: one('ActiveState'),
    fileState: one('UnitFileState'),
    fragment: one('FragmentPath'),
    dropIns: one('DropInPaths').split(' ').filter(Boolean),
    environmentFiles: lines('EnvironmentFiles').map((value) => value.replace(/ \(ignore_errors=.*$/, '')),
    execStart: lines('ExecStart').map(commandLine),
    execStop: lines('ExecStop').map(commandLine),
    commands: EXEC_KEYS.flatMap(lines).map(commandLine),
    startedBy: STARTED_BY.flatMap(lines).flatMap((units) => units.split(' ')),
    transient: one('Transient') === 'yes',
    needsReload: one('NeedDaemonReload') === 'yes',
    result: one('Result'),
  }
}

/** `{ path=/usr/bin/docker ; argv[]=/usr/bin/docker run ... ; ignore_errors=no ; ... }` */
function commandLine(value: string): string {
  return /argv\[\]=(.*?) ; ignore_errors=/.exec(value)?.[1] ?? value
}

export function isUp({ active }: Pick<UnitState, 'active'>): boolean {
  return active !== 'inactive' && active !== 'failed'
}

/** The next boot starts it, or a unit or a timer that does. */
export function startsAtBoot({ load, fileState, startedBy }: UnitState): boolean {
  return load !== 'masked' && (fileState.startsWith('enabled') || startedBy.length > 0)
}
