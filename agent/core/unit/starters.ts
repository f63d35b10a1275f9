import { type ComposeLabels, composeDirectories } from '../docker/compose.ts'
import { dockerCommand } from '../docker/run-args.ts'
import { textOf, untraced } from './traced.ts'

/** A container, and the images that identify it. */
export interface Subject {
  container: string
  component: 'node' | 'controllers'
  /** Null if docker-compose did not create it. */
  compose: ComposeLabels | null
}

/** What a command does with the container; null if it has nothing to do with it. */
type Does =
  | 'starts'
  /** It creates a container, but which one is not known. */
  | 'starts-unknown'
  | 'follows'
  | 'logs'
  | 'acts'
  | null

const ENGINES = /(^|\/)(docker|podman|nerdctl|systemd-docker|rkt|ctr|crictl)$/
const COMPOSE = /(^|\/)(docker-compose|podman-compose)$/
const CALICOCTL = /(^|\/)calicoctl$/
/** calicoctl in a container that gets Docker's socket. */
const CALICOCTL_IMAGE = /(^|\/)calico\/ctl$|(^|\/)calicoctl$/

const REPOSITORIES = {
  node: /(^|\/)(calico\/node|calico-node|cnx-node)$/,
  controllers: /(^|\/)(kube-controllers|kube-policy-controller)$/,
}

/** `restart` is not among them: it keeps whatever container has the name. */
const STARTS = ['run', 'create', 'start']
const FOLLOWS = ['wait', 'attach']
const ACTS = ['stop', 'kill', 'rm', 'restart']

/** What one command of a unit or a script does, by its words, with variables expanded: an unknown one is empty. */
export function doesWith(words: string[], subject: Subject): Does {
  const at = words.findIndex((word) => [ENGINES, COMPOSE, CALICOCTL].some((known) => known.test(word)))
  const [program = '', ...args] = at < 0 ? [] : words.slice(at)
  if (CALICOCTL.test(program)) return byCalicoctl(args, subject)
  if (COMPOSE.test(program)) return byCompose(args, subject)
  if (args[0] === 'compose') return byCompose(args.slice(1), subject)
  return ENGINES.test(program) ? byEngine(args, subject) : null
}

/** Whether a text may have anything to do with the container. */
export function mentions(text: string, { container, component, compose }: Subject): boolean {
  const images = { node: /calico|cnx-node/, controllers: /kube-controllers|kube-policy-controller/ }
  const places = compose === null ? [] : composeDirectories(compose)
  return [container, ...places].some((word) => text.includes(word)) || images[component].test(text)
}

/** It creates a container of that name, whatever its other arguments; its other commands read it, or remove it. */
function byCalicoctl(args: string[], { container, component }: Subject): Does {
  const at = args.indexOf('node')
  const next = args[at + 1]
  // otherwise it is what another command reads: calicoctl get node
  const isCommand = args
    .slice(0, at)
    .every((arg, i) => [arg, args[i - 1]].some((one) => one?.startsWith('-')))
  const runs = at >= 0 && isCommand && (next === undefined || next === 'run' || next.startsWith('-'))
  const isDry = args.some((arg) => /^--dry-?run/.test(arg))
  return component === 'node' && container === 'calico-node' && runs && !isDry ? 'starts' : null
}

/** By the file that created the container, or by its own name. */
function byCompose(args: string[], { container, compose }: Subject): Does {
  if (!args.some((arg) => ['up', 'start', 'run', 'create'].includes(arg))) return null
  const named = [container, ...(compose === null ? [] : [compose.project, compose.service, ...compose.files])]
  const isNamed = args.some((arg) => named.includes(arg.replace(/^-[-a-z]+=/, '')))
  return isNamed || args.some((arg) => /calico/.test(arg)) ? 'starts' : null
}

function byEngine(args: string[], subject: Subject): Does {
  const at = args.findIndex((arg) => [...STARTS, ...FOLLOWS, ...ACTS, 'logs'].includes(arg))
  const verb = args[at] ?? ''
  const rest = args.slice(at + 1)
  if (STARTS.includes(verb)) return makes(verb, rest, subject)
  if (!names(rest, subject)) return null
  if (FOLLOWS.includes(verb)) return 'follows'
  if (ACTS.includes(verb)) return 'acts'
  return rest.some((arg) => /^(-[a-z]*f[a-z]*|--follow)$/.test(arg)) ? 'logs' : null
}

/** By the container's name, or by its image if the name is not known. */
function makes(verb: string, rest: string[], subject: Subject): Does {
  if (verb === 'start') return names(rest, subject) ? 'starts' : null
  // the other engines have Docker's options
  const words = ['docker', 'run', ...rest].map((word) => ({ text: untraced(word), written: [] }))
  const command = dockerCommand(words)
  if (command.kind !== 'run')
    return names(rest, subject) || rest.some((word) => isImage(word, subject)) ? 'starts' : null
  const { name, command: told } = command.run
  const image = textOf(command.run.image.text)
  if (CALICOCTL_IMAGE.test(repositoryOf(image))) return byCalicoctl(told, subject)
  if (name !== null && name !== '') return name === subject.container ? 'starts' : null
  if (isImage(image, subject)) return isTool(told) ? null : 'starts'
  return image === '' || image.includes('$') ? 'starts-unknown' : null
}

/** Such as `docker run --rm calico/node:v2.6.5 calico-node -v`, which exits by itself. */
function isTool(told: string[]): boolean {
  const [program = '', ...args] = told
  return program !== '' && !/start_runit$|-felix/.test([program, ...args].join(' '))
}

function names(words: string[], { container }: Subject): boolean {
  return words.some((word) => word === container || word === `--name=${container}`)
}

function isImage(word: string, { component }: Subject): boolean {
  return REPOSITORIES[component].test(repositoryOf(word))
}

function repositoryOf(image: string): string {
  return image
    .replace(/^docker:\/\//, '')
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
}
