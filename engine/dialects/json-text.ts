/** JSON as Python's `json.dumps` writes it, and finding where a JSON value ends in a stream. */

/**
 * Python's spelling (`", "` and `": "`, nothing else escaped): what the Jinja `tojson` of the published chat templates
 * gives (transformers: `json.dumps(x, ensure_ascii=False)`), so what the models were trained on.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).filter(([, item]) => item !== undefined)
    return `{${pairs.map(([key, item]) => `${JSON.stringify(key)}: ${pythonJson(item)}`).join(', ')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** Follows a JSON object or array character by character. */
export interface JsonScanner {
  /** Takes the next character; true when it closes the outermost object or array. */
  push(character: string): boolean
  /** Whether the place is inside a string. */
  readonly inString: boolean
}

export function jsonScanner(): JsonScanner {
  let depth = 0
  let inString = false
  let escaped = false
  return {
    get inString() {
      return inString
    },
    push(character) {
      if (inString) {
        if (escaped) escaped = false
        else if (character === '\\') escaped = true
        else if (character === '"') inString = false
        return false
      }
      if (character === '"') inString = true
      else if (character === '{' || character === '[') depth += 1
      else if (character === '}' || character === ']') {
        depth -= 1
        return depth <= 0
      }
      return false
    },
  }
}

/** How deeply arrays and objects are nested in a text, valid or not. */
export function jsonDepth(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at += 1
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') {
      depth += 1
      deepest = Math.max(deepest, depth)
    } else if (character === '}' || character === ']') depth -= 1
  }
  return deepest
}

/** Whether a text ends inside a JSON string: then it was cut, and no repair can know the rest. */
export function endsInString(text: string): boolean {
  const scanner = jsonScanner()
  for (const character of text) scanner.push(character)
  return scanner.inString
}
