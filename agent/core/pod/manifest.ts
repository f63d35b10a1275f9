/** Where a manifest names an image: a plain or a quoted scalar, quotes included. */
export interface ImageToken {
  start: number
  end: number
  quote: '' | '"' | "'"
}

export interface ManifestContainer {
  name: string
  image: string
  /** Where its image can be changed, or why it cannot. */
  token: ImageToken | { why: string }
  /** The kubelet asks the registry at each start. */
  pullsAlways: boolean
}

/** A text in the manifest, and the name whose value it is; null if it has none. */
export interface ManifestValue {
  name: string | null
  value: string
  start: number
  end: number
}

/** What a manifest says, as the kubelet reads it, and where. */
export interface PodManifest {
  name: string
  namespace: string
  /** Given by the manifest; otherwise the kubelet derives one from its text. */
  uid: string | null
  /** How long a container may take to stop, seconds. */
  graceS: number
  containers: ManifestContainer[]
  values: ManifestValue[]
}

/** A file in the kubelet's manifest directory; `pod` has the reason if it cannot be read. */
export interface ManifestFile {
  path: string
  text: string
  isLink: boolean
  pod: PodManifest | { unreadable: string }
}

/** The manifest's text with another image in that place, and nothing else changed. */
export function withImage(text: string, { start, end, quote }: ImageToken, image: string): string {
  // a name without a slash, such as 1234:5, could be read as a number
  const around = quote === '' && !image.includes('/') ? '"' : quote
  return text.slice(0, start) + around + image + around + text.slice(end)
}
