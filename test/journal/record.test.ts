import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeJournal, encodeRecord, type JournalRecord } from '../../agent/journal/record.ts'
import { everyKind, recordsOf, textOf } from './sample.ts'

const records = recordsOf(everyKind)
const bytes = Buffer.from(textOf(records))

/** What the file says, or the code of the refusal to read it. */
function reading(file: Buffer): JournalRecord[] | string {
  try {
    return decodeJournal(file.toString('utf8'), 'a.jsonl').records
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

function changed(at: number, byte: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = byte
  return copy
}

describe('a journal', () => {
  it('reads back what was written', () => {
    expect(decodeJournal(textOf(records), 'a.jsonl')).toEqual({ records, wholeBytes: bytes.length })
  })

  it('reads back any text, whatever characters it has', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const written = recordsOf(texts.map((text) => ({ type: 'captured', step: 0, before: { text } })))
        expect(decodeJournal(textOf(written), 'a.jsonl').records).toEqual(written)
      }),
    )
  })

  it('is one line a record', () => {
    expect(encodeRecord(records[1] as JournalRecord)).toMatch(/^[0-9a-f]{8} \{[^\n]*\}\n$/)
  })

  it('has no records when it is empty', () => {
    expect(decodeJournal('', 'a.jsonl')).toEqual({ records: [], wholeBytes: 0 })
  })

  it('cut anywhere has the records that are whole', () => {
    for (let size = 0; size < bytes.length; size++) {
      const cut = bytes.subarray(0, size)
      const whole = [...cut.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1)
      expect(decodeJournal(cut.toString('utf8'), 'a.jsonl')).toEqual({
        records: records.slice(0, whole.length),
        wholeBytes: whole.at(-1) ?? 0,
      })
    }
  })

  it('with one bit flipped anywhere is refused', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const flipped = changed(at, (bytes[at] ?? 0) ^ (1 << bit))
        expect({ at, bit, reading: reading(flipped) }).toEqual({ at, bit, reading: 'journal-damaged' })
      }
    }
  })

  it('with a byte turned into the end of a line is refused', () => {
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] === 0x0a) continue
      expect({ at, reading: reading(changed(at, 0x0a)) }).toEqual({ at, reading: 'journal-damaged' })
    }
  })

  it('never shows a record that was not written, however it is damaged', () => {
    const damage = fc.record({
      from: fc.nat(bytes.length),
      length: fc.nat(40),
      by: fc.uint8Array({ maxLength: 40 }),
    })
    fc.assert(
      fc.property(damage, ({ from, length, by }) => {
        const seen = reading(Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(from + length)]))
        if (typeof seen === 'string') expect(seen).toBe('journal-damaged')
        else expect(seen).toEqual(records.slice(0, seen.length))
      }),
      { numRuns: 2_000 },
    )
  })

  it.each<[string, (lines: string[]) => string[]]>([
    ['a line is missing', (lines) => lines.filter((_, i) => i !== 3)],
    ['a line stands twice', (lines) => lines.flatMap((line, i) => (i === 3 ? [line, line] : [line]))],
    ['two lines changed places', ([a = '', b = '', ...rest]) => [b, a, ...rest]],
    ["it begins with another journal's line", (lines) => lines.slice(1)],
    ['there is an empty line', ([a = '', ...rest]) => [a, '', ...rest]],
    ['lines end as on Windows', (lines) => lines.map((line) => `${line}\r`)],
  ])('is refused when %s', (_, change) => {
    const lines = textOf(records).trimEnd().split('\n')
    expect(reading(Buffer.from(`${change(lines).join('\n')}\n`))).toBe('journal-damaged')
  })

  it.each<[string, object, string]>([
    ['a later format', { ...records[0], v: 2 }, 'its format version is 2, and this agent supports 1'],
    ['a record', { ...records[0], type: 'paused' }, 'this agent does not know the record "paused"'],
    [
      'a step',
      { ...records[0], plan: { steps: [{ kind: 'drain' }] } },
      'this agent does not know the step "drain"',
    ],
  ])('of a newer agent is refused with the way out: %s', (_, record, why) => {
    const json = JSON.stringify(record)
    const text = `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
    expect(() => decodeJournal(text, 'a.jsonl')).toThrow(
      expect.objectContaining({
        code: 'journal-newer',
        exitCode: 3,
        message: expect.stringMatching(
          new RegExp(`^cannot read the journal a.jsonl: it was written by .*: ${why}$`),
        ) as string,
        fix: expect.stringMatching(/^install (agent 0.1.0|a newer agent), or a later one/) as string,
      }),
    )
  })

  it('of a format that never was is damaged', () => {
    const json = JSON.stringify({ ...records[0], v: 0 })
    expect(reading(Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`))).toBe(
      'journal-damaged',
    )
  })
})
