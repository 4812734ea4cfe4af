/** What a GitLab pipeline says of itself: the same questions as the gate, answered by its own variables. */
import type { Verdict } from './gate.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * GitLab starts pipelines for those who may push, and keeps protected variables from the others; what is left to look at is
 * a merge request from a fork. Variables: https://docs.gitlab.com/ci/variables/predefined_variables/
 */
export function gitLabVerdict(environment: Environment): Verdict {
  const source = environment['CI_MERGE_REQUEST_SOURCE_PROJECT_ID']
  if (source !== undefined && source !== environment['CI_PROJECT_ID']) {
    return { allowed: false, reason: 'the merge request comes from a fork' }
  }
  const branch = environment['CI_MERGE_REQUEST_SOURCE_BRANCH_NAME'] ?? environment['CI_COMMIT_BRANCH']
  if (branch === undefined || branch === '') return { allowed: false, reason: 'the pipeline is of no branch' }
  return {
    allowed: true,
    reason: environment['CI_PIPELINE_SOURCE'] ?? 'pipeline',
    ...{
      job: 'fix',
      task: '',
      branch,
      base: environment['CI_MERGE_REQUEST_TARGET_BRANCH_NAME'] ?? branch,
      fork: false,
    },
  }
}
