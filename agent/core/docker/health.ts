import semver from 'semver'

/** A health check that the container itself offers, beside Docker's own HEALTHCHECK. */
export type HealthCheck = { kind: 'http'; url: string } | { kind: 'exec'; argv: string[] }

/**
 * calico/node has no HEALTHCHECK. Felix answers on :9099 when its environment enables it. `calico-node -bird-ready`
 * exists from v3.2, and wants every peer for 30 s, or for ever: it is asked only where the agent does not see BIRD itself.
 * `env` is the container's own, `version` null where unknown.
 */
export function healthChecks(
  env: Map<string, string>,
  version: string | null,
  seesBird: boolean,
): HealthCheck[] {
  const checks: HealthCheck[] = []
  if (/^(true|1|yes|y|t)$/i.test(env.get('FELIX_HEALTHENABLED') ?? '')) {
    checks.push({ kind: 'http', url: `http://${felixAddress(env)}/readiness` })
  }
  if (!seesBird && version !== null && semver.gte(version, '3.2.0') && backendOf(env) === 'bird')
    checks.push({ kind: 'exec', argv: ['/bin/calico-node', '-bird-ready'] })
  return checks
}

export function checkText(check: HealthCheck): string {
  return check.kind === 'http' ? check.url : check.argv.join(' ')
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

/** Calico's tags name the machine (`v3.2.0-amd64`): to semver that is a pre-release, and older than v3.2.0. */
const ARCHITECTURE =
  /[-_.](?:linux[-_])?(?:amd64|x86[-_]64|arm64(?:[-_]?v8)?|aarch64|arm(?:hf|[-_]?v[567])?|386|ppc64(?:le|el)|s390x)$/i
const PRE_RELEASE = /^(alpha|beta|rc|pre|dev|\d)/i

/** The version that an image's tag or its OCI label states, without the suffix of a build; null where neither is one. */
export function imageVersion(
  tag: string | null,
  labels: Record<string, string> | null | undefined,
): string | null {
  for (const text of [tag, labels?.['org.opencontainers.image.version'], labels?.['version']]) {
    const version = semver.parse(text?.replace(ARCHITECTURE, '') ?? null)
    if (version !== null) return withoutBuild(version)
  }
  return null
}

/** `v2.6.12-fips` is no pre-release of 2.6.12. */
function withoutBuild({ version, prerelease, major, minor, patch }: semver.SemVer): string {
  return PRE_RELEASE.test(String(prerelease[0] ?? '')) ? version : `${major}.${minor}.${patch}`
}
