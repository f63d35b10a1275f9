import type { Argument } from '../unit/expand.ts'
import { textOf } from '../unit/traced.ts'

/** A `docker run` command line, taken apart. */
export interface DockerRunArgs {
  /** The program and the options before `run`: what another command for the same Engine starts with. */
  docker: string[]
  name: string | null
  image: Argument
  /** A file that must not be there when it starts; null where it writes none. */
  cidFile: string | null
  /** Docker's own `--restart`; null where it is left away. */
  restart: string | null
  /** `-d`: the client ends once the container is up. */
  detached: boolean
  /** What the container is told to run; empty where it is the image's own program. */
  command: string[]
}

export type DockerCommand =
  | { kind: 'run'; run: DockerRunArgs }
  /** `docker start`: the image is the container's own. */
  | { kind: 'start'; containers: string[] }
  | { kind: 'podman' }
  | { kind: 'unknown-option'; option: string }
  | { kind: 'other' }

/** docker-run(1): options without a value; a cluster of the short ones may end in one that takes one. */
const SWITCHES = [
  ...['--detach', '--interactive', '--tty', '--init', '--privileged', '--publish-all', '--read-only', '--rm'],
  ...[
    '--sig-proxy',
    '--no-healthcheck',
    '--oom-kill-disable',
    '--disable-content-trust',
    '--quiet',
    '--help',
  ],
]
const SHORT_SWITCHES = 'ditPq'
const SHORT_VALUES = 'acehlmpuvw'
const VALUES =
  `add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns
  cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime cpu-shares cpus cpuset-cpus
  cpuset-mems detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps
  device-write-iops dns dns-opt dns-option dns-search domainname entrypoint env env-file expose gpus group-add
  health-cmd health-interval health-retries health-start-interval health-start-period health-timeout hostname
  io-maxbandwidth io-maxiops ip ip6 ipc isolation kernel-memory label label-file link link-local-ip log-driver
  log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name net net-alias network
  network-alias oom-score-adj pid pids-limit platform publish pull restart runtime security-opt shm-size
  stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume volume-driver volumes-from
  workdir`
    .split(/\s+/)
    .map((option) => `--${option}`)

/** docker(1): what may stand before the command. */
const GLOBAL_VALUES = [
  '-c',
  '--context',
  '--config',
  '-H',
  '--host',
  '-l',
  '--log-level',
  '--tlscacert',
  '--tlscert',
  '--tlskey',
]

export function dockerCommand(words: Argument[]): DockerCommand {
  const texts = words.map(({ text }) => textOf(text))
  const program = texts[0] ?? ''
  if (/(^|\/)podman$/.test(program)) return { kind: 'podman' }
  if (!/(^|\/)docker$/.test(program)) return { kind: 'other' }
  const at = commandAt(texts)
  const verb = texts[at] === 'container' ? at + 1 : at
  if (texts[verb] === 'start') return { kind: 'start', containers: texts.slice(verb + 1) }
  if (texts[verb] !== 'run') return { kind: 'other' }
  return runArgs(words, texts, verb + 1, texts.slice(0, at))
}

function commandAt(texts: string[]): number {
  let at = 1
  while (texts[at]?.startsWith('-')) at += GLOBAL_VALUES.includes(texts[at] ?? '') ? 2 : 1
  return at
}

function runArgs(words: Argument[], texts: string[], from: number, docker: string[]): DockerCommand {
  const values = new Map<string, string>()
  let detached = false
  let at = from
  for (;;) {
    const text = texts[at]
    if (text === '--') at += 1
    if (text === undefined || text === '--' || !text.startsWith('-') || text === '-') break
    const option = optionOf(text)
    if (option === null) return { kind: 'unknown-option', option: text }
    const value = option.takesNext ? texts[at + 1] : option.value
    if (value !== undefined) values.set(option.name, value)
    if (detaches(text)) detached = value !== 'false'
    at += option.takesNext ? 2 : 1
  }
  const image = words[at]
  if (!image) return { kind: 'other' }
  const of = (option: string): string | null => values.get(option) ?? null
  const [name, cidFile, restart] = [of('--name'), of('--cidfile'), of('--restart')]
  const command = texts.slice(at + 1)
  return { kind: 'run', run: { docker, name, image, cidFile, restart, detached, command } }
}

/** `-d` may stand among other switches, before one that takes a value. */
function detaches(text: string): boolean {
  return /^--detach(=|$)/.test(text) || new RegExp(`^-[${SHORT_SWITCHES}]*d`).test(text)
}

interface Option {
  name: string
  value: string | undefined
  takesNext: boolean
}

function optionOf(text: string): Option | null {
  if (!text.startsWith('--')) return shortOption(text)
  const equals = text.indexOf('=')
  if (equals > 0) return { name: text.slice(0, equals), value: text.slice(equals + 1), takesNext: false }
  if (SWITCHES.includes(text)) return { name: text, value: undefined, takesNext: false }
  return VALUES.includes(text) ? { name: text, value: undefined, takesNext: true } : null
}

/** `-it`, `-e NAME=x`, `-eNAME=x`, `-dp 80:80`. */
function shortOption(text: string): Option | null {
  const letters = text.slice(1)
  const takes = letters.split('').findIndex((letter) => !SHORT_SWITCHES.includes(letter))
  if (takes < 0) return { name: text, value: undefined, takesNext: false }
  if (letters[takes] === '=') return { name: text, value: undefined, takesNext: false }
  if (!SHORT_VALUES.includes(letters[takes] ?? '')) return null
  const value = letters.slice(takes + 1)
  return { name: `-${letters[takes] ?? ''}`, value, takesNext: value === '' }
}
