/** Reproducible chance: a case is told again by its seed. */

export interface Random {
  /** A whole number from 0 to one less than `below`. */
  int(below: number): number
  pick<Value>(values: readonly Value[]): Value
}

/** mulberry32: small, fast, and the same everywhere. */
export function random(seed: number): Random {
  let state = seed >>> 0
  function int(below: number): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
  return {
    int,
    pick(values) {
      const value = values[int(values.length)]
      if (value === undefined) throw new Error('nothing to pick from')
      return value
    },
  }
}

/** Spellings that mean something to some model family or parser. */
export const spellings: readonly string[] = [
  ...[
    '<|im_start|>',
    '<|im_end|>',
    '<|endoftext|>',
    '<tool_call>',
    '</tool_call>',
    '<tool_response>',
    '</tool_response>',
  ],
  ...['<think>', '</think>', '<function=read>', '<function=shell>', '</function>', '<parameter=path>', '</parameter>'],
  ...[
    '<｜begin▁of▁sentence｜>',
    '<｜end▁of▁sentence｜>',
    '<｜User｜>',
    '<｜Assistant｜>',
    '<｜System｜>',
    '｜DSML｜',
    '<｜▁pad▁｜>',
  ],
  ...['<｜DSML｜tool_calls>', '</｜DSML｜tool_calls>', '<｜DSML｜invoke name="read">', '</｜DSML｜invoke>'],
  ...[
    '<｜DSML｜parameter name="path" string="true">',
    '</｜DSML｜parameter>',
    '<DSML｜ calls>',
    '<|DSML|invoke name=shell>',
  ],
  ...[
    '<|start|>',
    '<|channel|>',
    '<|message|>',
    '<|call|>',
    '<|end|>',
    '<|return|>',
    '<|constrain|>',
    'to=functions.shell',
  ],
  ...['[gMASK]', '<sop>', '<|user|>', '<|assistant|>', '<|system|>', '<|observation|>', '<arg_key>', '</arg_key>'],
  ...[
    '<arg_value>',
    '</arg_value>',
    '<|turn>',
    '<turn|>',
    '<|tool_call>',
    '<tool_call|>',
    '<|channel>',
    '<channel|>',
    '<|"|>',
  ],
  ...[
    '```',
    '```json\n',
    '```sh\n',
    '<<<<<<< SEARCH\n',
    '=======\n',
    '>>>>>>> REPLACE\n',
    'call:read{path:',
    '{"name": "',
  ],
  ...[
    '"arguments": ',
    '{"path": "a.py"}',
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    '\n',
    '\n\n',
    ' ',
    '\t',
    ',',
    ':',
    'a.py',
    'read',
  ],
  ...[
    '🐋',
    'ü',
    '漢字',
    '\u200b',
    '\u202e',
    '\ufeff',
    '\u0000',
    '\ud800',
    '<',
    '>',
    '｜',
    '|',
    '▁',
    'name="',
    'true',
    '-1e9',
    'null',
  ],
]
