import { hasValue, isJsonObject, type Json, patchOfNothing } from './merge-patch.ts'
import { indentOf, type JsonStyle, render, styleOf } from './style.ts'
import { type JsonMember, type JsonNode, memberOf } from './text.ts'

/** One piece of the text and what stands there instead. */
interface Edit {
  start: number
  end: number
  text: string
}

type JsonObject = JsonNode & { kind: 'object' }

/**
 * Applies a merge patch (RFC 7386) to the text of `target`, a node of the parsed `text`. Whatever the patch does not
 * change stays as it is written: order, spaces, line ends, numbers. New members follow the ones that are there, in
 * their style. A patch that changes nothing gives the same text. Names in `target` must be unique.
 */
export function mergeIntoText(text: string, root: JsonNode, target: JsonNode, patch: Json): string {
  const editor = new Editor(text, styleOf(text, root))
  const edits = editor.merge(target, patch).sort((a, b) => b.start - a.start)
  return edits.reduce(
    (whole, { start, end, text: by }) => whole.slice(0, start) + by + whole.slice(end),
    text,
  )
}

class Editor {
  readonly #text: string
  readonly #style: JsonStyle

  constructor(text: string, style: JsonStyle) {
    this.#text = text
    this.#style = style
  }

  merge(node: JsonNode, patch: Json): Edit[] {
    if (node.kind === 'object' && isJsonObject(patch)) return this.#mergeObject(node, patch)
    const value = patchOfNothing(patch)
    if (hasValue(node, value)) return []
    return [{ start: node.start, end: node.end, text: this.#rendered(value, node) }]
  }

  #mergeObject(node: JsonObject, patch: { [key: string]: Json }): Edit[] {
    const removed = node.members.filter(({ key }) => Object.hasOwn(patch, key) && patch[key] === null)
    const added = Object.entries(patch).filter(([key, value]) => value !== null && !memberOf(node, key))
    const edits = node.members.flatMap((member) => {
      const value = Object.hasOwn(patch, member.key) ? patch[member.key] : null
      return value === null || value === undefined ? [] : this.merge(member.value, value)
    })
    return [
      ...edits,
      ...(removed.length === node.members.length && removed.length + added.length > 0
        ? [this.#refill(node, added)]
        : [...this.#removals(node, removed), ...this.#additions(node, removed, added)]),
    ]
  }

  /** Each with the comma that it no longer needs: the one before it, or behind it for those that stood first. */
  #removals({ members }: JsonObject, removed: JsonMember[]): Edit[] {
    const firstKept = members.findIndex((member) => !removed.includes(member))
    const head = members[0]
    const kept = members[firstKept]
    if (head === undefined || kept === undefined) return []
    const leading = firstKept > 0 ? [{ start: head.keyStart, end: kept.keyStart, text: '' }] : []
    const others = members.flatMap((member, i) => {
      const before = members[i - 1]
      if (i < firstKept || before === undefined || !removed.includes(member)) return []
      return [{ start: before.value.end, end: member.value.end, text: '' }]
    })
    return [...leading, ...others]
  }

  /** Behind the last member, whether that stays or goes. */
  #additions(node: JsonObject, removed: JsonMember[], added: [string, Json][]): Edit[] {
    const last = node.members.at(-1)
    if (last === undefined || added.length === 0) return []
    const lead = this.#leadOf(node)
    const text = added.map((entry) => `,${lead}${this.#member(entry, indentOf(lead), node)}`).join('')
    // an edit of its own: it must not stand before the removal that ends at the same place
    const at = removed.includes(last) ? this.#endOfKept(node, removed) : last.value.end
    return [{ start: at, end: at, text }]
  }

  #endOfKept({ members }: JsonObject, removed: JsonMember[]): number {
    return members.findLast((member) => !removed.includes(member))?.value.end ?? 0
  }

  /** An object that loses all its members, or had none. */
  #refill(node: JsonObject, added: [string, Json][]): Edit {
    const first = node.members[0]
    const onOneLine = first && indentOf(this.#text.slice(node.start + 1, first.keyStart)) === null
    const indent = onOneLine === true ? null : this.#lineIndent(node.start)
    const value = patchOfNothing(Object.fromEntries(added))
    return { start: node.start, end: node.end, text: render(value, this.#style, indent) }
  }

  #member([key, value]: [string, Json], indent: string | null, node: JsonObject): string {
    return JSON.stringify(key) + this.#colonOf(node) + render(patchOfNothing(value), this.#style, indent)
  }

  /** What stands between a comma and the next name in this object, in one line break at most. */
  #leadOf({ start, members }: JsonObject): string {
    const [before, last] = [members.at(-2), members.at(-1)]
    if (last === undefined) return ''
    const space = this.#text.slice(before?.value.end ?? start + 1, last.keyStart)
    const indent = indentOf(space)
    if (indent !== null) return this.#style.eol + indent
    return before === undefined ? this.#style.gap : space.replace(/^\s*,/, '')
  }

  #colonOf({ members }: JsonObject): string {
    const last = members.at(-1)
    const colon = last && this.#text.slice(last.keyEnd, last.value.start)
    return colon === undefined || colon.includes('\n') ? this.#style.colon : colon
  }

  /** In place of a value: on lines of its own where its line begins with its name and the document has lines. */
  #rendered(value: Json, { start, end, kind }: JsonNode): string {
    const isFilled = kind !== 'scalar' && end - start > 2
    const onOneLine = isFilled && !this.#text.slice(start, end).includes('\n')
    return render(value, this.#style, onOneLine ? null : this.#lineIndent(start))
  }

  /** The indentation of the line on which the value stands, where only its name stands before it. */
  #lineIndent(offset: number): string | null {
    const lineStart = this.#text.lastIndexOf('\n', offset - 1) + 1
    const before = this.#text.slice(lineStart, offset)
    const found = /^([ \t]*)(?:"(?:[^"\\]|\\.)*"[ \t]*:[ \t]*)?$/.exec(before)?.[1]
    return found === undefined || !this.#text.includes('\n') ? null : found
  }
}
