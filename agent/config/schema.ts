import * as z from 'zod'
import { AgentError } from '../core/errors.ts'
import { parseImageRef } from '../core/image-ref.ts'

const imageRef = z.string().superRefine((text, context) => {
  try {
    parseImageRef(text)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    context.addIssue({ code: 'custom', message: `${error.message}; ${error.fix}` })
  }
})

/** Docker's own rule for names (RestrictedNameChars in moby's daemon/names). */
const containerName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/, 'must be the name of a container: letters, digits, "_", "." and "-"')

const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'must be an absolute path, without a scheme such as unix://')

const seconds = (min: number, max: number) => z.number().int().min(min).max(max)
const count = (min: number) => z.number().int().min(min).max(1_000)

const tcpAddress = z
  .string()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|\d{1,3}(\.\d{1,3}){3}):\d{1,5}$/,
    'must be an address and a port: 127.0.0.1:9470 or [::1]:9470',
  )

const sections = {
  node: z.strictObject({
    image: imageRef.optional(),
    container: containerName.default('calico-node'),
    manager: z.enum(['auto', 'docker']).default('auto'),
  }),
  bird: z.strictObject({
    sockets: z.array(absolutePath).min(1).default(['/var/run/calico/bird.ctl', '/var/run/calico/bird6.ctl']),
  }),
  docker: z.strictObject({ socket: absolutePath.default('/var/run/docker.sock') }),
  retention: z.strictObject({ runs: count(1).default(20), images: count(1).default(1) }),
  service: z.strictObject({
    socket: absolutePath.default('/run/calico-agent/agent.sock'),
    listen: tcpAddress.optional(),
  }),
}

export const configSchema = z.strictObject({
  node: sections.node.prefault({}),
  bird: sections.bird.prefault({}),
  window: seconds(10, 3600).default(90),
  settle: seconds(0, 600).default(10),
  docker: sections.docker.prefault({}),
  retention: sections.retention.prefault({}),
  apply: z.enum(['auto', 'manual']).default('auto'),
  service: sections.service.prefault({}),
})

/**
 * agent.yaml with its defaults. `window` and `settle` are seconds; the budget is the smallest of 90, BIRD's own
 * restart time and `window`. `node.image` is absent where neither file nor flag names one.
 */
export type Config = z.output<typeof configSchema>

/** The keys that are known below a path, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(configSchema.shape)
  const section = String(path[0])
  return Object.hasOwn(sections, section) ? Object.keys(sections[section as keyof typeof sections].shape) : []
}
