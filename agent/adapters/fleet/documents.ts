import * as z from 'zod'
import { AgentError } from '../../core/errors.ts'
import { emptyGroup, type Group } from '../../core/fleet/group.ts'
import type { HostRecord } from '../../core/fleet/host-record.ts'
import { parsedJson } from '../../core/json/parsed.ts'

const SCHEMA = 1

const turn = { host: z.string(), run: z.string(), target: z.string() }

/** Members that a newer agent has added are kept: `z.looseObject`. */
const group = z.looseObject({
  schema: z.literal(SCHEMA),
  serial: z.number(),
  holders: z.array(z.looseObject({ ...turn, machine: z.string().nullable(), since: z.string() })),
  failures: z.array(z.looseObject({ ...turn, reason: z.string(), at: z.string() })),
  halt: z.looseObject({ by: z.string(), reason: z.string(), at: z.string() }).nullable(),
  rollout: z.looseObject({ target: z.string(), since: z.string(), done: z.number() }).nullable(),
})

const time = z.string().nullable()
const record = z.object({
  version: z.string(),
  target: z.string(),
  state: z.enum(['waiting', 'done', 'failed', 'refused', 'stuck']),
  run: z.string().nullable(),
  reason: z.string().nullable(),
  askedAt: time,
  startedAt: time,
  endedAt: time,
  window: z
    .object({ usedMs: z.number(), birdDownMs: z.number().nullable(), budgetMs: z.number() })
    .nullable(),
})

export function textOfGroup(document: Group): string {
  return JSON.stringify({ schema: SCHEMA, ...document })
}

/** @throws AgentError `fleet-document`: nothing is guessed about who is at work */
export function groupOf(text: string | null, where: string): Group {
  if (text === null) return emptyGroup
  const parsed = group.safeParse(parsedJson(text))
  if (parsed.success) return parsed.data
  throw new AgentError(
    'fleet-document',
    `cannot read which hosts are at work: ${where} has a format that this agent does not know`,
    {
      fix: 'if a newer agent wrote it, upgrade this one; otherwise repair or delete it by hand',
    },
  )
}

export function textOfRecord(said: Omit<HostRecord, 'host'>): string {
  return JSON.stringify(said)
}

/** Null for what no agent wrote: nothing depends on it. */
export function recordOf(host: string, text: string): HostRecord | null {
  const parsed = record.safeParse(parsedJson(text))
  return parsed.success ? { host, ...parsed.data } : null
}
