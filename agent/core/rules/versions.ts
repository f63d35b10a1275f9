import semver from 'semver'
import { envMap } from '../docker/health.ts'
import type { Observed } from '../model.ts'
import { nodeVersions, versionText } from '../release/node-versions.ts'
import { isWithdrawn } from '../release/releases.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** From one version to another; null where neither tag nor label states it, which is never a reason to refuse. */
interface Move {
  name: string
  from: string | null
  to: string | null
  /** The container's own, which the new one takes over. */
  env: Map<string, string>
}

/** The requested version of the node is usable, with the current settings. */
export const versionRules: Rule[] = rulesOn(moveOf, [
  {
    code: 'withdrawn-version',
    severity: 'error',
    allowable: true,
    about: 'Calico has not withdrawn the version',
    seen: ({ to }) => versionText(to),
    check: ({ to }) =>
      to !== null && isWithdrawn(to)
        ? { message: `cannot upgrade to v${to}: Calico withdrew it`, fix: 'choose the next version' }
        : null,
  },
  {
    code: 'dropped-env',
    severity: 'error',
    allowable: true,
    about: 'the new version supports every setting of the container',
    seen: () => 'no setting is dropped',
    check: droppedEnv,
  },
])

function moveOf({ node, image }: Observed): Move | null {
  if (node === null || image === null) return null
  const name = node.container.Name.replace(/^\//, '')
  return { name, env: envMap(node.container.Config.Env), ...nodeVersions(node, image) }
}

/** Release notes of v3.0.1; a v3 that runs with them has proved that it can. */
function droppedEnv({ name, from, to, env }: Move): Objection[] {
  if (to === null || semver.major(to) < 3 || (from !== null && semver.major(from) >= 3)) return []
  const found: Objection[] = []
  const old = ['ETCD_AUTHORITY', 'ETCD_SCHEME'].filter((key) => env.get(key))
  // Both were ignored beside ETCD_ENDPOINTS before.
  if (old.length > 0 && !env.get('ETCD_ENDPOINTS')) {
    found.push({
      message: `cannot upgrade ${name} to v3: it finds etcd through ${old.join(' and ')}, which v3 does not read`,
      fix: `recreate ${name} with ETCD_ENDPOINTS=http://HOST:PORT instead`,
    })
  }
  if (env.get('CALICO_NETWORKING_BACKEND') === 'gobgp') {
    found.push({
      message: `cannot upgrade ${name} to v3: v3 has no gobgp backend`,
      fix: `recreate ${name} with CALICO_NETWORKING_BACKEND=bird`,
    })
  }
  // calicoctl node run sets it whether Docker networks are in use or not.
  if (env.get('CALICO_LIBNETWORK_ENABLED') === 'true') {
    found.push({
      severity: 'warning',
      message: `${name} serves Docker networks (CALICO_LIBNETWORK_ENABLED), and v3 does not: their containers no longer get addresses`,
      fix: 'docker network ls --filter driver=calico lists them',
    })
  }
  return found.map((objection) => (from === null ? { ...objection, severity: 'warning' } : objection))
}
