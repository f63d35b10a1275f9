import { runAgent } from './composition.ts'

void runAgent()
