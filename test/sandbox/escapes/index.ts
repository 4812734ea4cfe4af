/** All attempts, in the groups and under the numbers of the study that they come from. */
import type { Attempt } from './attempt.ts'
import { fs } from './fs.ts'
import { git } from './git.ts'
import { k } from './k.ts'
import { net } from './net.ts'
import { o } from './o.ts'
import { pr } from './pr.ts'
import { sec } from './sec.ts'

export const attempts: readonly Attempt[] = [...fs, ...git, ...sec, ...pr, ...net, ...k, ...o]
