/**
 * The fixed words of DeepSeek's prompt protocol: encoding_dsv4.py published with V4, its 0731 revision, and the encoders
 * of V4.1 and V3.2.
 */

/** How the tags of one version are spelled. */
export interface DsmlSpelling {
  /** Name of the block around all calls of a reply. */
  readonly block: string
  /** V4.1 writes a blank between the token and the tag's name. */
  readonly gap: string
}

export const bos = '<｜begin▁of▁sentence｜>'
export const eos = '<｜end▁of▁sentence｜>'
export const userToken = '<｜User｜>'
export const assistantToken = '<｜Assistant｜>'
export const systemToken = '<｜System｜>'
export const thinkOpen = '<think>'
export const thinkClose = '</think>'
export const dsmlToken = '｜DSML｜'

export const openTag = ({ gap }: DsmlSpelling, name: string): string => `<${dsmlToken}${gap}${name}`
export const closeTag = ({ gap }: DsmlSpelling, name: string): string => `</${dsmlToken}${gap}${name}>`

/** The tools as V4 and V4.1 are told of them; `schemas` is one JSON object a line. */
export function toolsBefore(spelling: DsmlSpelling): string {
  const open = (name: string): string => openTag(spelling, name)
  const close = (name: string): string => closeTag(spelling, name)
  return [
    '## Tools',
    '',
    `You have access to a set of tools to help answer the user's question. You can invoke tools by writing a "${open(spelling.block)}>" block like the following:`,
    '',
    `${open(spelling.block)}>`,
    `${open('invoke')} name="$TOOL_NAME">`,
    `${open('parameter')} name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE${close('parameter')}`,
    '...',
    close('invoke'),
    `${open('invoke')} name="$TOOL_NAME2">`,
    '...',
    close('invoke'),
    close(spelling.block),
    '',
    'String parameters should be specified as is and set `string="true"`. For all other types (numbers, booleans, arrays, objects), pass the value in JSON format and set `string="false"`.',
    '',
    'If thinking_mode is enabled (triggered by <think>), you MUST output your complete reasoning inside <think>...</think> BEFORE any tool calls or final response.',
    '',
    'Otherwise, output directly after </think> with tool calls or final response.',
    '',
    '### Available Tool Schemas',
    '',
    '',
  ].join('\n')
}

export const toolsAfter =
  '\n\nYou MUST strictly follow the above defined tool name and parameter schemas to invoke tool calls.\n'

/** V3.2's words for the same. */
export function oldToolsBefore(spelling: DsmlSpelling): string {
  const open = (name: string): string => openTag(spelling, name)
  const close = (name: string): string => closeTag(spelling, name)
  return [
    '## Tools',
    '',
    "You have access to a set of tools you can use to answer the user's question.",
    `You can invoke functions by writing a "${open(spelling.block)}>" block like the following as part of your reply to the user:`,
    `${open(spelling.block)}>`,
    `${open('invoke')} name="$FUNCTION_NAME">`,
    `${open('parameter')} name="$PARAMETER_NAME" string="true|false">$PARAMETER_VALUE${close('parameter')}`,
    '...',
    close('invoke'),
    `${open('invoke')} name="$FUNCTION_NAME2">`,
    '...',
    close('invoke'),
    close(spelling.block),
    '',
    'String and scalar parameters should be specified as is without any escaping or quotes, while lists and objects should use JSON format. The "string" attribute should be set to "true" for string type parameters and "false" for other types (numbers, booleans, arrays, objects).',
    '',
    'If the thinking_mode is enabled, then after function results you should strongly consider outputting a thinking block. Here is an example:',
    '',
    `${open(spelling.block)}>`,
    '...',
    close(spelling.block),
    '',
    '<function_results>',
    '...',
    '</function_results>',
    '',
    '<think>...thinking about results</think>',
    '',
    'Here are the functions available in JSONSchema format:',
    '<functions>',
    '',
  ].join('\n')
}

export const oldToolsAfter = '\n</functions>\n'

/** The preview's `max`, 0731's `high`. */
export const absoluteEffort =
  'Reasoning Effort: Absolute maximum with no shortcuts permitted.\n' +
  'You MUST be very thorough in your thinking and comprehensively decompose the problem to resolve the root cause, rigorously stress-testing your logic against all potential paths, edge cases, and adversarial scenarios.\n' +
  'Explicitly write out your entire deliberation process, documenting every intermediate step, considered alternative, and rejected hypothesis to ensure absolutely no assumption is left unchecked.\n\n'

/** 0731's `max`. */
export const beyondEffort =
  'Reasoning Effort: Beyond maximum — exhaustive, relentless, and uncompromising.\n' +
  'You MUST reason with the utmost depth and rigor, leaving absolutely nothing to chance: exhaustively decompose the problem into its most fundamental components, trace every causal chain to its root, and resolve the underlying cause rather than any surface symptom.\n' +
  'Do not stop reasoning until you have independently verified the solution from multiple angles and are certain that no assumption remains unchecked and no error remains undiscovered.\n\n'

/** V4.1 says a number. */
export const numberedEffort = (value: number): string =>
  `Reasoning Effort: ${value} (range 1-100, the higher the value, the more thorough the reasoning)\n\n`
