/** What the words of a task ask for, as far as they say it plainly. Each of these is cautious in its own direction. */
import { withoutOutput } from '../context/without-output.ts'

/** Words that, as the first of a sentence, ask for files to differ afterwards. */
const changeVerbs = [
  ...['add', 'change', 'complete', 'convert', 'correct', 'create', 'delete', 'extract', 'fix', 'implement', 'inline'],
  ...[
    'insert',
    'mend',
    'migrate',
    'move',
    'refactor',
    'remove',
    'rename',
    'repair',
    'replace',
    'rewrite',
    'update',
    'write',
  ],
].join('|')
const imperative = new RegExp(
  `(^|[:;]\\s*|\\b(?:and|then)\\s+)(?:please\\s+|now\\s+)*(?:${changeVerbs})\\s+\\S|,\\s*(?:please\\s+|now\\s+|just\\s+)*(?:fix|mend|repair|correct)\\s+(?:it|this|that|them|the)\\b`,
  'i',
)

/** What quotes code or output says nothing of what is asked for. */
const sentencesOf = (task: string): string[] =>
  task
    .replace(/```[\s\S]*?```/g, ' ')
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')

/**
 * Whether a task asks for a change in so many words: a sentence or clause begins with a verb of change ("Fix …",
 * "find it and fix it"). Cautious: a question, or a task that only might mean a change, is none.
 */
export function asksForChange(task: string): boolean {
  return sentencesOf(task).some(
    (sentence) => !sentence.endsWith('?') && !nothing.test(sentence) && imperative.test(sentence),
  )
}

/** A whole sentence: "do not change anything else" and "don't touch files in lib" forbid less. */
const nothing =
  /^(?:and |but |please |just )*(?:(?:do not|don['’]t|never) (?:change|modify|edit|touch|write) (?:anything|any (?:files?|code)|(?:the|my) (?:files?|code)|files|code)|(?:change|modify|edit|touch|write) nothing)[.! ]*$/i

/** Whether a task says that no file may change, and asks for no change besides. */
export const forbidsChange = (task: string): boolean =>
  sentencesOf(task).some((sentence) => nothing.test(sentence)) && !asksForChange(task)

const asking =
  /^(?:and |so |but |now |please )*(?:what|why|how|who|whose|where|when|which|is|are|was|were|does|do|did|has|have|can|could|should|would|explain|describe|summari[sz]e|tell|list|review|compare|give me an overview)\b/i
const wishing =
  /\b(?:please|(?:can|could|would|will) (?:you|we)|i (?:want|need|would like)|i'd like|let's|make sure|should|must|needs? to|has to|have to|make|ensure|instead)\b/i

/**
 * Whether a task only asks to be told something: at least one question, and no sentence that could be a wish for a change.
 * Cautious: "Can you fix a.py?" is a wish.
 */
export function asksOnly(task: string): boolean {
  const sentences = sentencesOf(task)
  const wish = (sentence: string): boolean => {
    if (nothing.test(sentence)) return false
    if (imperative.test(sentence.replace(/\?$/, '.')) && !asking.test(sentence)) return true
    const politely = new RegExp(`\\b(?:can|could|would|will) (?:you|we)\\b.*\\b(?:${changeVerbs}|make)\\b`, 'i')
    if (politely.test(sentence)) return true
    return !asking.test(sentence) && !sentence.endsWith('?') && wishing.test(sentence)
  }
  // pytest marks what differs in lines that end like a question.
  const asks = sentencesOf(withoutOutput(task)).some((sentence) => sentence.endsWith('?') || asking.test(sentence))
  return asks && !sentences.some(wish)
}

/** Whether a task quotes what a failed test or program put out, says that something is wrong, and neither only asks nor forbids. */
export function showsFailure(task: string): boolean {
  const words = withoutOutput(task)
  return words !== task && asksToMend(words) && !asksOnly(task) && !forbidsChange(task)
}

/** A word of a wish: at the beginning of a clause, after "please" or "can you", or as "should be …". Stories hold such words too. */
const wished = (verbs: string): RegExp =>
  new RegExp(
    `(?:^|[:;,]\\s*|\\b(?:and|then|please|now|just|(?:can|could|would|will) (?:you|we)|(?:should|must|to) be|(?:need|want|like)s?(?: you)? to|let's)\\s+)(?:${verbs})`,
    'i',
  )
const removal = wished('(?:remov|delet|drop|renam|replac|inlin|merg|strip|shorten|simplif|clean)\\w*')
/** Tasks after which little of a file may stand where it stood. */
const upheaval = wished('(?:rewrit|split|mov[ei]|extract|port\\b|convert|translat|migrat|start over|redo)\\w*')

/** Whether a task could mean that functions are to do nothing afterwards. */
export const asksToEmpty = (task: string): boolean =>
  /\b(?:no-?ops?|do(?:es|ing)? nothing|empt(?:y|ied)|stubs?|skeletons?|placeholders?|disabl\w*|abstract|todos?|comment(?:s|ed|ing)? out)\b/i.test(
    task.replace(/```[\s\S]*?```/g, ' '),
  )

const fault =
  /\b(?:bugs?|buggy|broken|wrong(?:ly)?|mistakes?|faults?|faulty|incorrect(?:ly)?|regressions?|fails?|failing|failed|errors? in|crash(?:es|ed|ing)?|misbehaves?)\b/i
const mending = wished('(?:fix|mend|repair|debug|correct)\\b')

/** Whether a task says that something stands that is not right. It may be wrong: "write a test that fails" is such a task, too. */
export const asksToMend = (task: string): boolean =>
  sentencesOf(task).some((sentence) => fault.test(sentence) || mending.test(sentence))

/** What of a file the task allows to be gone after it. */
export interface Allowance {
  definition(name: string): boolean
  readonly docs: boolean
  readonly shrink: boolean
}

/** A definition may go when the task speaks of removing and names it; nearly all may in an upheaval ("rewrite", "split"). */
export function mayGo(task: string): Allowance {
  const sentences = sentencesOf(task)
  const removing = sentences.some((sentence) => removal.test(sentence))
  const upset = /\bfrom scratch\b/i.test(task) || sentences.some((sentence) => upheaval.test(sentence))
  const words = new Set(task.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu))
  return {
    definition: (name) => upset || (removing && words.has(name)),
    docs: upset || (removing && /\b(?:comments?|docstrings?|documentation|docs?)\b/i.test(task)),
    shrink: upset || removing,
  }
}
