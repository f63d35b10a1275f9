// A page of docs/ as an operator follows it: commands are typed, configs are written, outputs are compared.

import { expect } from 'vitest'
import { type Fence, fences } from '../docs/markdown.ts'

/** The names that a page uses, and what they are on the lab. */
export type Names = Record<string, string>

export function onLab(text: string, names: Names): string {
  return Object.entries(names).reduce((all, [page, lab]) => all.replaceAll(page, lab), text)
}

function asOnPage(text: string, names: Names): string {
  return Object.entries(names).reduce((all, [page, lab]) => all.replaceAll(lab, page), text)
}

interface Operator {
  names: Names
  /** Resolves to the output. */
  type: (line: string) => Promise<string>
  /** Brings the config to what a block of YAML shows. */
  edit: (yaml: string) => Promise<void>
}

/** Does what the page's blocks say, one after the other. A block of text is the output of the line before it. */
export async function follow(page: string, operator: Operator): Promise<void> {
  const { names } = operator
  let said = ''
  for (const fence of fences(page)) {
    const text = onLab(fence.body, names)
    if (fence.language === 'yaml') await operator.edit(text)
    else if (fence.language === 'text') expectOutput(said, fence, names)
    else if (fence.language === 'sh') for (const line of commands(text)) said = await operator.type(line)
    else throw new Error(`nobody knows what to do with ${fence.language}: ${fence.body}`)
  }
}

/** The lines of a block of `sh`; a backslash at its end joins a line with the next one. */
export function commands(body: string): string[] {
  return body
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean)
}

/** A line `...` stands for any number of lines. */
function expectOutput(said: string, { body }: Fence, names: Names): void {
  const lines = shape(body).split('\n')
  const pattern = lines.map((line) => (line === '...' ? '[^]*' : literal(line))).join('\n')
  expect(shape(asOnPage(said, names))).toMatch(new RegExp(`^${pattern}$`))
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
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
    .replaceAll(/\b[\d.]+ m?s\b/g, 'LONG')
    .replaceAll(/ {2,}/g, '  ')
}
