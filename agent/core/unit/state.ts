import { EXEC_KEYS } from './commands.ts'

/** systemd.unit(5): what pulls a unit in. */
export const STARTED_BY = ['WantedBy', 'RequiredBy', 'BoundBy', 'UpheldBy', 'TriggeredBy']

/** A unit as loaded by systemd. */
export interface UnitState {
  unit: string
  load: string
  active: string
  /** systemd's substate: running, exited, start-pre, start, start-post, auto-restart, ... */
  sub: string
  /** simple, notify, oneshot, ... */
  type: string
  /** systemd has a job to start or stop it. */
  hasJob: boolean
  /** enabled, static, masked, transient, ... */
  fileState: string
  /** Empty if it was read from none. */
  fragment: string
  dropIns: string[]
  environmentFiles: string[]
  /** Command lines of `ExecStart=` and `ExecStop=`, specifiers expanded, variables not. */
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
  /** Of its main process, once that ended. */
  exitStatus: string
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
    sub: one('SubState'),
    type: one('Type'),
    hasJob: /^[1-9]/.test(one('Job')),
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
    exitStatus: one('ExecMainStatus'),
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

/** systemd, or what it started, may still change something. */
export function isAtWork(state: UnitState | null): boolean {
  if (state === null) return false
  return state.hasJob || (isUp(state) && state.sub !== 'exited')
}

const WAITS: Record<string, string> = {
  'start-pre': 'an ExecStartPre= is still running',
  'start-post': 'an ExecStartPost= is still running',
  'auto-restart': 'it exited, and systemd is about to start it again',
}

/** What systemd is waiting for, as text. */
export function whyActivating({ active, sub, type }: Pick<UnitState, 'active' | 'sub' | 'type'>): string {
  if (sub !== 'start') return `it is ${active}: ${WAITS[sub] ?? sub}`
  return `it is ${active}: Type=${type} waits for ${NEVER_COMES[type] ?? 'its start to end'}`
}

const NEVER_COMES: Record<string, string> = {
  notify: 'a notification (READY=1), which docker run does not send',
  oneshot: 'docker run to exit, which it does only with the container',
  forking: 'docker run to fork and to exit, which it does only with the container',
  dbus: 'a D-Bus name, which docker run does not acquire',
}
