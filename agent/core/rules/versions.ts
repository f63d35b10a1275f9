import semver from 'semver'
import { envMap } from '../health.ts'
import type { Observed } from '../model.ts'
import { nodeVersions, versionText } from '../node-versions.ts'
import { isWithdrawn } from '../releases.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** From one version to another; null where neither tag nor label states it, which is never a reason to refuse. */
interface Move {
  name: string
  from: string | null
  to: string | null
  /** The container's own, which the new one takes over. */
  env: Map<string, string>
}

/** calico-upgrade migrates what a node of this version or later left (release notes of v3.0.1). */
const FIRST_MIGRATABLE = '2.6.5'

/** One Calico version may follow the other. */
export const versionRules: Rule[] = rulesOn(moveOf, [
  {
    code: 'withdrawn-version',
    severity: 'error',
    allowable: true,
    about: 'Calico did not withdraw the version',
    seen: ({ to }) => versionText(to),
    check: ({ to }) =>
      to !== null && isWithdrawn(to)
        ? { message: `cannot upgrade to v${to}: Calico withdrew it`, fix: 'name the version after it' }
        : null,
  },
  {
    code: 'datastore-migration',
    severity: 'error',
    allowable: true,
    about: 'the move needs no migration of the datastore',
    seen: moveText,
    check: migration,
  },
  {
    code: 'downgrade',
    severity: 'error',
    allowable: true,
    about: 'the move is no downgrade across a minor version',
    seen: moveText,
    check: ({ from, to }) =>
      from !== null && to !== null && semver.lt(minorOf(to), minorOf(from))
        ? {
            message: `cannot go from v${from} back to v${to}: a downgrade across a minor version may not read what the newer one wrote`,
            fix: 'agent rollback puts back what the last run replaced',
          }
        : null,
  },
  {
    code: 'dropped-env',
    severity: 'error',
    allowable: true,
    about: 'the new version takes every setting of the container',
    seen: () => 'no setting that ends on this way',
    check: droppedEnv,
  },
])

function moveOf({ node, image }: Observed): Move | null {
  if (node === null || image === null) return null
  const name = node.container.Name.replace(/^\//, '')
  return { name, env: envMap(node.container.Config.Env), ...nodeVersions(node, image) }
}

/** The datastore is the cluster's: no agent of one host can see how far its migration is. */
function migration({ from, to, env }: Move): Objection | null {
  if (from === null || to === null || semver.major(from) >= 3 || semver.major(to) < 3) return null
  if (semver.lt(from, FIRST_MIGRATABLE)) {
    return {
      message: `cannot go from v${from} to v${to}: the way to v3 begins at v${FIRST_MIGRATABLE}`,
      fix: 'agent upgrade --to v2.6.12 first, on every host',
    }
  }
  // Only what is in etcd is migrated: the Kubernetes API has its own storage.
  if (env.get('DATASTORE_TYPE') === 'kubernetes') return null
  return {
    message: `cannot go from v${from} to v${to}: v3 reads another datastore, and calico-upgrade must have been started to migrate it`,
    fix: 'calico-upgrade dry-run, then calico-upgrade start; once all nodes and CNI plugins are v3, calico-upgrade complete',
  }
}

/** Release notes of v3.0.1; a v3 that runs with them has proved that it can. */
function droppedEnv({ name, from, to, env }: Move): Objection[] {
  if (to === null || semver.major(to) < 3 || (from !== null && semver.major(from) >= 3)) return []
  const found: Objection[] = []
  const old = ['ETCD_AUTHORITY', 'ETCD_SCHEME'].filter((key) => env.get(key))
  // Both were ignored beside ETCD_ENDPOINTS before.
  if (old.length > 0 && !env.get('ETCD_ENDPOINTS')) {
    found.push({
      message: `cannot take ${name} to v3: it finds etcd by ${old.join(' and ')}, which v3 does not read`,
      fix: `make ${name} again with ETCD_ENDPOINTS=http://HOST:PORT in their place`,
    })
  }
  if (env.get('CALICO_NETWORKING_BACKEND') === 'gobgp') {
    found.push({
      message: `cannot take ${name} to v3: its backend gobgp is gone there`,
      fix: `make ${name} again with CALICO_NETWORKING_BACKEND=bird`,
    })
  }
  // calicoctl node run sets it whether Docker networks are in use or not.
  if (env.get('CALICO_LIBNETWORK_ENABLED') === 'true') {
    found.push({
      severity: 'warning',
      message: `${name} serves Docker networks (CALICO_LIBNETWORK_ENABLED), and v3 does not: their containers get no addresses any more`,
      fix: 'docker network ls --filter driver=calico shows whether there are any',
    })
  }
  return found.map((objection) => (from === null ? { ...objection, severity: 'warning' } : objection))
}

function minorOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}.0`
}

function moveText({ from, to }: Move): string {
  return `${versionText(from)} -> ${versionText(to)}`
}
