import { runAgent } from '../../agent/composition.ts'
import { withFaultPoints } from './fault-points.ts'

void runAgent(withFaultPoints)
