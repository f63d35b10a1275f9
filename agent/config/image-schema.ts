import * as z from 'zod'
import { parseImageRef } from '../core/docker/image-ref.ts'
import { AgentError } from '../core/errors.ts'

export const imageRef = z.string().superRefine((text, context) => {
  try {
    parseImageRef(text)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    context.addIssue({ code: 'custom', message: `${error.message}; ${error.fix}` })
  }
})
