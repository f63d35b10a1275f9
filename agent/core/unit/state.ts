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
    transient: one('Transient') === 'yes',
    needsReload: one('NeedDaemonReload') === 'yes',
    result: one('Result'),
  }
}

/** `{ path=/usr/bin/docker ; argv[]=/usr/bin/docker run ... ; ignore_errors=no ; ... }` */
function commandLine(value: string): string {
  return /argv\[\]=(.*?) ; ignore_errors=/.exec(value)?.[1] ?? value
}
