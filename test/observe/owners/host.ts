import type { Observed } from '../../../agent/core/model.ts'
import { unitChangeOf } from '../../../agent/core/plan/running-unit.ts'
import { preflight } from '../../../agent/core/preflight.ts'
import { EXEC_KEYS } from '../../../agent/core/unit/commands.ts'
import { assignmentsOf } from '../../../agent/core/unit/lines.ts'
import type { UnitState } from '../../../agent/core/unit/state.ts'
import type { Wanted } from '../../../agent/core/wanted.ts'
import { findOwner } from '../../../agent/observe/owner.ts'
import { container, node, observed, unit as unitOf, wanted } from '../../core/observed.ts'
import { FakeKubelet } from '../../fakes/cni-config.ts'
import { FakeDocker } from '../../fakes/docker.ts'
import { FakeManifests } from '../../fakes/manifests.ts'
import { FakeSystemd, FakeUnitFiles } from '../../fakes/systemd.ts'

export const DIRECTORY = '/etc/systemd/system'
export const NODE = 'quay.io/calico/node:v2.6.5'
const NODE_NEXT = 'quay.io/calico/node:v2.6.12'
export const CONTROLLERS = 'quay.io/calico/kube-controllers:v1.0.3'
const CONTROLLERS_NEXT = 'quay.io/calico/kube-controllers:v1.0.5'

/** A host by the files that say what it starts; units are files of /etc/systemd/system. */
export interface Shape {
  files: Record<string, string>
  /** Of the units that are not simply up and enabled. */
  states?: Record<string, Partial<UnitState>>
  of?: 'node' | 'controllers'
  hasSystemd?: boolean
  labels?: Record<string, string>
}

/** What comes of an upgrade: the file that is changed, or why it is refused. */
export interface Verdict {
  /** Null where Docker keeps the container, and no file is changed. */
  changed?: string | null
  /** As `code: message`; of warnings as well. */
  problems: string[]
}

export async function verdictOn(shape: Shape): Promise<Verdict> {
  const ports = portsOf(shape)
  const isNode = shape.of !== 'controllers'
  const running = container({
    Config: { Image: isNode ? NODE : CONTROLLERS, Labels: shape.labels ?? {} },
    HostConfig: { RestartPolicy: { Name: 'no' } },
  })
  const name = isNode ? 'calico-node' : 'calico-kube-controllers'
  const found = await findOwner(
    { ...running, Name: `/${name}` },
    { section: isNode ? 'node' : 'controllers', manager: 'auto' },
    wanted.kubelet,
    { ...ports, docker: new FakeDocker([]) },
  )
  const seen = { ...node({ container: { ...running, Name: `/${name}` } }), ...found }
  const problems = preflight(seenAs(seen, isNode), wantedOf(isNode))
    .filter(({ code }) => CODES.includes(code))
    .map(({ code, message }) => `${code}: ${message}`)
  if (problems.some((problem) => !problem.startsWith('compose-file'))) return { problems }
  const change = unitChangeOf(seen, 'RUN', isNode ? NODE_NEXT : CONTROLLERS_NEXT)
  if (change === null) return { changed: null, problems }
  return 'edit' in change ? { changed: change.edit?.path ?? 'none', problems } : { problems: [change.why] }
}

/** What the rules about who keeps it say. */
const CODES = ['systemd-owned', 'kept-elsewhere', 'compose-file', 'hosted-install']

function seenAs(seen: ReturnType<typeof node>, isNode: boolean): Observed {
  if (isNode) return observed({ node: seen })
  return observed({ node: null, controllers: seen })
}

function wantedOf(isNode: boolean): Wanted {
  const { controllers } = wanted
  if (isNode) return { ...wanted, node: { ...wanted.node, image: NODE_NEXT } }
  return {
    ...wanted,
    node: { ...wanted.node, image: null },
    controllers: { ...controllers, image: CONTROLLERS_NEXT },
  }
}

function portsOf({ files, states = {}, hasSystemd = true }: Shape) {
  const unitFiles = new FakeUnitFiles()
  for (const [path, text] of Object.entries(files)) unitFiles.files.set(path, text)
  const mains = Object.keys(files).filter((path) => /^[^]*\/system\/[^/]+\.service$/.test(path))
  const units = mains
    .filter((path) => !path.endsWith('@.service'))
    .map((path) => stateOf(path, files, states))
  const instances = Object.keys(states)
    .filter((name) => /@.+\.service/.test(name))
    .map((name) => stateOf(`${DIRECTORY}/${name.replace(/@.*\./, '@.')}`, files, states, name))
  const services = hasSystemd ? [...units, ...instances] : []
  const systemd = new FakeSystemd(new FakeDocker([]), unitFiles)
  systemd.services = () => Promise.resolve(services)
  systemd.show = (name) => Promise.resolve(services.find(({ unit }) => unit === name) ?? null)
  return { systemd, unitFiles, kubelet: new FakeKubelet(() => null), manifests: new FakeManifests() }
}

/** As systemd shows it. */
function stateOf(
  fragment: string,
  files: Record<string, string>,
  states: Record<string, Partial<UnitState>>,
  name = fragment.replace(/.*\//, ''),
): UnitState {
  const dropIns = Object.keys(files).filter((path) => path.startsWith(`${DIRECTORY}/${name}.d/`))
  const lines = [fragment, ...dropIns].flatMap((path) => assignmentsOf({ path, text: files[path] ?? '' }))
  const values = (key: string) =>
    lines.filter((line) => line.key === key).map(({ value }) => value.map(({ c }) => c).join(''))
  return {
    ...unitOf().state,
    unit: name,
    fragment,
    dropIns,
    commands: EXEC_KEYS.flatMap(values),
    environmentFiles: values('EnvironmentFile').map((path) => path.replace(/^-/, '')),
    ...states[name],
  }
}
