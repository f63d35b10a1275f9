import { type TemplateEntry, valueIn } from '../kubernetes/template.ts'
import type { SwappedImage } from './plan.ts'

/** What a template, or a pod of it, has on one side of the swap: `was` is the template's own when the plan was made. */
export function entriesAt(images: SwappedImage[], side: 'from' | 'was' | 'to'): TemplateEntry[] {
  return images.map(({ list, name, ...values }) => ({ list, name, value: values[side] }))
}

/** A pod has what the swapped one had, whether an admission webhook has changed it or not. */
export function isAsBefore(pod: TemplateEntry[], images: SwappedImage[]): boolean {
  return images.every((one) => {
    const value = valueIn(pod, one)
    return value !== undefined && [one.from, one.admitted].includes(value)
  })
}

/** Without the mark of the config. */
export function imagesAmong(images: SwappedImage[]): SwappedImage[] {
  return images.filter(({ list }) => list !== 'annotations')
}

/** The images that become others: none where calico/node is started again with another config. */
export function changedImages(images: SwappedImage[]): SwappedImage[] {
  return imagesAmong(images).filter(({ from, to }) => from !== to)
}
