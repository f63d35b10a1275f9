import semver from 'semver'
import { envMap, imageVersion } from '../docker/health.ts'
import { runsAlready } from '../docker/image-state.ts'
import type { ContainerJson } from '../docker/json.ts'
import type { Observed } from '../model.ts'
import { nodeRuns } from '../node-image.ts'
import { isInstalled } from '../plan/cni.ts'
import { askedVersion, nodeVersions, runningVersion, versionText } from '../release/node-versions.ts'
import type { COMPONENTS } from '../release/releases.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

type Component = (typeof COMPONENTS)[number]

/** From one version to another; null where nothing states it, which is never a reason to refuse. */
interface Move {
  component: Component
  from: string | null
  to: string | null
}

interface KnownMove extends Move {
  from: string
  to: string
}

/** All that a run would take to another version, and what is known of the datastore. */
interface Moves {
  moves: Move[]
  /** The node of this host is v3: that the migration is started was stated when it came. */
  nodeIsV3: boolean
  /** Only what is in etcd is migrated: the Kubernetes API has its own storage. */
  inKubernetes: boolean
}

/** The versions of Calico 2.6.5: calico-upgrade migrates what they or later ones left (release notes of v3.0.1). */
const FIRST_MIGRATABLE: Record<Component, string> = { node: '2.6.5', cni: '1.11.2', controllers: '1.0.2' }
/** The versions of Calico 3.0. */
const FIRST_V3: Record<Component, string> = { node: '3.0.0', cni: '2.0.0', controllers: '2.0.0' }

/** What is asked for may follow what is there, in each component that changes. */
export const moveRules: Rule[] = rulesOn(movesOf, [
  {
    code: 'datastore-migration',
    severity: 'error',
    allowable: true,
    about: 'the datastore needs no migration',
    seen: movesText,
    check: migration,
  },
  {
    code: 'downgrade',
    severity: 'error',
    allowable: true,
    about: ({ moves }) =>
      moves.filter(isKnown).some(({ from, to }) => semver.lt(to, from))
        ? 'the version stays within its minor version'
        : 'the version moves forward',
    seen: movesText,
    check: ({ moves }) => moves.filter(isKnown).flatMap((move) => downgrade(move) ?? []),
  },
])

function movesOf(observed: Observed): Moves | null {
  const { node, image, cni, companions, controllers, deployment } = observed
  const moves: Move[] = []
  if (node && image && !nodeRuns(node, image)) moves.push({ component: 'node', ...nodeVersions(node, image) })
  if (cni && !isInstalled(cni))
    moves.push({ component: 'cni', from: companions.cni, to: imageVersion(cni.version, null) })
  moves.push(...controllersMove(observed))
  if (moves.length === 0) return null
  return {
    moves,
    nodeIsV3: node !== null && isV3('node', runningVersion(node)),
    inKubernetes:
      (deployment && 'image' in deployment && deployment.usesKubernetes) ||
      [node, controllers].some((one) => one !== null && isInKubernetes(one.container)),
  }
}

function controllersMove({ controllers, deployment, companions, controllersImage: image }: Observed): Move[] {
  if (image === null) return []
  if (deployment) {
    const isMove = 'image' in deployment && deployment.image !== image.ref
    return isMove ? [{ component: 'controllers', from: companions.controllers, to: askedVersion(image) }] : []
  }
  if (!controllers || runsAlready(controllers, image)) return []
  return [{ component: 'controllers', ...nodeVersions(controllers, image) }]
}

/** The datastore is the cluster's: no agent of one host can see how far its migration is. */
function migration({ moves, nodeIsV3, inKubernetes }: Moves): Objection | null {
  const crossing = moves
    .filter(isKnown)
    .filter(({ component, from, to }) => !isV3(component, from) && isV3(component, to))
  if (crossing.length === 0 || nodeIsV3) return null
  const tooOld = crossing.filter(({ component, from }) => semver.lt(from, FIRST_MIGRATABLE[component]))
  if (tooOld.length > 0) {
    const begins = tooOld.map(({ component }) => `${component} v${FIRST_MIGRATABLE[component]}`)
    return {
      message: `cannot upgrade ${wayText(tooOld)}: upgrades to v3 start from ${begins.join(' and ')}`,
      fix: 'run calico-agent upgrade --to v2.6.12 first, on every host',
    }
  }
  if (inKubernetes) return null
  return {
    message: `cannot upgrade ${wayText(crossing)}: v3 uses another datastore format, and calico-upgrade must start the migration first`,
    fix: 'run calico-upgrade dry-run, then calico-upgrade start; when all nodes and CNI plugins run v3, calico-upgrade complete',
  }
}

function downgrade({ component, from, to }: KnownMove): Objection | null {
  if (!semver.lt(minorOf(to), minorOf(from))) return null
  return {
    message: `cannot downgrade ${component} from v${from} to v${to}: an older minor version may be unable to read what the newer one wrote`,
    fix: 'to put back what the last run replaced: calico-agent rollback',
  }
}

function isKnown(move: Move): move is KnownMove {
  return move.from !== null && move.to !== null
}

function isV3(component: Component, version: string | null): boolean {
  return version !== null && semver.gte(`${semver.major(version)}.0.0`, FIRST_V3[component])
}

function isInKubernetes({ Config }: ContainerJson): boolean {
  return envMap(Config.Env).get('DATASTORE_TYPE') === 'kubernetes'
}

function minorOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}.0`
}

/** `node from v2.6.12 to v3.26.1 and cni from v1.11.8 to v3.26.1` */
function wayText(moves: KnownMove[]): string {
  return moves.map(({ component, from, to }) => `${component} from v${from} to v${to}`).join(' and ')
}

function movesText({ moves }: Moves): string {
  return moves
    .map(({ component, from, to }) => `${component} ${versionText(from)} -> ${versionText(to)}`)
    .join(', ')
}
