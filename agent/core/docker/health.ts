import semver from 'semver'

/** A health check that the container itself offers, beside Docker's own HEALTHCHECK. */
export type HealthCheck = { kind: 'http'; url: string } | { kind: 'exec'; argv: string[] }

/**
 * calico/node has no HEALTHCHECK. Felix answers on :9099 when its environment enables it, and
 * `calico-node -bird-ready` exists from v3.2. `env` is the container's own, `version` null where unknown.
 */
export function healthChecks(env: Map<string, string>, version: string | null): HealthCheck[] {
  const checks: HealthCheck[] = []
  const felix = /^(true|1|yes|y|t)$/i.test(env.get('FELIX_HEALTHENABLED') ?? '')
  if (felix) {
    checks.push({ kind: 'http', url: `http://${felixAddress(env)}/readiness` })
  }
  if (version !== null && semver.gte(version, '3.2.0') && backendOf(env) === 'bird') {
    checks.push({
      kind: 'exec',
      argv: ['/bin/calico-node', '-bird-ready', ...(felix ? ['-felix-ready'] : [])],
    })
  }
  return checks
}

/** Felix takes an empty setting as none. A URL has an IPv6 address in brackets. */
function felixAddress(env: Map<string, string>): string {
  const host = env.get('FELIX_HEALTHHOST') || 'localhost'
  const isBare = host.includes(':') && !host.startsWith('[')
  return `${isBare ? `[${host}]` : host}:${env.get('FELIX_HEALTHPORT') || '9099'}`
}

const BACKENDS_WITHOUT_BIRD = ['none', 'vxlan', 'gobgp']

/** As calico/node decides it (projectcalico/node: filesystem/etc/rc.local): BIRD unless the words say otherwise. */
export function backendOf(env: Map<string, string>): string {
  const deprecated = env.get('CALICO_NETWORKING') ?? ''
  if (deprecated !== '') return deprecated === 'false' ? 'none' : 'bird'
  const backend = env.get('CALICO_NETWORKING_BACKEND') ?? ''
  return BACKENDS_WITHOUT_BIRD.includes(backend) ? backend : 'bird'
}

/** `KEY=value` lines as Docker keeps them. */
export function envMap(env: string[] | null | undefined): Map<string, string> {
  return new Map(
    (env ?? []).map((entry) => {
      const at = entry.indexOf('=')
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

/** The version that an image's tag or its OCI label states; null where neither is one. */
export function imageVersion(
  tag: string | null,
  labels: Record<string, string> | null | undefined,
): string | null {
  for (const text of [tag, labels?.['org.opencontainers.image.version'], labels?.['version']]) {
    const version = text == null ? null : semver.valid(text)
    if (version !== null) return version
  }
  return null
}
