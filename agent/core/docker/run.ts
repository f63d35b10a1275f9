import { redactArgs, redactValue } from '../redact/redact.ts'
import type { ContainerSpec } from './container-spec.ts'
import type { HostConfig, MountSpec } from './json.ts'

/**
 * The `docker run` that an operator would type for a container, as a shell line, secrets hidden. Fields that
 * `docker run` has no flag for, or that are rare, are named in a comment behind it: nothing is left out silently.
 */
export function dockerRunLine(name: string, { body }: ContainerSpec): string {
  const { HostConfig: host, ...config } = body
  const { words, known } = hostWords(host)
  const env = (config.Env ?? []).map((entry) => {
    const at = entry.indexOf('=')
    return at < 0 ? entry : `${entry.slice(0, at)}=${redactValue(entry.slice(0, at), entry.slice(at + 1))}`
  })
  const labels = Object.entries(config.Labels ?? {}).map(
    ([key, value]) => `${key}=${redactValue(key, value)}`,
  )
  const [entrypoint, ...entrypointArguments] = config.Entrypoint ?? []
  const argv = [
    ...['docker', 'run', '-d', `--name=${name}`],
    ...words,
    ...flag('--hostname', config.Hostname),
    ...flag('--user', config.User),
    ...flag('--workdir', config.WorkingDir),
    ...flag('--entrypoint', entrypoint),
    ...env.flatMap((entry) => ['-e', entry]),
    ...labels.flatMap((label) => ['--label', label]),
    config.Image,
    ...redactArgs([...entrypointArguments, ...(config.Cmd ?? [])]),
  ]
  const rest = Object.keys(host).filter((field) => !known.includes(field) && isSet(host[field]))
  return argv.map(shellWord).join(' ') + (rest.length > 0 ? `  # and: ${rest.join(', ')}` : '')
}

/** Flags by the field that they set; a field that is set to what Docker sets by itself needs none. */
function hostWords(host: HostConfig): { words: string[]; known: string[] } {
  const list = (field: string): string[] => (host[field] as string[] | null | undefined) ?? []
  const flags: Record<string, string[]> = {
    NetworkMode: host.NetworkMode === 'default' ? [] : [`--net=${host.NetworkMode}`],
    RestartPolicy: restartFlag(host),
    AutoRemove: host.AutoRemove === true ? ['--rm'] : [],
    Privileged: host['Privileged'] === true ? ['--privileged'] : [],
    Init: host['Init'] === true ? ['--init'] : [],
    ReadonlyRootfs: host['ReadonlyRootfs'] === true ? ['--read-only'] : [],
    PidMode: flag('--pid', host['PidMode']),
    UTSMode: flag('--uts', host.UTSMode),
    IpcMode: flag('--ipc', host['IpcMode']),
    Runtime: flag('--runtime', host['Runtime']),
    Memory: flag('--memory', host['Memory']),
    CpuShares: flag('--cpu-shares', host['CpuShares']),
    Binds: list('Binds').flatMap((bind) => ['-v', bind]),
    Mounts: (host.Mounts ?? []).flatMap((mount) => ['--mount', mountWord(mount)]),
    CapAdd: list('CapAdd').map((capability) => `--cap-add=${capability}`),
    CapDrop: list('CapDrop').map((capability) => `--cap-drop=${capability}`),
    SecurityOpt: list('SecurityOpt').map((option) => `--security-opt=${option}`),
    ExtraHosts: list('ExtraHosts').map((entry) => `--add-host=${entry}`),
    LogConfig: logWords(host['LogConfig'] as LogConfig | undefined),
  }
  return { words: Object.values(flags).flat(), known: [...Object.keys(flags), ...SET_BY_DOCKER] }
}

/** Docker fills these in for every container. */
const SET_BY_DOCKER = ['CgroupnsMode', 'ConsoleSize', 'MaskedPaths', 'ReadonlyPaths', 'ShmSize', 'Isolation']

interface LogConfig {
  Type: string
  Config?: Record<string, string>
}

function logWords(log: LogConfig | undefined): string[] {
  if (!log?.Type) return []
  return [
    `--log-driver=${log.Type}`,
    ...Object.entries(log.Config ?? {}).map(([key, value]) => `--log-opt=${key}=${value}`),
  ]
}

function restartFlag({ RestartPolicy: { Name, MaximumRetryCount } }: HostConfig): string[] {
  if (Name === '' || Name === 'no') return []
  return [`--restart=${Name}${MaximumRetryCount ? `:${MaximumRetryCount}` : ''}`]
}

function mountWord({ Type, Source, Target, ReadOnly }: MountSpec): string {
  return [
    `type=${Type}`,
    ...(Source ? [`source=${Source}`] : []),
    `target=${Target}`,
    ...(ReadOnly ? ['readonly'] : []),
  ].join(',')
}

function flag(name: string, value: unknown): string[] {
  return typeof value === 'string' || typeof value === 'number'
    ? isSet(value)
      ? [`${name}=${value}`]
      : []
    : []
}

function isSet(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false || value === 0 || value === -1)
    return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
