/** Undefined for what is no JSON. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined for what is no object of JSON. */
export function parsedObject(text: string): object | undefined {
  const body = parsedJson(text)
  return typeof body === 'object' && body !== null ? body : undefined
}
