// A page of docs/ as an operator follows it: commands are typed, configs are written, outputs are compared.

import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Fence, fences } from '../docs/markdown.ts'

/** The names that a page uses, and what they are on the lab. */
export type Names = Record<string, string>

/** All at once: what one name becomes may be another one. */
export function onLab(text: string, names: Names): string {
  const longestFirst = Object.keys(names).sort((one, other) => other.length - one.length)
  const any = new RegExp(`(?:${longestFirst.map(literal).join('|')})(?!\\d)`, 'g')
  return text.replaceAll(any, (name) => names[name] ?? name)
}

function asOnPage(text: string, names: Names): string {
  return onLab(text, Object.fromEntries(Object.entries(names).map(([page, lab]) => [lab, page])))
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

interface Operator {
  names: Names
  /** Resolves to the output. */
  type: (line: string) => Promise<string>
  /** Brings the config to what a block of YAML shows. */
  edit: (yaml: string) => Promise<void>
  /** For how long the line before an output is typed again until it says that. */
  patienceMs?: number
  /** Brings an output to one order, where it has several. */
  arrange?: (output: string) => string
}

/** Does what the page's blocks say, one after the other. A block of text is the output of the line before it. */
export async function follow(page: string, operator: Operator): Promise<void> {
  let last = ''
  let said = ''
  for (const fence of fences(page)) {
    const text = onLab(fence.body, operator.names)
    if (fence.language === 'yaml') await operator.edit(text)
    else if (fence.language === 'text') await expectOutput(last, said, fence, operator)
    else if (fence.language === 'sh')
      for (last of text.split('\n').filter(Boolean)) said = await operator.type(last)
    else throw new Error(`nobody knows what to do with ${fence.language}: ${fence.body}`)
  }
}

/** A line `...` stands for any number of lines. */
async function expectOutput(line: string, first: string, { body }: Fence, operator: Operator): Promise<void> {
  const { names, type, patienceMs = 0, arrange = (output: string) => output } = operator
  const shown = arrange(shape(body)).split('\n')
  const pattern = shown.map((one) => (one === '...' ? '[^]*' : literal(one))).join('\n')
  const deadline = Date.now() + patienceMs
  for (let said = first; ; said = await type(line)) {
    const seen = arrange(shape(asOnPage(said, names)))
    const isShown = new RegExp(`^${pattern}$`).test(seen)
    if (isShown) return
    if (Date.now() >= deadline) expect(seen, line).toBe(shown.join('\n'))
    await pause(300)
  }
}

/** Without what differs from one run to the next: identities, times and how long something took. */
function shape(text: string): string {
  return text
    .trim()
    .replaceAll(/\b\d{8}T\d{6}Z-[0-9a-f]{4}\b/g, 'RUN')
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replaceAll(/\([0-9a-f]{12}\)/g, '(ID)')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/, started \d+ s ago/g, '')
    .replaceAll(/\b[\d.]+ (ms|s|min)\b/g, 'LONG')
    .replaceAll(/\[[#-]{10,}\]/g, 'GAUGE')
    .replaceAll(/ {2,}/g, '  ')
}
