export type { MemoryParts } from './memory.ts'
export { openEngine } from './open.ts'
export { contextLadder, type ModelPlan, type PlanOptions, type PlanRow, planFor } from './plan.ts'
export { type Device, listDevices, measureBandwidth } from './probe.ts'
