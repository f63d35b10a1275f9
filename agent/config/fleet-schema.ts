import * as z from 'zod'
import { durationMs } from '../core/duration.ts'
import { DAYS } from '../core/fleet/windows.ts'

const WEEK_MS = 7 * 24 * 60 * 60_000

const absolutePath = z.string().regex(/^\/[^\0]*$/, 'must be an absolute path')

/** Part of a key of etcd and of the name of a Lease: a DNS label. */
const groupName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be a name of lower-case letters, digits and "-"')

const namespaceName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be the name of a namespace')

const httpUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === ''
}, 'must be a URL such as https://host.example:2379, without a user')

/** A member of etcd: its path is the API's. */
const endpoint = httpUrl.refine(
  (text) => !URL.canParse(text) || new URL(text).pathname === '/',
  'must be a URL without a path, such as https://host.example:2379',
)

const pattern = z.string().refine((text) => {
  try {
    return new RegExp(text) instanceof RegExp
  } catch {
    return false
  }
}, 'must be a regular expression')

const zone = z.string().refine((timeZone) => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone }) instanceof Intl.DateTimeFormat
  } catch {
    return false
  }
}, 'must be a time zone, such as UTC or Europe/Berlin')

/** No transform: a config is checked again with the flags over it. */
const maintenanceWindow = z.strictObject({
  days: z
    .array(z.enum(DAYS))
    .min(1)
    .default([...DAYS]),
  start: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day in quotes, such as "02:00"'),
  length: z.string().refine((text) => {
    const ms = durationMs(text)
    return ms !== null && ms >= 60_000 && ms <= WEEK_MS
  }, 'must be a time from 1m to 7d, such as 90m or 3h'),
  zone: zone.default('UTC'),
})

const etcd = z
  .strictObject({
    endpoints: z.array(endpoint).min(1),
    ca: absolutePath.optional(),
    cert: absolutePath.optional(),
    key: absolutePath.optional(),
    user: z.string().min(1).optional(),
    passwordFile: absolutePath.optional(),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), 'set both cert and key, or none')
  .refine(
    ({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined),
    'set both user and passwordFile, or none',
  )

const ENGINES = ['etcd', 'kubernetes', 'fleetlock'] as const

/** `fleet` of the config. */
export const fleetSection = z
  .strictObject({
    group: groupName.default('default'),
    slots: z.number().int().min(1).max(1_000).optional(),
    stopAfter: z.number().int().min(1).max(1_000).optional(),
    windows: z.array(maintenanceWindow).min(1).optional(),
    blockOn: z.strictObject({ prometheus: httpUrl, alerts: pattern.default('.*') }).optional(),
    etcd: etcd.optional(),
    kubernetes: z.strictObject({ namespace: namespaceName.default('calico-agent') }).optional(),
    fleetlock: z.strictObject({ url: httpUrl, ca: absolutePath.optional() }).optional(),
  })
  .superRefine((fleet, context) => {
    const given = ENGINES.filter((engine) => fleet[engine] !== undefined)
    if (given.length === 1) return
    const message =
      given.length === 0
        ? `name where the hosts meet: one of ${ENGINES.join(', ')}`
        : `set only one of ${given.join(' and ')}`
    context.addIssue({ code: 'custom', message })
  })
  .refine(({ fleetlock, slots }) => fleetlock === undefined || slots === undefined, {
    path: ['slots'],
    error: 'the FleetLock server has the number of slots: set it there',
  })
  .refine(({ fleetlock, stopAfter = 1 }) => fleetlock === undefined || stopAfter === 1, {
    path: ['stopAfter'],
    error:
      'a FleetLock server keeps no count of failures: the host that failed keeps its slot (stopAfter: 1)',
  })
