import { familiarName, type ImageRef } from '../../core/docker/image-ref.ts'
import { AgentError } from '../../core/errors.ts'
import { EngineError } from './errors.ts'

interface Rule {
  pattern: RegExp
  code: string
  fix: (ref: ImageRef) => string
  /** A transient error is worth another try. */
  retry?: true
}

/**
 * What went wrong between the Engine and the registry, by the Engine's words: for one failure the status of the
 * answer differs between calls and versions. First match wins. The words are Engine 20.10's and containerd's.
 */
const rules: Rule[] = [
  {
    pattern: /no space left on device/i,
    code: 'no-space',
    fix: () => 'free space for Docker: df -h /var/lib/docker; docker image prune removes unused images',
  },
  {
    pattern: /toomanyrequests|too many requests|\bHTTP (status: )?429\b|rate limit/i,
    code: 'registry-throttled',
    fix: (ref) => `log in (docker login ${ref.registry}) or try again later`,
    retry: true,
  },
  {
    pattern:
      /manifest unknown|name unknown|manifest for .* not found|repository does not exist|: not found$/i,
    code: 'image-not-found',
    fix: (ref) => `check the name and the tag; for a private repository: docker login ${ref.registry}`,
  },
  {
    pattern: /no matching manifest for|no match for platform/i,
    code: 'image-wrong-platform',
    fix: (ref) => `choose a tag of ${familiarName(ref)} that is built for this host's architecture`,
  },
  {
    pattern:
      /unauthori[sz]ed|authentication required|no basic auth|\bdenied\b|forbidden|\bHTTP (status: )?40[13]\b/i,
    code: 'registry-denied',
    fix: (ref) => `docker login ${ref.registry}`,
  },
  {
    pattern: /\bHTTP (status: )?5\d\d\b|internal server error|bad gateway|service unavailable|unavailable:/i,
    code: 'registry-failed',
    fix: (ref) => `try again later, or check ${ref.registry}`,
    retry: true,
  },
  {
    pattern: /x509:|certificate|HTTP response to HTTPS client/i,
    code: 'registry-untrusted',
    fix: (ref) =>
      `install the registry's CA as /etc/docker/certs.d/${ref.registry}/ca.crt, or add the registry to insecure-registries`,
  },
  {
    pattern:
      /connection re(fused|set)|no such host|no route to host|network is unreachable|server misbehaving|timeout|timed out|deadline exceeded|client\.timeout|\bEOF\b|broken pipe/i,
    code: 'registry-unreachable',
    fix: reachable,
    retry: true,
  },
]

/** What the Engine said about a registry. `what` completes "cannot ..."; `cause` is the Engine's answer, if any. */
export function registryError(what: string, ref: ImageRef, reply: string, cause?: unknown): AgentError {
  const rule = rules.find(({ pattern }) => pattern.test(reply))
  const words = reply.replace(/\/\/[^/@\s"]+@/g, '//***@')
  return new AgentError(rule?.code ?? 'pull-failed', `cannot ${what}: ${words}`, {
    fix: rule?.fix(ref) ?? "check Docker Engine's log: journalctl -u docker",
    cause,
  })
}

/** For `.catch`: the Engine's own answers about the registry get their name, anything else is thrown on. */
export function orRegistryError(what: string, ref: ImageRef): (error: unknown) => never {
  return (error) => {
    throw error instanceof EngineError ? registryError(what, ref, error.reply, error) : error
  }
}

export function registrySilent(what: string, ref: ImageRef, ms: number): AgentError {
  return new AgentError('registry-unreachable', `cannot ${what}: no answer within ${ms / 1000} s`, {
    fix: reachable(ref),
  })
}

function reachable({ registry }: ImageRef): string {
  return `check that this host can reach ${registry}: curl -v https://${registry}/v2/`
}

/** The stream of a pull ended without its last word. */
export function pullCut(what: string, cause?: unknown): AgentError {
  return new AgentError(
    'pull-cut',
    `cannot ${what}: the connection to Docker was closed before the pull finished`,
    {
      fix: 'check whether Docker Engine was restarted: systemctl status docker',
      cause,
    },
  )
}

export function pullStalled(what: string, ms: number): AgentError {
  return new AgentError('pull-stalled', `cannot ${what}: no progress for ${ms / 1000} s`, {
    fix: 'check whether the registry or the network is slow, and try again',
  })
}

/** Whether the same pull may succeed a moment later. */
export function isWorthRetrying(error: unknown): boolean {
  if (!(error instanceof AgentError)) return false
  if (error.code === 'pull-cut' || error.code === 'pull-stalled') return true
  return rules.some(({ code, retry }) => code === error.code && retry === true)
}
